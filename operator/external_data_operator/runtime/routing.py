"""Which objects to look at when one changed: a child's owner, a schema and its source, a source
and its schemas.

A source's schemas are looked at only when something changed that they read, so that counting
schemas in the source's own status does not wake all of them.
"""

from collections.abc import Iterator

from external_data_operator.cluster.claims import Claims
from external_data_operator.cluster.kinds import SCHEMA, SOURCE
from external_data_operator.cluster.store import Key, Store, key_of, owner_of, source_of
from external_data_operator.reconcile.base import marks
from external_data_operator.reconcile.base.world import Object, annotations_of, is_going


class Router:
    """From a change to keys."""

    def __init__(self, store: Store, claims: Claims) -> None:
        """Finds relatives in the store."""
        self._store = store
        self._claims = claims
        self._shown: dict[Key, object] = {}

    def changed(self, item: Object) -> set[Key]:
        """What to look at after this object came, changed or went."""
        owner = owner_of(item)
        if owner is not None:
            return {owner}
        key = key_of(item)
        if key is None:
            return set()
        keys = {key, *self._claims.update(item)}
        if key.kind == SOURCE:
            keys.update(self._schemas_of(key, item))
        source = source_of(item)
        return keys if source is None else {*keys, source}

    def _schemas_of(self, key: Key, source: Object) -> Iterator[Key]:
        there = self._store.get(SOURCE, key.namespace, key.name)
        shown = _shown(source) if there is not None else None
        if shown is not None and self._shown.get(key) == shown:
            return
        self._shown[key] = shown
        if there is None:
            del self._shown[key]
        for schema in self._store.schemas_of(key):
            yield Key(SCHEMA, key.namespace, schema["metadata"]["name"])


def _shown(source: Object) -> object:
    """What schemas read of their source."""
    status = source.get("status") or {}
    ready = [
        (one.get("status"), one.get("reason"), one.get("message"))
        for one in status.get("conditions") or []
        if one.get("type") == "Ready"
    ]
    return (
        source["metadata"].get("generation"),
        status.get("observedGeneration"),
        status.get("checkedFingerprint"),
        status.get("lastDiscoveredAt"),
        annotations_of(source).get(marks.RELOAD),
        is_going(source),
        ready,
    )
