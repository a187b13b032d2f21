"""A proxy before a real S3 server that does what networks and stores do on bad days.

Faults are chosen by method and path, and each happens so many times. The server behind must not
check signatures, because some faults change requests.
"""

import http.client
import re
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

_HOP_HEADERS = frozenset({"connection", "keep-alive", "transfer-encoding", "date", "server"})
SLOW_S = 0.5
_CONDITIONS = frozenset({"if-match", "if-none-match"})


class Harm(StrEnum):
    """What goes wrong."""

    UNAVAILABLE = "unavailable"
    """503, and the server never hears of it."""
    RESET = "reset"
    """The connection breaks before the server hears of it."""
    LOST_ANSWER = "lost-answer"
    """The server does it, and the connection breaks before the answer comes."""
    TORN = "torn"
    """Half of the body reaches the server, then the connection breaks."""
    SLOW = "slow"
    """The answer takes `SLOW_S` seconds."""
    REFUSED = "refused"
    """A conditional request is refused with 412, whether or not its condition holds."""
    CONFLICT = "conflict"
    """A conditional request is refused with 409."""
    STALE = "stale"
    """A read shows the version before the last one, a listing the one before the last change."""
    UNCONDITIONAL = "unconditional"
    """The server does not see the condition of a put."""


@dataclass
class Fault:
    """One harm, to the next so many requests that match."""

    harm: Harm
    method: str = ".*"
    path: str = ".*"
    times: int = 1
    skip: int = 0
    """Matching requests that are let through first."""

    def takes(self, method: str, path: str) -> bool:
        """Whether this request is the one; counts it."""
        if self.times <= 0 or not re.fullmatch(self.method, method):
            return False
        if not re.search(self.path, path):
            return False
        if self.skip > 0:
            self.skip -= 1
            return False
        self.times -= 1
        return True


@dataclass
class _Answer:
    status: int
    headers: list[tuple[str, str]]
    body: bytes


@dataclass
class FaultyS3:
    """The proxy: its address, the faults to come, and what it has done."""

    backend: str
    endpoint: str = ""
    faults: list[Fault] = field(default_factory=list)
    done: list[tuple[Harm, str, str]] = field(default_factory=list)
    requests: list[tuple[str, str]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)
    slowness: threading.Event = field(default_factory=threading.Event)
    """Ends all waits of slow answers."""
    last: dict[str, _Answer] = field(default_factory=dict)
    """What reads of a path showed before the last change below it."""

    def find_harm(self, method: str, path: str) -> Harm | None:
        """What is to happen to a request."""
        with self.lock:
            self.requests.append((method, path))
            for fault in self.faults:
                if fault.takes(method, path):
                    self.done.append((fault.harm, method, path))
                    return fault.harm
        return None

    def forward(self, method: str, path: str, headers: dict[str, str], body: bytes) -> _Answer:
        """The server's own answer."""
        with closing(http.client.HTTPConnection(self.backend, timeout=60)) as connection:
            connection.request(method, path, body=body, headers=headers)
            response = connection.getresponse()
            return _Answer(response.status, response.getheaders(), response.read())

    def remember(self, path: str) -> None:
        """Keeps what a read shows now, for the time after the change that is about to happen."""
        host = {"host": self.backend}
        key = path.partition("?")[0]
        self.last[key] = self.forward("GET", key, host, b"")
        for listing in [known for known in self.last if "list-type" in known]:
            self.last[listing] = self.forward("GET", listing, host, b"")


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    server: "_Server"

    def do_GET(self) -> None:
        self._serve()

    def do_PUT(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def do_DELETE(self) -> None:
        self._serve()

    def do_HEAD(self) -> None:
        self._serve()

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""

    def _serve(self) -> None:
        proxy = self.server.proxy
        harm = proxy.find_harm(self.command, self.path)
        length = int(self.headers.get("content-length") or 0)
        if harm is Harm.TORN:
            self._tear(length)
            return
        body = self.rfile.read(length)
        if harm is Harm.RESET:
            self._break()
            return
        if harm in (Harm.UNAVAILABLE, Harm.REFUSED, Harm.CONFLICT):
            codes = {Harm.UNAVAILABLE: 503, Harm.REFUSED: 412, Harm.CONFLICT: 409}
            self._answer(_Answer(codes[harm], [], b""))
            return
        if harm is Harm.SLOW:
            proxy.slowness.wait(SLOW_S)
        answer = self._ask(body, harm)
        if harm is Harm.LOST_ANSWER:
            self._break()
            return
        self._answer(answer)

    def _ask(self, body: bytes, harm: Harm | None) -> _Answer:
        proxy = self.server.proxy
        headers = {k.lower(): v for k, v in self.headers.items() if k.lower() not in _HOP_HEADERS}
        if harm is Harm.UNCONDITIONAL:
            headers = {k: v for k, v in headers.items() if k not in _CONDITIONS}
        if harm is Harm.STALE and self.path in proxy.last:
            return proxy.last[self.path]
        if self.command in {"PUT", "DELETE"}:
            proxy.remember(self.path)
        answer = proxy.forward(self.command, self.path, headers, body)
        if "list-type" in self.path:
            proxy.last.setdefault(self.path, answer)
        return answer

    def _tear(self, length: int) -> None:
        """Hands half of the request on, by hand, and breaks off on both sides."""
        half = self.rfile.read(length // 2)
        host, _, port = self.server.proxy.backend.partition(":")
        with closing(socket.create_connection((host, int(port)))) as upstream:
            lines = [f"{self.command} {self.path} HTTP/1.1"]
            lines += [f"{name}: {value}" for name, value in self.headers.items()]
            upstream.sendall("\r\n".join([*lines, "", ""]).encode() + half)
        self._break()

    def _break(self) -> None:
        """Ends the connection without a goodbye."""
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()

    def _answer(self, answer: _Answer) -> None:
        self.send_response_only(answer.status)
        for name, value in answer.headers:
            if name.lower() not in _HOP_HEADERS | {"content-length"}:
                self.send_header(name, value)
        if self.command == "HEAD":
            known = {name.lower(): value for name, value in answer.headers}
            self.send_header("Content-Length", known.get("content-length", "0"))
        else:
            self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)
        self.wfile.flush()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    proxy: FaultyS3

    def handle_error(self, request: object, client_address: object) -> None:
        """Connections that were broken on purpose are no error."""


@contextmanager
def running_faults(endpoint: str) -> Iterator[FaultyS3]:
    """A proxy before the server at `endpoint`, without any fault yet."""
    server = _Server(("127.0.0.1", 0), _Handler)
    proxy = FaultyS3(urlsplit(endpoint).netloc, f"http://127.0.0.1:{server.server_address[1]}")
    server.proxy = proxy
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
