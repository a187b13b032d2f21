"""What a table's history says of our runs, and what of others survives them."""

import json
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from deltalake import DeltaTable
from external_data_operator.api.plan import Limits
from external_data_operator.api.schema import Retention, SyncType

from tests.contract.lake_altering import add_entry, metadata_of
from tests.contract.lake_pod import SMALL, Place, folder_place
from tests.contract.lake_rows import Row, Syncs, syncs

SOURCE = "externalData.source"


def rows(first: int, last: int, **more: Any) -> list[Row]:
    return [{"id": n, "seq": n, "v": n} | more for n in range(first, last)]


def open_delta(sync: Syncs) -> DeltaTable:
    store = sync.place.open()
    return DeltaTable(store.uri, storage_options=dict(store.options))


@pytest.mark.parametrize(
    ("sync_type", "operation"),
    [
        (SyncType.FULL_REFRESH, "WRITE"),
        (SyncType.APPEND, "WRITE"),
        (SyncType.INCREMENTAL, "MERGE"),
    ],
)
def test_a_commit_says_what_it_did_by_whom_and_how_much(
    place: Place, sync_type: SyncType, operation: str
) -> None:
    sync = syncs(place, sync_type)
    sync(rows(0, 5))
    sync(rows(3, 9), run="the second run")
    newest = next(entry for entry in open_delta(sync).history() if entry["operation"] == operation)
    assert newest["engineInfo"].startswith("external-data-operator/")
    assert int(newest["operationMetrics"]["numOutputRows"]) >= 4
    facts = json.loads(newest["userMetadata"])
    assert facts["run"] == "the second run"
    assert facts["stream"] == "ns/rows/rows"
    assert facts["rows"] == (6 if sync_type is SyncType.FULL_REFRESH else 5)
    assert facts["cursor"] == (None if sync_type is SyncType.FULL_REFRESH else "8")


@pytest.mark.parametrize("sync_type", list(SyncType))
def test_the_commit_that_makes_a_table_says_so_too(place: Place, sync_type: SyncType) -> None:
    sync = syncs(place, sync_type)
    sync(rows(0, 7, at=datetime(2026, 4, 5)), run="the first run")  # noqa: DTZ001
    found = open_delta(sync)
    [entry] = found.history()
    assert (entry["operation"], entry["version"]) == ("WRITE", 0)
    assert entry["engineInfo"].startswith("external-data-operator/")
    assert entry["operationMetrics"]["numOutputRows"] == "7"
    assert json.loads(entry["userMetadata"])["run"] == "the first run"
    assert found.metadata().created_time == entry["timestamp"]
    protocol = found.protocol()
    assert (protocol.min_reader_version, protocol.min_writer_version) == (3, 7)
    assert "timestampNtz" in (protocol.reader_features or ())


def test_a_compaction_is_called_so(tmp_path: Path) -> None:
    sync = syncs(folder_place(tmp_path), SyncType.APPEND)
    sync.policy = replace(SMALL, group_rows=1000, tier_files=2)
    sync.limits = Limits(part_bytes=1 << 20)
    for number in range(5):
        sync(rows(number, number + 1))
    operations = {entry["operation"] for entry in open_delta(sync).history()}
    assert operations == {"WRITE", "OPTIMIZE"}


def describe(folder: Path) -> None:
    """A person gives the table a name, a description, a property and comments."""
    metadata = metadata_of(folder)
    schema = json.loads(metadata["schemaString"])
    for spec in schema["fields"]:
        spec["metadata"]["comment"] = f"about {spec['name']}"
    theirs = {
        "schemaString": json.dumps(schema),
        "name": "orders",
        "description": "what people bought",
        "configuration": metadata["configuration"] | {"owner": "shop team"},
    }
    add_entry(folder, {"metaData": metadata | theirs})


@pytest.mark.parametrize("sync_type", list(SyncType))
@pytest.mark.parametrize("v", [1, 2.5], ids=["same", "wider"])
def test_what_people_wrote_on_a_table_survives(
    tmp_path: Path, sync_type: SyncType, v: object
) -> None:
    sync = syncs(folder_place(tmp_path), sync_type)
    sync(rows(0, 5))
    folder = sync.place.folder
    made = open_delta(sync).metadata().id
    describe(folder)
    sync(rows(3, 9, extra=True, v=v))
    found = open_delta(sync)
    metadata = found.metadata()
    assert (metadata.id, metadata.name) == (made, "orders")
    assert metadata.description == "what people bought"
    assert metadata.configuration["owner"] == "shop team"
    columns = {spec["name"]: spec for spec in json.loads(found.schema().to_json())["fields"]}
    assert columns["v"]["metadata"]["comment"] == "about v"
    assert columns["v"]["metadata"][SOURCE] == "v"
    assert columns["extra"]["metadata"][SOURCE] == "extra"


def test_a_table_says_how_long_it_keeps_its_past(place: Place) -> None:
    sync = syncs(place, SyncType.FULL_REFRESH, retention=Retention(deleted_file_hours=72))
    sync(rows(0, 5))
    properties = open_delta(sync).metadata().configuration
    assert properties["delta.deletedFileRetentionDuration"] == "interval 3 days"
    assert "delta.logRetentionDuration" in properties
    changed = syncs(place, SyncType.FULL_REFRESH, retention=Retention(deleted_file_hours=5))
    changed(rows(0, 5), run="changed")
    properties = open_delta(sync).metadata().configuration
    assert properties["delta.deletedFileRetentionDuration"] == "interval 5 hours"


def test_a_new_column_has_the_sources_spelling_as_its_comment_where_it_differs(
    tmp_path: Path,
) -> None:
    sync = syncs(folder_place(tmp_path), SyncType.INCREMENTAL)
    sync([{"id": 1, "seq": 1, "Order No": 1}])
    sync([{"id": 2, "seq": 2, "Order No": 2, "customerId": 3}])
    fields = json.loads(open_delta(sync).schema().to_json())["fields"]
    comments = {spec["name"]: spec["metadata"].get("comment") for spec in fields}
    assert comments.pop("id") is None
    assert comments.pop("seq") is None
    assert set(comments.values()) == {"Order No", "customerId"}


def test_a_new_column_comes_with_its_values_in_one_version(tmp_path: Path) -> None:
    sync = syncs(folder_place(tmp_path), SyncType.APPEND)
    sync([{"id": 1, "seq": 1}])
    found = sync([{"id": 2, "seq": 2, "new": "x"}])
    assert found.table is not None
    assert found.table.version == 1
