"""Spark alters a table between two runs of ours: the next run leaves the right rows, or ends with a
configuration error that says what to do, and the table is readable and what it was.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from external_data_operator.api.schema import SyncType

from sync_runner.errors import ConfigurationError
from tests.contract.lake_pod import folder_place
from tests.contract.lake_rows import Syncs, options
from tests.readers.lake import PARTS
from tests.spark.conftest import Spark

pytestmark = pytest.mark.spark
Row = dict[str, Any]
PROPERTIES = "ALTER TABLE {t} SET TBLPROPERTIES"
ALTERATIONS = {
    "optimize": ["OPTIMIZE {t}"],
    "optimize-and-vacuum": ["OPTIMIZE {t}", "VACUUM {t} RETAIN 0 HOURS"],
    "vacuum": ["VACUUM {t} RETAIN 0 HOURS"],
    "add-column": ["ALTER TABLE {t} ADD COLUMN (extra INT)"],
    "comment": ["ALTER TABLE {t} ALTER COLUMN v COMMENT 'what people say'"],
    "property": [PROPERTIES + " ('delta.logRetentionDuration' = 'interval 60 days')"],
    "delete": ["DELETE FROM {t} WHERE id IN (3, 25)"],
    "delete-all": ["DELETE FROM {t}"],
    "update": ["UPDATE {t} SET v = 'theirs' WHERE id IN (3, 25)"],
    "insert": ["INSERT INTO {t} VALUES (9000, 7, 'theirs')"],
    "restore": ["RESTORE {t} TO VERSION AS OF 0"],
    "check": ["ALTER TABLE {t} ADD CONSTRAINT low CHECK (id < 41)"],
    "not-null": ["ALTER TABLE {t} ADD CONSTRAINT some CHECK (v IS NOT NULL)"],
    "vectors": [
        PROPERTIES + " ('delta.enableDeletionVectors' = 'true')",
        "DELETE FROM {t} WHERE id IN (3, 25)",
    ],
    "rename": [
        PROPERTIES + " ('delta.columnMapping.mode' = 'name')",
        "ALTER TABLE {t} RENAME COLUMN v TO w",
    ],
    "cluster": ["ALTER TABLE {t} CLUSTER BY (id)", "OPTIMIZE {t}"],
    "row-tracking": [PROPERTIES + " ('delta.enableRowTracking' = 'true')"],
    "commit-timestamps": [PROPERTIES + " ('delta.enableInCommitTimestamps' = 'true')"],
    "change-feed": [PROPERTIES + " ('delta.enableChangeDataFeed' = 'true')"],
    "partition": [
        "REPLACE TABLE {t} USING delta PARTITIONED BY (v) AS SELECT * FROM {t}",
    ],
}
CONTINUE = ("optimize", "optimize-and-vacuum", "vacuum", "add-column", "comment", "property")
REFUSED = ("check", "not-null", "vectors", "rename", "partition")
"""What must go on, and what must be refused; for the others both are right."""
FOREIGN = ("update", "insert")
"""What changes values that the source does not know of; `theirs` may stay."""
DELETED = {"delete": {3, 25}}
"""Rows that Spark deleted stay deleted until the source brings them again; a run reports it."""

KEEPS = replace(PARTS, grace_hours=1, keep_hours=1)
"""Removed files stay, for a RESTORE."""


@dataclass
class Altered:
    """A table of ours after two runs, in Spark's hands."""

    spark: Spark
    sync: Syncs
    table: str

    def rows(self) -> list[Row]:
        """As Spark reads them."""
        rows = self.spark.rows(f"SELECT * FROM {self.table}")
        return sorted(rows, key=lambda row: row["id"])

    def version(self) -> int:
        """The newest version."""
        history = self.spark.rows(f"DESCRIBE HISTORY {self.table} LIMIT 1")
        return int(history[0]["version"])


def source(*, changed: int = 0, last: int = 40) -> list[Row]:
    """The source's rows; the first `changed` of them have changed since."""
    rows = [{"id": n, "seq": n, "v": f"v{n % 3}"} for n in range(last)]
    return rows + [{"id": n, "seq": 1000 + n, "v": "new"} for n in range(changed)]


def newest(rows: list[Row]) -> dict[int, Row]:
    """The last row of each key."""
    return {row["id"]: row for row in rows}


