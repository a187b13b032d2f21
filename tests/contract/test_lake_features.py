"""Other tools give a table features: what runs do not write is refused before anything changes, and
what is only listed stops nothing.
"""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable
from external_data_operator.api.conditions import Reason
from external_data_operator.api.schema import SyncType

from sync_runner.errors import ConfigurationError, RunError
from sync_runner.protocols import Step
from tests.contract.lake_altering import (
    add_entry,
    delete_by_vector,
    metadata_of,
    rows,
    with_features,
)
from tests.contract.lake_pod import folder_place
from tests.contract.lake_reading import read_duckdb
from tests.contract.lake_rows import TYPES, ActAt, ids, syncs


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
    pytest.param(delete_by_vector, "deletionVectors", id="deletion vectors"),
    pytest.param(with_features("clustering", "domainMetadata"), "clustering", id="clustering"),
    pytest.param(with_features("rowTracking", "domainMetadata"), "rowTracking", id="row tracking"),
    pytest.param(
        with_features("inCommitTimestamp", **{"delta.enableInCommitTimestamps": "true"}),
        "inCommitTimestamp",
        id="commit timestamps",
    ),
    pytest.param(partition, "partitioned by v", id="partitioned"),
    pytest.param(rename, "columnMapping", id="column mapping"),
    pytest.param(constrain, "CHECK constraint small", id="constraint"),
]


@pytest.mark.parametrize("sync_type", TYPES)
@pytest.mark.parametrize(("alter", "name"), ALTERATIONS)
def test_a_table_with_a_feature_that_is_not_written_is_left_alone(
    tmp_path: Path, sync_type: SyncType, alter: Callable[[Path], None], name: str
) -> None:
    sync = syncs(folder_place(tmp_path), sync_type)
    sync(rows(0, 5))
    alter(sync.place.folder)
    before = sorted(path for path in sync.place.folder.rglob("*") if path.is_file())
    with pytest.raises(ConfigurationError, match=name) as caught:
        sync(rows(0, 9))
    assert caught.value.reason is Reason.TABLE_FEATURE_UNSUPPORTED
    assert sorted(path for path in sync.place.folder.rglob("*") if path.is_file()) == before


@pytest.mark.parametrize("sync_type", TYPES)
def test_a_table_is_written_while_no_file_has_a_deletion_vector(
    tmp_path: Path, sync_type: SyncType
) -> None:
    sync = syncs(folder_place(tmp_path), sync_type)
    sync(rows(0, 30))
    with_features("deletionVectors", **{"delta.enableDeletionVectors": "true"})(sync.place.folder)
    for last in range(40, 160, 10):  # far enough for a checkpoint
        sync(rows(0, last))
        assert ids(sync.place) == list(range(last))
    assert "deletionVectors" in (
        DeltaTable(str(sync.place.folder)).protocol().writer_features or ()
    )
    delete_by_vector(sync.place.folder)
    with pytest.raises(ConfigurationError, match="deletionVectors") as caught:
        sync(rows(0, 200))
    assert caught.value.reason is Reason.TABLE_FEATURE_UNSUPPORTED


@pytest.mark.parametrize("sync_type", TYPES)
def test_a_deletion_vector_that_comes_while_a_run_is_at_work_stops_its_commit(
    tmp_path: Path, sync_type: SyncType
) -> None:
    sync = syncs(folder_place(tmp_path), sync_type)
    sync(rows(0, 30))
    with pytest.raises(RunError):
        sync(rows(0, 40), steps=ActAt(Step.PREPARED, lambda: delete_by_vector(sync.place.folder)))
    assert DeltaTable(str(sync.place.folder)).version() == 2


def test_a_feature_that_the_library_cannot_read_is_named(tmp_path: Path) -> None:
    sync = syncs(folder_place(tmp_path), SyncType.FULL_REFRESH)
    sync(rows(0, 5))
    protocol = {
        "minReaderVersion": 3,
        "minWriterVersion": 7,
        "readerFeatures": ["holograms"],
        "writerFeatures": ["holograms"],
    }
    add_entry(sync.place.folder, {"protocol": protocol})
    with pytest.raises(ConfigurationError, match="holograms") as caught:
        sync(rows(0, 9))
    assert caught.value.reason is Reason.TABLE_FEATURE_UNSUPPORTED


