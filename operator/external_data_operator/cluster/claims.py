"""What each object claims for itself alone (a schema its table), so that no two have it: the oldest
keeps it."""

from collections.abc import Mapping

from external_data_operator.cluster.store import Store
from external_data_operator.reconcile.base.controller import Controller
from external_data_operator.reconcile.base.world import Object, ResourceKey, is_going, uid_of
from external_data_operator.settings import Settings


class Claims:
    """The claims of all objects."""

    def __init__(
        self, store: Store, controllers: Mapping[str, Controller], settings: Settings
    ) -> None:
        """Reads objects from the store."""
        self._store = store
        self._controllers = controllers
        self._settings = settings
        self._claim_of: dict[ResourceKey, str] = {}
        self._holders: dict[str, set[ResourceKey]] = {}

    def update(self, key: ResourceKey) -> set[ResourceKey]:
        """Takes a change of this object; returns the objects whose claims this may concern. What
        refers to it may claim something else now, too."""
        concerned = self._update(key)
        for dependent in self._store.dependents(key):
            dependent_key = self._store.key_of(dependent)
            if dependent_key is not None:
                concerned |= self._update(dependent_key)
        return concerned

    def rivals(self, key: ResourceKey) -> tuple[ResourceKey, ...]:
        """Older objects, of any kind, that claim the same."""
        own = self._find(key)
        holders = self._holders.get(self._claim_of.get(key, ""), set())
        if own is None or len(holders) < 2:
            return ()
        mine = _age(own)
        others = ((one, self._find(one)) for one in holders - {key})
        older = (one for one, item in others if item and _age(item) < mine)
        return tuple(sorted(older, key=lambda one: (one.name, one.kind)))

    def _update(self, key: ResourceKey) -> set[ResourceKey]:
        claim, before = self._judge(key), self._claim_of.get(key)
        if claim == before:
            return set()
        concerned = self._holders.get(before or "", set()) | self._holders.get(claim or "", set())
        self._move(key, before, claim)
        return concerned | {key}

    def _judge(self, key: ResourceKey) -> str | None:
        item = self._find(key)
        if item is None or is_going(item):
            return None
        parent = self._store.parent_of(item)
        found = None if parent is None else self._find(parent)
        return self._controllers[key.kind].claims(item, found, self._settings)

    def _find(self, key: ResourceKey) -> Object | None:
        return self._store.get(key.kind, key.namespace, key.name)

    def _move(self, key: ResourceKey, before: str | None, claim: str | None) -> None:
        if before is not None:
            self._holders[before].discard(key)
            if not self._holders[before]:
                del self._holders[before]
            del self._claim_of[key]
        if claim is not None:
            self._holders.setdefault(claim, set()).add(key)
            self._claim_of[key] = claim


def _age(item: Object) -> tuple[str, str]:
    return str(item["metadata"]["creationTimestamp"]), uid_of(item)
