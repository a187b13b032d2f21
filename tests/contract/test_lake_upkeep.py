"""Tables stay small over many syncs, and readers never notice."""

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from deltalake import DeltaTable
from external_data_operator.api.plan import Limits
from external_data_operator.api.schema import SyncType

from sync_runner.lake.policy import Policy
from tests.clocks import JumpingClock
from tests.contract.lake_pod import SMALL, folder_place
from tests.contract.lake_reading import read_duckdb, read_polars
from tests.contract.lake_rows import ListedSource, Row, Syncs, options, rows_of

SYNCS = 120


def pages(first: int, last: int, size: int = 10) -> list[list[Row]]:
    """Rows in pages."""
    numbers = [{"id": n, "seq": n, "v": f"v{n}"} for n in range(first, last)]
    return [numbers[i : i + size] for i in range(0, len(numbers), size)]


def syncs(folder: Path, sync_type: SyncType, policy: Policy = SMALL) -> Syncs:
    """Syncs of a type into a folder."""
    key = [] if sync_type is SyncType.APPEND else ["id"]
    cursor = None if sync_type is SyncType.FULL_REFRESH else "seq"
    place = folder_place(folder)
    how = options(sync_type, key=key, cursor=cursor)
    return Syncs(place, how, policy=policy, limits=Limits(part_bytes=1 << 20))


def count(folder: Path, pattern: str) -> int:
    """How many files there are."""
    return len(list(folder.glob(pattern)))


def check_bounds(sync: Syncs, number: int) -> None:
    """Files, log and staging folder are few, whatever came before."""
    folder = sync.place.folder
    live = len(DeltaTable(str(folder)).file_uris())
    assert live < 60, number
    assert count(folder, "data/*") < live + 60, number
    assert count(folder, "_delta_log/*") < 40, number
    assert count(folder, "_staging/*") <= 2, number


@pytest.mark.parametrize("sync_type", list(SyncType))
def test_files_log_and_staging_folder_stay_bounded_over_many_syncs(
    tmp_path: Path, sync_type: SyncType
) -> None:
    policy = replace(SMALL, group_rows=400, log_hours=0, log_entries=10)
    sync = syncs(tmp_path, sync_type, policy)
    for number in range(SYNCS):
        first = 0 if sync_type is SyncType.FULL_REFRESH else max(0, number * 10 - 5)
        sync(*pages(first, number * 10 + 10))
        check_bounds(sync, number)
    rows = read_polars(str(sync.place.folder))
    assert sorted(row["id"] for row in rows) == list(range(SYNCS * 10))


@pytest.mark.soak
@pytest.mark.parametrize("sync_type", list(SyncType))
def test_files_log_and_staging_folder_stay_bounded_over_a_thousand_syncs(
    tmp_path: Path, sync_type: SyncType
) -> None:
    policy = replace(SMALL, group_rows=2000, log_hours=0, log_entries=10)
    sync = syncs(tmp_path, sync_type, policy)
    for number in range(1000):
        first = 0 if sync_type is SyncType.FULL_REFRESH else number * 4
        sync(*pages(first, number * 4 + 4, 1000))
        if number % 50 == 0:
            check_bounds(sync, number)
    assert len(read_polars(str(sync.place.folder))) == 4000


@pytest.mark.parametrize("sync_type", [SyncType.APPEND, SyncType.INCREMENTAL])
def test_small_files_become_few_and_no_row_is_lost(tmp_path: Path, sync_type: SyncType) -> None:
    sync = syncs(tmp_path, sync_type, replace(SMALL, group_rows=1000, tier_files=4))
    for number in range(30):
        sync(*pages(number * 3, number * 3 + 3))
    folder = sync.place.folder
    assert len(DeltaTable(str(folder)).file_uris()) <= 9
    assert sorted(row["id"] for row in read_polars(str(folder))) == list(range(90))