@pytest.fixture
def altered(spark: Spark, tmp_path: Path, request: pytest.FixtureRequest) -> Altered:
    sync_type: SyncType = request.param
    key = ["id"] if sync_type is not SyncType.APPEND else []
    cursor = "seq" if sync_type is not SyncType.FULL_REFRESH else None
    place = folder_place(tmp_path)
    sync = Syncs(place, options(sync_type, key=key, cursor=cursor), policy=KEEPS)
    sync(source(last=20))
    sync(source(last=40))
    return Altered(spark, sync, f"delta.`{place.open().uri.removeprefix('file://')}`")


def check_rows(have: list[Row], want: dict[int, Row], name: str) -> None:
    """Each row of the source is there once, as it is; what Spark wrote may stay."""
    theirs = [row for row in have if "theirs" in row.values()]
    assert name in FOREIGN or not theirs
    rows = [{n: row[n] for n in ("id", "seq", "v")} for row in have if row not in theirs]
    ids = [row["id"] for row in have if row["id"] != 9000]
    deleted = DELETED.get(name, set()) - set(ids)
    assert ids == sorted(want.keys() - deleted), "rows are missing, or there twice"
    assert rows == [want[row["id"]] for row in rows]


def refuse(sync: Syncs, rows: list[Row]) -> ConfigurationError | None:
    """Why a run ended without touching the table; None where it went through."""
    try:
        sync(rows)
    except ConfigurationError as error:
        return error
    return None


MERGED, APPENDED, REPLACED = SyncType.INCREMENTAL, SyncType.APPEND, SyncType.FULL_REFRESH


@pytest.mark.parametrize("altered", [MERGED, APPENDED, REPLACED], indirect=True, ids=str)
@pytest.mark.parametrize("name", list(ALTERATIONS))
def test_the_next_run_leaves_the_right_rows_or_says_why_it_changes_nothing(
    altered: Altered, name: str
) -> None:
    statements = [text.format(t=altered.table) for text in ALTERATIONS[name]]
    altered.spark.do(*statements)
    before, version = altered.rows(), altered.version()
    is_append = altered.sync.options.sync_type is APPENDED
    brought = source(last=50) if is_append else source(changed=5, last=50)
    refusal = refuse(altered.sync, brought)
    if refusal is not None:
        assert name not in CONTINUE, refusal
        assert refusal.reason.value == "TableFeatureUnsupported"
        assert (altered.rows(), altered.version()) == (before, version)
        return
    assert name not in REFUSED, "the run wrote into what it does not understand"
    check_rows(altered.rows(), newest(brought), name)
    altered.sync(brought)
    check_rows(altered.rows(), newest(brought), name)


REMEDIES = {
    "vectors": [
        PROPERTIES + " ('delta.enableDeletionVectors' = 'false')",
        "REORG TABLE {t} APPLY (PURGE)",
    ],
    "check": ["ALTER TABLE {t} DROP CONSTRAINT low"],
    "cluster": ["ALTER TABLE {t} CLUSTER BY NONE"],
    "row-tracking": [
        PROPERTIES + " ('delta.enableRowTracking' = 'false')",
        "ALTER TABLE {t} DROP FEATURE rowTracking",
    ],
    "commit-timestamps": [PROPERTIES + " ('delta.enableInCommitTimestamps' = 'false')"],
    "rename": [
        "ALTER TABLE {t} RENAME COLUMN w TO v",
        "ALTER TABLE {t} DROP FEATURE columnMapping",
    ],
    "change-feed": ["ALTER TABLE {t} UNSET TBLPROPERTIES ('delta.enableChangeDataFeed')"],
    "partition": ["REPLACE TABLE {t} USING delta AS SELECT * FROM {t}"],
}
"""The statements of docs/recipes/altered-tables.md."""


@pytest.mark.parametrize("altered", [MERGED], indirect=True, ids=str)
@pytest.mark.parametrize("name", list(REMEDIES))
def test_the_statements_of_the_recipe_let_the_next_run_through(altered: Altered, name: str) -> None:
    altered.spark.do(*(text.format(t=altered.table) for text in ALTERATIONS[name]))
    brought = source(changed=5, last=50)
    assert refuse(altered.sync, brought) is not None
    altered.spark.do(*(text.format(t=altered.table) for text in REMEDIES[name]))
    altered.sync(brought)
    deletes = "delete" if name == "vectors" else name
    check_rows(altered.rows(), newest(brought), deletes)
