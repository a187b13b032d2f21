"""Writes a decision: children first, then the status, then the events.

An object that needs no change is not written. The response of a write goes into the store at once,
so that the next look does not decide by an older version than our own last write.
"""

import base64
import contextlib
import logging
from collections.abc import Iterator
from datetime import datetime

from external_data_operator.cluster.api import Api
from external_data_operator.cluster.covers import covers, same_but_status, stamp
from external_data_operator.cluster.events import Recorder
from external_data_operator.cluster.kinds import CRON_JOBS, SECRETS, ApiKinds
from external_data_operator.cluster.observe import Observer
from external_data_operator.cluster.store import Store
from external_data_operator.errors import (
    AlreadyExistsError,
    ConflictError,
    ForbiddenError,
    NotFoundError,
    PodRefusedError,
    StaleError,
    TakenError,
)
from external_data_operator.logs import Subject, about
from external_data_operator.reconcile.base import marks
from external_data_operator.reconcile.base.world import (
    Apply,
    CopySecret,
    Create,
    Decision,
    Delete,
    Intent,
    Object,
    StoreCredentials,
    Suspend,
    annotations_of,
    controller_uid,
    name_of,
    namespace_of,
)

_log = logging.getLogger(__name__)
_FOR_PODS = frozenset({"Job", "CronJob", "ConfigMap"})
_VERSIONS_MAX = 4
"""Versions of one object, different in their status only, that an apply is bound to in turn."""


