"""Other tools change a table between runs: what is understood goes on, what is not is refused
before anything is written, and no row is lost or comes back in silence.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from deltalake import DeltaTable
from deltalake.schema import Field, PrimitiveType
from external_data_operator.api.conditions import Reason
from external_data_operator.api.schema import SyncType

from sync_runner.errors import ConfigurationError, RunError
from sync_runner.protocols import Step
from tests.contract.lake_pod import folder_place
from tests.contract.lake_reading import read_polars
from tests.contract.lake_rows import ActAt, ListedSource, Row, Syncs, options, rows_of

TYPES = list(SyncType)


def rows(first: int, last: int) -> list[Row]:
    return [{"id": n, "seq": n, "v": f"v{n}"} for n in range(first, last)]


def syncs(folder: Path, sync_type: SyncType) -> Syncs:
    key = [] if sync_type is SyncType.APPEND else ["id"]
    cursor = None if sync_type is SyncType.FULL_REFRESH else "seq"
    return Syncs(folder_place(folder), options(sync_type, key=key, cursor=cursor))


def folder_of(sync: Syncs) -> Path:
    return Path(sync.place.open().uri.removeprefix("file://"))


def ids(sync: Syncs) -> list[int]:
    return sorted(row["id"] for row in read_polars(str(folder_of(sync))))


def add_entry(folder: Path, *actions: dict[str, Any]) -> None:
    """What another tool would write as the log's next entry."""
    log = folder / "_delta_log"
    newest = max(int(path.stem) for path in log.glob("*.json"))
    entry = "\n".join(json.dumps(action) for action in actions)
    (log / f"{newest + 1:020}.json").write_text(entry)


def metadata_of(folder: Path) -> dict[str, Any]:
    """The newest metadata of a table whose log has no checkpoint yet."""
    found: dict[str, Any] = {}
    for path in sorted((folder / "_delta_log").glob("*.json")):
        for line in path.read_text().splitlines():
            found = json.loads(line).get("metaData") or found
    return found


def with_features(*features: str, **properties: str) -> Callable[[Path], None]:
    """Another tool turns features on, all of them for readers too."""

    def change(folder: Path) -> None:
        protocol = {
            "minReaderVersion": 3,
            "minWriterVersion": 7,
            "readerFeatures": [name for name in features if name == "deletionVectors"],
            "writerFeatures": list(features),
        }
        configuration = {"configuration": dict(properties)}
        add_entry(folder, {"protocol": protocol}, {"metaData": metadata_of(folder) | configuration})

    return change


def partition(folder: Path) -> None:
    add_entry(folder, {"metaData": metadata_of(folder) | {"partitionColumns": ["v"]}})


def rename(folder: Path) -> None:
    metadata = metadata_of(folder)
    schema = json.loads(metadata["schemaString"])
    for number, spec in enumerate(schema["fields"], 1):
        spec["metadata"]["delta.columnMapping.id"] = number
        spec["metadata"]["delta.columnMapping.physicalName"] = spec["name"]
    schema["fields"][-1]["name"] = "renamed"
    mapped = {
        "schemaString": json.dumps(schema),
        "configuration": {
            "delta.columnMapping.mode": "name",
            "delta.columnMapping.maxColumnId": str(len(schema["fields"])),
        },
    }
    add_entry(
        folder,
        {"protocol": {"minReaderVersion": 2, "minWriterVersion": 5}},
        {"metaData": metadata | mapped},
    )


def constrain(folder: Path) -> None:
    DeltaTable(str(folder)).alter.add_constraint({"small": "id < 1000000"})


ALTERATIONS = [
    pytest.param(with_features("deletionVectors"), "deletionVectors", id="deletion vectors"),
    pytest.param(with_features("clustering", "domainMetadata"), "clustering", id="clustering"),
    pytest.param(with_features("rowTracking", "domainMetadata"), "rowTracking", id="row tracking"),
    pytest.param(with_features("inCommitTimestamp"), "inCommitTimestamp", id="commit timestamps"),
    pytest.param(partition, "partitioned by v", id="partitioned"),
    pytest.param(rename, "columnMapping", id="column mapping"),
    pytest.param(constrain, "CHECK constraint small", id="constraint"),
]


@pytest.mark.parametrize("sync_type", TYPES)
@pytest.mark.parametrize(("alter", "name"), ALTERATIONS)
def test_a_table_with_a_feature_that_is_not_written_is_left_alone(
    tmp_path: Path, sync_type: SyncType, alter: Callable[[Path], None], name: str
) -> None:
    sync = syncs(tmp_path, sync_type)
    sync(rows(0, 5))
    alter(folder_of(sync))
    before = sorted(path for path in folder_of(sync).rglob("*") if path.is_file())
    with pytest.raises(ConfigurationError, match=name) as caught:
        sync(rows(0, 9))
    assert caught.value.reason is Reason.TABLE_FEATURE_UNSUPPORTED
    assert sorted(path for path in folder_of(sync).rglob("*") if path.is_file()) == before


