"""A small HTTP API on the machine's address in the cluster, as pods reach it: honest, wrong, or
slow on demand.

`/good/...` asks for the bearer token; the other roots each do one thing wrong. `/turning/...`
leads from its third page back to the second, which a check, that reads the first, does not see.
`/gated/...` gives page after page and holds back each page behind the first until the test lets it
go. `/wide/...` has one row of very many fields.
"""

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

TOKEN = "tok-7c1e-never-to-be-seen"
PAGES = 4
PAGE_ROWS = 50
WRONG = {
    "text": b"<html>not json</html>",
    "elsewhere": b'{"rows": [{"id": 1}]}',
    "scalars": b'{"data": [1, 2, 3]}',
}
"""Answers by root: not JSON, no records at `data`, records that are no objects."""


def wide_columns(path: str) -> list[str]:
    """The 2,000 fields of the one row of `/wide/...`, which compress badly."""
    return [f"c_{hashlib.sha256(f'{path} {n}'.encode()).hexdigest()[:24]}" for n in range(2000)]


class ShopApi:
    """The running server and what it saw."""

    def __init__(self, host: str) -> None:
        self._gate = threading.Condition()
        self._open_to = 0
        self._held: set[int] = set()
        self.token = TOKEN
        self.is_drained = False
        """Whether `draining` has no rows any more."""
        self.paths: list[str] = []
        self._server = ThreadingHTTPServer((host, 0), self._handler())
        self._server.daemon_threads = True
        self.origin = f"http://{host}:{self._server.server_address[1]}"

    def serve(self) -> None:
        self._server.serve_forever(poll_interval=0.05)

    def stop(self) -> None:
        self.open()
        self._server.shutdown()
        self._server.server_close()

    def open(self, pages: int = PAGES) -> None:
        """Lets gated pages up to this one go."""
        with self._gate:
            self._open_to = pages
            self._gate.notify_all()

    def close(self) -> None:
        """Holds gated pages back again."""
        self.open(0)

    def is_holding(self, page: int) -> bool:
        """Whether somebody waits for this gated page."""
        return page in self._held

    def _hold(self, page: int) -> None:
        with self._gate:
            self._held.add(page)
            self._gate.wait_for(lambda: page <= self._open_to)
            self._held.discard(page)

    def count(self, root: str) -> int:
        """How often something below this root was asked for."""
        return sum(path.startswith(f"/{root}/") for path in self.paths)

    def answer(
        self, path: str, query: dict[str, list[str]], token: str | None
    ) -> tuple[int, bytes]:
        root = path.split("/")[1]
        if root in WRONG:
            return 200, WRONG[root]
        if token != f"Bearer {self.token}":
            return 401, b'{"error": "no"}'
        page = int(query.get("page", ["0"])[0])
        if root == "gated" and page > 0:
            self._hold(page)
        if root == "draining" and self.is_drained:
            return 200, b'{"data": [], "next": null}'
        if root == "wide":
            return 200, json.dumps({"data": [dict.fromkeys(wide_columns(path), 1)]}).encode()
        rows = [{"id": page * PAGE_ROWS + n, "name": f"n{n}"} for n in range(PAGE_ROWS)]
        following = page + 1 if page + 1 < PAGES else None
        if root == "turning" and page > 1:
            following = 1
        return 200, json.dumps({"data": rows, "next": following}).encode()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        api = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                api.paths.append(parts.path)
                token = self.headers.get("Authorization")
                status, body = api.answer(parts.path, parse_qs(parts.query), token)
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                """Says nothing."""

        return Handler


@contextmanager
def running_shop(host: str) -> Iterator[ShopApi]:
    """Serves until the end."""
    api = ShopApi(host)
    thread = threading.Thread(target=api.serve, name="shop")
    thread.start()
    try:
        yield api
    finally:
        api.stop()
        thread.join()
