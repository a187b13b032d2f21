"""A real HTTP server on loopback, for sources under test: scripted faults, then honest answers.

It speaks HTTP/1.1 by hand, because most of what it is for is what a well-made server refuses to do.
A path is answered by its handler; a script for the path, one step a request, comes first.
Everything that was asked is kept in `requests`, in order of arrival.
"""

import socket
import ssl
import struct
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from tests.servers.replies import Reply, status

_HEAD_END = b"\r\n\r\n"
_RESET = struct.pack("ii", 1, 0)


@dataclass(frozen=True)
class Seen:
    """One request."""

    method: str
    target: str
    headers: dict[str, str]
    """Names in lower case."""
    body: bytes = b""

    @property
    def path(self) -> str:
        """Without the query."""
        return self.target.partition("?")[0]

    @property
    def query(self) -> dict[str, str]:
        """Its parameters; the last of each name."""
        return dict(parse_qsl(self.target.partition("?")[2], keep_blank_values=True))


Handler = Callable[[Seen], Reply]
Step = Reply | Handler | None


@dataclass
class RestServer:
    """A running server."""

    port: int
    scheme: str = "http"
    requests: list[Seen] = field(default_factory=list)
    token: str | None = None
    """Where set, requests without this bearer token get 401."""
    connections: int = 0
    _handlers: dict[str, Handler] = field(default_factory=dict)
    _scripts: dict[str, deque[Step]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def url(self) -> str:
        """Its origin, by the name that its certificate holds."""
        host = "127.0.0.1" if self.scheme == "http" else "localhost"
        return f"{self.scheme}://{host}:{self.port}"

    def on(self, path: str, handler: Handler | Reply) -> None:
        """What a path answers from now on."""
        self._handlers[path] = handler if callable(handler) else lambda _: handler

    def script(self, path: str, *steps: Step) -> None:
        """What the next requests of a path get, one step each; None answers honestly."""
        self._scripts.setdefault(path, deque()).extend(steps)

    def targets(self, path: str | None = None) -> list[str]:
        """What was asked for, in order."""
        return [seen.target for seen in self.requests if path in (None, seen.path)]

    def answer(self, seen: Seen) -> Reply:
        """Keeps the request and finds its answer."""
        with self._lock:
            self.requests.append(seen)
            script = self._scripts.get(seen.path)
            step = script.popleft() if script else None
        if step is not None:
            return step(seen) if callable(step) else step
        if self.token is not None and seen.headers.get("authorization") != f"Bearer {self.token}":
            return status(401)
        handler = self._handlers.get(seen.path)
        return handler(seen) if handler else status(404)


@contextmanager
def running_rest(tls: ssl.SSLContext | None = None) -> Iterator[RestServer]:
    """Starts a server on a free port and ends it, with every connection that is still open."""
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listener:
        server = RestServer(listener.getsockname()[1], "https" if tls else "http")
        stop = threading.Event()
        listener.settimeout(0.05)
        thread = threading.Thread(target=_accept, args=(server, listener, tls, stop))
        thread.start()
        try:
            yield server
        finally:
            stop.set()
            thread.join()


def _accept(
    server: RestServer, listener: socket.socket, tls: ssl.SSLContext | None, stop: threading.Event
) -> None:
    threads: list[threading.Thread] = []
    while not stop.is_set():
        try:
            connection, _ = listener.accept()
        except TimeoutError:
            continue
        server.connections += 1
        threads.append(threading.Thread(target=_serve, args=(server, connection, tls, stop)))
        threads[-1].start()
    for thread in threads:
        thread.join()


def _serve(
    server: RestServer,
    connection: socket.socket,
    tls: ssl.SSLContext | None,
    stop: threading.Event,
) -> None:
    """Answers the requests of one connection; whatever the client does to it is its own affair."""
    connection.settimeout(5)
    try:
        if tls is not None:
            connection = tls.wrap_socket(connection, server_side=True)
        connection.settimeout(0.05)
        pending = b""
        while not stop.is_set():
            request, pending = _read(connection, pending, stop)
            if request is None or not _send(connection, server.answer(request), stop):
                return
    except OSError:
        return
    finally:
        connection.close()


def _read(
    connection: socket.socket, pending: bytes, stop: threading.Event
) -> tuple[Seen | None, bytes]:
    length: int | None = None
    while not stop.is_set():
        head, end, rest = pending.partition(_HEAD_END)
        if end:
            seen = _parse(head)
            length = int(seen.headers.get("content-length", "0"))
            if len(rest) >= length:
                return Seen(seen.method, seen.target, seen.headers, rest[:length]), rest[length:]
        try:
            piece = connection.recv(65536)
        except TimeoutError:
            continue
        if not piece:
            return None, b""
        pending += piece
    return None, b""


def _parse(head: bytes) -> Seen:
    first, *lines = head.decode("latin-1").split("\r\n")
    method, target, _ = first.split(" ")
    pairs = (line.partition(":") for line in lines)
    return Seen(method, target, {name.lower(): value.strip() for name, _, value in pairs})


def _frame(reply: Reply) -> bytes:
    if reply.raw is not None:
        return reply.raw
    headers = dict(reply.headers)
    body = reply.body
    if reply.chunked:
        headers["Transfer-Encoding"] = "chunked"
        half = len(body) // 2
        pieces = [piece for piece in (body[:half], body[half:]) if piece]
        body = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"
    elif not reply.unframed:
        headers.setdefault("Content-Length", str(len(body)))
    head = f"HTTP/1.1 {reply.status} Told\r\n"
    head += "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return head.encode("latin-1") + b"\r\n" + body


def _send(connection: socket.socket, reply: Reply, stop: threading.Event) -> bool:
    """Whether the connection goes on."""
    if stop.wait(reply.silence_s):
        return False
    data = _frame(reply)[: reply.sent_bytes]
    connection.settimeout(5)
    if reply.piece_bytes:
        for start in range(0, len(data), reply.piece_bytes):
            if stop.wait(reply.piece_pause_s):
                return False
            connection.sendall(data[start : start + reply.piece_bytes])
    else:
        connection.sendall(data)
    connection.settimeout(0.05)
    if reply.reset:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    return reply.sent_bytes is None and not reply.unframed and not reply.close
