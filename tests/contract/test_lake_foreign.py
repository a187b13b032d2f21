"""Other tools change a table between runs: what is understood goes on, what is not is refused
before anything is written, and no row is lost or comes back in silence.
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
from deltalake import DeltaTable, write_deltalake
from deltalake.schema import Field, PrimitiveType
from external_data_operator.api.conditions import Reason
from external_data_operator.api.schema import SyncType

from sync_runner.errors import ConfigurationError, RunError
from sync_runner.protocols import Step
from tests.contract.lake_pod import folder_place
from tests.contract.lake_reading import read_duckdb, read_polars
from tests.contract.lake_rows import ActAt, ListedSource, Row, Syncs, options, rows_of

TYPES = list(SyncType)
READERS = ("deletionVectors", "vacuumProtocolCheck", "typeWidening")
"""Features that readers must know as well."""


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
        for line in path.read_text().split("\n"):
            found = (json.loads(line).get("metaData") if line else None) or found
    return found


def with_features(*features: str, **properties: str) -> Callable[[Path], None]:
    """Another tool turns features on, all of them for readers too."""

    def change(folder: Path) -> None:
        protocol = {
            "minReaderVersion": 3,
            "minWriterVersion": 7,
            "readerFeatures": [name for name in features if name in READERS],
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
    sync = syncs(tmp_path, SyncType.INCREMENTAL)
    sync(rows(0, 5))
    folder = folder_of(sync)
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
    sync = syncs(tmp_path, sync_type)
    sync(rows(0, 5))
    folder = folder_of(sync)

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
    assert ids(sync) == list(range(9))


LOCAL = datetime(2026, 1, 2)  # noqa: DTZ001 - a moment without a zone
LEFTOVERS = ("domainMetadata", "checkpointProtection", "vacuumProtocolCheck", "typeWidening")


@pytest.mark.parametrize("sync_type", TYPES)
@pytest.mark.parametrize("feature", [*LEFTOVERS, "inCommitTimestamp", "allowColumnDefaults"])
def test_a_feature_that_is_listed_and_not_in_use_stops_nothing(
    tmp_path: Path, sync_type: SyncType, feature: str
) -> None:
    sync = syncs(tmp_path, sync_type)
    sync(rows(0, 5))
    with_features(feature, "appendOnly")(folder_of(sync))
    sync([*rows(0, 5), *(row | {"new": LOCAL} for row in rows(5, 9))])
    assert sorted(row["id"] for row in read_duckdb(folder_of(sync))) == list(range(9))
    protocol = DeltaTable(str(folder_of(sync))).protocol()
    assert {feature, "appendOnly", "timestampNtz"} <= set(protocol.writer_features or ())
    assert (protocol.min_reader_version, protocol.min_writer_version) == (3, 7)


def test_a_table_that_may_only_be_appended_to_is(tmp_path: Path) -> None:
    for sync_type in TYPES:
        sync = syncs(tmp_path / sync_type, sync_type)
        sync(rows(0, 5))
        DeltaTable(str(folder_of(sync))).alter.set_table_properties({"delta.appendOnly": "true"})
        if sync_type is SyncType.APPEND:
            sync(rows(0, 9))
            assert ids(sync) == list(range(9))
            widened = [row | {"id": 2.5} for row in rows(10, 12)]
        else:
            widened = rows(0, 12)
        with pytest.raises(ConfigurationError, match=r"delta\.appendOnly") as caught:
            sync(widened)
        assert caught.value.reason is Reason.TABLE_FEATURE_UNSUPPORTED


def test_a_change_feed_is_refused_where_a_merge_would_not_feed_it(tmp_path: Path) -> None:
    for sync_type in TYPES:
        sync = syncs(tmp_path / sync_type, sync_type)
        sync(rows(0, 5))
        with_features("changeDataFeed", **{"delta.enableChangeDataFeed": "true"})(folder_of(sync))
        if sync_type is SyncType.INCREMENTAL:
            with pytest.raises(ConfigurationError, match="change data feed"):
                sync(rows(0, 9))
        else:
            sync(rows(0, 9))
            assert ids(sync) == list(range(9))


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


def test_rows_that_somebody_deletes_while_a_run_is_at_work_are_reported(tmp_path: Path) -> None:
    sync = syncs(tmp_path, SyncType.APPEND)
    sync(rows(0, 9))
    table = DeltaTable(str(folder_of(sync)))
    said = sync.notes(rows(0, 12), steps=ActAt(Step.PREPARED, lambda: table.delete("id in (2, 3)")))
    assert ids(sync) == [0, 1, 4, 5, 6, 7, 8, 9, 10, 11]
    assert any("DELETE" in note for note in said)


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


@pytest.mark.parametrize("break_", ["\u2028", "\u2029", "\u0085"], ids=["2028", "2029", "0085"])
def test_line_breaks_of_unicode_in_the_log_damage_nothing(tmp_path: Path, break_: str) -> None:
    sync = syncs(tmp_path, SyncType.INCREMENTAL)
    for number in range(3):
        sync([{"id": number, "seq": number, f"a{break_}b": f"x{break_}"}])
    folder = folder_of(sync)
    DeltaTable(str(folder)).optimize.compact()
    add_entry(folder, {"metaData": metadata_of(folder) | {"description": f"two{break_}lines"}})
    lines = (folder / "_delta_log").glob("*.json")
    newest = max(lines)
    newest.write_text(newest.read_text().replace("\\u2028", break_))
    sync([{"id": 9, "seq": 9, f"a{break_}b": None}])
    assert ids(sync) == [0, 1, 2, 9]


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
    sync = syncs(tmp_path, sync_type)
    sync(rows(0, 5))
    give_name(folder_of(sync), name, spelled)
    sync([*rows(0, 5), {"id": 50, "seq": 12, "v": "new"}])
    found = {row["id"]: row["v"] for row in read_polars(str(folder_of(sync)))}
    assert ids(sync) == [0, 1, 2, 3, 4, 50]
    assert found[50] == "new"


def test_a_retention_beyond_all_time_fails_nothing(tmp_path: Path) -> None:
    sync = syncs(tmp_path, SyncType.FULL_REFRESH)
    sync(rows(0, 5))
    for_ever = {"delta.deletedFileRetentionDuration": "interval 9999999999999999 weeks"}
    metadata = metadata_of(folder_of(sync))
    add_entry(folder_of(sync), {"metaData": metadata | {"configuration": for_ever}})
    for number in range(3):
        sync(rows(0, 6 + number))
    assert ids(sync) == list(range(8))


def test_a_log_whose_cleaning_is_switched_off_keeps_every_version(tmp_path: Path) -> None:
    sync = syncs(tmp_path, SyncType.FULL_REFRESH)
    sync.policy = replace(sync.policy, log_hours=0)
    sync(rows(0, 5))
    off = {"delta.enableExpiredLogCleanup": "false"}
    DeltaTable(str(folder_of(sync))).alter.set_table_properties(off, raise_if_not_exists=False)
    for number in range(25):
        sync(rows(0, 6 + number % 2))
    assert len(list((folder_of(sync) / "_delta_log").glob("*.json"))) == 27


def test_features_that_an_old_protocol_implies_stay_when_local_times_come(tmp_path: Path) -> None:
    sync = syncs(tmp_path, SyncType.FULL_REFRESH)
    sync(rows(0, 5))
    feed = {"delta.enableChangeDataFeed": "true"}
    DeltaTable(str(folder_of(sync))).alter.set_table_properties(feed)
    sync([{"id": 1, "seq": 1, "v": "v1", "at": datetime(2026, 1, 2, 3)}])  # noqa: DTZ001
    features = DeltaTable(str(folder_of(sync))).protocol().writer_features
    assert features is not None
    assert {"timestampNtz", "changeDataFeed"} <= set(features)


def test_a_restore_that_is_spelled_oddly_is_read_as_one_to_an_unknown_version(
    tmp_path: Path,
) -> None:
    for number, parameters in enumerate(["version 3", {"version": "²"}, None]):
        sync = syncs(tmp_path / str(number), SyncType.INCREMENTAL)
        sync(rows(0, 5))
        info = {"operation": "RESTORE", "operationParameters": parameters}
        add_entry(folder_of(sync), {"commitInfo": info})
        sync(rows(0, 7))
        assert ids(sync) == list(range(7))