class Performer:
    """Writes what was decided."""

    def __init__(self, api: Api, store: Store, kinds: ApiKinds, observer: Observer) -> None:
        """Writes through the API and remembers in the store."""
        self._api = api
        self._store = store
        self._kinds = kinds
        self._cached = frozenset(kind.kind for kind in kinds.watched)
        self._observer = observer
        self._recorder = Recorder(api)

    async def carry_out(self, decision: Decision) -> None:
        """Children: what is to be made, changed and removed, in that order. Raises StaleError at
        the first object that somebody else has changed since the decision saw it; the store then
        has the object as it is."""
        for intent in decision.intents:
            await self._carry_out(intent)

    async def tell(self, item: Object, decision: Decision, now: datetime) -> None:
        """The status, where it differs, and then the events."""
        if decision.status is not None and decision.status != item.get("status"):
            try:
                self._keep(await self._api.apply_status(item, decision.status))
            except NotFoundError:
                return
        await self._recorder.tell(item, decision.notes, now)

    async def _carry_out(self, intent: Intent) -> None:
        match intent:
            case Apply(manifest, decided_on):
                await self._apply(manifest, decided_on)
            case Create(manifest):
                await self._create(manifest)
            case Delete():
                await self._delete(intent)
            case Suspend(namespace, name):
                patch = {"spec": {"suspend": True}}
                self._keep(await self._api.merge(CRON_JOBS, namespace, name, patch))
            case StoreCredentials():
                await self._store_credentials(intent)
            case CopySecret():
                await self._copy_secret(intent)

    async def _apply(self, manifest: Object, decided_on: Object | None) -> None:
        wanted = stamp(manifest)
        there = await self._find(manifest)
        if there is not None and covers(there, wanted):
            return
        with _admission(manifest):
            if decided_on is None:
                self._keep(await self._api.apply(wanted))
            else:
                await self._apply_to(decided_on, there, wanted)

    async def _apply_to(self, seen: Object, there: Object | None, wanted: Object) -> None:
        """Applies only to the object that the decision saw. Its status may have changed: looks at
        the object itself write it at the same time."""
        for _ in range(_VERSIONS_MAX):
            if there is None or not same_but_status(there, seen):
                break
            try:
                self._keep(await self._api.apply(wanted, there))
            except StaleError:
                there = await self._read_again(there)
            else:
                return
        what = f"{wanted['kind']} {name_of(wanted)}"
        raise StaleError(f"{what} was changed by another client after the operator read it", 409)

    async def _read_again(self, item: Object) -> Object | None:
        """Puts the object as it is into the store, whose watch may be late."""
        kind = self._kinds.get(item["kind"])
        try:
            self._keep(await self._api.get(kind, namespace_of(item), name_of(item)))
        except NotFoundError:
            self._store.drop(item)
        return self._store.get(kind.kind, namespace_of(item), name_of(item))

    async def _find(self, manifest: Object) -> Object | None:
        """What has the manifest's name already; what is not ours is not watched, so the API server
        is asked. Raises TakenError."""
        kind, name = self._kinds.get(manifest["kind"]), name_of(manifest)
        there = self._store.get(kind.kind, namespace_of(manifest), name)
        if there is None:
            try:
                there = await self._api.get(kind, namespace_of(manifest), name)
            except NotFoundError:
                return None
        _check_owner(there, manifest)
        return there

    async def _create(self, manifest: Object) -> None:
        """An existing object of the same owner counts as created."""
        try:
            with _admission(manifest):
                made = await self._api.create(manifest)
        except AlreadyExistsError:
            kind = self._kinds.get(manifest["kind"])
            there = await self._api.get(kind, namespace_of(manifest), name_of(manifest))
            _check_owner(there, manifest)
            self._keep(there)
        else:
            self._keep(made)
            # The runner's own lines name the same run.
            with about(Subject(run=made["metadata"].get("uid"))):
                _log.info("Created %s %s.", manifest["kind"], name_of(manifest))

    async def _delete(self, intent: Delete) -> None:
        kind = self._kinds.get(intent.kind)
        with contextlib.suppress(NotFoundError, ConflictError):
            await self._api.delete(kind, intent.namespace, intent.name, intent.uid)
        self._observer.forget(intent.kind, intent.namespace, intent.name)

    async def _store_credentials(self, intent: StoreCredentials) -> None:
        """The Secret first, so that a crash in between loses nothing."""
        values = {key: value.get_secret_value().encode() for key, value in intent.values.items()}
        data = {key: base64.b64encode(value).decode() for key, value in values.items()}
        namespace, name = namespace_of(intent.secret), name_of(intent.secret)
        if await self._find(intent.secret) is None:
            await self._api.create({**intent.secret, "data": data})
        else:
            await self._api.merge(SECRETS, namespace, name, {"data": data})
        self._observer.forget("Secret", namespace, name)
        try:
            self._keep(await self._api.json_patch(intent.source, intent.patch))
        except StaleError:
            await self._read_again(intent.source)
            raise

    async def _copy_secret(self, intent: CopySecret) -> None:
        original = await self._api.get(SECRETS, intent.from_namespace, intent.from_name)
        given = original.get("data") or {}
        data = {key: given[key] for key in intent.keys if key in given}
        await self._find(intent.secret)
        await self._api.apply({**intent.secret, "data": data})
        self._observer.forget("Secret", namespace_of(intent.secret), name_of(intent.secret))

    def _keep(self, item: Object) -> None:
        if item.get("kind") in self._cached:
            self._store.put(item)


def _check_owner(there: Object, manifest: Object) -> None:
    """Objects of other owners are never changed. Children of an earlier object with our owner's
    name are being deleted."""
    uid = controller_uid(there)
    if uid == controller_uid(manifest):
        return
    what = f"{manifest['kind']} {name_of(manifest)}"
    owner = annotations_of(manifest).get(marks.OWNER)
    if uid is not None and annotations_of(there).get(marks.OWNER) == owner:
        raise ConflictError(f"{what} belongs to a deleted owner")
    raise TakenError(f"{what} already exists and belongs to another owner. Rename or delete it.")


@contextlib.contextmanager
def _admission(manifest: Object) -> Iterator[None]:
    """Separates a refused pod, which the users of the namespace can resolve, from a right that the
    operator lacks."""
    try:
        yield
    except ForbiddenError as error:
        if manifest["kind"] not in _FOR_PODS:
            raise
        raise PodRefusedError(str(error), error.status) from None
