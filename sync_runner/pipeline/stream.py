"""Extract, stage, publish, report.

The source reads ahead in its own thread while this one encodes and uploads. Nothing here depends on
HTTP or Parquet: a source yields batches with tokens and positions, and a destination stores them.
"""

from contextlib import closing
from dataclasses import dataclass, replace

from external_data_operator.api.plan import Limits
from external_data_operator.api.schema import Column, TableStatus

from sync_runner.ahead import read_ahead
from sync_runner.errors import ExpiredTokenError
from sync_runner.pipeline.bounds import Budget
from sync_runner.pipeline.teller import Teller, describe_replaced
from sync_runner.protocols import (
    Batch,
    Clock,
    Counts,
    DestinationTable,
    Progress,
    ProgressListener,
    ReadRequest,
    Source,
    Start,
    Token,
)

_HEAVY_BYTES = 48 << 20
"""One page can be much larger than a batch should be; then only one is held."""
RESTARTS_MAX = 2
"""Walks that begin again in one pod because a page token expired."""
_AHEAD = 2
"""Batches that the source may be ahead."""


@dataclass(frozen=True)
class Outcome:
    """The result of a run that published."""

    counts: Counts
    resumed: bool
    table: TableStatus | None
    cursor: str | None
    columns: list[Column]


def run_stream(
    source: Source,
    table: DestinationTable,
    limits: Limits,
    clock: Clock,
    *,
    progress: Progress,
    listener: ProgressListener,
) -> Outcome:
    """One sync, from the beginning or from where an earlier pod stopped. Raises RunError."""
    start = table.begin()
    run = _Run(source, table, Budget(limits), Teller(clock, progress, listener))
    # An earlier run may have died between its commit and the confirmation.
    run.confirm(start.unconfirmed)
    # An earlier pod has published what it read: it is reported again, and not read again.
    if start.finished:
        run.teller.reset(start.counts)
    else:
        start = run.extract(start)
    progress.notes += describe_replaced(run.teller.replaced)
    run.teller.tell("publishing")
    published = table.finish()
    progress.notes += published.notes
    run.confirm(published.confirms)
    run.teller.tell("finished")
    position = published.position
    return Outcome(
        counts=progress.counts,
        resumed=start.resumed,
        table=published.table,
        cursor=None if position is None else position.value,
        columns=list(published.columns),
    )


@dataclass
class _Run:
    """The loop, and what it needs."""

    source: Source
    table: DestinationTable
    budget: Budget
    teller: Teller
    read_to: Token | None = None
    """What may be confirmed to the source once everything so far is in the table."""
    confirmed: Token | None = None
    has_published: bool | None = False
    """Whether rows of the run are in the table; None if an earlier pod may have published some."""

    def extract(self, start: Start) -> Start:
        """Reads the source to its end; from the beginning again if a token has expired, which drops
        staged rows and keeps published ones.
        """
        self.has_published = None if start.resumed else False
        for _ in range(RESTARTS_MAX):
            self.teller.reset(start.counts)
            try:
                self._read(start)
            except ExpiredTokenError:
                # Rows that were read and not committed are dropped, and so is their token.
                self.read_to = None
                start = replace(self.table.begin(fresh=True), resumed=start.resumed)
            else:
                return start
        self.teller.reset(start.counts)
        self._read(start)
        return start

    def _read(self, start: Start) -> None:
        if start.extracted:
            return
        request = ReadRequest(since=start.since, resume=start.resume, fields=start.fields)
        batches = read_ahead(
            self.source.read(request), depth=_AHEAD, name="source", is_heavy=_is_heavy
        )
        with closing(batches):
            for batch in batches:
                self._take(batch)
                del batch  # a large one must not wait for the next

    def _take(self, batch: Batch) -> None:
        self.teller.add(batch)
        self.teller.count_parts(self.table.write(batch, seconds=self.teller.seconds))
        self.read_to = self.read_to if batch.confirms is None else batch.confirms
        excess = self.budget.find_excess(self.teller.counts)
        if batch.settled and batch.next is not None and (excess or self.table.is_due()):
            self.teller.tell("publishing")
            if self.table.publish():
                self.has_published = True
                self.confirm(self.read_to)
        if excess is not None:
            raise excess.build_error(has_published=self.has_published)

    def confirm(self, token: Token | None) -> None:
        """Confirms to the source what is in the table for good, unless that was done."""
        if token is not None and token != self.confirmed:
            self.source.confirm(token)
            self.confirmed = token


def _is_heavy(batch: Batch) -> bool:
    return batch.bytes >= _HEAVY_BYTES
