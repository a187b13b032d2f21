"""Runs one after the other and side by side: resumed, superseded, recognised."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from deltalake import DeltaTable
from external_data_operator.api.conditions import Reason
from external_data_operator.api.plan import Limits
from external_data_operator.api.schema import SyncType

from sync_runner.errors import ConfigurationError, ExpiredTokenError, RunError, SupersededError
from sync_runner.lake.journal import JOURNAL_PATH
from sync_runner.pipeline.stream import RESTARTS_MAX
from sync_runner.protocols import Batch, ReadRequest, Source, Step, Token
from tests.clocks import JumpingClock
from tests.contract.lake_pod import SMALL, Place, folder_place
from tests.contract.lake_rows import (
    ActAt,
    DieAt,
    Died,
    ListedSource,
    Row,
    Syncs,
    full,
    ids,
    options,
    rows_of,
)

DAY_S = 24 * 3600


def pages(first: int, last: int, size: int = 10) -> list[list[Row]]:
    """Rows with ascending cursors, in pages."""
    numbers = list(range(first, last))
    return [
        [{"id": n, "seq": n, "v": f"v{n}"} for n in numbers[i : i + size]]
        for i in range(0, len(numbers), size)
    ]


def version(place: Place) -> int:
    """The table's newest version."""
    store = place.open()
    return DeltaTable(store.uri, storage_options=store.options).version()


def append(place: Place, **more: Any) -> Syncs:
    """Appends by seq."""
    return Syncs(place, options(SyncType.APPEND, cursor="seq", **more))


def die(sync: Syncs, step: Step, nth: int, source: Source, run: str) -> None:
    """A pod of a run that dies at a step."""
    with pytest.raises(Died):
        sync.read(source, run, DieAt(step, nth))


def test_a_second_publication_of_the_same_run_is_recognised_and_does_nothing(place: Place) -> None:
    sync = append(place)
    first = sync(*pages(0, 100), run="one")
    again = sync(*pages(0, 100), run="one")
    assert first.table == again.table
    assert (again.counts.rows, again.counts.pages, again.resumed) == (100, 10, True)
    assert ids(place) == list(range(100))


def test_the_next_pod_goes_on_from_the_journals_token(place: Place) -> None:
    sync = full(place)
    die(sync, Step.JOURNALED, 3, ListedSource(rows_of(*pages(0, 100))), "one")
    second = ListedSource(rows_of(*pages(0, 100)))
    outcome = sync.read(second, "one")
    assert second.asked is not None
    assert int(second.asked.resume or 0) > 0
    assert outcome.resumed
    assert (outcome.counts.rows, outcome.counts.pages) == (100, 10)
    assert ids(place) == list(range(100))


def test_a_pod_that_died_behind_the_last_page_leaves_nothing_to_read(place: Place) -> None:
    sync = full(place)
    die(sync, Step.PREPARED, 1, ListedSource(rows_of(*pages(0, 100))), "one")
    second = ListedSource([])
    outcome = sync.read(second, "one")
    assert second.asked is None
    assert outcome.counts.rows == 100
    assert ids(place) == list(range(100))


@pytest.mark.parametrize("age_s", [DAY_S + 1, -60], ids=["too-old", "from-the-future"])
def test_a_journal_of_another_day_is_thrown_away(place: Place, age_s: float) -> None:
    clock = JumpingClock()
    sync = Syncs(place, options(SyncType.FULL_REFRESH), clock=clock)
    die(sync, Step.JOURNALED, 3, ListedSource(rows_of(*pages(0, 100))), "one")
    clock.time += age_s
    second = ListedSource(rows_of(*pages(500, 560)))
    outcome = sync.read(second, "one")
    assert second.asked == ReadRequest()
    assert not outcome.resumed
    assert ids(place) == list(range(500, 560))


def test_a_journal_of_another_plan_is_thrown_away(place: Place) -> None:
    die(full(place), Step.JOURNALED, 3, ListedSource(rows_of(*pages(0, 100))), "one")
    other = Syncs(place, options(SyncType.FULL_REFRESH, enabled_columns=["id"]))
    assert [c.name for c in other(*pages(7, 70), run="one").columns] == ["id"]
    assert ids(place) == list(range(7, 70))


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'{"format": 99}', b'{"format": 1}'], ids=repr
)
def test_a_journal_that_cannot_be_read_is_thrown_away(place: Place, content: bytes) -> None:
    sync = full(place)
    die(sync, Step.JOURNALED, 3, ListedSource(rows_of(*pages(0, 100))), "one")
    place.open().put(JOURNAL_PATH, [content])
    sync(*pages(0, 60), run="one")
    assert ids(place) == list(range(60))


