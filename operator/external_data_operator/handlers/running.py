"""The operator as a whole: kopf watches, the queue orders, workers look, listings correct.

kopf lists, watches and reconnects for us; it holds no state and writes nothing: no annotations,
no finalizers, no events.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import kopf

from external_data_operator.cluster.api import connect
from external_data_operator.cluster.kinds import SCHEMA, SOURCE, WATCHED, Kind
from external_data_operator.cluster.listing import Lister, has_wildcard
from external_data_operator.cluster.observe import Observer
from external_data_operator.cluster.perform import Performer
from external_data_operator.cluster.store import Store, key_of
from external_data_operator.errors import ClusterError
from external_data_operator.handlers import metrics
from external_data_operator.handlers.endpoints import Endpoints
from external_data_operator.handlers.reconciler import Reconciler, work
from external_data_operator.handlers.routing import Router
from external_data_operator.handlers.work_queue import WorkQueue
from external_data_operator.reconcile.marks import SELECTOR
from external_data_operator.reconcile.world import Object
from external_data_operator.settings import Settings

_log = logging.getLogger(__name__)
_SPREAD = 0.5
"""A resync is spread over this part of its period, so that it is no burst."""


async def run_operator(settings: Settings) -> None:
    """Runs until a signal, or until one of its parts ends with an error."""
    api = await connect(metrics.answered)
    store, queue = Store(), WorkQueue()
    observer = Observer(api, store, settings)
    performer = Performer(api, store, observer)
    lister = Lister(api, store, settings)
    router = Router(store, observer.claims)
    endpoints = Endpoints(lister, store, queue)
    port = await endpoints.start(settings.http_port)
    _log.info("health, readiness and metrics on port %d", port)
    try:
        await lister.fill()
        for kind in (SOURCE, SCHEMA):
            for item in store.of_kind(kind):
                for key in router.changed(item):
                    queue.add(key)
        _log.info("looking at %d objects", len(queue))
        reconciler = Reconciler(observer, performer, settings)
        await _run_parts(
            *(work(queue, reconciler) for _ in range(settings.workers)),
            _resync(lister, store, router, queue, period_s=settings.resync_seconds),
            _watch(settings, _Receiver(store, router, queue)),
        )
    finally:
        await endpoints.stop()
        await api.close()


async def _run_parts(*parts: Any) -> None:
    """Runs the parts until the first one ends; an error of a part is ours."""
    tasks = [asyncio.create_task(part) for part in parts]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _resync(
    lister: Lister, store: Store, router: Router, queue: WorkQueue, *, period_s: int
) -> None:
    """Lists everything anew and looks at everything, a little at a time."""
    while True:
        await asyncio.sleep(period_s)
        try:
            missed = await lister.correct()
        except ClusterError as error:
            _log.warning("no listing this time: %s", error)
            continue
        metrics.missed(len(missed))
        for item in missed:
            for key in router.changed(item):
                queue.add(key)
        everything = [key_of(item) for kind in (SOURCE, SCHEMA) for item in store.of_kind(kind)]
        for index, one in enumerate(everything):
            if one is not None:
                queue.add_later(one, period_s * _SPREAD * index / len(everything))


class _Receiver:
    """Takes events from the watches."""

    def __init__(self, store: Store, router: Router, queue: WorkQueue) -> None:
        self._store = store
        self._router = router
        self._queue = queue

    def receive(self, kind: Kind, event: Object) -> None:
        """Keeps what the event says, and queues what it concerns."""
        item = {**event["object"], "apiVersion": kind.api_version, "kind": kind.kind}
        changed = self._store.drop(item) if event["type"] == "DELETED" else self._store.put(item)
        if changed:
            for key in self._router.changed(item):
                self._queue.add(key)


def _handler(kind: Kind, receiver: _Receiver) -> Callable[..., Any]:
    async def receive(event: Any, **_: Any) -> None:
        receiver.receive(kind, event)

    return receive


async def _login(**kwargs: Any) -> kopf.ConnectionInfo | None:
    """The pod's own account, else KUBECONFIG; not the client's way, which would load a second
    client."""
    return kopf.login_with_service_account(**kwargs) or kopf.login_with_kubeconfig(**kwargs)


async def _watch(settings: Settings, receiver: _Receiver) -> None:
    registry = kopf.OperatorRegistry()
    kopf.on.login(registry=registry)(_login)
    for kind in WATCHED:
        handler = _handler(kind, receiver)
        kopf.on.event(kind.group, kind.version, kind.plural, id="event", registry=registry)(handler)
    patterns = settings.watch_namespaces
    await kopf.operator(
        registry=registry,
        settings=_kopf_settings(settings),
        standalone=True,
        clusterwide=not patterns,
        namespaces=patterns,
    )


def _kopf_settings(settings: Settings) -> kopf.OperatorSettings:
    """Bounded in every direction; each value was measured or met as a trap."""
    tuned = kopf.OperatorSettings()
    tuned.posting.enabled = False
    tuned.queueing.worker_limit = 50
    tuned.queueing.idle_timeout = 0.1
    tuned.watching.chunk_size = 500
    tuned.watching.server_timeout = 300
    tuned.watching.client_timeout = 310
    tuned.watching.connect_timeout = 10
    tuned.networking.request_timeout = 30
    tuned.networking.connect_timeout = 10
    tuned.process.ultimate_exiting_timeout = 20
    tuned.scanning.disabled = not any(map(has_wildcard, settings.watch_namespaces))
    for kind in WATCHED:
        if not kind.ours:
            tuned.watching.label_selectors[kind.group, kind.version, kind.plural] = SELECTOR
    return tuned