def test_compaction_changes_neither_cursor_nor_publication(tmp_path: Path) -> None:
    sync = syncs(tmp_path, SyncType.APPEND, replace(SMALL, group_rows=1000, tier_files=2))
    sync(*pages(0, 5))
    outcome = sync(*pages(5, 10))
    assert outcome.table is not None
    assert (outcome.table.files, outcome.cursor) == (1, "9")
    assert outcome.table.version == 2
    assert sync(*pages(5, 12)).cursor == "11"


def test_removed_files_stay_as_long_as_the_table_says(tmp_path: Path) -> None:
    policy = replace(SMALL, keep_hours=24)
    sync = syncs(tmp_path, SyncType.FULL_REFRESH, policy)
    for _ in range(8):
        sync(*pages(0, 30))
    folder = sync.place.folder
    live = len(DeltaTable(str(folder)).file_uris())
    assert count(folder, "data/*") == 8 * live
    assert DeltaTable(str(folder), version=3).to_pyarrow_table().num_rows == 30
    DeltaTable(str(folder)).alter.set_table_properties(
        {"delta.deletedFileRetentionDuration": "interval 0 hours"}
    )
    sync(*pages(0, 30))
    assert count(folder, "data/*") <= 2 * live


def test_drafts_of_writers_that_died_are_removed_after_an_hour(tmp_path: Path) -> None:
    clock = JumpingClock(now=4_000_000_000.0)
    sync = syncs(tmp_path, SyncType.APPEND)
    sync(*pages(0, 10))
    draft = sync.place.folder / "data" / "part.parquet#1"
    draft.write_bytes(b"half")
    sync(*pages(10, 20))
    assert draft.exists()
    sync.clock = clock
    sync(*pages(20, 30))
    assert not draft.exists()


def test_an_upkeep_that_fails_does_not_fail_the_run(tmp_path: Path) -> None:
    sync = syncs(tmp_path, SyncType.APPEND)
    sync(*pages(0, 10))
    (sync.place.folder / "_delta_log" / "_last_checkpoint").mkdir()
    outcome = sync(*pages(10, 20))
    assert outcome.counts.rows == 10
    assert len(read_duckdb(sync.place.folder)) == 20


class Reader(threading.Thread):
    """Reads a table in a loop and keeps what it saw."""

    def __init__(self, read: Callable[[], list[Row]], wanted: set[int]) -> None:
        super().__init__()
        self.read = read
        self.wanted = wanted
        self.seen: list[int] = []
        self.wrong: list[str] = []
        self.over = threading.Event()

    def run(self) -> None:
        while not self.over.is_set():
            found = [row["id"] for row in self.read()]
            self.seen.append(len(found))
            if len(found) != len(set(found)) or len(found) not in self.wanted:
                self.wrong.append(f"{len(found)} rows, {len(set(found))} different")


@pytest.mark.parametrize("sync_type", list(SyncType))
def test_readers_in_a_loop_never_see_a_half_table(tmp_path: Path, sync_type: SyncType) -> None:
    policy = replace(SMALL, grace_hours=1, keep_hours=1, due_parts=1000, log_entries=100)
    sync = syncs(tmp_path, sync_type, replace(policy, log_hours=1))
    sync(*pages(0, 100))
    folder = sync.place.folder
    wanted = {100 + 50 * number for number in range(9)}
    readers = [
        Reader(lambda: read_polars(str(folder)), wanted),
        Reader(lambda: read_duckdb(folder), wanted),
    ]
    for reader in readers:
        reader.start()
    for number in range(8):
        first = 0 if sync_type is not SyncType.APPEND else 100 + number * 50
        source = ListedSource(
            rows_of(*pages(first, 150 + number * 50)), sync.options.incremental_field
        )
        source.settled = False
        sync.read(source)
    for reader in readers:
        reader.over.set()
        reader.join()
        assert reader.wrong == []
        assert len(reader.seen) > 1
