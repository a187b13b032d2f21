"""The objects of the watches: our own kinds and all their children, indexed by owner.

A full listing fills it before anything is decided, and each later listing corrects it, so that a
missed event has no lasting effect. Of two versions of an object the newer one is kept; the response
of a write is stored at once. Unused parts are dropped.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from external_data_operator.reconcile.base import marks
from external_data_operator.reconcile.base.controller import Controller
from external_data_operator.reconcile.base.world import Object, ResourceKey, annotations_of

ObjectKey = tuple[str, str, str]
"""Kind, namespace, name."""
_HEAD_ONLY = frozenset({"Job", "Pod"})
_GONE_MAX = 50_000


class Store:
    """The watched objects."""

    def __init__(self, controllers: Mapping[str, Controller]) -> None:
        """Empty; see `replace`."""
        self._controllers = controllers
        self._kind_of_word = {one.word: kind for kind, one in controllers.items()}
        self._listener: Callable[[Object], None] = _nobody
        self._items: dict[ObjectKey, Object] = {}
        self._owned: dict[ResourceKey, set[ObjectKey]] = {}
        self._dependents: dict[ResourceKey, set[ObjectKey]] = {}
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

    def keys(self) -> list[ResourceKey]:
        """The keys of all objects of our own kinds, kind by kind."""
        return [
            ResourceKey(*place_of(item))
            for kind in self._controllers
            for item in self.of_kind(kind)
        ]

    def children(self, owner: ResourceKey, kind: str) -> tuple[Object, ...]:
        """The owner's children of this kind, by name."""
        places = sorted(place for place in self._owned.get(owner, ()) if place[0] == kind)
        return tuple(self._items[place] for place in places)

    def dependents(self, parent: ResourceKey) -> tuple[Object, ...]:
        """Every object of our own kinds that refers to this one, by kind and name."""
        return tuple(self._items[place] for place in sorted(self._dependents.get(parent, ())))

    def key_of(self, item: Object) -> ResourceKey | None:
        """The key of an object of one of our own kinds."""
        return ResourceKey(*place_of(item)) if item["kind"] in self._controllers else None

    def parent_of(self, item: Object) -> ResourceKey | None:
        """What an object of one of our own kinds refers to."""
        controller = self._controllers.get(item["kind"])
        return None if controller is None else controller.refers_to(item)

    def owner_of(self, item: Object) -> ResourceKey | None:
        """Whose child a Job, pod, CronJob or ConfigMap is."""
        word, _, name = annotations_of(item).get(marks.OWNER, "").partition("/")
        kind = self._kind_of_word.get(word)
        if kind is None or not name or item["kind"] in self._controllers:
            return None
        return ResourceKey(kind, item["metadata"]["namespace"], name)

    def put(self, item: Object) -> bool:
        """Keeps an object; False where a newer version of it is there already."""
        place = place_of(item)
        there = self._items.get(place)
        if there is not None and resource_version_of(there) >= resource_version_of(item):
            return False
        if item["metadata"]["uid"] in self._gone:
            return False
        if there is not None:
            self._unlink(place, there)
        self._items[place] = self._slim(item)
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
            if place[0] == kind and place not in listed and resource_version_of(item) <= version
        ]
        return changed, [item for item in unlisted if self.drop(item)]

    def _link(self, place: ObjectKey, item: Object) -> None:
        for index, key in self._indexes(item):
            index.setdefault(key, set()).add(place)

    def _unlink(self, place: ObjectKey, item: Object) -> None:
        for index, key in self._indexes(item):
            index.get(key, set()).discard(place)
            if not index.get(key):
                index.pop(key, None)

    def _indexes(self, item: Object) -> list[tuple[dict[ResourceKey, set[ObjectKey]], ResourceKey]]:
        owner = self.owner_of(item)
        if owner is not None:
            return [(self._owned, owner)]
        parent = self.parent_of(item)
        return [] if parent is None else [(self._dependents, parent)]

    def _slim(self, item: Object) -> Object:
        """The item without unused parts."""
        meta: dict[str, Any] = dict(item["metadata"])
        controller = self._controllers.get(item["kind"])
        if controller is None or not controller.needs_managed_fields:
            meta.pop("managedFields", None)
        slim = {**item, "metadata": meta}
        if item["kind"] in _HEAD_ONLY:
            slim.pop("spec", None)
        return slim


def _nobody(_: Object) -> None:
    """Listens to nothing."""


def place_of(item: Object) -> ObjectKey:
    """Where the object is kept."""
    meta = item["metadata"]
    return item["kind"], meta["namespace"], meta["name"]


def resource_version_of(item: Object) -> int:
    """The resource version, which grows with each change."""
    return int(item["metadata"].get("resourceVersion") or 0)