@pytest.mark.parametrize(
    ("protocol", "name"),
    [
        ({"minReaderVersion": 4, "minWriterVersion": 8}, "protocol 4 for readers"),
        (
            {
                "minReaderVersion": 3,
                "minWriterVersion": 7,
                "readerFeatures": ["catalogManaged"],
                "writerFeatures": ["catalogManaged"],
            },
            "catalogManaged",
        ),
    ],
    ids=["newer-protocol", "catalog"],
)
@pytest.mark.parametrize("is_cut", [False, True], ids=["log", "checkpoint"])
def test_a_log_that_the_library_does_not_read_is_asked_what_it_wants(
    tmp_path: Path, protocol: dict[str, Any], name: str, *, is_cut: bool
) -> None:
    sync = syncs(folder_place(tmp_path), SyncType.INCREMENTAL)
    sync(rows(0, 5))
    folder = sync.place.folder
    add_entry(folder, {"protocol": protocol})
    if is_cut:
        actions = [{"protocol": protocol, "metaData": None}]
        schema = {"schemaString": metadata_of(folder)["schemaString"], "partitionColumns": []}
        actions.append({"protocol": None, "metaData": schema})
        for path in (folder / "_delta_log").glob("*.json"):
            path.unlink()
        pq.write_table(
            pa.Table.from_pylist(actions), folder / "_delta_log" / f"{1:020}.checkpoint.parquet"
        )
    with pytest.raises(ConfigurationError, match=name) as caught:
        sync(rows(0, 9))
    assert caught.value.reason is Reason.TABLE_FEATURE_UNSUPPORTED


@pytest.mark.parametrize("sync_type", TYPES)
@pytest.mark.parametrize("is_cut", [False, True], ids=["log", "checkpoint"])
def test_a_table_is_written_again_once_nothing_clusters_it(
    tmp_path: Path, sync_type: SyncType, *, is_cut: bool
) -> None:
    sync = syncs(folder_place(tmp_path), sync_type)
    sync(rows(0, 5))
    folder = sync.place.folder

    def cluster_by(*columns: str) -> None:
        said = json.dumps({"clusteringColumns": [[name] for name in columns]})
        domain = {"domain": "delta.clustering", "configuration": said, "removed": False}
        add_entry(folder, {"domainMetadata": domain})

    def cut() -> None:
        """A checkpoint has all that is known."""
        DeltaTable(str(folder)).create_checkpoint()
        add_entry(folder, {"commitInfo": {"operation": "SET TBLPROPERTIES"}})
        for path in sorted((folder / "_delta_log").glob("*.json"))[:-1]:
            path.unlink()

    with_features("clustering", "domainMetadata")(folder)
    for columns in (["id"], []):
        cluster_by(*columns)
        if is_cut:
            cut()
        if columns:
            with pytest.raises(ConfigurationError, match="CLUSTER BY NONE"):
                sync(rows(0, 9))
    sync(rows(0, 9))
    assert ids(sync.place) == list(range(9))


LOCAL = datetime(2026, 1, 2)  # noqa: DTZ001 - a moment without a zone
LEFTOVERS = ("domainMetadata", "checkpointProtection", "vacuumProtocolCheck", "typeWidening")


@pytest.mark.parametrize("sync_type", TYPES)
@pytest.mark.parametrize("feature", [*LEFTOVERS, "inCommitTimestamp", "allowColumnDefaults"])
def test_a_feature_that_is_listed_and_not_in_use_stops_nothing(
    tmp_path: Path, sync_type: SyncType, feature: str
) -> None:
    sync = syncs(folder_place(tmp_path), sync_type)
    sync(rows(0, 5))
    with_features(feature, "appendOnly")(sync.place.folder)
    sync([*rows(0, 5), *(row | {"new": LOCAL} for row in rows(5, 9))])
    assert sorted(row["id"] for row in read_duckdb(sync.place.folder)) == list(range(9))
    protocol = DeltaTable(str(sync.place.folder)).protocol()
    assert {feature, "appendOnly", "timestampNtz"} <= set(protocol.writer_features or ())
    assert (protocol.min_reader_version, protocol.min_writer_version) == (3, 7)


