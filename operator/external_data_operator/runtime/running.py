"""The operator as a whole: kopf watches, the queue orders, workers look, listings correct."""

import asyncio
import logging
from collections.abc import Coroutine, Mapping
from typing import Any

from external_data_operator.cluster.api import connect_api
from external_data_operator.cluster.kinds import ApiKinds
from external_data_operator.cluster.listing import Lister
from external_data_operator.cluster.observe import Observer
from external_data_operator.cluster.perform import Performer
from external_data_operator.cluster.store import Store
from external_data_operator.errors import ClusterError
from external_data_operator.reconcile.base.controller import Controller
from external_data_operator.runtime import metrics
from external_data_operator.runtime.health import Endpoints
from external_data_operator.runtime.logs import Subjects
from external_data_operator.runtime.router import Router
from external_data_operator.runtime.watch import obey_signals, watch
from external_data_operator.runtime.work_queue import WorkQueue
from external_data_operator.runtime.workers import Reconciler, work
from external_data_operator.settings import Settings

_log = logging.getLogger(__name__)
STOP_MAX_S = 10
Routine = Coroutine[Any, Any, None]
_SPREAD = 0.5
"""A resync is spread over this part of its period, so that it is no burst."""


async def run_operator(settings: Settings, controllers: Mapping[str, Controller]) -> None:
    """Runs until a signal, or until one of its parts ends with an error."""
    stop = asyncio.Event()
    obey_signals(stop)
    kinds = ApiKinds(controllers)
    api = await connect_api(kinds, metrics.answered)
    store, queue = Store(controllers), WorkQueue()
    observer = Observer(api, store, controllers, settings)
    lister = Lister(api, store, kinds, settings)
    router = Router(store, observer.claims, controllers)
    store.listen(lambda item: queue.add_all(router.changed(item)))
    performer = Performer(api, store, kinds, observer)
    reconciler = Reconciler(observer, performer, controllers, settings)
    subjects = Subjects(store, controllers)
    endpoints = Endpoints(lister, store, kinds, queue)
    port = await endpoints.start(settings.http_port)
    _log.info("Health, readiness and metrics are served on port %d.", port)
    try:
        if not await _filled(lister, stop):
            return
        _log.info("Reconciling %d objects.", len(queue))
        await _run_parts(
            stop,
            watch(settings, kinds, store, stop),
            _resync(lister, store, queue, period_s=settings.resync_seconds),
            *(work(queue, reconciler, subjects) for _ in range(settings.workers)),
        )
    finally:
        await endpoints.stop()
        await api.close()


async def _filled(lister: Lister, stop: asyncio.Event) -> bool:
    """Whether the first listing came to its end before a signal."""
    filling, stopping = asyncio.create_task(lister.fill()), asyncio.create_task(stop.wait())
    await asyncio.wait({filling, stopping}, return_when=asyncio.FIRST_COMPLETED)
    for task in (filling, stopping):
        task.cancel()
    await asyncio.gather(filling, stopping, return_exceptions=True)
    return lister.filled


async def _run_parts(stop: asyncio.Event, *parts: Routine) -> None:
    """Runs the parts until `stop` is set or the first of them ends; raises the error of a part.

    Ours are ended before kopf, which waits for every task that was started beside it.
    """
    first, *others = (asyncio.create_task(part) for part in parts)
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({first, *others, stopping}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        stop.set()
        for task in (*others, stopping):
            task.cancel()
        await asyncio.gather(*others, stopping, return_exceptions=True)
        _, late = await asyncio.wait({first}, timeout=STOP_MAX_S)
        for task in late:
            task.cancel()
    for task in (first, *others):
        if task.done() and not task.cancelled():
            task.result()


async def _resync(lister: Lister, store: Store, queue: WorkQueue, *, period_s: int) -> None:
    """Lists all objects again and reconciles them, spread over the period."""
    while True:
        await asyncio.sleep(period_s)
        try:
            missed = await lister.correct()
        except ClusterError as error:
            _log.warning("The listing failed and will be retried: %s.", error)
            continue
        metrics.missed(len(missed))
        everything = store.keys()
        for index, one in enumerate(everything):
            queue.add_later(one, period_s * _SPREAD * index / len(everything))
