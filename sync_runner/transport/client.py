"""Asks one origin, and asks again where that helps.

A client is bound to the origin of `baseUrl`: requests are addresses, and one that leads elsewhere
(a next page, a redirect, a resume token) ends the run before anything is sent. Credentials are read
when the client opens, and once more when the source answers 401, so that a rotated Secret goes on
by itself.
"""

import logging
import re
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import SystemRandom
from ssl import SSLContext
from typing import TypeVar
from urllib.parse import quote, urljoin, urlsplit

from external_data_operator.api.conditions import Reason

from sync_runner.errors import ConfigurationError, RetryableError
from sync_runner.network.failures import AttemptError
from sync_runner.network.hosts import AddressRules
from sync_runner.network.sockets import open_socket
from sync_runner.protocols import Clock
from sync_runner.transport.auth import AuthHeaders
from sync_runner.transport.bodies import ACCEPTED, decode_body
from sync_runner.transport.exchange import AttemptLimits, Connection, Response
from sync_runner.transport.failures import AnswerError, ConnectionLostError
from sync_runner.transport.origin import Origin, parse_origin
from sync_runner.transport.pace import Pace
from sync_runner.transport.retry import own_wait_s, raise_for_status
from sync_runner.transport.weather import (
    ASKED_WAIT_S_MAX,
    Context,
    conclude,
    count_attempts,
    describe_wait,
)

T = TypeVar("T")
IsStopped = Callable[[], bool]
"""Whether the run was asked to stop."""
REDIRECTS_MAX = 5
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_KEEP_METHOD = frozenset({307, 308})
_TARGET_SAFE = "!$%&'()*+,-./:;=?@[]_~"
"""What RFC 3986 allows, and the brackets that many APIs want as they are."""
_TARGET = re.compile(
    r"/[A-Za-z0-9!$&'()*+,\-./:;=?@\[\]_~]*(?:%[0-9A-Fa-f]{2}[A-Za-z0-9!$&'()*+,\-./:;=?@\[\]_~]*)*"
)
_BARE_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_HEADER_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
_OURS = frozenset({"host", "content-length", "transfer-encoding", "connection", "accept-encoding"})
_JITTER = SystemRandom()
_LOGGED_WAIT_S = 60.0
_NO_CONTEXT = Context()
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Ask:
    """How to ask, without where: a method, and the JSON body of a POST."""

    method: str = "GET"
    body: bytes = b""


@dataclass(frozen=True)
class Settings:
    """What a client is made from."""

    origin: Origin
    rules: AddressRules = field(default_factory=AddressRules)
    tls: SSLContext | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    auth: AuthHeaders = dict
    limits: AttemptLimits = field(default_factory=AttemptLimits)
    per_second: float | None = None


