"""The loop, at a destination that only remembers."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import pyarrow as pa
import pytest
from external_data_operator.api.cursors import CursorType
from external_data_operator.api.plan import Limits

from sync_runner.errors import ConfigurationError, ExpiredTokenError, RetryableError, RunError
from sync_runner.pipeline import Outcome, run_stream
from sync_runner.pipeline.bounds import Budget
from sync_runner.pipeline.stream import RESTARTS_MAX
from sync_runner.protocols import Batch, Counts, Position, Progress, Published, ReadRequest, Start
from tests.clocks import JumpingClock

POSITION = Position("100", CursorType.INTEGER)
MOMENT = Position("2024-01-02T00:00:00Z", CursorType.DATE_TIME)


@dataclass
class Numbers:
    """Batches of one row each."""

    count: int
    settled: bool = True
    requests: list[ReadRequest] = field(default_factory=list)
    closed: bool = False

    def read(self, request: ReadRequest) -> Iterator[Batch]:
        self.requests.append(request)
        try:
            for i in range(int(request.resume or 0), self.count):
                token = str(i + 1) if i + 1 < self.count else None
                batch = pa.record_batch({"n": [i]})
                yield Batch(batch, token, None, self.settled, pages=1, bytes=10)
        finally:
            self.closed = True


@dataclass
class Memory:
    """A destination that remembers what it was told."""

    start: Start = field(default_factory=Start)
    due: bool = False
    divisible: bool = True
    confirms: str | None = None
    told: list[str] = field(default_factory=list)

    def begin(self, *, fresh: bool = False) -> Start:
        self.told.append("fresh" if fresh else "begin")
        return self.start

    def write(self, batch: Batch, *, seconds: float) -> int:
        self.told.append(f"write {batch.records.column(0)[0]}")
        return len(self.told)

    def is_due(self) -> bool:
        return self.due

    def publish(self) -> bool:
        self.told.append("publish")
        return self.divisible

    def finish(self) -> Published:
        self.told.append("finish")
        return Published(position=POSITION, confirms=self.confirms)


def run(source: Numbers, table: Memory, limits: Limits | None = None) -> Outcome:
    """One sync."""
    return run_stream(
        source,
        table,
        limits or Limits(),
        JumpingClock(),
        progress=Progress(),
        listener=lambda _: None,
    )


def test_batches_are_written_in_order_and_counted() -> None:
    table = Memory()
    outcome = run(Numbers(3), table)
    assert table.told == ["begin", "write 0", "write 1", "write 2", "finish"]
    assert (outcome.counts.rows, outcome.counts.pages, outcome.counts.bytes, outcome.cursor) == (
        3,
        3,
        30,
        "100",
    )


def test_a_run_that_is_finished_reads_nothing() -> None:
    source, table = Numbers(3), Memory(Start(finished=True, resumed=True, counts=Counts(7, 8, 9)))
    outcome = run(source, table)
    assert (source.requests, table.told) == ([], ["begin", "finish"])
    assert (outcome.counts.pages, outcome.counts.rows, outcome.counts.bytes) == (7, 8, 9)


def test_a_run_that_has_read_everything_reads_nothing_more() -> None:
    source, table = Numbers(3), Memory(Start(extracted=True, resumed=True))
    run(source, table)
    assert (source.requests, table.told) == ([], ["begin", "finish"])


def test_a_resumed_run_goes_on_from_its_token_and_counts() -> None:
    source, table = Numbers(3), Memory(Start(resume="2", resumed=True, counts=Counts(2, 2, 20)))
    outcome = run(source, table)
    assert source.requests == [ReadRequest(resume="2")]
    assert (outcome.counts.rows, outcome.resumed) == (3, True)


def test_a_run_reads_from_where_the_table_says() -> None:
    source = Numbers(1)
    run(source, Memory(Start(since=MOMENT)))
    assert source.requests == [ReadRequest(since=MOMENT)]


@dataclass
class Told(Numbers):
    """Is told what is in the table, after each batch."""

    table: Memory = field(default_factory=Memory)

    def read(self, request: ReadRequest) -> Iterator[Batch]:
        for number, batch in enumerate(super().read(request), 1):
            yield replace(batch, confirms=f"c{number}")

    def confirm(self, token: str) -> None:
        self.table.told.append(f"confirm {token}")


def test_a_source_is_told_what_is_in_the_table_and_never_before() -> None:
    table = Memory(due=True, confirms="c3")
    run(Told(3, table=table), table)
    middle = ["publish", "confirm c1", "write 1", "publish", "confirm c2"]
    assert table.told == ["begin", "write 0", *middle, "write 2", "finish", "confirm c3"]


def test_a_source_is_not_told_of_rows_that_may_not_be_seen_yet() -> None:
    table = Memory(due=True, divisible=False, confirms="c2")
    run(Told(2, table=table), table)
    assert table.told == ["begin", "write 0", "publish", "write 1", "finish", "confirm c2"]


def test_what_an_earlier_run_may_not_have_told_is_told_first_and_once() -> None:
    table = Memory(Start(unconfirmed="c7", finished=True), confirms="c7")
    run(Told(2, table=table), table)
    assert table.told == ["begin", "confirm c7", "finish"]


def test_what_is_settled_is_published_in_the_middle_when_due_but_not_at_the_end() -> None:
    table = Memory(due=True)
    run(Numbers(2), table)
    assert table.told == ["begin", "write 0", "publish", "write 1", "finish"]
    unsettled = Memory(due=True)
    run(Numbers(2, settled=False), unsettled)
    assert "publish" not in unsettled.told


@pytest.mark.parametrize("limits", [{"pages": 2}, {"bytes": 20}], ids=str)
def test_a_run_beyond_its_limits_publishes_what_is_settled_ends_and_closes_its_source(
    limits: dict[str, int],
) -> None:
    source, table = Numbers(50), Memory()
    with pytest.raises(ConfigurationError):
        run(source, table, Limits(**limits))
    assert table.told == ["begin", "write 0", "write 1", "write 2", "publish"]
    assert source.closed


def test_a_run_beyond_its_limits_that_published_nothing_says_that_the_next_one_will_not() -> None:
    with pytest.raises(ConfigurationError, match="start at the same position"):
        run(Numbers(50), Memory(divisible=False), Limits(pages=2))
    with pytest.raises(ConfigurationError, match="the next run continues after them"):
        run(Numbers(50), Memory(), Limits(pages=2))


def test_time_alone_is_mended_by_time() -> None:
    budget = Budget(Limits(seconds=10))
    excess = budget.find_excess(Counts(seconds=11.0))
    assert excess is not None
    assert isinstance(excess.build_error(has_published=None), RetryableError)
    assert budget.find_excess(Counts(seconds=9.0)) is None


def test_an_error_of_the_source_ends_the_run_behind_what_came_before() -> None:
    class Broken(Numbers):
        def read(self, request: ReadRequest) -> Iterator[Batch]:
            yield from Numbers(2).read(request)
            raise RunError(reason=None, message="broken")  # type: ignore[arg-type]

    table = Memory()
    with pytest.raises(RunError, match="broken"):
        run(Broken(0), table)
    assert table.told == ["begin", "write 0", "write 1"]


@dataclass
class Forgetful(Numbers):
    """Forgets its tokens after one batch, so many times."""

    times: int = 0

    def read(self, request: ReadRequest) -> Iterator[Batch]:
        for batch in super().read(request):
            yield batch
            if len(self.requests) <= self.times:
                raise ExpiredTokenError("the token has expired")


def test_a_token_that_expires_in_mid_walk_begins_the_walk_again() -> None:
    source, table = Forgetful(2, times=1), Memory()
    outcome = run(source, table)
    assert table.told == ["begin", "write 0", "fresh", "write 0", "write 1", "finish"]
    assert outcome.counts.rows == 2
    assert not outcome.resumed


def test_a_walk_that_begins_again_tells_nothing_of_what_was_thrown_away() -> None:
    class Late(Memory):
        """Publishes in the middle of the second walk alone."""

        def begin(self, *, fresh: bool = False) -> Start:
            self.divisible = fresh
            return super().begin(fresh=fresh)

    class FirstTold(Forgetful):
        def read(self, request: ReadRequest) -> Iterator[Batch]:
            is_first = not self.requests
            for batch in super().read(request):
                yield replace(batch, confirms="c9") if is_first else batch

        def confirm(self, token: str) -> None:
            table.told.append(f"confirm {token}")

    table = Late(due=True)
    run(FirstTold(2, times=1), table)
    assert table.told[3:] == ["fresh", "write 0", "publish", "write 1", "finish"]


def test_a_token_that_expires_again_and_again_ends_the_run_for_a_later_one() -> None:
    source, table = Forgetful(2, times=100), Memory()
    with pytest.raises(RetryableError, match="expired"):
        run(source, table)
    assert len(source.requests) == 1 + RESTARTS_MAX
    assert "finish" not in table.told
