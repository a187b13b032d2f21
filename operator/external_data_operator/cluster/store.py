"""What the watches told so far: our two kinds and all their children, found by owner.

A full listing fills it before anything is decided, and each later listing corrects it, so that a
missed event heals. Of two versions of an object the newer one stays; what a write answered is
kept at once. Parts that nobody reads are dropped.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from external_data_operator.cluster.kinds import SCHEMA, SOURCE
from external_data_operator.reconcile.base import marks
from external_data_operator.reconcile.base.world import Object, annotations_of

Place = tuple[str, str, str]
"""Kind, namespace, name."""
_HEAD_ONLY = frozenset({"Job", "Pod"})
_GONE_MAX = 50_000


@dataclass(frozen=True)
class Key:
    """An object to look at: a source or a schema."""

    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}"


class Store:
    """The watched objects."""

    def __init__(self) -> None:
        """Empty; see `replace`."""
        self._listener: Callable[[Object], None] = _nobody
        self._items: dict[Place, Object] = {}
        self._owned: dict[Key, set[Place]] = {}
        self._of_source: dict[Key, set[Place]] = {}
        self._gone: OrderedDict[str, None] = OrderedDict()
        """Uids of objects that are gone, so that an old listing does not bring them back."""

    def listen(self, listener: Callable[[Object], None]) -> None:
        """`listener` hears of each change, by a watch, a listing or a write of our own."""
        self._listener = listener

    def get(self, kind: str, namespace: str, name: str) -> Object | None:
        """The object, if it is there."""
        return self._items.get((kind, namespace, name))

    def of_kind(self, kind: str) -> list[Object]:
        """Every object of this kind."""
        return [item for place, item in self._items.items() if place[0] == kind]

    def children(self, owner: Key, kind: str) -> tuple[Object, ...]:
        """The owner's children of this kind, by name."""
        places = sorted(place for place in self._owned.get(owner, ()) if place[0] == kind)
        return tuple(self._items[place] for place in places)

    def schemas_of(self, source: Key) -> tuple[Object, ...]:
        """Every schema that refers to this source, by name."""
        return tuple(self._items[place] for place in sorted(self._of_source.get(source, ())))

    def put(self, item: Object) -> bool:
        """Keeps an object; False where a newer version of it is there already."""
        place = place_of(item)
        there = self._items.get(place)
        if there is not None and version_of(there) >= version_of(item):
            return False
        if item["metadata"]["uid"] in self._gone:
            return False
        if there is not None:
            self._unlink(place, there)
        self._items[place] = _slim(item)
        self._link(place, item)
        self._listener(item)
        return True

    def drop(self, item: Object) -> bool:
        """Forgets an object that is gone; False where another one of that name took its place."""
        place = place_of(item)
        there = self._items.get(place)
        if there is None or there["metadata"]["uid"] != item["metadata"]["uid"]:
            return False
        self._unlink(place, there)
        del self._items[place]
        self._gone[there["metadata"]["uid"]] = None
        while len(self._gone) > _GONE_MAX:
            self._gone.popitem(last=False)
        self._listener(there)
        return True

    def replace(
        self, kind: str, items: Iterable[Object], version: int
    ) -> tuple[list[Object], list[Object]]:
        """Takes a full listing made at `version`; returns what was missed: the changed, and the
        gone."""
        listed = {place_of(item): item for item in items}
        changed = [item for item in listed.values() if self.put(item)]
        unlisted = [
            item
            for place, item in list(self._items.items())
            if place[0] == kind and place not in listed and version_of(item) <= version
        ]
        return changed, [item for item in unlisted if self.drop(item)]

    def _link(self, place: Place, item: Object) -> None:
        for index, key in self._indexes(item):
            index.setdefault(key, set()).add(place)

    def _unlink(self, place: Place, item: Object) -> None:
        for index, key in self._indexes(item):
            index.get(key, set()).discard(place)
            if not index.get(key):
                index.pop(key, None)

    def _indexes(self, item: Object) -> list[tuple[dict[Key, set[Place]], Key]]:
        owner = owner_of(item)
        if owner is not None:
            return [(self._owned, owner)]
        source = source_of(item)
        return [] if source is None else [(self._of_source, source)]


def _nobody(_: Object) -> None:
    """Listens to nothing."""


def place_of(item: Object) -> Place:
    """Where the object is kept."""
    meta = item["metadata"]
    return item["kind"], meta["namespace"], meta["name"]


def version_of(item: Object) -> int:
    """The resource version, which grows with each change."""
    return int(item["metadata"].get("resourceVersion") or 0)


def key_of(item: Object) -> Key | None:
    """The key of one of our own two kinds."""
    kind, namespace, name = place_of(item)
    return Key(kind, namespace, name) if kind in (SOURCE, SCHEMA) else None


def source_of(item: Object) -> Key | None:
    """The source that a schema refers to."""
    if item["kind"] != SCHEMA:
        return None
    name = ((item.get("spec") or {}).get("sourceRef") or {}).get("name")
    return None if not name else Key(SOURCE, item["metadata"]["namespace"], str(name))


def owner_of(item: Object) -> Key | None:
    """Whose child a Job, pod, CronJob or ConfigMap is."""
    if item["kind"] in (SOURCE, SCHEMA):
        return None
    kind, _, name = annotations_of(item).get(marks.OWNER, "").partition("/")
    kinds = {marks.SOURCE_OWNER: SOURCE, marks.SCHEMA_OWNER: SCHEMA}
    if kind not in kinds or not name:
        return None
    return Key(kinds[kind], item["metadata"]["namespace"], name)


def _slim(item: Object) -> Object:
    meta: dict[str, Any] = dict(item["metadata"])
    if item["kind"] != SCHEMA:
        meta.pop("managedFields", None)
    slim = {**item, "metadata": meta}
    if item["kind"] in _HEAD_ONLY:
        slim.pop("spec", None)
    return slim