def test_a_table_that_may_only_be_appended_to_is(tmp_path: Path) -> None:
    for sync_type in TYPES:
        sync = syncs(folder_place(tmp_path / sync_type), sync_type)
        sync(rows(0, 5))
        DeltaTable(str(sync.place.folder)).alter.set_table_properties({"delta.appendOnly": "true"})
        if sync_type is SyncType.APPEND:
            sync(rows(0, 9))
            assert ids(sync.place) == list(range(9))
            widened = [row | {"id": 2.5} for row in rows(10, 12)]
        else:
            widened = rows(0, 12)
        with pytest.raises(ConfigurationError, match=r"delta\.appendOnly") as caught:
            sync(widened)
        assert caught.value.reason is Reason.TABLE_FEATURE_UNSUPPORTED


def test_a_change_feed_is_refused_where_a_merge_would_not_feed_it(tmp_path: Path) -> None:
    for sync_type in TYPES:
        sync = syncs(folder_place(tmp_path / sync_type), sync_type)
        sync(rows(0, 5))
        with_features("changeDataFeed", **{"delta.enableChangeDataFeed": "true"})(sync.place.folder)
        if sync_type is SyncType.INCREMENTAL:
            with pytest.raises(ConfigurationError, match="change data feed"):
                sync(rows(0, 9))
        else:
            sync(rows(0, 9))
            assert ids(sync.place) == list(range(9))


@pytest.mark.parametrize("sync_type", TYPES)
def test_a_feature_that_comes_while_a_run_is_at_work_stops_its_commit(
    tmp_path: Path, sync_type: SyncType
) -> None:
    sync = syncs(folder_place(tmp_path), sync_type)
    sync(rows(0, 5))
    alter = with_features("rowTracking", "domainMetadata")
    with pytest.raises(RunError):
        sync(rows(0, 9), steps=ActAt(Step.PREPARED, lambda: alter(sync.place.folder)))
    newest = DeltaTable(str(sync.place.folder))
    assert newest.version() == 1
    with pytest.raises(ConfigurationError) as caught:
        sync(rows(0, 9))
    assert caught.value.reason is Reason.TABLE_FEATURE_UNSUPPORTED


def test_a_retention_beyond_all_time_fails_nothing(tmp_path: Path) -> None:
    sync = syncs(folder_place(tmp_path), SyncType.FULL_REFRESH)
    sync(rows(0, 5))
    for_ever = {"delta.deletedFileRetentionDuration": "interval 9999999999999999 weeks"}
    metadata = metadata_of(sync.place.folder)
    add_entry(sync.place.folder, {"metaData": metadata | {"configuration": for_ever}})
    for number in range(3):
        sync(rows(0, 6 + number))
    assert ids(sync.place) == list(range(8))


def test_a_log_whose_cleaning_is_switched_off_keeps_every_version(tmp_path: Path) -> None:
    sync = syncs(folder_place(tmp_path), SyncType.FULL_REFRESH)
    sync.policy = replace(sync.policy, log_hours=0)
    sync(rows(0, 5))
    off = {"delta.enableExpiredLogCleanup": "false"}
    DeltaTable(str(sync.place.folder)).alter.set_table_properties(off, raise_if_not_exists=False)
    for number in range(25):
        sync(rows(0, 6 + number % 2))
    assert len(list((sync.place.folder / "_delta_log").glob("*.json"))) == 27


def test_features_that_an_old_protocol_implies_stay_when_local_times_come(tmp_path: Path) -> None:
    sync = syncs(folder_place(tmp_path), SyncType.FULL_REFRESH)
    sync(rows(0, 5))
    feed = {"delta.enableChangeDataFeed": "true"}
    DeltaTable(str(sync.place.folder)).alter.set_table_properties(feed)
    sync([{"id": 1, "seq": 1, "v": "v1", "at": datetime(2026, 1, 2, 3)}])  # noqa: DTZ001
    features = DeltaTable(str(sync.place.folder)).protocol().writer_features
    assert features is not None
    assert {"timestampNtz", "changeDataFeed"} <= set(features)