class Client:
    """Connections to one origin; its methods may be called by several threads."""

    def __init__(
        self,
        settings: Settings,
        *,
        clock: Clock,
        is_stopped: IsStopped,
        jitter: Callable[[], float] = _JITTER.random,
    ) -> None:
        """`is_stopped` ends every wait with RetryableError(Evicted) within about a second."""
        self._settings = settings
        self._clock = clock
        self._is_stopped = is_stopped
        self._closed = False
        self._jitter = jitter
        self._prefix = f"{settings.origin.url}/"
        self._pace = Pace(
            clock, per_second=settings.per_second, raise_if_stopped=self._raise_if_stopped
        )
        self._idle: deque[Connection] = deque()
        self._head = self._build_head()

    def close(self) -> None:
        """Ends idle connections; what is under way in other threads ends within about a second."""
        self._closed = True
        while self._idle:
            self._idle.pop().close()

    def fetch(
        self,
        ask: Ask,
        url: str,
        receive: Callable[[Response], T],
        *,
        first: Callable[[], Response] | None = None,
        context: Callable[[], Context] = Context,
    ) -> T:
        """What `receive` makes of the first good response, after at most five attempts.

        `receive` raises an AttemptError where the body is not whole. `first` stands in for the
        first attempt, where that was made elsewhere. `context` is asked what a refusal means.
        Raises RunError; RejectedError or UnsettledError with the status of a refusal.
        """
        reread = True
        attempt = 1
        asked_s = 0.0
        while True:
            try:
                response = first() if first else self.attempt(ask, url)
                if response.status == 401 and reread and self._reread_credentials():
                    reread, first = False, None
                    continue
                if not response.is_good:
                    raise_for_status(response, now=self._clock.now())
                return receive(response)
            except AttemptError as failure:
                known = context()
                what = f"{self.describe(ask, url, known)}: {failure}"
                asked_s += failure.wait_s or 0.0
                if asked_s > ASKED_WAIT_S_MAX:
                    wait = describe_wait(failure.wait_s or 0.0, self._clock.now())
                    raise conclude(failure, f"{what}, and {wait}", known) from failure
                if attempt >= count_attempts(failure, known):
                    attempts = f" ({attempt} attempts)" if attempt > 1 else ""
                    raise conclude(failure, f"{what}{attempts}", known) from failure
                self._wait_after(failure, attempt, what)
            first = None
            attempt += 1

    def attempt(self, ask: Ask, url: str, *, redirects_max: int = REDIRECTS_MAX) -> Response:
        """One answer of any status, behind redirects within the origin. Raises AttemptError,
        RunError."""
        for _ in range(redirects_max + 1):
            response = self._send(ask, url)
            if response.status not in _REDIRECTS or redirects_max == 0:
                return response
            if "location" not in response.headers:
                break
            if ask.method == "POST" and response.status not in _KEEP_METHOD:
                ask = Ask()
            url = self._redirect(url, response.headers["location"])
        message = "redirects without end, or without an address"
        raise AnswerError(message, reason=Reason.REQUEST_REJECTED)

    def _wait_after(self, failure: AttemptError, attempt: int, what: str) -> None:
        if failure.wait_s is None:
            self._pace.wait(own_wait_s(attempt, self._jitter()))
            return
        if failure.wait_s >= _LOGGED_WAIT_S:
            _log.warning("%s; the next attempt is in %.0f s", what, failure.wait_s)
        self._pace.rest(failure.wait_s)

    def _send(self, ask: Ask, url: str) -> Response:
        target = self._target(url, ask)
        request = f"{ask.method} {target} HTTP/1.1\r\n".encode("latin-1") + self._head
        if ask.body:
            length = f"Content-Type: application/json\r\nContent-Length: {len(ask.body)}\r\n\r\n"
            request += length.encode("latin-1") + ask.body
        elif ask.method == "POST":
            request += b"Content-Length: 0\r\n\r\n"
        else:
            request += b"\r\n"
        self._pace.wait_turn()
        response = self._exchange(request)
        body = response.body
        encoding = response.headers.get("content-encoding", "")
        if encoding and response.is_good:
            body = decode_body(body, encoding, bytes_max=self._settings.limits.body_bytes_max)
        return Response(response.status, response.headers, body, url)

    def _exchange(self, request: bytes) -> Response:
        """Sends over an idle connection; one that the server ended meanwhile is not a failed
        attempt."""
        while True:
            self._raise_if_stopped()
            connection, is_fresh = self._take_connection()
            try:
                response = connection.exchange(request)
            except ConnectionLostError:
                if is_fresh:
                    raise
                continue
            finally:
                if connection.reusable and not self._closed:
                    self._idle.append(connection)
                else:
                    connection.close()
            return response

    def _take_connection(self) -> tuple[Connection, bool]:
        while self._idle:
            try:
                connection = self._idle.pop()
            except IndexError:  # another thread was faster
                break
            if not connection.is_stale():
                return connection, False
            connection.close()
        settings = self._settings
        sock = open_socket(
            settings.origin.endpoint, settings.rules, settings.tls, settings.limits.connect_s
        )
        return Connection(
            sock,
            limits=settings.limits,
            raise_if_stopped=self._raise_if_stopped,
        ), True

    def _raise_if_stopped(self) -> None:
        if self._closed or self._is_stopped():
            raise RetryableError(Reason.EVICTED, "the run was asked to stop")

    def _target(self, url: str, ask: Ask) -> str:
        """The part of an address that is sent; ConfigurationError where the rest is not our
        origin."""
        if url.startswith(self._prefix):
            target = url[len(self._prefix) - 1 :].partition("#")[0]
        else:
            self._require_origin(url, ask)
            parts = urlsplit(url)
            target = f"{parts.path or '/'}{'?' if parts.query else ''}{parts.query}"
        return target if _TARGET.fullmatch(target) else _quote_target(target)

    def _redirect(self, url: str, location: str) -> str:
        """Where a redirect leads. Raises AnswerError where the run must not go there."""
        # Bytes beyond ASCII are escaped as they came: a Location in UTF-8 is read as one.
        spelled = quote(location.encode("latin-1"), safe=f"#{_TARGET_SAFE}")
        try:
            target = urljoin(url, spelled)
            foreign = self._find_foreign(target)
        except ValueError as error:
            message = "redirects to an address that cannot be used"
            raise AnswerError(message, reason=Reason.INVALID_RESPONSE) from error
        if foreign is not None:
            raise AnswerError(f"redirects to {foreign}", reason=Reason.OTHER_ORIGIN)
        return target

    def _require_origin(self, url: str, ask: Ask) -> None:
        what = f"{ask.method} at {self._settings.origin.authority} led to"
        try:
            foreign = self._find_foreign(url)
        except ValueError as error:
            message = f"{what} an address that cannot be used"
            raise ConfigurationError(Reason.INVALID_RESPONSE, message) from error
        if foreign is not None:
            raise ConfigurationError(Reason.OTHER_ORIGIN, f"{what} {foreign}")

    def _find_foreign(self, url: str) -> str | None:
        """Says why an address is not asked; None where it has our origin, ValueError where it has
        none."""
        ours, origin = self._settings.origin, parse_origin(url)
        if origin == ours:
            return None
        return f"{origin.url}, which is not baseUrl's {ours.url}; nothing went there"

    def describe(self, ask: Ask, url: str, context: Context = _NO_CONTEXT) -> str:
        """Method, path without query, host, and which page, for messages."""
        path = urlsplit(url).path or "/"
        where = f", {context.where}" if context.where else ""
        return f"{ask.method} {path} at {self._settings.origin.authority}{where}"

    def _reread_credentials(self) -> bool:
        """Whether the credentials are others than before."""
        head = self._build_head()
        changed = head != self._head
        self._head = head
        return changed

    def _build_head(self) -> bytes:
        """The header lines that every request carries."""
        headers = {"Accept": "application/json", "User-Agent": "external-data-operator"}
        lower = {name.lower(): name for name in headers}
        for name, value in {**self._settings.headers, **self._settings.auth()}.items():
            if name.lower() in _OURS:
                message = f"headers: {name} is the runner's own to send"
                raise ConfigurationError(Reason.INVALID_SPEC, message)
            if not _HEADER_VALUE.fullmatch(value):
                message = f"headers: the value of {name} has characters that no header may carry"
                raise ConfigurationError(Reason.INVALID_SPEC, message)
            headers[lower.setdefault(name.lower(), name)] = value
        headers["Host"] = self._settings.origin.authority
        headers["Accept-Encoding"] = ACCEPTED
        return "".join(f"{name}: {value}\r\n" for name, value in headers.items()).encode("latin-1")


def _quote_target(target: str) -> str:
    """Escapes what an address may not hold; what is escaped already stays as it is."""
    whole = target.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    quoted = quote(whole, safe=_TARGET_SAFE)
    return _BARE_PERCENT.sub("%25", quoted)
