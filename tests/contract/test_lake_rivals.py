"""Runs of one table that meet at the worst moment: one wins, and nothing of the winner is lost."""

import os
import shutil
import time
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from deltalake import DeltaTable
from deltalake.schema import Field, PrimitiveType
from external_data_operator.api.schema import Retention, SyncType

from sync_runner.errors import ConfigurationError, SupersededError
from sync_runner.protocols import Step
from sync_runner.transport.clock import SystemClock
from tests.contract.lake_pod import SMALL, folder_place
from tests.contract.lake_reading import read_polars
from tests.contract.lake_rows import ActAt, DieAt, Died, ListedSource, Row, Syncs, options, rows_of


def syncs(folder: Path, sync_type: SyncType) -> Syncs:
    """Syncs of a type by id and seq."""
    key = [] if sync_type is SyncType.APPEND else ["id"]
    return Syncs(folder_place(folder), options(sync_type, key=key, cursor="seq"))


def rows(sync: Syncs) -> list[Row]:
    """The table's rows by key."""
    store = sync.place.open()
    return sorted(read_polars(store.uri, store.options), key=lambda row: int(row["id"]))


def pages(first: int, last: int) -> list[list[Row]]:
    """Rows with ascending cursors, in pages of ten."""
    return [[{"id": n, "seq": n} for n in range(i, i + 10)] for i in range(first, last, 10)]


def age(folder: Path, hours: float) -> None:
    """Makes every data file so old."""
    for path in (folder / "ns/table/data").iterdir():
        os.utime(path, (time.time() - hours * 3600,) * 2)


@dataclass(frozen=True)
class ClockAhead(SystemClock):
    """Of a machine whose clock is ahead."""

    def now(self) -> float:
        return time.time() + 1800


@dataclass
class Both:
    """Acts at a step, and dies there."""

    act: ActAt

    def __call__(self, step: Step) -> None:
        self.act(step)
        if step is self.act.step:
            raise Died


MEETING = [SyncType.APPEND, SyncType.INCREMENTAL]


@pytest.mark.parametrize("sync_type", MEETING, ids=str)
@pytest.mark.parametrize("theirs", ["x", 7], ids=["same-type", "another-type"])
def test_of_two_runs_that_bring_the_same_new_column_one_publishes(
    tmp_path: Path, sync_type: SyncType, theirs: object
) -> None:
    sync = syncs(tmp_path, sync_type)
    sync([{"id": 1, "seq": 1}])
    news = [{"id": 2, "seq": 2, "new": theirs}, {"id": 3, "seq": 2, "new": theirs}]
    rival = ActAt(Step.PREPARED, lambda: sync(news, run="rival"))
    with pytest.raises(SupersededError):
        sync([row | {"new": "x"} for row in news], run="slow", steps=rival)
    assert [(row["id"], str(row["new"])) for row in rows(sync)] == [
        (1, "None"),
        (2, str(theirs)),
        (3, str(theirs)),
    ]


@pytest.mark.parametrize("sync_type", MEETING, ids=str)
def test_a_column_that_another_tool_adds_meanwhile_is_taken_for_what_it_is(
    tmp_path: Path, sync_type: SyncType
) -> None:
    sync = syncs(tmp_path, sync_type)
    sync([{"id": 1, "seq": 1}])

    def add() -> None:
        folder = str(sync.place.folder)
        DeltaTable(folder).alter.add_columns([Field("new", PrimitiveType("long"))])

    news = [{"id": 2, "seq": 2, "new": 8}]
    sync(news, run="slow", steps=ActAt(Step.PREPARED, add))
    assert rows(sync) == [{"id": 1, "seq": 1, "new": None}, *news]


def test_a_pod_that_finds_its_run_finished_leaves_a_rivals_files_alone(tmp_path: Path) -> None:
    sync = syncs(tmp_path, SyncType.INCREMENTAL)

    def load(first: int, last: int) -> ListedSource:
        return ListedSource(rows_of(*pages(first, last)), "seq", settled=False)

    with pytest.raises(Died):
        sync.read(load(0, 60), "one", DieAt(Step.COMMITTED))

    def come_again() -> None:
        age(tmp_path, 2)
        assert sync(*pages(0, 60), run="one").resumed

    sync.read(load(100, 160), "rival", ActAt(Step.PREPARED, come_again))
    assert [row["id"] for row in rows(sync)] == [*range(60), *range(100, 160)]


