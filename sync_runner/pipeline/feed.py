"""Reads one feed into many tables.

Each table has its own position, which its commits advance. An entry is confirmed to the feed only
after all tables have it. If a run dies between the commits of two tables, the next one reads from
the last confirmed entry, and the table that is ahead skips what it has: no entry is lost, and none
is written twice.
"""

from collections import Counter
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace

from external_data_operator.api.conditions import Reason
from external_data_operator.api.plan import Limits

from sync_runner.ahead import read_ahead
from sync_runner.errors import ConfigurationError
from sync_runner.pipeline.bounds import Budget
from sync_runner.pipeline.teller import Teller, describe_replaced
from sync_runner.protocols import (
    Batch,
    Clock,
    Counts,
    DestinationTable,
    Feed,
    FeedBatch,
    FeedRequest,
    Position,
    Progress,
    ProgressListener,
    Published,
    Start,
    Token,
)
from sync_runner.records.cursor import is_above

HELD_BYTES_MAX = 128 << 20
"""Bytes of rows that all tables together may hold unpublished, since their memory adds up."""
_HEAVY_BYTES = 48 << 20
_AHEAD = 2
"""Batches that the feed may be ahead."""


@dataclass(frozen=True)
class TableOutcome:
    """The result of a run for one table."""

    rows: int
    """Rows that were written."""
    published: Published
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class FeedOutcome:
    """What a run that published in all tables has to report."""

    counts: Counts
    resumed: bool
    tables: Mapping[str, TableOutcome]
    """By stream."""


def run_feed(
    feed: Feed,
    tables: Mapping[str, DestinationTable],
    limits: Limits,
    clock: Clock,
    *,
    progress: Progress,
    listener: ProgressListener,
) -> FeedOutcome:
    """One read of a feed, to the log's end. `tables` are by stream. Raises RunError."""
    # Staged rows of an earlier pod are dropped: the feed is read again from the last confirmed
    # entry, which the journals of single tables do not contain.
    lanes = {stream: _Lane(table, table.begin(fresh=True)) for stream, table in tables.items()}
    _refuse_replaced(lanes)
    run = _Run(feed, lanes, Budget(limits), Teller(clock, progress, listener))
    run.read()
    run.teller.tell("publishing")
    finished = {stream: lane.finish() for stream, lane in lanes.items()}
    run.confirm()
    run.teller.tell("finished")
    return FeedOutcome(
        counts=progress.counts,
        resumed=any(lane.start.resumed for lane in lanes.values()),
        tables=finished,
    )


def _refuse_replaced(lanes: Mapping[str, "_Lane"]) -> None:
    """A feed begins after the last confirmed entry, so it has not all rows of any table."""
    replaced = [stream for stream, lane in lanes.items() if lane.start.replaces]
    if replaced:
        message = (
            f"The table of stream {replaced[0]} is replaced by each run (syncType: FullRefresh), "
            "and the source's log has only the entries since the last run. Nothing was read. "
            "Set its syncType to Incremental or Append."
        )
        raise ConfigurationError(Reason.INVALID_SPEC, message)


@dataclass
class _Lane:
    """One table, and what was written to it."""

    table: DestinationTable
    start: Start
    rows: int = 0
    parts: int = 0
    is_behind: bool = False
    """Whether rows were written that are not in the table yet."""
    notes: list[str] = field(default_factory=list)
    replaced: Counter[str] = field(default_factory=Counter)

    def has(self, position: Position) -> bool:
        """Whether the table had all entries up to a position when the run began."""
        since = self.start.since
        return since is not None and not is_above(position, since)

    def straddles(self, before: Position | None, position: Position) -> bool:
        """Whether the table has some, but not all, of the entries between two positions."""
        since = self.start.since
        if since is None or before is None:
            return False
        return is_above(since, before) and is_above(position, since)

    def write(self, batch: Batch, *, seconds: float) -> None:
        """Writes changes that the table does not have."""
        self.parts = self.table.write(batch, seconds=seconds)
        self.is_behind = True
        self.rows += batch.records.num_rows
        self.notes += batch.notes
        self.replaced.update(batch.replaced)

    def publish(self) -> bool:
        """Publishes; returns whether everything that was written is in the table now."""
        self.is_behind = self.is_behind and not self.table.publish()
        return not self.is_behind

    def finish(self) -> TableOutcome:
        """Makes the rest visible."""
        published = self.table.finish()
        notes = (*self.notes, *describe_replaced(self.replaced), *published.notes)
        return TableOutcome(self.rows, published, notes)


@dataclass
class _Run:
    """The loop, and what it needs."""

    feed: Feed
    lanes: Mapping[str, _Lane]
    budget: Budget
    teller: Teller
    held_bytes: int = 0
    at: Position | None = None
    """Where the last batch ended."""
    read_to: Token | None = None
    """What may be confirmed to the feed once everything so far is in all tables."""
    confirmed: Token | None = None

    def read(self) -> None:
        """Reads the feed to the log's end."""
        request = FeedRequest({stream: lane.start.since for stream, lane in self.lanes.items()})
        batches = read_ahead(self.feed.read(request), depth=_AHEAD, name="feed", is_heavy=_is_heavy)
        with closing(batches):
            for batch in batches:
                self._take(batch)
                del batch  # a large one must not wait for the next

    def _take(self, batch: FeedBatch) -> None:
        for stream, changes in batch.tables.items():
            self.teller.count(changes)
            lane = self.lanes[stream]
            assert not lane.straddles(self.at, batch.position), "a batch straddles a place of since"
            # The table was ahead of the others when an earlier run died.
            if lane.has(batch.position):
                continue
            placed = replace(changes, position=batch.position, settled=True, confirms=None)
            lane.write(placed, seconds=self.teller.seconds)
            self.held_bytes += changes.records.nbytes
        self.teller.count_parts(sum(lane.parts for lane in self.lanes.values()))
        self.teller.tell("reading")
        self.at = batch.position
        self.read_to = self.read_to if batch.confirms is None else batch.confirms
        excess = self.budget.find_excess(self.teller.counts)
        if excess or self._is_due():
            self._publish()
        if excess is not None:
            raise excess.build_error(has_published=None)

    def _is_due(self) -> bool:
        behind = [lane for lane in self.lanes.values() if lane.is_behind]
        return self.held_bytes >= HELD_BYTES_MAX or any(lane.table.is_due() for lane in behind)

    def _publish(self) -> None:
        """Publishes in every table, since an entry is confirmed only after all tables have it."""
        self.teller.tell("publishing")
        published = [lane.publish() for lane in self.lanes.values()]
        self.held_bytes = 0
        # A table whose rows cannot be divided publishes nothing before the end.
        if all(published):
            self.confirm()

    def confirm(self) -> None:
        """Confirms to the feed what all tables have, unless that was done."""
        if self.read_to is not None and self.read_to != self.confirmed:
            self.feed.confirm(self.read_to)
            self.confirmed = self.read_to


def _is_heavy(batch: FeedBatch) -> bool:
    return sum(one.bytes for one in batch.tables.values()) >= _HEAVY_BYTES
