"""Full listings of all watched kinds: they fill the store at the start, and later find the changes
that a watch missed.

Objects in a listing that stay newer than the store, although the events had time to arrive, show a
watch that has silently stopped. The health endpoint reports it.
"""

import asyncio
import fnmatch
import logging
from collections.abc import Awaitable, Callable

from external_data_operator.cluster.api import Api
from external_data_operator.cluster.kinds import NAMESPACES, ApiKind, ApiKinds
from external_data_operator.cluster.store import Store
from external_data_operator.errors import ClusterError
from external_data_operator.reconcile.base.marks import SELECTOR
from external_data_operator.reconcile.base.world import Object, name_of
from external_data_operator.settings import Settings

GRACE_S = 10.0
_RETRY_S = 3.0
_log = logging.getLogger(__name__)
Sleep = Callable[[float], Awaitable[None]]


class Lister:
    """Lists what is watched, and remembers which watches missed something."""

    def __init__(
        self,
        api: Api,
        store: Store,
        kinds: ApiKinds,
        settings: Settings,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        """Lists through the API into the store."""
        self._api = api
        self._store = store
        self._kinds = kinds
        self._settings = settings
        self._sleep = sleep
        self._missed: dict[str, int] = {}
        self.filled = False

    @property
    def stalled(self) -> list[str]:
        """Kinds whose watch missed something in two listings running."""
        return sorted(kind for kind, times in self._missed.items() if times >= 2)

    async def fill(self) -> None:
        """The first listing; waits until the API server and our kinds are there."""
        said = ""
        while not self.filled:
            try:
                for kind in self._kinds.watched:
                    items, version = await self._list(kind)
                    self._store.replace(kind.kind, items, version)
                self.filled = True
            except ClusterError as error:
                if str(error) != said:
                    _log.warning("Waiting for the API server: %s.", error)
                said = str(error)
                await self._sleep(_RETRY_S)

    async def correct(self) -> list[Object]:
        """A later listing; returns what the watches had missed."""
        listings = [(kind, *await self._list(kind)) for kind in self._kinds.watched]
        await self._sleep(GRACE_S)
        missed: list[Object] = []
        for kind, items, version in listings:
            changed, gone = self._store.replace(kind.kind, items, version)
            has_missed = bool(changed or gone)
            self._missed[kind.kind] = self._missed.get(kind.kind, 0) + 1 if has_missed else 0
            if has_missed:
                counts = (len(changed), len(gone))
                _log.warning(
                    "The watch of %s missed %d changes and %d deletions.", kind.plural, *counts
                )
            missed.extend([*changed, *gone])
        return missed

    async def _list(self, kind: ApiKind) -> tuple[list[Object], int]:
        selector = None if kind.ours else SELECTOR
        found: list[Object] = []
        versions = []
        for namespace in await self._namespaces():
            items, version = await self._api.list_all(kind, namespace, selector)
            found.extend(items)
            versions.append(version)
        return found, min(versions, default=0)

    async def _namespaces(self) -> list[str | None]:
        """None means all; patterns are matched against the namespaces."""
        patterns = self._settings.watch_namespaces
        if not patterns:
            return [None]
        if not any(has_wildcard(pattern) for pattern in patterns):
            return list(patterns)
        namespaces, _ = await self._api.list_all(NAMESPACES, None)
        names = (name_of(one) for one in namespaces)
        return [one for one in names if any(fnmatch.fnmatchcase(one, each) for each in patterns)]


def has_wildcard(pattern: str) -> bool:
    """Whether this is a shell pattern and not a name."""
    return any(sign in pattern for sign in "*?[!")
