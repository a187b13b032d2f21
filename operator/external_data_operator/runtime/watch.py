"""The watches: the only importer of kopf, which lists, watches and reconnects for us.

It holds no state and writes nothing: no annotations, no finalizers, no events.
"""

import asyncio
import signal
from collections.abc import Callable
from typing import Any

import kopf

from external_data_operator.cluster.kinds import ApiKind, ApiKinds
from external_data_operator.cluster.listing import has_wildcard
from external_data_operator.cluster.store import Store
from external_data_operator.reconcile.base.marks import SELECTOR
from external_data_operator.settings import Settings


def obey_signals(stop: asyncio.Event) -> None:
    """Sets `stop` at the signals that end a pod."""
    loop = asyncio.get_running_loop()
    for one in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(one, stop.set)


def _handler(kind: ApiKind, store: Store) -> Callable[..., Any]:
    """Puts the object of an event into the store, which wakes the objects concerned."""

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


async def watch(settings: Settings, kinds: ApiKinds, store: Store, stop: asyncio.Event) -> None:
    """Updates the store from the watches, until `stop` is set."""
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
    obey_signals(stop)  # kopf has put its own in place of ours
    await kopf.run_tasks(tasks, ignored=before)


def _kopf_settings(settings: Settings, kinds: ApiKinds) -> kopf.OperatorSettings:
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