def test_a_feature_that_the_library_cannot_read_is_named(tmp_path: Path) -> None:
    sync = syncs(tmp_path, SyncType.FULL_REFRESH)
    sync(rows(0, 5))
    protocol = {
        "minReaderVersion": 3,
        "minWriterVersion": 7,
        "readerFeatures": ["holograms"],
        "writerFeatures": ["holograms"],
    }
    add_entry(folder_of(sync), {"protocol": protocol})
    with pytest.raises(ConfigurationError, match="holograms") as caught:
        sync(rows(0, 9))
    assert caught.value.reason is Reason.TABLE_FEATURE_UNSUPPORTED


@pytest.mark.parametrize("sync_type", TYPES)
def test_a_feature_that_comes_while_a_run_is_at_work_stops_its_commit(
    tmp_path: Path, sync_type: SyncType
) -> None:
    sync = syncs(tmp_path, sync_type)
    sync(rows(0, 5))
    alter = with_features("deletionVectors")
    with pytest.raises(RunError):
        sync(rows(0, 9), steps=ActAt(Step.PREPARED, lambda: alter(folder_of(sync))))
    newest = DeltaTable(str(folder_of(sync)))
    assert newest.version() == 1
    with pytest.raises(ConfigurationError) as caught:
        sync(rows(0, 9))
    assert caught.value.reason is Reason.TABLE_FEATURE_UNSUPPORTED


@pytest.mark.parametrize("sync_type", [SyncType.INCREMENTAL, SyncType.APPEND])
def test_rows_that_a_restore_took_back_are_read_again(tmp_path: Path, sync_type: SyncType) -> None:
    sync = syncs(tmp_path, sync_type)
    sync(rows(0, 5))
    sync(rows(0, 9))
    table = DeltaTable(str(folder_of(sync)))
    table.restore(0)
    assert ids(sync) == list(range(5))
    source = ListedSource(rows_of(rows(0, 12)), "seq")
    sync.read(source)
    assert source.asked is not None
    assert source.asked.since is not None
    assert source.asked.since.value == "4"
    assert ids(sync) == list(range(12))


def test_a_restore_to_an_unknown_version_reads_a_merged_table_again(tmp_path: Path) -> None:
    sync = syncs(tmp_path, SyncType.INCREMENTAL)
    sync(rows(0, 5))
    sync(rows(0, 9))
    add_entry(
        folder_of(sync),
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
    sync = syncs(tmp_path, sync_type)
    sync(rows(0, 9))
    DeltaTable(str(folder_of(sync))).delete("id in (2, 3)")
    said = sync.notes(rows(0, 12))
    assert ids(sync) == [0, 1, 4, 5, 6, 7, 8, 9, 10, 11]
    assert any("DELETE" in note for note in said)
    assert sync.notes(rows(0, 13)) == []


@pytest.mark.parametrize("sync_type", [SyncType.INCREMENTAL, SyncType.APPEND])
def test_a_table_whose_rows_were_all_deleted_is_read_again(
    tmp_path: Path, sync_type: SyncType
) -> None:
    sync = syncs(tmp_path, sync_type)
    sync(rows(0, 9))
    DeltaTable(str(folder_of(sync))).delete()
    sync(rows(0, 12))
    assert ids(sync) == list(range(12))


def test_a_table_that_somebody_wrote_over_is_merged_into_from_the_beginning(tmp_path: Path) -> None:
    sync = syncs(tmp_path, SyncType.INCREMENTAL)
    sync(rows(0, 9))
    folder = folder_of(sync)
    removed = [
        {"remove": {"path": path, "dataChange": True, "deletionTimestamp": 1}}
        for path in pa.table(DeltaTable(str(folder)).get_add_actions())["path"].to_pylist()
    ]
    add_entry(folder, {"commitInfo": {"operation": "WRITE"}}, *removed)
    sync(rows(0, 12))
    assert ids(sync) == list(range(12))


@pytest.mark.parametrize("sync_type", TYPES)
def test_compaction_and_new_columns_of_others_disturb_nothing(
    tmp_path: Path, sync_type: SyncType
) -> None:
    sync = syncs(tmp_path, sync_type)
    sync(rows(0, 5))
    sync(rows(0, 9))
    folder = str(folder_of(sync))
    DeltaTable(folder).optimize.compact()
    DeltaTable(folder).alter.add_columns([Field("theirs", PrimitiveType("string"))])
    DeltaTable(folder).alter.set_table_properties({"delta.checkpointInterval": "50"})
    source = ListedSource(rows_of(rows(0, 12)), sync.options.incremental_field)
    sync.read(source)
    assert source.asked is not None
    assert (source.asked.since is None) == (sync_type is SyncType.FULL_REFRESH)
    assert ids(sync) == list(range(12))
