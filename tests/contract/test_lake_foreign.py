"""Other tools commit to a table between runs: no row is lost or comes back in silence."""

import json
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake
from deltalake.schema import Field, PrimitiveType
from external_data_operator.api.schema import SyncType

from sync_runner.protocols import Step
from tests.contract.lake_altering import add_entry, metadata_of, rows
from tests.contract.lake_pod import folder_place
from tests.contract.lake_reading import read_polars
from tests.contract.lake_rows import TYPES, ActAt, ListedSource, ids, rows_of, syncs


@pytest.mark.parametrize("sync_type", [SyncType.INCREMENTAL, SyncType.APPEND])
def test_rows_that_a_restore_took_back_are_read_again(tmp_path: Path, sync_type: SyncType) -> None:
    sync = syncs(folder_place(tmp_path), sync_type)
    sync(rows(0, 5))
    sync(rows(0, 9))
    table = DeltaTable(str(sync.place.folder))
    table.restore(0)
    assert ids(sync.place) == list(range(5))
    source = ListedSource(rows_of(rows(0, 12)), "seq")
    sync.read(source)
    assert source.asked is not None
    assert source.asked.since is not None
    assert source.asked.since.value == "4"
    assert ids(sync.place) == list(range(12))


def test_a_restore_to_an_unknown_version_reads_a_merged_table_again(tmp_path: Path) -> None:
    sync = syncs(folder_place(tmp_path), SyncType.INCREMENTAL)
    sync(rows(0, 5))
    sync(rows(0, 9))
    add_entry(
        sync.place.folder,
        {"commitInfo": {"operation": "RESTORE", "operationParameters": {"timestamp": "2026"}}},
    )
    source = ListedSource(rows_of(rows(0, 9)), "seq")
    sync.read(source)
    assert source.asked is not None
    assert source.asked.since is None


@pytest.mark.parametrize("sync_type", [SyncType.INCREMENTAL, SyncType.APPEND])
def test_rows_that_somebody_deleted_stay_deleted_and_the_run_says_so(
    tmp_path: Path, sync_type: SyncType
) -> None:
    sync = syncs(folder_place(tmp_path), sync_type)
    sync(rows(0, 9))
    DeltaTable(str(sync.place.folder)).delete("id in (2, 3)")
    said = sync.notes(rows(0, 12))
    assert ids(sync.place) == [0, 1, 4, 5, 6, 7, 8, 9, 10, 11]
    assert any("DELETE" in note for note in said)
    assert sync.notes(rows(0, 13)) == []


def test_rows_that_somebody_deletes_while_a_run_is_at_work_are_reported(tmp_path: Path) -> None:
    sync = syncs(folder_place(tmp_path), SyncType.APPEND)
    sync(rows(0, 9))
    table = DeltaTable(str(sync.place.folder))
    said = sync.notes(rows(0, 12), steps=ActAt(Step.PREPARED, lambda: table.delete("id in (2, 3)")))
    assert ids(sync.place) == [0, 1, 4, 5, 6, 7, 8, 9, 10, 11]
    assert any("DELETE" in note for note in said)


@pytest.mark.parametrize("sync_type", [SyncType.INCREMENTAL, SyncType.APPEND])
def test_a_table_whose_rows_were_all_deleted_is_read_again(
    tmp_path: Path, sync_type: SyncType
) -> None:
    sync = syncs(folder_place(tmp_path), sync_type)
    sync(rows(0, 9))
    DeltaTable(str(sync.place.folder)).delete()
    sync(rows(0, 12))
    assert ids(sync.place) == list(range(12))


def test_a_table_that_somebody_wrote_over_is_merged_into_from_the_beginning(tmp_path: Path) -> None:
    sync = syncs(folder_place(tmp_path), SyncType.INCREMENTAL)
    sync(rows(0, 9))
    folder = sync.place.folder
    removed = [
        {"remove": {"path": path, "dataChange": True, "deletionTimestamp": 1}}
        for path in pa.table(DeltaTable(str(folder)).get_add_actions())["path"].to_pylist()
    ]
    add_entry(folder, {"commitInfo": {"operation": "WRITE"}}, *removed)
    sync(rows(0, 12))
    assert ids(sync.place) == list(range(12))


