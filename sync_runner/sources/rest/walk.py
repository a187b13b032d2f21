"""A walk through a REST stream, page by page.

One loop reads a page (`page`), asks the paginator for the next one, and yields a batch when enough
rows have gathered. The bookmark of a batch is the next request itself, so that another pod can
continue there. Requests ahead (`guesses`), the requested range (`bounds`) and the cursor's position
(`cursor_tracker`) are values beside the loop.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from external_data_operator.api.cursors import CursorType, RowOrder
from external_data_operator.api.plan import Limits
from external_data_operator.api.sources.rest import (
    NestedValues,
    RestIncremental,
    RestSource,
    RestStream,
)

from sync_runner.protocols import Batch, Clock, Position, ReadRequest, Token
from sync_runner.records.decode import RecordDecoder
from sync_runner.sources.cursor_tracker import CursorTracker, Seen
from sync_runner.sources.rest.bounds import CursorBounds, Window
from sync_runner.sources.rest.client import build_address, build_request, expect_rows
from sync_runner.sources.rest.guesses import Guesses
from sync_runner.sources.rest.page import Accepted, PageReader
from sync_runner.sources.rest.page_numbers import PageNumbers
from sync_runner.sources.rest.pagination import build_paginator
from sync_runner.sources.rest.pagination.page import PageResponse, add_params, find_missing_paths
from sync_runner.sources.rest.pagination.trail import Trail
from sync_runner.sources.rest.place import Bookmark, NextPage, parse_token, write_token
from sync_runner.transport.client import Client

BATCH_PAGES_MAX = 1000
BATCH_SECONDS_MAX = 10.0


@dataclass(frozen=True)
class Cursor:
    """The field that says how far the stream was read."""

    name: str
    kind: CursorType


@dataclass(frozen=True)
class Reading:
    """What a run reads, and how."""

    rest: RestSource
    stream: RestStream
    limits: Limits
    cursor: Cursor | None
    asked: RestIncremental | None
    """How the source is asked for a stretch; None where it is not asked for one."""
    bounds: CursorBounds
    collapses: bool
    """Whether the table keeps one row of each key."""
    keys: list[str]
    """Fields of the primary key."""
    clock: Clock


class Walk:
    """One reading of a stream, from its beginning or from a bookmark to its end."""

    def __init__(
        self, source: Reading, client: Client, request: ReadRequest, accepted: Accepted
    ) -> None:
        self._source = source
        self._client = client
        self._paginator = build_paginator(source.stream.pagination)
        self._guesses = Guesses(client, self._paginator, concurrency=source.rest.concurrency)
        self._bookmark = self._begin(request)
        counts = self._bookmark.place.page.counted is not None
        self._decoder = RecordDecoder(
            records_path=source.stream.records_path,
            envelope=self._paginator.paths,
            extract=self._find_nested(),
            structs=source.stream.nested_values is NestedValues.STRUCTS,
            expected=expect_rows(source.stream, self._find_stated(), known=request.fields),
            overlaps=counts and self._seeks_overlaps(),
        )
        self._reader = PageReader(
            stream=source.stream,
            client=client,
            paginator=self._paginator,
            decoder=self._decoder,
            expected=expect_rows(source.stream, self._find_stated()),
            guesses=self._guesses,
            accepted=accepted,
            is_resumed=request.resume is not None,
        )
        self._page_numbers = PageNumbers(
            self._paginator, self._reader.look, lambda: self._reader.open_decoder(overlaps=True)
        )
        self._trail = Trail(self._paginator, self._bookmark.behind)
        self._missing = self._bookmark.missing
        self._tracker = self._build_tracker(self._bookmark, is_continued=request.since is not None)
        self._pages = 0
        self._batch_began = source.clock.monotonic()

    def close(self) -> None:
        """Ends what is under way."""
        self._client.close()
        self._guesses.close()

    def read(self) -> Iterator[Batch]:
        """Batches in the order of the pages. Raises RunError; LoopDetected ends each walk that
        does not move."""
        place: NextPage | None = self._bookmark.place
        while place is not None:
            page = self._reader.read(place, unless=self._trail.enter(place.page))
            self._pages += page is not None
            # The last request of a window may be refused, which proves its end (`PageReader.read`).
            following = self._leave(place) if page is None else self._follow(place, page)
            # The last batch may be empty: it is the one that says that the walk is over.
            if following is None or self._is_full(following):
                yield self._cut_batch(following)
            place = following

    def _seeks_overlaps(self) -> bool:
        """Whether rows that come on two pages are looked for: where no key collapses them, and the
        spec does not declare equal rows."""
        return self._paginator.idle_pages_max == 0 and not self._source.collapses

    def _find_stated(self) -> list[str]:
        """Fields that every row should have."""
        cursor = self._source.cursor
        return list(dict.fromkeys([*self._source.keys, *([cursor.name] if cursor else [])]))

    def _find_nested(self) -> list[str]:
        return [name for name in self._find_stated() if "." in name]

    def _begin(self, request: ReadRequest) -> Bookmark:
        if request.resume is not None:
            return parse_token(request.resume)
        now = self._source.clock.now()
        return Bookmark(self._enter(self._source.bounds.find_first(request.since, now=now)))

    def _enter(self, window: Window) -> NextPage:
        source = self._source
        params = source.stream.params
        bounds = source.bounds.build_params(window)
        static = [(name, value) for name, value in params.items() if name not in dict(bounds)]
        url = add_params(build_address(source.rest, source.stream), [*static, *bounds])
        return NextPage(self._paginator.build_first(build_request(source.stream, url)), window)

    def _build_tracker(self, bookmark: Bookmark, *, is_continued: bool) -> CursorTracker | None:
        cursor = self._source.cursor
        if cursor is None:
            return None
        asked = self._source.asked
        ascending = asked is not None and asked.row_order is RowOrder.ASCENDING
        seen = bookmark.seen
        return CursorTracker(
            cursor.name,
            cursor.kind,
            now=self._source.clock.now(),
            seen=replace(seen, ascending=ascending and seen.ascending),
            is_continued=is_continued,
        )

    def _follow(self, place: NextPage, page: PageResponse) -> NextPage | None:
        """Behind a page: the next one, the next window, or None at the end."""
        following = self._paginator.find_next(place.page, page)
        before = self._trail.behind
        following = self._trail.follow(place.page, page, following)
        self._trail.check_overlap(place.page, page, before)
        # A server that takes the offset for the number of a page skips most of the rows.
        if place.begins_window and following is not None:
            self._page_numbers.check_first(place.page, page)
        if following is None and not page.rows:
            self._page_numbers.check_end(place.page, before)
        # An empty page may lack the paths because it has nothing to say of a next one. Once every
        # path was there, nothing is left to look for.
        if page.rows and self._missing != []:
            self._missing = self._find_missing(page)
        if following is None:
            return self._leave(place)
        mean_bytes = self._decoder.bytes // max(1, self._pages)
        self._guesses.extend(following, page, page_bytes=mean_bytes)
        return NextPage(following, place.window, begins_window=False, number=place.number + 1)

    def _find_missing(self, page: PageResponse) -> list[str]:
        """The spec's paths that no page so far had."""
        lacks = find_missing_paths(self._paginator, page.values)
        return lacks if self._missing is None else [one for one in lacks if one in self._missing]

    def _leave(self, place: NextPage) -> NextPage | None:
        """Behind the last page of a window."""
        window = self._source.bounds.find_next(place.window)
        if window is None:
            return None
        # The next window may bring the same rows as this one, and begins with its own request.
        self._trail = Trail(self._paginator)
        return self._enter(window)._replace(number=place.number + 1)

    def _is_full(self, following: NextPage) -> bool:
        """Whether a batch is cut here; the end of a window is a good place to."""
        limits: Limits = self._source.limits
        # Behind a window every row of it has been read, so that its position can be published.
        share = 4 if following.begins_window else 1
        return (
            self._decoder.rows * share >= limits.batch_rows
            or self._decoder.bytes * share >= limits.batch_bytes
            or self._pages >= BATCH_PAGES_MAX
            or self._source.clock.monotonic() - self._batch_began >= BATCH_SECONDS_MAX
        )

    def _cut_batch(self, following: NextPage | None) -> Batch:
        pages, received, replaced = self._pages, self._decoder.bytes, self._decoder.replaced
        records = self._decoder.flush()
        self._pages = 0
        self._batch_began = self._source.clock.monotonic()
        if self._tracker is not None:
            self._tracker.observe(records)
            if following is None:
                self._tracker.check_end()
        position, settled = self._find_position(following)
        return Batch(
            records=records,
            next=None if following is None else self._write_bookmark(following),
            position=position,
            settled=settled,
            pages=pages,
            bytes=received,
            replaced=replaced,
            notes=() if following is not None else self._describe(),
        )

    def _describe(self) -> tuple[str, ...]:
        """Notes on the whole walk."""
        tracker = self._tracker
        return (*self._describe_missing(), *(() if tracker is None else tracker.describe()))

    def _describe_missing(self) -> tuple[str, ...]:
        """Notes on paths that were not found on any page with rows."""
        return tuple(
            f"{one} was not found on any page. If rows are missing, correct it."
            for one in self._missing or ()
        )

    def _find_position(self, following: NextPage | None) -> tuple[Position | None, bool]:
        """How far the batches have come, and whether everything up to there has been read."""
        tracker = self._tracker
        # Without a cursor there is no position to go on from before the end.
        if tracker is None:
            return None, following is None
        # Behind the last page of a window or of the walk, whatever the order of the rows.
        if following is None or following.begins_window:
            return tracker.highest, following is None or tracker.is_known
        # In ascending rows the next page begins at the last value or above it.
        if tracker.ascending and tracker.complete is not None:
            return tracker.complete, True
        return tracker.highest, False

    def _write_bookmark(self, following: NextPage) -> Token:
        seen = Seen() if self._tracker is None else self._tracker.seen
        return write_token(Bookmark(following, seen, self._trail.behind, self._missing))