def test_a_run_that_finds_nothing_new_leaves_a_rivals_files_and_journal_alone(
    tmp_path: Path,
) -> None:
    sync = syncs(tmp_path, SyncType.INCREMENTAL)
    sync(*pages(0, 10))

    def find_nothing() -> None:
        age(tmp_path, 2)
        sync(run="idle")

    find = ActAt(Step.PREPARED, find_nothing)
    with pytest.raises(Died):
        sync.read(ListedSource(rows_of(*pages(10, 90)), "seq", settled=False), "rival", Both(find))
    outcome = sync(run="rival")
    assert outcome.resumed
    assert [row["id"] for row in rows(sync)] == list(range(90))


def test_young_files_that_no_log_knows_may_belong_to_somebody(tmp_path: Path) -> None:
    sync = syncs(tmp_path, SyncType.APPEND)
    sync.policy = replace(SMALL, grace_hours=1)
    sync(*pages(0, 10))
    stray = tmp_path / "ns/table/data/stray.parquet"
    stray.write_bytes(b"not ours")
    sync(*pages(10, 20))
    assert stray.exists()
    age(tmp_path, 2)
    sync(*pages(20, 30))
    assert not stray.exists()


@pytest.mark.parametrize("checkpoint_versions", [100, 1], ids=["entries", "checkpoint"])
def test_files_that_a_clock_ahead_removed_stay_as_long_as_others(
    tmp_path: Path, checkpoint_versions: int
) -> None:
    sync = syncs(tmp_path, SyncType.INCREMENTAL)
    sync.policy = replace(
        SMALL, grace_hours=1, keep_hours=24, checkpoint_versions=checkpoint_versions
    )
    sync([{"id": 1, "seq": 1}])
    (old,) = (tmp_path / "ns/table/data").iterdir()
    age(tmp_path, 2)
    replace(sync, clock=ClockAhead())([{"id": 1, "seq": 2}], run="ahead")
    assert old.exists()
    sync([{"id": 9, "seq": 3}], run="later")
    assert old.exists()


def test_a_log_that_is_lost_behind_a_dead_later_run_is_noticed(tmp_path: Path) -> None:
    sync = syncs(tmp_path, SyncType.APPEND)
    sync(*pages(0, 10))
    with pytest.raises(Died):
        sync(*pages(10, 90), run="dead", steps=DieAt(Step.JOURNALED))
    shutil.rmtree(tmp_path / "ns/table/_delta_log")
    with pytest.raises(ConfigurationError, match="log"):
        sync(*pages(10, 90), run="later")


@pytest.mark.parametrize("content", [b"{", b"[]", b"{}"], ids=repr)
def test_an_upkeep_that_breaks_off_is_logged_and_the_run_has_published(
    tmp_path: Path, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    sync = syncs(tmp_path, SyncType.APPEND)

    def spoil_pointer() -> None:
        (tmp_path / "ns/table/_delta_log/_last_checkpoint").write_bytes(content)

    outcome = sync(*pages(0, 10), steps=ActAt(Step.COMMITTED, spoil_pointer))
    assert outcome.table is not None
    assert "upkeep failed" in caplog.text
    (tmp_path / "ns/table/_delta_log/_last_checkpoint").unlink()
    assert [row["id"] for row in rows(sync)] == list(range(10))


def test_an_entry_below_the_cut_of_the_log_publishes_nothing(tmp_path: Path) -> None:
    """A pod that slept while others published, and while the log was cut behind them, would find
    the name of its next entry free.
    """
    sync = syncs(tmp_path, SyncType.APPEND)
    rivals = replace(sync, policy=replace(sync.policy, checkpoint_versions=2))
    rivals.options = sync.options.model_copy(
        update={"retention": Retention(log_hours=0, deleted_file_hours=48)}
    )
    rivals([{"id": 0, "seq": 0}], run="first")

    def overtake() -> None:
        for number in range(1, 10):
            rivals([{"id": number, "seq": number}], run=f"rival-{number}")
        assert not (tmp_path / "ns/table/_delta_log" / f"{1:020}.json").exists()

    with pytest.raises(SupersededError):
        rivals([{"id": 99, "seq": 99}], run="slow", steps=ActAt(Step.PREPARED, overtake))
    assert sorted(row["id"] for row in rows(sync)) == list(range(10))