@pytest.mark.parametrize("sync_type", TYPES)
def test_compaction_and_new_columns_of_others_disturb_nothing(
    tmp_path: Path, sync_type: SyncType
) -> None:
    sync = syncs(folder_place(tmp_path), sync_type)
    sync(rows(0, 5))
    sync(rows(0, 9))
    folder = str(sync.place.folder)
    DeltaTable(folder).optimize.compact()
    DeltaTable(folder).alter.add_columns([Field("theirs", PrimitiveType("string"))])
    DeltaTable(folder).alter.set_table_properties({"delta.checkpointInterval": "50"})
    source = ListedSource(rows_of(rows(0, 12)), sync.options.incremental_field)
    sync.read(source)
    assert source.asked is not None
    assert (source.asked.since is None) == (sync_type is SyncType.FULL_REFRESH)
    assert ids(sync.place) == list(range(12))


@pytest.mark.parametrize("break_", ["\u2028", "\u2029", "\u0085"], ids=["2028", "2029", "0085"])
def test_line_breaks_of_unicode_in_the_log_damage_nothing(tmp_path: Path, break_: str) -> None:
    sync = syncs(folder_place(tmp_path), SyncType.INCREMENTAL)
    for number in range(3):
        sync([{"id": number, "seq": number, f"a{break_}b": f"x{break_}"}])
    folder = sync.place.folder
    DeltaTable(str(folder)).optimize.compact()
    add_entry(folder, {"metaData": metadata_of(folder) | {"description": f"two{break_}lines"}})
    lines = (folder / "_delta_log").glob("*.json")
    newest = max(lines)
    newest.write_text(newest.read_text().replace("\\u2028", break_))
    sync([{"id": 9, "seq": 9, f"a{break_}b": None}])
    assert ids(sync.place) == [0, 1, 2, 9]


def give_name(folder: Path, name: str, spelled: str) -> None:
    """A file of another tool, at the end of the log, under a name that the log spells so."""
    write_deltalake(str(folder), pa.table({"id": [50], "seq": [3], "v": ["v50"]}), mode="append")
    entry = max((folder / "_delta_log").glob("*.json"))
    text = entry.read_text()
    (path,) = [json.loads(line)["add"]["path"] for line in text.split("\n") if '"add"' in line]
    (folder / path).rename(folder / name)
    entry.write_text(text.replace(path, spelled))


@pytest.mark.parametrize(
    ("name", "spelled"),
    [
        *((f"a{char}b.parquet", f"a{char}b.parquet") for char in "+=,():@&'!*$;"),
        ("a b.parquet", "a%20b.parquet"),
        ("a%b.parquet", "a%25b.parquet"),
        ("é.parquet", "%C3%A9.parquet"),
    ],
)
@pytest.mark.parametrize("sync_type", [SyncType.FULL_REFRESH, SyncType.INCREMENTAL])
def test_files_of_others_are_read_and_removed_whatever_they_are_called(
    tmp_path: Path, sync_type: SyncType, name: str, spelled: str
) -> None:
    sync = syncs(folder_place(tmp_path), sync_type)
    sync(rows(0, 5))
    give_name(sync.place.folder, name, spelled)
    sync([*rows(0, 5), {"id": 50, "seq": 12, "v": "new"}])
    found = {row["id"]: row["v"] for row in read_polars(str(sync.place.folder))}
    assert ids(sync.place) == [0, 1, 2, 3, 4, 50]
    assert found[50] == "new"


def test_a_restore_that_is_spelled_oddly_is_read_as_one_to_an_unknown_version(
    tmp_path: Path,
) -> None:
    for number, parameters in enumerate(["version 3", {"version": "²"}, None]):
        sync = syncs(folder_place(tmp_path / str(number)), SyncType.INCREMENTAL)
        sync(rows(0, 5))
        info = {"operation": "RESTORE", "operationParameters": parameters}
        add_entry(sync.place.folder, {"commitInfo": info})
        sync(rows(0, 7))
        assert ids(sync.place) == list(range(7))
