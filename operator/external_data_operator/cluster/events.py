"""Events for people: written once, repeated at most every five minutes, and never worth a failed
reconcile."""

import logging
from collections import OrderedDict
from datetime import datetime

from external_data_operator.cluster.api import Api
from external_data_operator.errors import ClusterError
from external_data_operator.reconcile.base.marks import FIELD_MANAGER
from external_data_operator.reconcile.base.naming import OBJECT_NAME_MAX, hash_of, suffixed
from external_data_operator.reconcile.base.world import (
    Note,
    Object,
    format_time,
    name_of,
    namespace_of,
    uid_of,
)

QUIET_S = 300
BURST = 5
_REMEMBERED_MAX = 20_000
_log = logging.getLogger(__name__)


class Throttle:
    """Decides which notes to write: an equal one only after five minutes, and no more than five of
    one reason in that time."""

    def __init__(self) -> None:
        """Remembers nothing yet."""
        self._told: OrderedDict[tuple[str, str], list[tuple[float, str]]] = OrderedDict()

    def admits(self, uid: str, note: Note, now_s: float) -> bool:
        """Whether to write this note of this object now."""
        key = (uid, note.reason)
        recent = [one for one in self._told.pop(key, []) if now_s - one[0] < QUIET_S]
        new = len(recent) < BURST and all(message != note.message for _, message in recent)
        if new:
            recent.append((now_s, note.message))
        self._told[key] = recent
        while len(self._told) > _REMEMBERED_MAX:
            self._told.popitem(last=False)
        return new


class Recorder:
    """Writes events of objects."""

    def __init__(self, api: Api) -> None:
        """Writes through this API."""
        self._api = api
        self._throttle = Throttle()

    async def tell(self, item: Object, notes: tuple[Note, ...], now: datetime) -> None:
        """Writes what is new among the notes."""
        for note in notes:
            if self._throttle.admits(uid_of(item), note, now.timestamp()):
                await self._write(item, note, now)

    async def _write(self, item: Object, note: Note, now: datetime) -> None:
        stamp = hash_of(uid_of(item), note.reason, note.message, now.isoformat(), length=16)
        event = {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {
                "name": suffixed(name_of(item), stamp, length_max=OBJECT_NAME_MAX),
                "namespace": namespace_of(item),
            },
            "involvedObject": {
                "apiVersion": item["apiVersion"],
                "kind": item["kind"],
                "name": name_of(item),
                "namespace": namespace_of(item),
                "uid": uid_of(item),
                "resourceVersion": item["metadata"].get("resourceVersion", ""),
            },
            "type": note.type,
            "reason": note.reason,
            "message": note.message,
            "source": {"component": FIELD_MANAGER},
            "reportingComponent": FIELD_MANAGER,
            "reportingInstance": FIELD_MANAGER,
            "firstTimestamp": format_time(now),
            "lastTimestamp": format_time(now),
            "count": 1,
        }
        try:
            await self._api.create(event)
        except ClusterError as error:
            _log.info("An event was not written: %s.", error)
