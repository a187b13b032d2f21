"""Sends requests to one origin, and retries them.

A client is bound to the origin of `baseUrl`: a request to another one (from a next page, a redirect
or a resume token) ends the run before anything is sent, so that credentials never leave the origin.
An authentication sees each request before it is sent, and its response.
"""

import logging
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
from sync_runner.protocols import Clock, IsStopped
from sync_runner.transport.attempts import (
    ASKED_WAIT_S_MAX,
    Context,
    conclude_attempt,
    count_attempts,
    describe_wait,
)
from sync_runner.transport.auth import Auth, NoAuth
from sync_runner.transport.bodies import GZIP_MAGIC, decode_body
from sync_runner.transport.exchange import AttemptLimits, Connection
from sync_runner.transport.failures import AnswerError, ConnectionLostError
from sync_runner.transport.messages import Request, Response
from sync_runner.transport.origin import Origin, parse_origin
from sync_runner.transport.outgoing import (
    TARGET_SAFE,
    RequestHead,
    add_type,
    build_head,
    spell_target,
    write_request,
)
from sync_runner.transport.pace import Pace
from sync_runner.transport.retry import own_wait_s, raise_for_status

T = TypeVar("T")
REDIRECTS_MAX = 5
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_KEEP_METHOD = frozenset({307, 308})
_JITTER = SystemRandom()
_LOGGED_WAIT_S = 60.0
_NO_CONTEXT = Context()
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ClientSettings:
    """The settings of a client."""

    origin: Origin
    rules: AddressRules = field(default_factory=AddressRules)
    tls: SSLContext | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    auth: Auth = field(default_factory=NoAuth)
    limits: AttemptLimits = field(default_factory=AttemptLimits)
    per_second: float | None = None


