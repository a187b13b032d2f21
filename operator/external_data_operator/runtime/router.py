"""Which objects to look at when one changed: a child's owner, the object that it refers to, those
that refer to it, and those whose claims it concerns.

Dependents are looked at only when something changed that they read, so that a source which counts
its schemas in its own status does not wake all of them.
"""

from collections.abc import Iterator, Mapping

from external_data_operator.cluster.claims import Claims
from external_data_operator.cluster.store import Store
from external_data_operator.reconcile.base.controller import Controller
from external_data_operator.reconcile.base.world import Object, ResourceKey


class Router:
    """From a change to keys."""

    def __init__(self, store: Store, claims: Claims, controllers: Mapping[str, Controller]) -> None:
        """Finds relatives in the store."""
        self._store = store
        self._claims = claims
        self._controllers = controllers
        self._shown: dict[ResourceKey, object] = {}

    def changed(self, item: Object) -> set[ResourceKey]:
        """What to look at after this object came, changed or went."""
        owner = self._store.owner_of(item)
        if owner is not None:
            return {owner}
        key = self._store.key_of(item)
        if key is None:
            return set()
        keys = {key, *self._claims.update(key), *self._dependents(key, item)}
        parent = self._store.parent_of(item)
        return keys if parent is None else {*keys, parent}

    def _dependents(self, key: ResourceKey, item: Object) -> Iterator[ResourceKey]:
        there = self._store.get(key.kind, key.namespace, key.name) is not None
        shown = self._controllers[key.kind].shows(item) if there else None
        if there and key in self._shown and self._shown[key] == shown:
            return
        self._shown[key] = shown
        if not there:
            del self._shown[key]
        for dependent in self._store.dependents(key):
            found = self._store.key_of(dependent)
            if found is not None:
                yield found
