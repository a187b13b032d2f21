"""One page of a walk: its request, what its answer proves, and what a refusal in mid-walk means.

A refusal behind the first page may be the end of the rows, a token that expired, or a fault of the
source; only a first request is refused because of the spec.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from external_data_operator.api.sources.rest import RestStream

from sync_runner.errors import (
    ConfigurationError,
    ExpiredTokenError,
    ResponseError,
    RetryableError,
)
from sync_runner.records.decode import Envelope, RecordDecoder
from sync_runner.records.lone import Expected
from sync_runner.sources.rest.guesses import Guesses
from sync_runner.sources.rest.pagination.page import PageRequest, Paginator
from sync_runner.sources.rest.place import Place
from sync_runner.transport.client import Client
from sync_runner.transport.failures import (
    AnswerError,
    NoRowsError,
    RejectedError,
    TornBodyError,
    UnsettledError,
)
from sync_runner.transport.messages import Request, Response
from sync_runner.transport.texts import read_text
from sync_runner.transport.weather import Context

T = TypeVar("T")
_NO_CONTENT = 204
_GONE = 410
_EXPIRED = frozenset({400, 404, _GONE, 422})
_BEYOND = frozenset({400, 404, 416, 422})
"""How servers refuse an offset behind the last row."""
_TOKEN_ATTEMPTS = 3
"""Of a page whose token may have expired: a new walk mends that, and costs more than a wait."""


@dataclass
class Accepted:
    """How many pages the source sent in this run, over all its walks in this pod."""

    pages: int = 0


@dataclass
class PageReader:
    """Reads the pages of one walk into its decoder."""

    stream: RestStream
    template: Request
    """What each request is made from."""
    client: Client
    paginator: Paginator
    decoder: RecordDecoder
    expected: Expected
    """What tells rows from what is none, on pages that are read for a proof alone."""
    guesses: Guesses
    accepted: Accepted
    is_resumed: bool
    """Whether an earlier pod of the run named the next request."""
    answered_at: str = ""
    """The address that sent the last page, after redirects."""

    def read(self, place: Place, *, unless: int | None) -> Envelope | None:
        """What the page says; None where it proves to be behind the end. Rows with the digest
        `unless` are not added. Raises RunError; ExpiredTokenError where a new walk helps."""
        request = place.request
        try:
            page = self._fetch(
                place,
                lambda response: self._push(response, request, unless),
                first=self.guesses.take(request),
            )
        except (RejectedError, UnsettledError) as error:
            # Some servers refuse an offset behind the last row, which asks for a last proof.
            if error.status in _BEYOND and self._is_behind_end(place):
                return None
            # The request of the first page was accepted, so the spec is not what is wrong.
            if error.status in self._find_expired(place):
                message = f"{error}: the token of this page has expired"
                raise ExpiredTokenError(message) from error
            raise
        self.accepted.pages += 1
        self.is_resumed = False
        return page

    def _fetch(
        self,
        place: Place,
        receive: Callable[[Response], T],
        *,
        first: Callable[[], Response] | None = None,
    ) -> T:
        return self.client.fetch(
            self.template._replace(url=place.request.url),
            receive,
            first=first,
            context=lambda: self._build_context(place),
        )

    def _build_context(self, place: Place) -> Context:
        attempts = dict.fromkeys(self._find_expired(place), _TOKEN_ATTEMPTS)
        attempts |= {_GONE: 1} if _GONE in attempts else {}
        if self._may_be_end(place.request):
            attempts |= dict.fromkeys(_BEYOND, 1)
        accepted = self.is_resumed or self.accepted.pages > 0
        return Context(self._describe(place), accepted=accepted, attempts=attempts)

    def _describe(self, place: Place) -> str:
        """Which page, for messages; nothing for the first one."""
        if place.number == 1:
            return ""
        offset = f" (offset {place.request.skip})" if self.paginator.counts_rows else ""
        return f"page {place.number}{offset}"

    def _find_expired(self, place: Place) -> frozenset[int]:
        """The statuses of a page that an accepted page named, and that is gone."""
        if place.begins_window:
            return frozenset()
        is_named = self.is_resumed or not self.paginator.counts_rows
        return _EXPIRED if is_named else frozenset({_GONE})

    def _may_be_end(self, request: PageRequest) -> bool:
        """Whether all rows that the source declared have come."""
        return self.paginator.counts_rows and request.received == request.total

    def _is_behind_end(self, place: Place) -> bool:
        """Whether the last declared row is the last one: the page that begins with it holds nothing
        else."""
        request = place.request
        last = self.paginator.step(request, request.skip - 1)
        return last is not None and self._may_be_end(request) and self._count_rows(place, last) == 1

    def _count_rows(self, place: Place, request: PageRequest) -> int:
        """How many rows a page has that is read for a proof, not for its rows."""
        decoder = RecordDecoder(records_path=self.stream.records_path, expected=self.expected)
        asked = Place(request, place.window, begins_window=False, number=place.number)
        return self._fetch(asked, lambda response: decoder.push(read_text(response)).rows)

    def _push(self, response: Response, request: PageRequest, unless: int | None) -> Envelope:
        """The body's rows go to the decoder; one that proves nothing is worth another attempt."""
        self.answered_at = response.url
        # 204 says by itself that there are none; no body is looked for.
        if response.status == _NO_CONTENT:
            return self.decoder.empty_page
        try:
            page = self.decoder.push(read_text(response), unless=unless)
        except RetryableError as error:
            raise NoRowsError(error) from error
        except ResponseError as error:
            # A page for people that begins with a bracket is no JSON with a fault inside.
            lasting = error.lasting and "html" not in response.headers.get("content-type", "")
            raise AnswerError(str(error), reason=error.reason, lasting=lasting) from error
        except ConfigurationError as error:
            what = f"stream {self.stream.name}"
            raise ConfigurationError(error.reason, f"{what}: {error}") from error
        fault = self.paginator.find_fault(request, page.values, page.rows)
        if fault is not None:
            raise TornBodyError(fault)
        return page