class Client:
    """Connections to one origin; its methods may be called by several threads."""

    def __init__(
        self,
        settings: ClientSettings,
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
        self._common = build_head(settings.origin.authority, settings.headers.items())
        self._head = self._build_head()

    def close(self) -> None:
        """Closes idle connections; requests of other threads end within about a second."""
        self._closed = True
        while self._idle:
            self._idle.pop().close()

    def fetch(
        self,
        request: Request,
        receive: Callable[[Response], T],
        *,
        first: Callable[[], Response] | None = None,
        context: Callable[[], Context] = Context,
    ) -> T:
        """The result of `receive` for the first good response, after at most five attempts.

        `receive` raises an AttemptError if the body is not whole. `first` replaces the first
        attempt if that was made in another thread. `context` decides about retries. Raises
        RunError; RejectedError or UnsettledError with the status of a refusal.
        """
        attempt = 1
        asked_s = 0.0
        while True:
            try:
                # A page that was requested ahead, in another thread, has had its first attempt.
                response = first() if first else self.attempt(request)
                if not response.is_good:
                    raise_for_status(response, now=self._clock.now())
                return receive(response)
            except AttemptError as failure:
                # Not before a failure, since it would cost time for each page.
                known = context()
                what = self.describe(request, known)
                what += f" ({attempt} attempts): {failure}" if attempt > 1 else f": {failure}"
                # A source may ask for one long wait or for many short ones. A waiting pod costs
                # money, and the schedule starts the next run anyway.
                asked_s += failure.wait_s or 0.0
                if asked_s > ASKED_WAIT_S_MAX:
                    wait = describe_wait(failure.wait_s or 0.0, self._clock.now())
                    raise conclude_attempt(failure, f"{what} {wait}", known) from failure
                # The number depends on the failure: a refusal usually repeats, a dropped connection
                # does not.
                if attempt >= count_attempts(failure, known):
                    raise conclude_attempt(failure, what, known) from failure
                self._wait_after(failure, attempt, what)
            first = None
            attempt += 1

    def attempt(self, request: Request, *, redirects_max: int = REDIRECTS_MAX) -> Response:
        """One response of any status, after redirects within the origin. Raises AttemptError,
        RunError."""
        for _ in range(redirects_max + 1):
            response = self._send(request)
            if response.status not in _REDIRECTS or redirects_max == 0:
                return response
            # A redirect without an address is a fault of the server; there is nothing to follow.
            if "location" not in response.headers:
                message = f"The source answered {response.status} without a Location header."
                raise AnswerError(message, reason=Reason.REQUEST_REJECTED)
            target = self._redirect(request.url, response.headers["location"])
            # The redirect of a finished POST is followed by a GET without a body.
            if request.method == "POST" and response.status not in _KEEP_METHOD:
                request = Request("GET", target, request.headers)
            else:
                request = request._replace(url=target)
        message = f"The source redirects more than {redirects_max} times."
        raise AnswerError(message, reason=Reason.REQUEST_REJECTED)

    def _wait_after(self, failure: AttemptError, attempt: int, what: str) -> None:
        if failure.wait_s is None:
            self._pace.wait(own_wait_s(attempt, self._jitter()))
            return
        if failure.wait_s >= _LOGGED_WAIT_S:
            _log.warning("%s The next attempt is in %.0f s.", what, failure.wait_s)
        self._pace.rest(failure.wait_s)

    def _send(self, request: Request) -> Response:
        head = self._head
        # Most authentications are constant headers: for a page only its target is built.
        if head is not None and not request.headers:
            data, sent = write_request(request, self._target(request), head), request
        else:
            data, sent, head = self._prepare(request)
        response = self._exchange(data)
        # A rotated token, an expired session, a first nonce: one more request is sent at once. It
        # does not count as an attempt, because the source works.
        if not response.is_good:
            sent = sent._replace(headers=add_type(sent, head))
            if self._settings.auth.challenged(sent, response):
                self._head = self._build_head()
                response = self._exchange(self._prepare(request)[0])
        body = response.body
        encoding = response.headers.get("content-encoding", "")
        # A file that was stored compressed is often sent without a Content-Encoding.
        if (encoding or body[:2] == GZIP_MAGIC) and response.is_good:
            body = decode_body(body, encoding, bytes_max=self._settings.limits.body_bytes_max)
        # Not the address as it was prepared: that may hold a credential.
        return Response(response.status, response.headers, body, request.url)

    def _prepare(self, request: Request) -> tuple[bytes, Request, RequestHead]:
        """All bytes of a request, the request as it is sent, and its head."""
        target, head = self._target(request), self._head
        authority = self._settings.origin.authority
        if head is not None:
            head = build_head(authority, head.headers, request.headers)
            return write_request(request, target, head), request, head
        head = build_head(authority, self._common.headers, request.headers)
        url = self._settings.origin.url + target
        prepared = self._settings.auth.prepare(
            Request(request.method, url, add_type(request, head), request.body)
        )
        head = build_head(authority, prepared.headers)
        return write_request(prepared, self._target(prepared), head), prepared, head

    def _exchange(self, request: bytes) -> Response:
        """Sends over an idle connection when the rate allows it. If the server has closed that
        connection meanwhile, another one is used, and the attempt has not failed."""
        self._pace.wait_turn()
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
            raise RetryableError(Reason.EVICTED, "The run was asked to stop.")

    def _target(self, request: Request) -> str:
        """The request target of an address; ConfigurationError if the address has another
        origin."""
        url = request.url
        if url.startswith(self._prefix):
            return spell_target(url[len(self._prefix) - 1 :].partition("#")[0])
        self._require_origin(request)
        parts = urlsplit(url)
        return spell_target(f"{parts.path or '/'}{'?' if parts.query else ''}{parts.query}")

    def _redirect(self, url: str, location: str) -> str:
        """The address of a redirect. Raises AnswerError if the run must not follow it."""
        # Bytes beyond ASCII are escaped as they came: a Location in UTF-8 is read as one.
        spelled = quote(location.encode("latin-1"), safe=f"#{TARGET_SAFE}")
        try:
            target = urljoin(url, spelled)
            foreign = self._find_foreign(target)
        except ValueError as error:
            message = "The source redirects to an address that is not valid."
            raise AnswerError(message, reason=Reason.INVALID_RESPONSE) from error
        if foreign is not None:
            message = f"The source redirects to {foreign}"
            raise AnswerError(message, reason=Reason.OTHER_ORIGIN)
        return target

    def _require_origin(self, request: Request) -> None:
        what = f"The next {request.method} at {self._settings.origin.authority} would go to"
        try:
            foreign = self._find_foreign(request.url)
        except ValueError as error:
            message = f"{what} an address that is not valid."
            raise ConfigurationError(Reason.INVALID_RESPONSE, message) from error
        if foreign is not None:
            raise ConfigurationError(Reason.OTHER_ORIGIN, f"{what} {foreign}")

    def _find_foreign(self, url: str) -> str | None:
        """The end of a message about an address of another origin; None if it has our origin.
        Raises ValueError if the address is not valid."""
        ours, origin = self._settings.origin, parse_origin(url)
        if origin == ours:
            return None
        return (
            f"{origin.url}, which is not the origin of baseUrl ({ours.url}). No request was sent "
            "there. If it is the right one, correct baseUrl."
        )

    def describe(self, request: Request, context: Context = _NO_CONTEXT) -> str:
        """Method, path without query, host and page, for messages."""
        path = urlsplit(request.url).path or "/"
        where = f", {context.where}" if context.where else ""
        return f"{request.method} {path} at {self._settings.origin.authority}{where}"

    def _build_head(self) -> RequestHead | None:
        """The head that all requests share; None if each one has to be prepared."""
        settings = self._settings
        if not settings.auth.is_static:
            return None
        prepared = settings.auth.prepare(Request("GET", settings.origin.url))
        return build_head(settings.origin.authority, self._common.headers, prepared.headers)