def test_a_journal_whose_parts_are_gone_is_thrown_away(place: Place) -> None:
    sync = full(place)
    die(sync, Step.JOURNALED, 3, ListedSource(rows_of(*pages(0, 100))), "one")
    store = place.open()
    store.delete([store.list("data")[0].path])
    sync(*pages(0, 100), run="one")
    assert ids(place) == list(range(100))


def test_a_journal_of_another_run_is_taken_over_and_its_parts_are_removed(place: Place) -> None:
    sync = full(place)
    die(sync, Step.JOURNALED, 3, ListedSource(rows_of(*pages(0, 100))), "one")
    left = {info.path for info in place.open().list("data")}
    outcome = sync(*pages(0, 100), run="two")
    assert not outcome.resumed
    assert left
    assert left.isdisjoint(info.path for info in place.open().list("data"))
    assert ids(place) == list(range(100))


@dataclass
class ForgetfulSource:
    """Refuses a token of an earlier pod, once or always."""

    inner: ListedSource
    refusals: int
    requests: list[ReadRequest] = field(default_factory=list)

    def read(self, request: ReadRequest) -> Iterator[Batch]:
        """See `protocols.Source`."""
        self.requests.append(request)
        if self.refusals:
            self.refusals -= 1
            raise ExpiredTokenError("the page token of request 1 is refused: status 410")
        yield from self.inner.read(request)

    def confirm(self, token: Token) -> None:
        """It forgets nothing."""


def test_a_token_that_the_source_refuses_begins_the_walk_anew_once(place: Place) -> None:
    sync = full(place)
    die(sync, Step.JOURNALED, 3, ListedSource(rows_of(*pages(0, 100))), "one")
    source = ForgetfulSource(ListedSource(rows_of(*pages(0, 90))), 1)
    outcome = sync.read(source, "one")
    assert [request.resume is None for request in source.requests] == [False, True]
    assert outcome.counts.rows == 90
    assert ids(place) == list(range(90))


def test_a_source_that_refuses_every_token_ends_the_run(place: Place) -> None:
    sync = full(place)
    source = ForgetfulSource(ListedSource(rows_of(*pages(0, 90))), 5)
    with pytest.raises(ExpiredTokenError):
        sync.read(source, "one")
    assert len(source.requests) == 1 + RESTARTS_MAX


@dataclass
class Interrupted:
    """A source in the middle of which something else happens."""

    inner: ListedSource
    after: int
    act: Any

    def read(self, request: ReadRequest) -> Iterator[Batch]:
        """See `protocols.Source`."""
        for number, batch in enumerate(self.inner.read(request)):
            if number == self.after:
                self.act()
            yield batch

    def confirm(self, token: Token) -> None:
        """It forgets nothing."""


@pytest.mark.parametrize("step", [Step.BEGUN, Step.STAGED, Step.PREPARED])
@pytest.mark.parametrize("count", [8, 100], ids=["in-memory", "in-parts"])
@pytest.mark.parametrize("first", [0, 50], ids=["first-load", "later-run"])
def test_of_two_runs_at_once_the_first_to_publish_wins_and_the_other_says_superseded(
    place: Place, step: Step, count: int, first: int
) -> None:
    sync = append(place)
    if first:
        sync(*pages(0, first), run="zero")
    rows = pages(first, first + count)
    rival = ActAt(step, lambda: sync(*rows, run="rival"))
    with pytest.raises(SupersededError):
        sync.read(ListedSource(rows_of(*rows), "seq", settled=False), "slow", rival)
    assert ids(place) == list(range(first + count))
    sync(*pages(first, first + count + 10), run="later")
    assert ids(place) == list(range(first + count + 10))


def test_a_run_whose_journal_was_taken_over_stops_at_its_next_part(place: Place) -> None:
    sync = full(place)

    def take_over() -> None:
        die(sync, Step.JOURNALED, 2, ListedSource(rows_of(*pages(0, 100))), "rival")

    with pytest.raises(SupersededError, match="wrote this table's journal"):
        sync(*pages(0, 300), run="slow", steps=ActAt(Step.JOURNALED, take_over, 2))
    assert sync(*pages(0, 100), run="rival").resumed
    assert ids(place) == list(range(100))


def test_a_commit_that_somebody_elses_upkeep_outran_is_planned_anew(place: Place) -> None:
    sync = Syncs(place, options(SyncType.INCREMENTAL, key=["id"], cursor="seq"))
    for first in (0, 5, 10):
        sync(*pages(first, first + 5))
    store = place.open()

    def optimise() -> None:
        table = DeltaTable(store.uri, storage_options=store.options)
        assert table.optimize.compact()["numFilesRemoved"]

    source = ListedSource(rows_of([{"id": 3, "seq": 99, "v": "new"}]), "seq")
    before = version(place)
    outcome = sync.read(Interrupted(source, 0, optimise), "mine")
    assert outcome.table is not None
    assert outcome.table.version >= before + 2
    assert ids(place) == list(range(15))


