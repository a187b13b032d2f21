"""Reads one page of a walk: sends its request, decodes the response, and interprets a refusal.

A refusal after the first page can be the end of the rows, an expired token, or a fault of the
source; only a refusal of the first request is blamed on the spec.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from external_data_operator.api.conditions import Reason
from external_data_operator.api.sources.rest import RestStream

from sync_runner.errors import (
    ConfigurationError,
    ExpiredTokenError,
    ResponseError,
    RetryableError,
    RunError,
)
from sync_runner.records.decode import Envelope, RecordDecoder
from sync_runner.records.lone import Expected
from sync_runner.sources.rest.guesses import Guesses
from sync_runner.sources.rest.pagination.page import (
    Foresees,
    PageRequest,
    PageResponse,
    Paginator,
)
from sync_runner.sources.rest.place import NextPage
from sync_runner.transport.attempts import Context
from sync_runner.transport.client import Client
from sync_runner.transport.failures import (
    AnswerError,
    NoRowsError,
    RejectedError,
    TornBodyError,
    UnsettledError,
)
from sync_runner.transport.messages import Response
from sync_runner.transport.texts import read_text

T = TypeVar("T")
_NO_CONTENT = 204
_GONE = 410
_EXPIRED = frozenset({400, 404, _GONE, 422})
_BEYOND = frozenset({400, 404, 416, 422})
"""Statuses with which servers refuse an offset after the last row."""
_TOKEN_ATTEMPTS = 3
"""Of a page whose token may have expired: a new walk helps, but costs more than a wait."""


@dataclass
class Accepted:
    """The number of pages that the source sent in this pod, over all walks of the run."""

    pages: int = 0


@dataclass
class PageReader:
    """Reads the pages of one walk into its decoder."""

    stream: RestStream
    client: Client
    paginator: Paginator
    decoder: RecordDecoder
    expected: Expected
    """What distinguishes rows from other bodies, on pages that are read only as a proof."""
    guesses: Guesses
    accepted: Accepted
    is_resumed: bool
    """Whether an earlier pod of the run named the next request."""

    def read(self, place: NextPage, *, unless: int | None) -> PageResponse | None:
        """The page; None if it turns out to be after the end. Rows with the digest `unless` are not
        added. Raises RunError; ExpiredTokenError if a new walk helps."""
        request = place.page
        try:
            page = self._fetch(
                place,
                lambda response: self._push(response, request, unless),
                first=self.guesses.take(request),
            )
        except (RejectedError, UnsettledError) as error:
            # Some servers refuse an offset after the last row, which needs another proof.
            if error.status in _BEYOND and self._is_behind_end(place):
                return None
            # The request of the first page was accepted, so that the spec is not at fault.
            if error.status in self._find_expired(place):
                message = f"{error} The token of this page has expired."
                raise ExpiredTokenError(message) from error
            raise
        self.accepted.pages += 1
        self.is_resumed = False
        return page

    def _fetch(
        self,
        place: NextPage,
        receive: Callable[[Response], T],
        *,
        first: Callable[[], Response] | None = None,
    ) -> T:
        return self.client.fetch(
            place.page.request,
            receive,
            first=first,
            context=lambda: self._build_context(place),
        )

    def _build_context(self, place: NextPage) -> Context:
        attempts = dict.fromkeys(self._find_expired(place), _TOKEN_ATTEMPTS)
        attempts |= {_GONE: 1} if _GONE in attempts else {}
        if self._may_be_end(place.page):
            attempts |= dict.fromkeys(_BEYOND, 1)
        accepted = self.is_resumed or self.accepted.pages > 0
        return Context(self._describe(place), accepted=accepted, attempts=attempts)

    def _describe(self, place: NextPage) -> str:
        """The page, for messages; empty for the first one."""
        if place.number == 1:
            return ""
        counted = place.page.counted
        offset = "" if counted is None else f" (offset {counted.at})"
        return f"page {place.number}{offset}"

    def _find_expired(self, place: NextPage) -> frozenset[int]:
        """The statuses that mean that the page, which an earlier page named, is gone."""
        if place.begins_window:
            return frozenset()
        is_named = self.is_resumed or place.page.counted is None
        return _EXPIRED if is_named else frozenset({_GONE})

    def _may_be_end(self, request: PageRequest) -> bool:
        """Whether all rows of the declared total were received."""
        counted = request.counted
        return counted is not None and counted.received == counted.total

    def _is_behind_end(self, place: NextPage) -> bool:
        """Whether the last declared row is the last one: the page that begins with it holds nothing
        else."""
        request, counted = place.page, place.page.counted
        if counted is None or not self._may_be_end(request):
            return False
        foresees = self.paginator if isinstance(self.paginator, Foresees) else None
        last = foresees.ask_from(request, counted.received - 1) if foresees else None
        return last is not None and self._count_rows(place, last) == 1

    def _count_rows(self, place: NextPage, request: PageRequest) -> int:
        """The number of rows of a page that is read only as a proof."""
        asked = place._replace(page=request, begins_window=False)
        return self._fetch(asked, lambda told: self._decode(told, self.open_decoder()).rows)

    def open_decoder(self, *, overlaps: bool = False) -> RecordDecoder:
        """A decoder for pages that are read only as a proof."""
        return RecordDecoder(
            records_path=self.stream.records_path, expected=self.expected, overlaps=overlaps
        )

    def look(self, request: PageRequest, decoder: RecordDecoder) -> Envelope | None:
        """A page that is read only as a proof; None if the source does not send it."""
        # A server that only accepts multiples of its limit refuses it in one of many ways, which
        # proves nothing and must not fail the run.
        where = "" if request.counted is None else f"a proof (offset {request.counted.at})"
        context = Context(where, accepted=True, attempts=dict.fromkeys(range(400, 500), 1))
        try:
            return self.client.fetch(
                request.request,
                lambda response: self._decode(response, decoder),
                context=lambda: context,
            )
        except RunError as error:
            if error.reason is Reason.EVICTED:
                raise
            return None

    def _push(self, response: Response, request: PageRequest, unless: int | None) -> PageResponse:
        """Decodes the body; one that proves nothing is worth another attempt."""
        found = self._decode(response, self.decoder, unless=unless)
        page = _describe_page(found, response)
        fault = self.paginator.find_fault(request, page)
        if fault is not None:
            raise TornBodyError(fault)
        return page

    def _decode(
        self, response: Response, decoder: RecordDecoder, *, unless: int | None = None
    ) -> Envelope:
        """Decodes a body. Raises AttemptError, ConfigurationError."""
        # 204 means that there are no rows; it has no body.
        if response.status == _NO_CONTENT:
            return decoder.empty_page
        try:
            return decoder.push(read_text(response), unless=unless)
        except RetryableError as error:
            raise NoRowsError(error) from error
        except ResponseError as error:
            # A page of HTML that begins with a bracket is not JSON with a fault inside.
            lasting = error.lasting and "html" not in response.headers.get("content-type", "")
            raise AnswerError(str(error), reason=error.reason, lasting=lasting) from error
        except ConfigurationError as error:
            what = f"Stream {self.stream.name}"
            raise ConfigurationError(error.reason, f"{what}: {error}") from error


def _describe_page(found: Envelope, response: Response) -> PageResponse:
    """Without the response itself, whose body may need a good part of the memory."""
    rows, values, digest, _, overlap = found
    return PageResponse(
        values, rows, response.status, response.headers, response.url, digest, overlap
    )
