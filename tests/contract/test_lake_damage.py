"""Somebody takes parts of a table away: it heals, or the run says what is missing; it is never
silently wrong.
"""

import shutil
from pathlib import Path

import pytest
from deltalake import DeltaTable
from external_data_operator.api.conditions import Reason
from external_data_operator.api.schema import SyncType

from sync_runner.errors import ConfigurationError, RunError
from sync_runner.lake.journal import JOURNAL_PATH
from tests.contract.lake_pod import folder_place
from tests.contract.lake_rows import TYPES, ListedSource, Row, Syncs, ids, options, rows_of, syncs


def pages(first: int, last: int) -> list[list[Row]]:
    """Rows in pages of ten."""
    return [
        [{"id": n, "seq": n, "v": f"v{n}"} for n in range(i, min(i + 10, last))]
        for i in range(first, last, 10)
    ]


def refuse(sync: Syncs, words: str) -> None:
    """The next run ends because the table is damaged, and says what to do."""
    with pytest.raises(ConfigurationError, match=words) as caught:
        sync(*pages(0, 90))
    assert caught.value.reason is Reason.TABLE_DAMAGED
    assert "delete the table's folder" in str(caught.value)


@pytest.mark.parametrize("sync_type", TYPES)
def test_a_table_whose_folder_was_removed_is_read_anew(tmp_path: Path, sync_type: SyncType) -> None:
    sync = syncs(folder_place(tmp_path), sync_type)
    sync(*pages(0, 60))
    shutil.rmtree(sync.place.folder)
    source = ListedSource(rows_of(*pages(0, 90)), sync.options.incremental_field)
    sync.read(source)
    assert source.asked is not None
    assert source.asked.since is None
    assert ids(sync.place) == list(range(90))


@pytest.mark.parametrize("sync_type", TYPES)
def test_a_table_whose_journal_was_removed_goes_on(tmp_path: Path, sync_type: SyncType) -> None:
    sync = syncs(folder_place(tmp_path), sync_type)
    sync(*pages(0, 60))
    (sync.place.folder / JOURNAL_PATH).unlink(missing_ok=True)
    sync(*pages(0, 90))
    assert ids(sync.place) == list(range(90))


@pytest.mark.parametrize("sync_type", [SyncType.FULL_REFRESH, SyncType.INCREMENTAL])
@pytest.mark.parametrize("also", ["", "_staging"])
def test_a_table_whose_log_was_removed_is_read_anew_where_the_source_has_it_all(
    tmp_path: Path, sync_type: SyncType, also: str
) -> None:
    sync = syncs(folder_place(tmp_path), sync_type)
    sync(*pages(0, 60))
    shutil.rmtree(sync.place.folder / "_delta_log")
    if also:
        shutil.rmtree(sync.place.folder / also, ignore_errors=True)
    sync(*pages(0, 90))
    assert ids(sync.place) == list(range(90))


@pytest.mark.parametrize("also", ["", "_staging"])
def test_an_appended_table_whose_log_was_removed_is_not_begun_anew(
    tmp_path: Path, also: str
) -> None:
    sync = syncs(folder_place(tmp_path), SyncType.APPEND)
    sync(*pages(0, 60))
    files = sorted((sync.place.folder / "data").iterdir())
    shutil.rmtree(sync.place.folder / "_delta_log")
    if also:
        shutil.rmtree(sync.place.folder / also, ignore_errors=True)
    refuse(sync, "_delta_log")
    assert sorted((sync.place.folder / "data").iterdir()) == files


@pytest.mark.parametrize("sync_type", [SyncType.APPEND, SyncType.INCREMENTAL])
def test_a_table_whose_file_was_removed_is_refused_by_the_files_name(
    tmp_path: Path, sync_type: SyncType
) -> None:
    sync = syncs(folder_place(tmp_path), sync_type)
    sync(*pages(0, 60))
    gone = Path(DeltaTable(str(sync.place.folder)).file_uris()[0])
    gone.unlink()
    refuse(sync, gone.name)


def test_a_full_refresh_heals_a_table_whose_files_were_removed(tmp_path: Path) -> None:
    sync = syncs(folder_place(tmp_path), SyncType.FULL_REFRESH)
    sync(*pages(0, 60))
    shutil.rmtree(sync.place.folder / "data")
    sync(*pages(0, 90))
    assert ids(sync.place) == list(range(90))


