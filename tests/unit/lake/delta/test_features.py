"""What a table may ask of its writers, and what is refused before anything is written."""

import json
from typing import Any

import pytest
from external_data_operator.api.conditions import Reason

from sync_runner.errors import ConfigurationError
from sync_runner.lake.delta.features import Demands, check_demands, find_protected
from sync_runner.lake.mode import Existing, WriteMode


def column(name: str, type_: Any = "long", **more: Any) -> dict[str, Any]:
    return {"name": name, "type": type_, "nullable": True, "metadata": {}, **more}


def schema(*columns: dict[str, Any]) -> str:
    return json.dumps({"type": "struct", "fields": list(columns)})


def modern(*features: str, **more: Any) -> Demands:
    return Demands(3, 7, writer_features=frozenset(features), **more)


@pytest.mark.parametrize(
    "demands",
    [
        Demands(),
        Demands(1, 2, properties={"delta.logRetentionDuration": "interval 9 days"}),
        Demands(2, 5, properties={"delta.columnMapping.mode": "none"}),
        modern("timestampNtz", "appendOnly", "invariants"),
        modern("checkConstraints", "generatedColumns", "columnMapping"),
        modern("changeDataFeed", properties={"delta.enableChangeDataFeed": "false"}),
        modern("deletionVectors", has_vectors=False),
        modern("domainMetadata", "checkpointProtection", "vacuumProtocolCheck"),
        modern("inCommitTimestamp", properties={"delta.enableInCommitTimestamps": "false"}),
        modern("typeWidening", properties={"delta.enableTypeWidening": "true"}),
        modern("appendOnly", properties={"delta.appendOnly": "false"}),
        Demands(schema=schema(column("a", metadata={"comment": "theirs"}))),
    ],
)
def test_a_table_that_asks_for_nothing_more_is_written(demands: Demands) -> None:
    check_demands(demands, WriteMode(Existing.MERGE))


@pytest.mark.parametrize(
    ("demands", "what", "remedy"),
    [
        (modern("deletionVectors"), "deletionVectors", "APPLY (PURGE)"),
        (modern("clustering", "domainMetadata"), "clustering", "CLUSTER BY NONE"),
        (modern("rowTracking", "domainMetadata"), "rowTracking", "DROP FEATURE rowTracking"),
        (
            modern("inCommitTimestamp", properties={"delta.enableInCommitTimestamps": "true"}),
            "inCommitTimestamp",
            "'delta.enableInCommitTimestamps' = 'false'",
        ),
        (
            modern("typeWidening", schema=schema(column("w", metadata={"delta.typeChanges": []}))),
            "column w",
            "DROP FEATURE typeWidening",
        ),
        (
            Demands(schema=schema(column("d", metadata={"CURRENT_DEFAULT": "7"}))),
            "column d",
            "ALTER COLUMN d DROP DEFAULT",
        ),
        (
            modern("changeDataFeed", properties={"delta.enableChangeDataFeed": "true"}),
            "change data feed",
            "UNSET TBLPROPERTIES",
        ),
        (modern("somethingOfTomorrow"), "somethingOfTomorrow", "DROP FEATURE"),
        (Demands(1, 6), "identityColumns", "DROP FEATURE"),
        (Demands(4, 8), "protocol 4", "a version of this operator"),
        (Demands(partition_columns=("day", "zone")), "day, zone", "without PARTITIONED BY"),
        (
            Demands(1, 3, properties={"delta.constraints.positive": "v > 0"}),
            "CHECK constraint positive",
            "DROP CONSTRAINT positive",
        ),
        (Demands(properties={"delta.appendOnly": "true"}), "appended", "UNSET TBLPROPERTIES"),
        (
            Demands(2, 5, properties={"delta.columnMapping.mode": "name"}),
            "columnMapping",
            "DROP FEATURE columnMapping",
        ),
        (Demands(schema=schema(column("a", nullable=False))), "column a", "DROP NOT NULL"),
        (
            Demands(schema=schema(column("s", {"type": "struct", "fields": [
                column("t", nullable=False)
            ]}))),
            "column s.t",
            "DROP NOT NULL",
        ),
        (
            Demands(schema=schema(column("l", {
                "type": "array", "elementType": "long", "containsNull": False
            }))),
            "column l",
            "DROP NOT NULL",
        ),
        (
            Demands(schema=schema(column("g", metadata={"delta.generationExpression": "id + 1"}))),
            "rule on column g",
            "REPLACE TABLE",
        ),
        (
            Demands(schema=schema(column("i", metadata={"delta.identity.start": 1}))),
            "rule on column i",
            "REPLACE TABLE",
        ),
    ],
)  # fmt: skip
def test_a_table_that_asks_for_more_is_refused_with_its_name_and_what_to_do(
    demands: Demands, what: str, remedy: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        check_demands(demands, WriteMode(Existing.MERGE))
    assert caught.value.reason is Reason.TABLE_FEATURE_UNSUPPORTED
    assert what in str(caught.value)
    assert remedy in str(caught.value)
    assert "delete the table's folder" in str(caught.value)


def test_what_only_merges_cannot_do_is_refused_to_merges_alone() -> None:
    feed = modern("changeDataFeed", properties={"delta.enableChangeDataFeed": "true"})
    for existing in (Existing.APPEND, Existing.REPLACE):
        check_demands(feed, WriteMode(existing))
    check_demands(Demands(properties={"delta.appendOnly": "true"}), WriteMode(Existing.APPEND))
    with pytest.raises(ConfigurationError):
        check_demands(Demands(properties={"delta.appendOnly": "true"}), WriteMode(Existing.REPLACE))


@pytest.mark.parametrize(
    ("demands", "version"),
    [
        (Demands(), 0),
        (modern("domainMetadata"), 0),
        (
            modern(
                "checkpointProtection",
                properties={"delta.requireCheckpointProtectionBeforeVersion": "17"},
            ),
            17,
        ),
        (modern("checkpointProtection"), 1 << 62),
    ],
    ids=["none", "other", "stated", "unstated"],
)
def test_a_dropped_feature_protects_the_log_before_it(demands: Demands, version: int) -> None:
    assert find_protected(demands) == version
