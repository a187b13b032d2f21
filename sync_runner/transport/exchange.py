"""One request and its response over one connection.

`framing` parses the response; the loop around `recv` is here, because it checks every limit:
silence, the total time, the size of the head, and whether the run was asked to stop. A wait is
divided into slices of a second, so that a stop is noticed without another thread at the socket.
"""

import select
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass

from sync_runner.network.failures import AttemptError, ConnectError
from sync_runner.network.sockets import Socket, describe_tls
from sync_runner.transport.bodies import decode_body
from sync_runner.transport.failures import BrokenError, ConnectionLostError
from sync_runner.transport.framing import HEAD_BYTES_MAX, Incoming
from sync_runner.transport.messages import Response

_BUFFER_BYTES = 256 << 10
_SLICE_S = 1.0


@dataclass(frozen=True)
class AttemptLimits:
    """The limits of one attempt."""

    connect_s: float = 10
    read_s: float = 60
    """Silence between two pieces of a response."""
    total_s: float = 300
    """From the request to the end of its response."""
    body_bytes_max: int = 256 << 20
    """Bytes of the body, compressed or not."""


class Connection:
    """A connected socket that carries one exchange after the other."""

    def __init__(
        self,
        sock: Socket,
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
        self._readable = select.poll()
        self._readable.register(sock, select.POLLIN)
        self._anything_came = False
        self.reusable = False

    def close(self) -> None:
        """Ends the connection."""
        self._sock.close()

    def is_stale(self) -> bool:
        """Whether the server has closed it, or sent unexpected bytes, while it was idle."""
        return bool(self._readable.poll(0))

    def exchange(self, request: bytes) -> Response:
        """Sends a request and reads its response. Raises BrokenError, TooLargeError."""
        self.reusable = False
        self._anything_came = False
        incoming = Incoming(self._limits.body_bytes_max)
        deadline = time.monotonic() + self._limits.total_s
        self._send(request)
        self._receive(incoming, deadline)
        self.reusable = incoming.keep_alive
        head = incoming.head
        assert head is not None, "a response that is whole has a head"
        body = incoming.take_body()
        for coding in reversed(head.codings):
            body = decode_body(body, coding, bytes_max=self._limits.body_bytes_max)
        return Response(head.status, head.headers, body)

    def _send(self, request: bytes) -> None:
        self._sock.settimeout(self._limits.read_s)
        try:
            self._sock.sendall(request)
        except TimeoutError as error:
            raise BrokenError("The server did not receive the request in time.") from error
        except OSError as error:
            raise self._explain_lost() from error
        self._sock.settimeout(self._slice_s)

    def _explain_lost(self) -> AttemptError:
        """Why sending failed: an alert that the server sent before it closed the connection can
        still be read."""
        try:
            self._sock.settimeout(self._slice_s)
            self._sock.recv_into(self._buffer)
        except ssl.SSLError as error:
            return self._explain_tls(error)
        except OSError:
            pass
        return ConnectionLostError("The connection was lost.")

    def _explain_tls(self, error: ssl.SSLError) -> AttemptError:
        """In TLS 1.3 a server refuses the handshake after the client has finished it."""
        if isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError):
            return ConnectionLostError("The connection was lost.")
        what = f"TLS failed ({describe_tls(error)})."
        return BrokenError(what) if self._anything_came else ConnectError(what)

    def _receive(self, incoming: Incoming, deadline: float) -> None:
        received = 0
        while not incoming.done:
            count = self._receive_some(deadline)
            received += count
            if count == 0:
                if not incoming.ends_here():
                    raise self._lost()
                return
            self._anything_came = True
            incoming.feed(self._buffer, count)
            if incoming.head is None and received > HEAD_BYTES_MAX:
                message = f"The head of the response is longer than {HEAD_BYTES_MAX} bytes."
                raise BrokenError(message)

    def _receive_some(self, deadline: float) -> int:
        """At least one byte, or 0 at the end of the connection."""
        silent_since = time.monotonic()
        while True:
            try:
                count = self._sock.recv_into(self._buffer)
            except TimeoutError as error:
                self._raise_if_stopped()
                if time.monotonic() - silent_since >= self._limits.read_s:
                    message = f"The server sent nothing for {self._limits.read_s:g} s."
                    raise BrokenError(message) from error
                count = -1
            except ssl.SSLEOFError as error:
                raise self._lost() from error
            except ssl.SSLError as error:
                raise self._explain_tls(error) from error
            except OSError as error:
                raise self._lost() from error
            if time.monotonic() > deadline:
                message = f"The response did not finish within {self._limits.total_s:g} s."
                raise BrokenError(message)
            if count >= 0:
                return count

    def _lost(self) -> BrokenError:
        if self._anything_came:
            return BrokenError("The connection was closed in the middle of the response.")
        return ConnectionLostError("The connection was closed without a response.")