@pytest.mark.parametrize("content", [b"", b"PAR1 but not really PAR1"], ids=["empty", "garbage"])
def test_a_file_that_is_no_longer_parquet_is_refused_by_its_name(
    tmp_path: Path, content: bytes
) -> None:
    sync = syncs(folder_place(tmp_path), SyncType.INCREMENTAL)
    sync(*pages(0, 60))
    broken = Path(DeltaTable(str(sync.place.folder)).file_uris()[0])
    broken.write_bytes(content)
    refuse(sync, broken.name)


@pytest.mark.parametrize("content", [b"", b"{", b"{}\n", b"not json"], ids=repr)
@pytest.mark.parametrize("sync_type", TYPES)
def test_a_log_whose_last_entry_is_garbage_is_refused_or_outlived(
    tmp_path: Path, sync_type: SyncType, content: bytes
) -> None:
    sync = syncs(folder_place(tmp_path), sync_type)
    sync(*pages(0, 40))
    sync(*pages(40 if sync_type is not SyncType.FULL_REFRESH else 0, 60))
    newest = sorted((sync.place.folder / "_delta_log").glob("*.json"))[-1]
    newest.write_bytes(content)
    try:
        sync(*pages(0, 90))
    except RunError as error:
        assert error.reason is Reason.TABLE_DAMAGED  # noqa: PT017 - either is right
    else:
        assert ids(sync.place) == list(range(90))


@pytest.mark.parametrize("sync_type", TYPES)
def test_a_log_that_lost_its_last_entry_goes_on_from_the_one_before(
    tmp_path: Path, sync_type: SyncType
) -> None:
    sync = syncs(folder_place(tmp_path), sync_type)
    sync(*pages(0, 40))
    sync(*pages(0, 60))
    entries = sorted((sync.place.folder / "_delta_log").glob("*.json"))
    assert len(entries) > 1
    entries[-1].unlink()
    sync(*pages(0, 90))
    assert ids(sync.place) == list(range(90))


def test_a_log_with_a_gap_is_refused(tmp_path: Path) -> None:
    sync = syncs(folder_place(tmp_path), SyncType.APPEND)
    for end in (20, 40, 60):
        sync(*pages(end - 20, end))
    sorted((sync.place.folder / "_delta_log").glob("*.json"))[1].unlink()
    with pytest.raises(RunError) as caught:
        sync(*pages(60, 90))
    assert caught.value.reason is Reason.TABLE_DAMAGED


def test_a_position_that_no_commit_tells_any_more_is_found_in_an_appended_table(
    tmp_path: Path,
) -> None:
    sync = syncs(folder_place(tmp_path), SyncType.APPEND)
    sync(*pages(0, 60))
    _forget_commits(sync.place.folder)
    source = ListedSource(rows_of(*pages(0, 90)), "seq")
    sync.read(source)
    assert source.asked is not None
    assert source.asked.since is not None
    assert float(source.asked.since.value) == 59
    assert ids(sync.place) == list(range(90))


def test_a_position_that_no_commit_tells_any_more_is_not_needed_by_a_merge(tmp_path: Path) -> None:
    sync = syncs(folder_place(tmp_path), SyncType.INCREMENTAL)
    sync(*pages(0, 60))
    _forget_commits(sync.place.folder)
    source = ListedSource(rows_of(*pages(0, 90)), "seq")
    sync.read(source)
    assert source.asked is not None
    assert source.asked.since is None
    assert ids(sync.place) == list(range(90))


def _forget_commits(folder: Path) -> None:
    """Somebody else commits, and cuts the log before that."""
    table = DeltaTable(str(folder))
    table.create_checkpoint()
    old = list((folder / "_delta_log").glob("*.json"))
    table.alter.set_table_properties({"delta.appendOnly": "false"})
    for entry in old:
        entry.unlink()


def test_a_changed_cursor_is_refused_by_an_append_and_read_anew_by_a_merge(tmp_path: Path) -> None:
    append = syncs(folder_place(tmp_path / "a"), SyncType.APPEND)
    append(*pages(0, 60))
    append.options = options(SyncType.APPEND, cursor="id")
    with pytest.raises(ConfigurationError, match="seq") as caught:
        append(*pages(0, 90))
    assert caught.value.reason is Reason.INVALID_SPEC
    merge = syncs(folder_place(tmp_path / "b"), SyncType.INCREMENTAL)
    merge(*pages(0, 60))
    merge.options = options(SyncType.INCREMENTAL, key=["id"], cursor="id")
    source = ListedSource(rows_of(*pages(0, 90)), "id")
    merge.read(source)
    assert source.asked is not None
    assert source.asked.since is None
    assert ids(merge.place) == list(range(90))
