"""Which schema writes to which table, so that no two do: the older one keeps it."""

from external_data_operator.cluster.kinds import SCHEMA, SOURCE
from external_data_operator.cluster.store import Key, Store, source_of
from external_data_operator.reconcile.base.world import Object, is_going, uid_of
from external_data_operator.reconcile.schemas.rivals import table_claim
from external_data_operator.settings import Settings


class Claims:
    """The tables that schemas claim."""

    def __init__(self, store: Store, settings: Settings) -> None:
        """Reads objects from the store."""
        self._store = store
        self._settings = settings
        self._claim_of: dict[Key, str] = {}
        self._holders: dict[str, set[Key]] = {}

    def update(self, item: Object) -> set[Key]:
        """Takes a changed source or schema; returns the schemas that this may concern."""
        namespace, name = item["metadata"]["namespace"], item["metadata"]["name"]
        if item["kind"] == SCHEMA:
            return self._update_schema(Key(SCHEMA, namespace, name))
        concerned: set[Key] = set()
        if item["kind"] == SOURCE:
            for schema in self._store.schemas_of(Key(SOURCE, namespace, name)):
                key = Key(SCHEMA, namespace, schema["metadata"]["name"])
                concerned |= self._update_schema(key)
        return concerned

    def rivals(self, key: Key) -> tuple[str, ...]:
        """Names of older schemas that write to the same table."""
        own = self._store.get(SCHEMA, key.namespace, key.name)
        holders = self._holders.get(self._claim_of.get(key, ""), set())
        if own is None or len(holders) < 2:
            return ()
        mine = _age(own)
        others = (
            (one, self._store.get(SCHEMA, one.namespace, one.name)) for one in holders - {key}
        )
        return tuple(sorted(one.name for one, item in others if item and _age(item) < mine))

    def _update_schema(self, key: Key) -> set[Key]:
        schema = self._store.get(SCHEMA, key.namespace, key.name)
        source_key = None if schema is None else source_of(schema)
        source = source_key and self._store.get(SOURCE, source_key.namespace, source_key.name)
        claim = None
        if schema is not None and source and not is_going(schema):
            claim = table_claim(source, schema, self._settings)
        before = self._claim_of.get(key)
        if claim == before:
            return set()
        concerned = set(self._holders.get(before or "", set())) | set(
            self._holders.get(claim or "", set())
        )
        self._move(key, before, claim)
        return concerned | {key}

    def _move(self, key: Key, before: str | None, claim: str | None) -> None:
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
