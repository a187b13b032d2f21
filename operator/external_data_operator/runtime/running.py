"""The operator as a whole: kopf watches, the queue orders, workers look, listings correct.

kopf lists, watches and reconnects for us; it holds no state and writes nothing: no annotations,
no finalizers, no events.
"""

import asyncio
import logging
import signal
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

import kopf

from external_data_operator.cluster.api import connect
from external_data_operator.cluster.kinds import Kind, Kinds
from external_data_operator.cluster.listing import Lister, has_wildcard
from external_data_operator.cluster.observe import Observer
from external_data_operator.cluster.perform import Performer
from external_data_operator.cluster.store import Store
from external_data_operator.errors import ClusterError
from external_data_operator.reconcile.base.controller import Controller
from external_data_operator.reconcile.base.marks import SELECTOR
from external_data_operator.runtime import metrics
from external_data_operator.runtime.endpoints import Endpoints
from external_data_operator.runtime.logs import Subjects
from external_data_operator.runtime.reconciler import Reconciler, work
from external_data_operator.runtime.routing import Router
from external_data_operator.runtime.work_queue import WorkQueue
from external_data_operator.settings import Settings

_log = logging.getLogger(__name__)
STOP_MAX_S = 10
Part = Coroutine[Any, Any, None]
_SPREAD = 0.5
"""A resync is spread over this part of its period, so that it is no burst."""


async def run_operator(settings: Settings, controllers: Mapping[str, Controller]) -> None:
    """Runs until a signal, or until one of its parts ends with an error."""
    stop = asyncio.Event()
    _obey_signals(stop)
    kinds = Kinds(controllers)
    api = await connect(kinds, metrics.answered)
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
        _log.info("Looking at %d objects.", len(queue))
        await _run_parts(
            stop,
            _watch(settings, kinds, store, stop),
            _resync(lister, store, queue, period_s=settings.resync_seconds),
            *(work(queue, reconciler, subjects) for _ in range(settings.workers)),
        )
    finally:
        await endpoints.stop()
        await api.close()


def _obey_signals(stop: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()
    for one in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(one, stop.set)


async def _filled(lister: Lister, stop: asyncio.Event) -> bool:
    """Whether the first listing came to its end before a signal."""
    filling, stopping = asyncio.create_task(lister.fill()), asyncio.create_task(stop.wait())
    await asyncio.wait({filling, stopping}, return_when=asyncio.FIRST_COMPLETED)
    for task in (filling, stopping):
        task.cancel()
    await asyncio.gather(filling, stopping, return_exceptions=True)
    return lister.filled


async def _run_parts(stop: asyncio.Event, *parts: Part) -> None:
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
    """Lists everything anew and looks at everything, a little at a time."""
    while True:
        await asyncio.sleep(period_s)
        try:
            missed = await lister.correct()
        except ClusterError as error:
            _log.warning("The listing failed and is repeated later: %s.", error)
            continue
        metrics.missed(len(missed))
        everything = store.keys()
        for index, one in enumerate(everything):
            queue.add_later(one, period_s * _SPREAD * index / len(everything))


def _handler(kind: Kind, store: Store) -> Callable[..., Any]:
    """Keeps what an event says; the store tells whom it concerns."""

    async def receive(event: Any, **_: Any) -> None:
        item = {**event["object"], "apiVersion": kind.api_version, "kind": kind.kind}
        if event["type"] == "DELETED":
            store.drop(item)
        else:
            store.put(item)

    return receive


async def _login(**kwargs: Any) -> kopf.ConnectionInfo | None:
    """The pod's own account, else KUBECONFIG; not the client's way, which would load a second
    client."""
    return kopf.login_with_service_account(**kwargs) or kopf.login_with_kubeconfig(**kwargs)


async def _watch(settings: Settings, kinds: Kinds, store: Store, stop: asyncio.Event) -> None:
    registry = kopf.OperatorRegistry()
    kopf.on.login(registry=registry)(_login)
    for kind in kinds.watched:
        handler = _handler(kind, store)
        kopf.on.event(kind.group, kind.version, kind.plural, id="event", registry=registry)(handler)
    patterns = settings.watch_namespaces
    before = asyncio.all_tasks()
    tasks = await kopf.spawn_tasks(
        registry=registry,
        settings=_kopf_settings(settings, kinds),
        standalone=True,
        clusterwide=not patterns,
        namespaces=patterns,
        stop_flag=stop,
    )
    _obey_signals(stop)  # kopf has put its own in place of ours
    await kopf.run_tasks(tasks, ignored=before)


def _kopf_settings(settings: Settings, kinds: Kinds) -> kopf.OperatorSettings:
    """Bounded in every direction; each value was measured or met as a trap."""
    tuned = kopf.OperatorSettings()
    tuned.posting.enabled = False
    tuned.queueing.worker_limit = 50
    tuned.queueing.idle_timeout = 0.1
    tuned.queueing.exit_timeout = 0.1
    tuned.watching.chunk_size = 500
    tuned.watching.server_timeout = 300
    tuned.watching.client_timeout = 310
    tuned.watching.connect_timeout = 10
    tuned.networking.request_timeout = 30
    tuned.networking.connect_timeout = 10
    tuned.process.ultimate_exiting_timeout = 20
    tuned.scanning.disabled = not any(map(has_wildcard, settings.watch_namespaces))
    for kind in kinds.watched:
        if not kind.ours:
            tuned.watching.label_selectors[kind.group, kind.version, kind.plural] = SELECTOR
    return tuned
