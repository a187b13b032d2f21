"""One look at one object: observe, decide, write. Workers take keys from the queue and run
looks."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from time import monotonic

from external_data_operator.api.conditions import Reason
from external_data_operator.cluster.observe import Observer
from external_data_operator.cluster.perform import Performer
from external_data_operator.errors import (
    ClusterError,
    ConflictError,
    InvalidError,
    PodRefusedError,
    StaleError,
    TakenError,
)
from external_data_operator.logs import about
from external_data_operator.reconcile.base.controller import Controller
from external_data_operator.reconcile.base.status import end_sentence
from external_data_operator.reconcile.base.world import Decision, ResourceKey
from external_data_operator.runtime import metrics
from external_data_operator.runtime.logs import Subjects
from external_data_operator.runtime.work_queue import WorkQueue
from external_data_operator.settings import Settings

LOOK_MAX_S = 120
REFUSED_AGAIN_S = 60.0
STALE_MAX = 4
"""Looks that may find an object changed by others before the look counts as failed."""
_REFUSALS: dict[type[ClusterError], Reason] = {
    InvalidError: Reason.INVALID_SPEC,
    TakenError: Reason.NAME_TAKEN,
    PodRefusedError: Reason.POD_REFUSED,
}
"""Errors that a user must resolve. A right that the operator lacks is not among them: the
operator's administrator grants it, and the spec is not the cause."""
_log = logging.getLogger(__name__)


def _now() -> datetime:
    return datetime.now(UTC)


class Reconciler:
    """Looks at objects."""

    def __init__(
        self,
        observer: Observer,
        performer: Performer,
        controllers: Mapping[str, Controller],
        settings: Settings,
        clock: Callable[[], datetime] = _now,
    ) -> None:
        """Sees through the observer, decides by the controllers, writes through the performer."""
        self._observer = observer
        self._performer = performer
        self._controllers = controllers
        self._settings = settings
        self._clock = clock

    async def look(self, key: ResourceKey) -> float | None:
        """One look. Returns the seconds until the next one, if any. Raises ClusterError.

        If somebody changed an object after this look saw it, that is no failure: the look is
        repeated at once, by the object as it is now."""
        for _ in range(STALE_MAX):
            try:
                return await self._look(key)
            except StaleError as error:
                _log.info("%s: %s; deciding again.", key, error)
        return await self._look(key)

    async def _look(self, key: ResourceKey) -> float | None:
        now = self._clock()
        world = await self._observer.look(key)
        if world is None:
            return None
        decision = self._controllers[key.kind].decide(world, self._settings, now)
        try:
            await self._performer.carry_out(decision)
        except tuple(_REFUSALS) as error:
            decision = await self._refuse(key, error, now)
        await self._performer.tell(world.item, decision, now)
        return decision.look_again_s

    async def _refuse(self, key: ResourceKey, error: ClusterError, now: datetime) -> Decision:
        """The API server refused an object that we built from the spec; the status shows its
        message."""
        reason = _REFUSALS[type(error)]
        world = await self._observer.look(key)
        decision = Decision()
        if world is not None:
            refuse = self._controllers[key.kind].refuse
            decision = refuse(world, self._settings, reason, _say_refused(error), now)
        return Decision(status=decision.status, notes=decision.notes, look_again_s=REFUSED_AGAIN_S)


def _say_refused(error: ClusterError) -> str:
    """The message of the condition; that of a taken name is a sentence of our own."""
    if isinstance(error, TakenError):
        return str(error)
    return f"The API server refused an object that the operator applied: {end_sentence(str(error))}"


async def work(queue: WorkQueue, reconciler: Reconciler, subjects: Subjects) -> None:
    """A worker: takes keys until it is cancelled. An error of one object never ends it."""
    while True:
        key = await queue.take()
        began = monotonic()
        with about(subjects.find(key)):
            result = await _look(queue, reconciler, key)
        metrics.looked(key.kind, result, monotonic() - began)


async def _look(queue: WorkQueue, reconciler: Reconciler, key: ResourceKey) -> str:
    """One look with a time limit. Returns its result."""
    look = asyncio.create_task(reconciler.look(key), name=f"look at {key}")
    try:
        await asyncio.wait({look}, timeout=LOOK_MAX_S)
    finally:
        if not look.done():
            look.cancel()
    return _finish(queue, key, look)


def _finish(queue: WorkQueue, key: ResourceKey, look: "asyncio.Task[float | None]") -> str:
    if not look.done():
        pause = queue.failed(key)
        _log.error(
            "%s: The reconcile did not finish within %d s; retrying in %.0f s.",
            key,
            LOOK_MAX_S,
            pause,
        )
        return "timeout"
    error = look.exception()
    if error is None:
        queue.done(key, look.result())
        return "ok"
    pause = queue.failed(key)
    if isinstance(error, ConflictError):
        _log.info("%s: %s; retrying in %.0f s.", key, error, pause)
        return "conflict"
    if isinstance(error, ClusterError):
        _log.warning("%s: %s; retrying in %.0f s.", key, error, pause)
        return "error"
    _log.error("%s: The operator has a bug; retrying in %.0f s.", key, pause, exc_info=error)
    return "bug"
