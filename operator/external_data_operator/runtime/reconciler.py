"""One look at one object: observe, decide, carry out, tell. Workers take keys from the queue and
do just that."""

import asyncio
import logging
from collections.abc import Callable
from datetime import UTC, datetime
from time import monotonic

from external_data_operator.api.conditions import Reason
from external_data_operator.cluster.kinds import SOURCE
from external_data_operator.cluster.observe import Observer
from external_data_operator.cluster.perform import Performer
from external_data_operator.cluster.store import Key, Store
from external_data_operator.errors import (
    ClusterError,
    ConflictError,
    InvalidError,
    PodRefusedError,
    TakenError,
)
from external_data_operator.logs import about
from external_data_operator.reconcile.base.world import Decision, Object
from external_data_operator.reconcile.schemas.decide import decide_schema, refuse_schema
from external_data_operator.reconcile.sources.decide import decide_source, refuse_source
from external_data_operator.runtime import metrics
from external_data_operator.runtime.logs import find_subject
from external_data_operator.runtime.work_queue import WorkQueue
from external_data_operator.settings import Settings

LOOK_MAX_S = 120
REFUSED_AGAIN_S = 60.0
_REFUSALS: dict[type[ClusterError], Reason] = {
    InvalidError: Reason.INVALID_SPEC,
    TakenError: Reason.NAME_TAKEN,
    PodRefusedError: Reason.POD_REFUSED,
}
"""What a person must mend. A right that we lack is not among them: that is for the operator's
administrator, and says nothing against the spec."""
_log = logging.getLogger(__name__)


def _now() -> datetime:
    return datetime.now(UTC)


class Reconciler:
    """Looks at objects."""

    def __init__(
        self,
        observer: Observer,
        performer: Performer,
        settings: Settings,
        clock: Callable[[], datetime] = _now,
    ) -> None:
        """Sees through the observer, writes through the performer."""
        self._observer = observer
        self._performer = performer
        self._settings = settings
        self._clock = clock

    async def look(self, key: Key) -> float | None:
        """One look; says after how many seconds the next one is due. Raises ClusterError."""
        now = self._clock()
        decided = await self._decide(key, now)
        if decided is None:
            return None
        item, decision = decided
        try:
            await self._performer.carry_out(decision)
        except tuple(_REFUSALS) as error:
            decision = await self._refuse(key, error, now)
        await self._performer.tell(item, decision, now)
        return decision.look_again_s

    async def _decide(self, key: Key, now: datetime) -> tuple[Object, Decision] | None:
        if key.kind == SOURCE:
            source = await self._observer.source(key)
            if source is None:
                return None
            return source.source, decide_source(source, self._settings, now)
        schema = await self._observer.schema(key)
        if schema is None:
            return None
        return schema.schema, decide_schema(schema, self._settings, now)

    async def _refuse(self, key: Key, error: ClusterError, now: datetime) -> Decision:
        """The API server does not take what we made of the spec: a person reads its sentence."""
        reason = _REFUSALS[type(error)]
        decision = Decision()
        if key.kind == SOURCE:
            source = await self._observer.source(key)
            if source is not None:
                decision = refuse_source(source, self._settings, reason, str(error), now)
        else:
            schema = await self._observer.schema(key)
            if schema is not None:
                decision = refuse_schema(schema, self._settings, reason, str(error), now)
        return Decision(status=decision.status, notes=decision.notes, look_again_s=REFUSED_AGAIN_S)


async def work(queue: WorkQueue, reconciler: Reconciler, store: Store) -> None:
    """A worker: takes keys until it is cancelled. An error of one object never ends it."""
    while True:
        key = await queue.take()
        began = monotonic()
        with about(find_subject(key, store)):
            result = await _look(queue, reconciler, key)
        metrics.looked(key.kind, result, monotonic() - began)


async def _look(queue: WorkQueue, reconciler: Reconciler, key: Key) -> str:
    """One look within its time; says how it ended."""
    look = asyncio.create_task(reconciler.look(key), name=f"look at {key}")
    try:
        await asyncio.wait({look}, timeout=LOOK_MAX_S)
    finally:
        if not look.done():
            look.cancel()
    return _finish(queue, key, look)


def _finish(queue: WorkQueue, key: Key, look: "asyncio.Task[float | None]") -> str:
    if not look.done():
        pause = queue.failed(key)
        _log.error("%s: No end after %d s; tried again in %.0f s.", key, LOOK_MAX_S, pause)
        return "timeout"
    error = look.exception()
    if error is None:
        queue.done(key, look.result())
        return "ok"
    pause = queue.failed(key)
    if isinstance(error, ConflictError):
        _log.info("%s: %s; looked at again in %.0f s.", key, error, pause)
        return "conflict"
    if isinstance(error, ClusterError):
        _log.warning("%s: %s; tried again in %.0f s.", key, error, pause)
        return "error"
    _log.error("%s: A bug in the operator; tried again in %.0f s.", key, pause, exc_info=error)
    return "bug"
