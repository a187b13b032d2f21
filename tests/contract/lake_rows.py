"""A source of rows that a test writes down, and syncs of them."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pyarrow as pa
from external_data_operator.api.cursors import CursorType
from external_data_operator.api.plan import Limits, Plan, SyncOptions, TablePlan, Task
from external_data_operator.api.schema import SyncType

from sync_runner.lake import open_table
from sync_runner.lake.policy import Policy
from sync_runner.pipeline import Outcome, run_stream
from sync_runner.protocols import (
    Batch,
    Clock,
    Position,
    Progress,
    ReadRequest,
    Source,
    Step,
    Steps,
    Token,
    no_steps,
)
from sync_runner.transport.clock import SystemClock
from tests.contract.lake_pod import SMALL, Place
from tests.contract.lake_reading import read_polars

Row = dict[str, Any]
TYPES = list(SyncType)


@dataclass
class ListedSource:
    """Batches that were written down; rows at or above `since` by a numeric cursor, where there
    is one.
    """

    batches: Sequence[pa.RecordBatch]
    cursor: str | None = None
    settled: bool = True
    asked: ReadRequest | None = None

    def read(self, request: ReadRequest) -> Iterator[Batch]:
        """See `protocols.Source`; a token is the number of the next batch."""
        self.asked = request
        highest: float | None = None
        last = len(self.batches) - 1
        for number in range(int(request.resume or 0), len(self.batches)):
            records = self.batches[number]
            if self.cursor is not None:
                if request.since is not None:
                    since = float(request.since.value)
                    records = records.filter(pa.compute.greater_equal(records[self.cursor], since))
                values = [v for v in records.column(self.cursor).to_pylist() if v is not None]
                highest = max([v for v in [highest, *values] if v is not None], default=None)
            position = (
                None if highest is None else Position(str(highest), CursorType.NUMERIC, self.cursor)
            )
            following = None if number == last else str(number + 1)
            yield Batch(records, following, position, self.settled, pages=1, bytes=records.nbytes)

    def confirm(self, token: Token) -> None:
        """It forgets nothing."""


def rows_of(*pages: Sequence[Row]) -> list[pa.RecordBatch]:
    """One batch for each page."""
    return [
        pa.RecordBatch.from_pydict(
            {
                name: [row.get(name) for row in page]
                for name in dict.fromkeys(n for r in page for n in r)
            }
        )
        for page in pages
    ]


def build_plan(place: Place, options: SyncOptions, limits: Limits | None = None) -> Plan:
    """A plan without a source's spec: the test's own source is handed over."""
    limits = limits or Limits(part_bytes=300)
    return Plan(
        task=Task.SYNC,
        namespace="ns",
        source="rows",
        tables=[TablePlan(sync=options, target=place.target)],
        limits=limits,
    )


def options(
    sync_type: SyncType, *, key: Sequence[str] = (), cursor: str | None = None, **more: Any
) -> SyncOptions:
    """How a test's rows are synced."""
    return SyncOptions(
        stream="rows",
        sync_type=sync_type,
        primary_key_columns=list(key),
        incremental_field=cursor,
        incremental_field_type=None if cursor is None else CursorType.NUMERIC,
        **more,
    )


@dataclass
class Syncs:
    """Syncs into one place, each run with a name of its own."""

    place: Place
    options: SyncOptions
    policy: Policy = SMALL
    clock: Clock = field(default_factory=SystemClock)
    limits: Limits | None = None
    runs: int = 0
    allow_shrink: bool = False

    def __call__(
        self, *pages: Sequence[Row], run: str | None = None, steps: Steps = no_steps
    ) -> Outcome:
        """One sync of rows."""
        return self.read(ListedSource(rows_of(*pages), self.options.incremental_field), run, steps)

    def notes(self, *pages: Sequence[Row], steps: Steps = no_steps) -> list[str]:
        """What one sync of rows tells people."""
        progress = Progress()
        source = ListedSource(rows_of(*pages), self.options.incremental_field)
        self.read(source, steps=steps, progress=progress)
        return progress.notes

    def read(
        self,
        source: Source,
        run: str | None = None,
        steps: Steps = no_steps,
        progress: Progress | None = None,
    ) -> Outcome:
        """One sync of a source."""
        self.runs += 1
        plan = build_plan(self.place, self.options, self.limits)
        name = run or f"run-{self.runs}"
        table = open_table(
            self.place.open(),
            plan,
            name,
            self.clock,
            steps=steps,
            policy=replace(self.policy, may_shrink=self.allow_shrink),
        )
        return run_stream(
            source,
            table,
            plan.limits,
            self.clock,
            progress=progress or Progress(),
            listener=lambda _: None,
        )


def syncs(place: Place, sync_type: SyncType, policy: Policy = SMALL, **more: Any) -> Syncs:
    """Syncs by `id` and `seq`, as far as the type has a key and a cursor."""
    key = [] if sync_type is SyncType.APPEND else ["id"]
    cursor = None if sync_type is SyncType.FULL_REFRESH else "seq"
    return Syncs(place, options(sync_type, key=key, cursor=cursor, **more), policy=policy)


def full(place: Place) -> Syncs:
    """Full refreshes without a key."""
    return Syncs(place, options(SyncType.FULL_REFRESH))


def ids(place: Place) -> list[int]:
    """The values of `id` in the table, sorted."""
    store = place.open()
    return sorted(row["id"] for row in read_polars(store.uri, store.options))


class Died(Exception):  # noqa: N818 - no error of the engine
    """A pod that dies in the middle, without a process of its own."""


@dataclass
class DieAt:
    """Dies when a run comes past a step for the so many-th time."""

    step: Step
    nth: int = 1

    def __call__(self, step: Step) -> None:
        if step is self.step:
            self.nth -= 1
            if self.nth == 0:
                raise Died


@dataclass
class ActAt:
    """Does something else when a run comes past a step for the so many-th time."""

    step: Step
    act: Callable[[], object]
    nth: int = 1

    def __call__(self, step: Step) -> None:
        if step is self.step:
            self.nth -= 1
            if self.nth == 0:
                self.act()
