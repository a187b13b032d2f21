"""A feed of a world's events into two tables, whose reader dies as it likes.

Even keys go to a table that keeps every event, odd ones to a table of the newest version of each
row that is not deleted. What was confirmed is in a file, and its events cannot be read again: a
feed that is told too early fails.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from external_data_operator.api.cursors import CursorType
from external_data_operator.api.plan import Limits, SyncOptions, TableTarget
from external_data_operator.api.schema import SyncType

from sync_runner.lake import open_table
from sync_runner.lake.delta.commits import parse_commit
from sync_runner.pipeline import FeedOutcome, run_feed
from sync_runner.protocols import Batch, FeedBatch, FeedRequest, Position, Progress, Steps
from sync_runner.transport.clock import SystemClock
from tests.contract.lake_changes import (
    Change,
    Gone,
    apply_all,
    build_changes,
    change_options,
)
from tests.contract.lake_pod import SMALL, Place
from tests.contract.lake_reading import Row, read_polars
from tests.contract.lake_rows import build_plan, options
from tests.contract.lake_world import World, build_batch

STREAMS: Mapping[str, SyncOptions] = {
    "even": options(SyncType.APPEND),
    "odd": change_options(),
}


def stream_of(row: Row) -> str:
    """The table that an event goes to."""
    return "odd" if int(row["id"]) % 2 else "even"


def build_change(row: Row) -> Change:
    """What an event does to the table of the newest versions."""
    return Gone({"id": row["id"]}) if row["seq"] % 4 == 0 else row


@dataclass(frozen=True)
class FeedJob:
    """What a pod is to do."""

    place: Place
    world: World
    growth: int = 2
    page: int = 12
    """Events of a batch, at most."""
    streams: Mapping[str, SyncOptions] = field(default_factory=lambda: STREAMS)

    def place_of(self, stream: str) -> Place:
        """Where the table of a stream is."""
        target: TableTarget = self.place.target
        return replace(self.place, target=target.model_copy(update={"path": f"ns/{stream}"}))

    def run(self, run: str, steps: Steps) -> FeedOutcome:
        """The engine's part of a pod."""
        clock = SystemClock()
        limits = Limits(part_bytes=300)
        tables = {}
        for stream, one in self.streams.items():
            where = self.place_of(stream)
            plan = build_plan(where, one, limits)
            tables[stream] = open_table(where.open(), plan, run, clock, steps=steps, policy=SMALL)
        return run_feed(
            WorldFeed(self), tables, limits, clock, progress=Progress(), listener=lambda _: None
        )

    def read_rows(self, stream: str) -> list[Row]:
        """The rows of a stream's table."""
        store = self.place_of(stream).open()
        return read_polars(store.uri, store.options)

    def build_wanted(self, stream: str) -> list[Row]:
        """What the table of a stream must hold of all that has happened."""
        events = map(self.world.event, range(1, self.world.now() + 1))
        rows = [row for row in events if stream_of(row) == stream]
        return rows if stream == "even" else list(apply_all(list(map(build_change, rows))).values())


@dataclass(frozen=True)
class WorldFeed:
    """See `protocols.Feed`; a token is the number of an event."""

    job: FeedJob

    @property
    def _file(self) -> Path:
        return self.job.world.folder / "confirmed"

    @property
    def confirmed(self) -> int:
        """The last event that is gone."""
        return int(self._file.read_text()) if self._file.exists() else 0

    def read(self, request: FeedRequest) -> Iterator[FeedBatch]:
        """From the event after the last confirmed one, to the last one as of now."""
        known = [int(since.value) for since in request.since.values() if since is not None]
        at, world = self.confirmed, self.job.world
        end = world.now()
        while at < end:
            world.advance(self.job.growth)
            cuts = [place for place in known if place > at]
            last = min([at + self.job.page, end, *cuts])
            rows = [world.event(number) for number in range(at + 1, last + 1)]
            at = last
            yield FeedBatch(dict(_split(rows)), _place(at), confirms=str(at))

    def confirm(self, token: str) -> None:
        """Forgets events; fails where a table lacks one of them."""
        place = int(token)
        for stream in STREAMS:
            numbers = range(self.confirmed + 1, place + 1)
            own = [n for n in numbers if stream_of(self.job.world.event(n)) == stream]
            committed = find_committed(self.job.place_of(stream)) if own else place
            assert not own or committed >= own[-1], f"{stream}: told before the commit"
        draft = self._file.with_suffix(".draft")
        draft.write_text(str(max(place, self.confirmed)))
        draft.replace(self._file)


def _place(number: int) -> Position:
    return Position(str(number), CursorType.INTEGER)


def _split(rows: list[Row]) -> Iterator[tuple[str, Batch]]:
    for stream in STREAMS:
        own = [row for row in rows if stream_of(row) == stream]
        if own and stream == "even":
            yield stream, Batch(build_batch(own), None, pages=1, bytes=len(own) * 80)
        elif own:
            records, deleted = build_changes(list(map(build_change, own)))
            yield stream, Batch(records, None, pages=1, bytes=len(own) * 80, deleted=deleted)


def find_committed(place: Place) -> int:
    """How far the newest commit of a table says that its rows go."""
    store = place.open()
    for info in reversed(store.list("_delta_log")):
        stored = store.find(info.path) if info.path.endswith(".json") else None
        state = None if stored is None else parse_commit(stored.data.decode()).state
        if state is not None and state.position is not None:
            return int(state.position.value)
    return 0
