"""A source that forgets what is safe is told so after the commit, and in the end always."""

from dataclasses import replace
from pathlib import Path

import pytest
from external_data_operator.api.conditions import Reason
from external_data_operator.api.schema import SyncType

from sync_runner.errors import RetryableError
from sync_runner.lake.policy import Policy
from sync_runner.protocols import Step
from tests.contract.lake_log import KeptLog, find_committed
from tests.contract.lake_pod import folder_place
from tests.contract.lake_reading import read_polars
from tests.contract.lake_rows import DieAt, Died, Row, Syncs, options

ENTRIES: list[Row] = [{"id": n % 4, "n": n} for n in range(1, 8)]
NEWEST: list[Row] = [{"id": n % 4, "n": n} for n in (4, 5, 6, 7)]


@pytest.fixture
def sync(tmp_path: Path) -> Syncs:
    return Syncs(folder_place(tmp_path), options(SyncType.INCREMENTAL, key=["id"]))


@pytest.fixture
def log(tmp_path: Path) -> KeptLog:
    return KeptLog(tmp_path, (tmp_path / "ns/table",), list(ENTRIES))


def rows(sync: Syncs) -> list[Row]:
    """The table's rows by key."""
    store = sync.place.open()
    return sorted(read_polars(store.uri, store.options), key=lambda row: int(row["id"]))


def test_a_log_is_read_after_the_place_of_the_last_commit_and_told_of_it(
    sync: Syncs, log: KeptLog
) -> None:
    outcome = sync.read(log)
    assert (outcome.cursor, log.confirmed, rows(sync)) == ("7", 7, NEWEST)
    log.entries += [{"id": 0, "n": 8}]
    assert sync.read(log).cursor == "8"
    assert (log.asked, log.confirmed) == ([0, 7], 8)
    assert rows(sync) == [{"id": 0, "n": 8}, *NEWEST[1:]]


def test_rows_that_are_published_in_the_middle_of_a_run_are_confirmed_there(
    sync: Syncs, log: KeptLog
) -> None:
    sync.policy = Policy(due_seconds=0)
    seen: list[int] = []
    log.before_confirm = lambda: seen.append(find_committed(log.tables[0]))
    sync.read(log)
    assert seen == [2, 4, 6, 7]


@pytest.mark.parametrize("step", [Step.PREPARED, Step.COMMITTED, Step.CLOSED], ids=str)
@pytest.mark.parametrize("run", ["same", "next"])
def test_a_run_that_died_before_it_told_its_source_is_made_up_for(
    sync: Syncs, log: KeptLog, step: Step, run: str
) -> None:
    with pytest.raises(Died):
        sync.read(log, "same", DieAt(step))
    assert log.confirmed == 0
    sync.read(log, run)
    assert (log.confirmed, rows(sync)) == (7, NEWEST)


def test_a_source_that_cannot_be_told_fails_the_run_and_is_told_by_the_next(
    sync: Syncs, log: KeptLog
) -> None:
    def refuse() -> None:
        raise RetryableError(Reason.SOURCE_UNAVAILABLE, "m")

    log.before_confirm = refuse
    with pytest.raises(RetryableError):
        sync.read(log)
    assert (log.confirmed, rows(sync)) == (0, NEWEST)
    log.before_confirm = lambda: None
    sync.read(log)
    assert (log.confirmed, log.asked) == (7, [0, 7])


def test_what_a_journal_holds_is_told_by_the_pod_that_publishes_it(
    sync: Syncs, log: KeptLog
) -> None:
    log.entries = [{"id": n, "n": n} for n in range(400)]
    log.page = 100
    sync.policy = replace(sync.policy, due_parts=1000)
    with pytest.raises(Died):
        sync.read(log, "same", DieAt(Step.PREPARED))
    sync.read(log, "same")
    assert (log.asked, log.confirmed) == ([0], 400)
