"""One feed into many tables, at destinations that only remember."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import pyarrow as pa
import pytest
from external_data_operator.api.conditions import Reason
from external_data_operator.api.cursors import CursorType
from external_data_operator.api.plan import Limits

from sync_runner.errors import ConfigurationError, RunError
from sync_runner.pipeline import FeedOutcome, run_feed
from sync_runner.protocols import (
    Batch,
    FeedBatch,
    FeedRequest,
    Position,
    Progress,
    Published,
    Start,
)
from tests.clocks import JumpingClock


def place(number: int) -> Position:
    return Position(str(number), CursorType.INTEGER)


def changes(*numbers: int) -> Batch:
    return Batch(pa.record_batch({"n": list(numbers)}), None, pages=1, bytes=10)


@dataclass
class Told:
    """What happened, in order, over all tables and the feed."""

    lines: list[str] = field(default_factory=list)

    def __call__(self, line: str) -> None:
        self.lines.append(line)


@dataclass
class Memory:
    """A table that remembers what it was told."""

    name: str
    told: Told
    since: int | None = None
    due: bool = False
    divisible: bool = True
    fails: bool = False
    replaces: bool = False

    def begin(self, *, fresh: bool = False) -> Start:
        assert fresh, "a feed does not go on from a journal"
        since = None if self.since is None else place(self.since)
        return Start(since=since, replaces=self.replaces)

    def write(self, batch: Batch, *, seconds: float) -> int:
        assert batch.position is not None
        self.told(f"{self.name} {batch.records.column(0).to_pylist()} to {batch.position.value}")
        return 1

    def is_due(self) -> bool:
        return self.due

    def publish(self) -> bool:
        self.told(f"{self.name} publish")
        if self.fails:
            raise RunError(reason=None, message="broken")  # type: ignore[arg-type]
        return self.divisible

    def finish(self) -> Published:
        self.told(f"{self.name} finish")
        return Published(notes=(f"note of {self.name}",))


@dataclass
class Listed:
    """Batches that a test writes down: numbers by table, and the place behind them."""

    batches: list[tuple[dict[str, list[int]], int]]
    told: Told
    asked: FeedRequest | None = None

    def read(self, request: FeedRequest) -> Iterator[FeedBatch]:
        self.asked = request
        for tables, at in self.batches:
            found = {name: changes(*numbers) for name, numbers in tables.items()}
            yield FeedBatch(found, place(at), confirms=f"c{at}")

    def confirm(self, token: str) -> None:
        self.told(f"confirm {token}")


def run(feed: Listed, *tables: Memory, limits: Limits | None = None) -> FeedOutcome:
    by_stream: Mapping[str, Memory] = {table.name: table for table in tables}
    return run_feed(
        feed,
        by_stream,
        limits or Limits(),
        JumpingClock(),
        progress=Progress(),
        listener=lambda _: None,
    )


def test_a_feed_is_confirmed_after_all_tables_have_published() -> None:
    told = Told()
    feed = Listed([({"a": [1], "b": [2]}, 2), ({"a": [3]}, 3)], told)
    outcome = run(feed, Memory("a", told), Memory("b", told))
    assert told.lines == [
        "a [1] to 2",
        "b [2] to 2",
        "a [3] to 3",
        "a finish",
        "b finish",
        "confirm c3",
    ]
    assert (outcome.counts.rows, outcome.counts.pages, outcome.counts.bytes) == (3, 3, 30)
    assert {name: one.rows for name, one in outcome.tables.items()} == {"a": 2, "b": 1}
    assert outcome.tables["a"].notes == ("note of a",)


def test_a_table_that_is_due_makes_those_publish_that_have_rows() -> None:
    told = Told()
    feed = Listed([({"a": [1]}, 1), ({"b": [2]}, 2)], told)
    run(feed, Memory("a", told, due=True), Memory("b", told))
    assert told.lines[:4] == ["a [1] to 1", "a publish", "confirm c1", "b [2] to 2"]
    assert told.lines[4:] == ["a finish", "b finish", "confirm c2"]


def test_a_table_that_cannot_be_published_in_parts_keeps_the_feed_unconfirmed() -> None:
    told = Told()
    feed = Listed([({"a": [1], "b": [1]}, 1), ({"b": [2]}, 2)], told)
    run(feed, Memory("a", told, divisible=False), Memory("b", told, due=True))
    assert [line for line in told.lines if line.startswith("confirm")] == ["confirm c2"]
    assert told.lines[-1] == "confirm c2"


def test_a_feed_is_not_confirmed_where_one_table_of_several_fails() -> None:
    told = Told()
    feed = Listed([({"a": [1], "b": [1]}, 1)], told)
    with pytest.raises(RunError, match="broken"):
        run(feed, Memory("a", told, due=True), Memory("b", told, fails=True))
    assert told.lines[-2:] == ["a publish", "b publish"]


def test_a_table_skips_what_it_had_and_is_told_to_the_feed() -> None:
    told = Told()
    feed = Listed([({"a": [1], "b": [1]}, 1), ({"a": [2], "b": [2]}, 2)], told)
    outcome = run(feed, Memory("a", told, since=1), Memory("b", told))
    assert told.lines[:3] == ["b [1] to 1", "a [2] to 2", "b [2] to 2"]
    assert feed.asked == FeedRequest({"a": place(1), "b": None})
    assert (outcome.counts.rows, outcome.tables["a"].rows) == (4, 1)


def test_a_batch_that_straddles_what_a_table_has_is_a_bug_and_not_a_doubled_row() -> None:
    told = Told()
    feed = Listed([({"b": [1]}, 1), ({"a": [2, 3]}, 3)], told)
    with pytest.raises(AssertionError, match="straddles"):
        run(feed, Memory("a", told, since=2), Memory("b", told))
    assert told.lines == ["b [1] to 1"]


def test_a_feed_beyond_its_limits_publishes_confirms_and_ends() -> None:
    told = Told()
    feed = Listed([({"a": [n]}, n) for n in range(1, 9)], told)
    with pytest.raises(ConfigurationError, match="2 pages"):
        run(feed, Memory("a", told), limits=Limits(pages=2))
    assert told.lines[-2:] == ["a publish", "confirm c3"]


def test_what_all_tables_hold_in_memory_is_bounded_together(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sync_runner.pipeline.feed.HELD_BYTES_MAX", 24)
    told = Told()
    feed = Listed([({name: [1]}, n) for n, name in enumerate("abcd", 1)], told)
    run(feed, *(Memory(name, told) for name in "abcd"))
    published = [line for line in told.lines if line.endswith("publish")]
    assert published == ["a publish", "b publish", "c publish"]


def test_a_table_that_is_replaced_is_refused_before_the_feed_is_read() -> None:
    told = Told()
    feed = Listed([({"a": [4], "b": [5]}, 5)], told)
    with pytest.raises(ConfigurationError, match=r"stream b .*Incremental or Append") as found:
        run(feed, Memory("a", told), Memory("b", told, replaces=True))
    assert found.value.reason is Reason.INVALID_SPEC
    assert feed.asked is None
    assert told.lines == []


def test_an_empty_feed_tells_nothing() -> None:
    told = Told()
    run(Listed([], told), Memory("a", told))
    assert told.lines == ["a finish"]
