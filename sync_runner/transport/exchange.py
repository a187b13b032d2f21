"""One request and its answer over one connection.

llhttp reads what the server sends; the loop around `recv` is ours, because every bound lives there:
silence, the whole answer, bytes of the head, bytes of the body, and a stop that was asked for. A
wait is cut into slices of a second, so that a stop is seen without another thread touching the
socket.
"""

import select
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO

import httptools

from sync_runner.transport.failures import BrokenError, ConnectionLostError, TooLargeError
from sync_runner.transport.sockets import AttemptLimits

HEAD_BYTES_MAX = 256 << 10
_BUFFER_BYTES = 256 << 10
_SLICE_S = 1.0
_UNFINISHED = frozenset({202, 205, 206, 207})
"""Accepted and not done, a reset, a part that nobody asked for, several answers in one."""


@dataclass(frozen=True, slots=True)
class Response:
    """An answer that came whole by its framing. Header names are in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes
    url: str = ""
    """The address that answered, after redirects; relative addresses in the body start there."""

    @property
    def is_good(self) -> bool:
        """Whether the status is a 2xx that brings the whole answer, or says that it is empty."""
        return 200 <= self.status < 300 and self.status not in _UNFINISHED


class _Incoming:
    """What llhttp calls while it reads one answer. The body grows in place, and is handed out
    without a copy: a page may take a good part of the memory that there is."""

    def __init__(self) -> None:
        self.parser = httptools.HttpResponseParser(self)
        self.headers: dict[str, str] = {}
        self.body = BytesIO()
        self.head_done = False
        self.done = False
        self.keep_alive = False

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self.done:
            key = name.decode("latin-1").lower()
            text = value.decode("latin-1")
            self.headers[key] = f"{self.headers[key]}, {text}" if key in self.headers else text

    def on_headers_complete(self) -> None:
        if self.done:
            return
        if self.is_interim:
            self.headers.clear()
            return
        self.head_done = True
        self.keep_alive = self.parser.should_keep_alive()

    def on_body(self, body: bytes) -> None:
        if not self.done:
            self.body.write(body)

    def on_message_complete(self) -> None:
        self.done = self.done or not self.is_interim

    def on_message_begin(self) -> None:
        if self.done:
            self.keep_alive = False  # more than was asked for

    def take(self) -> Response:
        """The answer. The parser refers back to this object, which must not keep the body as
        well."""
        body = self.body.getvalue()
        self.body.close()
        return Response(self.parser.get_status_code(), self.headers, body)

    @property
    def is_interim(self) -> bool:
        return 100 <= self.parser.get_status_code() < 200

    @property
    def ends_with_connection(self) -> bool:
        """Whether nothing but the end of the connection says where the body ends."""
        chunked = "chunked" in self.headers.get("transfer-encoding", "").lower()
        return self.head_done and not chunked and "content-length" not in self.headers


class Connection:
    """A connected socket that carries one exchange after the other."""

    def __init__(
        self,
        sock: socket.socket,
        *,
        limits: AttemptLimits,
        raise_if_stopped: Callable[[], None],
    ) -> None:
        """`raise_if_stopped` is called about once a second while waiting."""
        self._sock = sock
        self._limits = limits
        self._raise_if_stopped = raise_if_stopped
        self._slice_s = min(_SLICE_S, limits.read_s)
        self._buffer = bytearray(_BUFFER_BYTES)
        self._view = memoryview(self._buffer)
        self._readable = select.poll()
        self._readable.register(sock, select.POLLIN)
        self._anything_came = False
        self.reusable = False

    def close(self) -> None:
        """Ends the connection."""
        self._sock.close()

    def is_stale(self) -> bool:
        """Whether the server has ended it, or sent what nobody asked for, while it lay idle."""
        return bool(self._readable.poll(0))

    def exchange(self, request: bytes) -> Response:
        """Sends a request and reads its answer. Raises BrokenError, TooLargeError."""
        self.reusable = False
        self._anything_came = False
        incoming = _Incoming()
        deadline = time.monotonic() + self._limits.total_s
        self._send(request)
        self._receive(incoming, deadline)
        self.reusable = incoming.keep_alive
        return incoming.take()

    def _send(self, request: bytes) -> None:
        self._sock.settimeout(self._limits.read_s)
        try:
            self._sock.sendall(request)
        except TimeoutError as error:
            raise BrokenError("the server did not take the request in time") from error
        except OSError as error:
            raise ConnectionLostError("the connection was lost") from error
        self._sock.settimeout(self._slice_s)

    def _receive(self, incoming: _Incoming, deadline: float) -> None:
        received = 0
        while not incoming.done:
            count = self._receive_some(deadline)
            received += count
            if count == 0:
                if not incoming.ends_with_connection:
                    raise self._lost()
                incoming.keep_alive = False
                return
            self._anything_came = True
            try:
                incoming.parser.feed_data(self._view[:count])
            except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
                if not incoming.done:
                    raise BrokenError("the answer is not HTTP/1.1") from error
                incoming.keep_alive = False
            if not incoming.head_done and received > HEAD_BYTES_MAX:
                raise BrokenError(f"the answer's head is longer than {HEAD_BYTES_MAX} bytes")
            if incoming.body.tell() > self._limits.body_bytes_max:
                raise TooLargeError(self._limits.body_bytes_max)

    def _receive_some(self, deadline: float) -> int:
        """At least one byte, or 0 at the end of the connection."""
        silent_since = time.monotonic()
        while True:
            try:
                count = self._sock.recv_into(self._buffer)
            except TimeoutError as error:
                self._raise_if_stopped()
                if time.monotonic() - silent_since >= self._limits.read_s:
                    raise BrokenError(f"nothing came for {self._limits.read_s:g} s") from error
                count = -1
            except OSError as error:
                raise self._lost() from error
            if time.monotonic() > deadline:
                raise BrokenError(f"no whole answer came within {self._limits.total_s:g} s")
            if count >= 0:
                return count

    def _lost(self) -> BrokenError:
        if self._anything_came:
            return BrokenError("the connection broke off in the middle of the answer")
        return ConnectionLostError("the connection was closed without an answer")
