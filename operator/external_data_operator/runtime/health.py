"""Health, readiness and metrics over HTTP.

Health fails when a watch repeatedly misses changes that a listing finds, because a restart resolves
that. It does not fail while the API server is down, because a restart would not help.
"""

from collections import Counter

from aiohttp import web

from external_data_operator.cluster.kinds import ApiKinds
from external_data_operator.cluster.listing import Lister
from external_data_operator.cluster.store import Store
from external_data_operator.errors import SettingsError
from external_data_operator.runtime import metrics
from external_data_operator.runtime.work_queue import WorkQueue


class Endpoints:
    """The HTTP server of the operator."""

    def __init__(self, lister: Lister, store: Store, kinds: ApiKinds, queue: WorkQueue) -> None:
        """Asks these."""
        self._lister = lister
        self._store = store
        self._kinds = kinds
        self._queue = queue
        self._runner: web.AppRunner | None = None

    async def start(self, port: int) -> int:
        """Listens on this port, or on a free one for 0. Returns the port."""
        app = web.Application()
        app.router.add_get("/healthz", self._health)
        app.router.add_get("/readyz", self._ready)
        app.router.add_get("/metrics", self._metrics)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, port=port).start()
        except OSError as error:
            raise SettingsError(f"EXTERNAL_DATA_HTTP_PORT: {port}: {error.strerror}") from None
        return int(self._runner.addresses[0][1])

    async def stop(self) -> None:
        """Stops listening."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _health(self, _: web.Request) -> web.Response:
        stalled = self._lister.stalled
        if stalled:
            return web.Response(status=500, text=f"watches missed changes: {', '.join(stalled)}\n")
        return web.Response(text="ok\n")

    async def _ready(self, _: web.Request) -> web.Response:
        if not self._lister.filled:
            return web.Response(status=503, text="waiting for the first listing\n")
        return web.Response(text="ok\n")

    async def _metrics(self, _: web.Request) -> web.Response:
        names = [kind.kind for kind in self._kinds.watched]
        counts = Counter({name: len(self._store.of_kind(name)) for name in names})
        body = metrics.page(len(self._queue), counts)
        return web.Response(body=body, content_type="text/plain")
