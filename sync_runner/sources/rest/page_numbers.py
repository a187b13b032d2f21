"""Detects a server that takes the offset for the number of a page.

Such a server skips most rows: after the ten rows of page 0, "offset 10" is requested, and the
server sends page 10 or an empty page, which looks like the end. The page one row further on shows
the difference: offset 1 begins with rows of the first page, page number 1 has none of
them. That costs requests, so that only walks are examined that look like it: the parameter is named
like a page number, an empty page follows full ones, or the walk was long.
"""

from collections.abc import Callable
from typing import NamedTuple

from external_data_operator.api.conditions import Reason
from external_data_operator.api.sources.rest_doubts import is_named_like_page_number

from sync_runner.errors import ConfigurationError
from sync_runner.records.decode import Envelope, RecordDecoder
from sync_runner.sources.rest.pagination.offset import OffsetPages
from sync_runner.sources.rest.pagination.page import PageRequest, PageResponse, Paginator
from sync_runner.sources.rest.pagination.trail import Behind

ROWS_COMPARED = 1_000
"""Of each page, so that a large one does not become Python objects."""
PAGES_EXAMINED = 10
"""Pages of a walk that is examined whatever its last page looks like."""
_NOTHING = Envelope(0)

Look = Callable[[PageRequest, RecordDecoder], Envelope | None]
"""Reads a page that is asked for as a proof; None where it is refused."""


class Suspect(NamedTuple):
    """Two pages that a server of pages sends, and no server of offsets."""

    skipped: int
    """The offset of the second one, from that of the first."""
    first: slice
    """Where in the decoder's rows the first page is."""
    second: slice
    """Where the second one is."""


class PageNumbers:
    """What one walk knows about its offsets."""

    def __init__(
        self, paginator: Paginator, look: Look, open_decoder: Callable[[], RecordDecoder]
    ) -> None:
        """`open_decoder` makes one that seeks overlaps. Other paginators are never asked about."""
        self._offsets = paginator if isinstance(paginator, OffsetPages) else None
        self._look = look
        self._open_decoder = open_decoder

    def check_first(self, sent: PageRequest, page: PageResponse) -> None:
        """After the first page of a walk that continues. ConfigurationError(InvalidSpec) where the
        parameter has the name of a page number and is one."""
        offsets = self._offsets
        if offsets and page.rows > 1 and is_named_like_page_number(offsets.spec.offset_param):
            self._check(offsets, sent)

    def check_end(self, sent: PageRequest, before: Behind) -> None:
        """After an empty page that ends a walk. ConfigurationError(InvalidSpec) where the offset is
        the number of a page, which is looked at after a full page and in a long walk."""
        counted = sent.counted
        # A total that is reached proves the end.
        if self._offsets is None or counted is None or counted.received == counted.total:
            return
        # A shorter page than one before it is what the end of the rows looks like. In a long walk
        # it is examined all the same, because that costs little then.
        if before.rows >= counted.size > 1 or before.pages >= PAGES_EXAMINED:
            self._check(self._offsets, sent)

    def _check(self, offsets: OffsetPages, sent: PageRequest) -> None:
        # Once in a walk: a server does not change its mind.
        self._offsets = None
        decoder = self._open_decoder()
        suspect = self._find_suspect(offsets, sent, decoder)
        if suspect is None or _shares_rows(decoder, suspect):
            return
        begin = offsets.ask_from(sent, 0).counted
        assert begin is not None, "offsets are counted"
        message = (
            f"The source uses {offsets.what} as the number of a page, not as an offset: the page "
            f"at {begin.at + suspect.skipped} has no row of the page at {begin.at}, so that rows "
            "would be lost. Use a parameter for the number of rows to skip, pagination.cursor with "
            "the path of the next page's number, or pagination.nextUrl."
        )
        raise ConfigurationError(Reason.INVALID_SPEC, message)

    def _find_suspect(
        self, offsets: OffsetPages, sent: PageRequest, decoder: RecordDecoder
    ) -> Suspect | None:
        """Two pages without overlap, of a server that sends the first of them alike twice."""

        def ask(skipped: int) -> Envelope:
            return self._look(offsets.ask_from(sent, skipped), decoder) or _NOTHING

        first = ask(0)
        rows = first.rows
        # Page 0 is often page 1 as well, and a server may cut offsets down to whole pages.
        for skipped in range(1, min(3, first.rows)):
            page = ask(skipped)
            rows += page.rows
            if page.rows and page.digest == first.digest:
                continue
            if not page.rows or page.overlap:
                return None
            # Rows without an order, or with the time of the request in them, prove nothing.
            is_stable = ask(0).digest == first.digest
            found = Suspect(skipped, slice(0, first.rows), slice(rows - page.rows, rows))
            return found if is_stable else None
        return None


def _shares_rows(decoder: RecordDecoder, suspect: Suspect) -> bool:
    """Whether a row is in both pages: new rows may have come before the first one meanwhile."""
    records = decoder.flush()
    known, rows = (
        set(map(repr, records[part][:ROWS_COMPARED].to_pylist()))
        for part in (suspect.first, suspect.second)
    )
    return not known.isdisjoint(rows)
