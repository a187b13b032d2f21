"""A log of changes that a test writes down, or that follow from a world: rows that come, and keys
that are gone.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pyarrow as pa
from external_data_operator.api.plan import Limits, SyncOptions
from external_data_operator.api.schema import SyncType

from sync_runner.lake import open_table
from sync_runner.pipeline import Outcome, run_stream
from sync_runner.protocols import Batch, Progress, ReadRequest, Steps, no_steps
from tests.contract.lake_log import place
from tests.contract.lake_pod import SMALL, Place, SystemClock
from tests.contract.lake_reading import find_differences, read_polars
from tests.contract.lake_rows import Row, build_plan, options
from tests.contract.lake_world import World, build_batch


@dataclass(frozen=True)
class Gone:
    """A key that is deleted."""

    key: Row


Change = Row | Gone


def change_options(*key: str, **more: Any) -> SyncOptions:
    """A sync that applies changes by this key."""
    how = options(SyncType.INCREMENTAL, key=key or ("id",), **more)
    return how.model_copy(update={"applies_changes": True})


def build_changes(changes: Sequence[Change]) -> tuple[pa.RecordBatch, pa.BooleanArray]:
    """The batch of some changes."""
    rows = [change.key if isinstance(change, Gone) else change for change in changes]
    deleted = [isinstance(change, Gone) for change in changes]
    return build_batch(rows), pa.array(deleted, pa.bool_())


@dataclass
class ChangeLog:
    """Changes `1, 2, …`, read in batches from after the place that is asked for."""

    changes: list[Change] = field(default_factory=list)
    page: int = 10
    asked: list[int] = field(default_factory=list)
    """After which change each walk began."""
    confirmed: list[str] = field(default_factory=list)

    def read(self, request: ReadRequest) -> Iterator[Batch]:
        """See `protocols.Source`."""
        since = 0 if request.since is None else int(request.since.value)
        at = since if request.resume is None else int(request.resume)
        self.asked.append(at)
        while at < len(self.changes):
            records, deleted = build_changes(self.changes[at : at + self.page])
            at += records.num_rows
            following = str(at) if at < len(self.changes) else None
            yield Batch(
                records,
                following,
                place(at),
                settled=True,
                pages=1,
                bytes=records.nbytes,
                deleted=deleted,
                confirms=str(at),
            )

    def confirm(self, token: str) -> None:
        """Keeps what it is told."""
        self.confirmed.append(token)


@dataclass(frozen=True)
class ChangeJob:
    """What a pod is to do with a world whose rows are also deleted."""

    place: Place
    world: World
    growth: int = 2

    def change(self, number: int) -> Change:
        """The change of this number; numbers start at 1."""
        event = self.world.event(number)
        is_gone = random.Random(f"gone/{number}").random() < 0.3
        return Gone({"id": event["id"]}) if is_gone else event

    def run(self, run: str, steps: Steps) -> Outcome:
        """The engine's part of a pod."""
        clock, limits = SystemClock(), Limits(part_bytes=300)
        plan = build_plan(self.place, change_options(), limits)
        table = open_table(self.place.open(), plan, run, clock, steps=steps, policy=SMALL)
        return run_stream(
            _WorldChanges(self), table, limits, clock, progress=Progress(), listener=lambda _: None
        )

    def find_differences(self) -> list[str]:
        """What is wrong with the table, once a run has read everything."""
        replace(self, growth=0).run("settled", no_steps)
        changes = list(map(self.change, range(1, self.world.now() + 1)))
        store = self.place.open()
        found = read_polars(store.uri, store.options)
        return find_differences(found, list(apply_all(changes).values()), by="id")


@dataclass(frozen=True)
class _WorldChanges:
    """See `protocols.Source`."""

    job: ChangeJob

    def read(self, request: ReadRequest) -> Iterator[Batch]:
        since = "0" if request.since is None else request.since.value
        at, world = int(request.resume or since), self.job.world
        while True:
            world.advance(self.job.growth)
            last = min(at + 10, world.now())
            changes = list(map(self.job.change, range(at + 1, last + 1)))
            at = last
            following = None if at == world.now() else str(at)
            records, deleted = build_changes(changes)
            yield Batch(records, following, place(at), settled=True, pages=1, deleted=deleted)
            if following is None:
                return

    def confirm(self, token: str) -> None:
        """Keeps nothing."""


def apply_all(changes: Sequence[Change], *key: str) -> dict[Any, Row]:
    """What a table must hold after these changes, by key."""
    names = key or ("id",)
    table: dict[Any, Row] = {}
    for change in changes:
        row = change.key if isinstance(change, Gone) else change
        name = tuple(row.get(one) for one in names)
        table.pop(name, None)
        if not isinstance(change, Gone):
            table[name] = change
    return table