def test_the_position_is_found_behind_commits_of_others(place: Place) -> None:
    sync = append(place)
    sync(*pages(0, 30))
    store = place.open()
    for _ in range(3):
        table = DeltaTable(store.uri, storage_options=store.options)
        table.alter.set_table_properties({"delta.appendOnly": "false"})
    source = ListedSource(rows_of(*pages(0, 40)), "seq")
    sync.read(source)
    assert source.asked is not None
    assert source.asked.since is not None
    assert source.asked.since.value == "29"
    assert ids(place) == list(range(40))


def test_the_cursor_never_moves_backwards(place: Place) -> None:
    sync = Syncs(place, options(SyncType.INCREMENTAL, key=["id"], cursor="seq", lookback_seconds=0))
    assert sync([{"id": 1, "seq": 100}]).cursor == "100"

    class Older(ListedSource):
        def read(self, request: ReadRequest) -> Iterator[Batch]:
            self.asked = request
            yield from super().read(ReadRequest())

    source = Older(rows_of([{"id": 2, "seq": 50}]), "seq")
    assert sync.read(source).cursor == "100"
    assert ids(place) == [1, 2]


@pytest.mark.parametrize(
    ("settled", "versions"),
    [(True, range(2, 100)), (False, range(1))],
    ids=["ascending", "unordered"],
)
def test_only_settled_streams_publish_in_the_middle_of_a_run(
    place: Place, settled: bool, versions: range
) -> None:
    sync = append(place)
    sync.read(ListedSource(rows_of(*pages(0, 400)), "seq", settled=settled))
    assert version(place) in versions or (not settled and version(place) == 0)
    assert ids(place) == list(range(400))


def test_a_pod_that_dies_between_publications_leaves_the_earlier_ones(place: Place) -> None:
    sync = append(place)
    die(sync, Step.COMMITTED, 3, ListedSource(rows_of(*pages(0, 400)), "seq"), "one")
    published = len(ids(place))
    assert 0 < published < 400
    source = ListedSource(rows_of(*pages(0, 400)), "seq")
    sync.read(source, "one")
    assert source.asked is not None
    assert source.asked.since is not None
    assert float(source.asked.since.value) == published - 1
    assert ids(place) == list(range(400))


@pytest.mark.parametrize(
    ("limits", "reason"),
    [({"pages": 3}, "3 pages"), ({"bytes": 500}, "500 bytes")],
    ids=["pages", "bytes"],
)
def test_a_run_that_reads_too_much_ends_and_keeps_what_is_settled(
    tmp_path: Path, limits: dict[str, int], reason: str
) -> None:
    sync = append(folder_place(tmp_path))
    sync.limits = Limits(part_bytes=300, **limits)
    with pytest.raises(ConfigurationError, match=reason) as caught:
        sync(*pages(0, 100))
    assert caught.value.reason is Reason.LIMIT_EXCEEDED
    kept = ids(sync.place)
    assert kept == list(range(len(kept)))
    assert kept


def test_a_run_that_takes_too_long_ends_and_the_next_goes_on(tmp_path: Path) -> None:
    clock = JumpingClock()
    sync = Syncs(folder_place(tmp_path), options(SyncType.APPEND, cursor="seq"), clock=clock)
    sync.limits = Limits(part_bytes=300, seconds=60)

    def wait() -> None:
        clock.time += 61

    with pytest.raises(RunError, match="60 seconds") as caught:
        sync.read(Interrupted(ListedSource(rows_of(*pages(0, 100)), "seq"), 5, wait), "one")
    assert caught.value.reason is Reason.LIMIT_EXCEEDED
    sync(*pages(0, 100), run="two")
    assert ids(sync.place) == list(range(100))


def test_a_slow_source_is_staged_by_the_clock(place: Place) -> None:
    clock = JumpingClock()
    sync = Syncs(place, options(SyncType.FULL_REFRESH), clock=clock)

    def wait() -> None:
        clock.time += SMALL.part_seconds + 1

    slow = Interrupted(ListedSource(rows_of(*pages(0, 8, 1))), 3, wait)
    die(sync, Step.STAGED, 1, slow, "one")
    second = ListedSource(rows_of(*pages(0, 8, 1)))
    assert sync.read(second, "one").resumed
    assert ids(place) == list(range(8))
