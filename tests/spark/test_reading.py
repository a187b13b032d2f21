"""Spark sees every row and every value of the seven tables, and no statistics hide one."""

from collections.abc import Callable

import pytest

from tests.readers.comparing import canonical, find_differences
from tests.readers.filters import SPARK, build_conditions
from tests.readers.tables import TABLES, TYPED, LakeTable
from tests.spark.conftest import Spark

pytestmark = pytest.mark.spark
Get = Callable[[str], LakeTable]


@pytest.mark.parametrize("name", list(TABLES))
def test_spark_sees_every_row_and_every_value(spark: Spark, table: Get, name: str) -> None:
    wanted = table(name)
    rows = spark.rows(f"SELECT * FROM delta.`{wanted.address.path}`")
    assert len(rows) == len(wanted.rows)
    assert find_differences(rows, wanted.rows, wanted.key) == []


def find_wrong(spark: Spark, table: LakeTable, column: str) -> list[str]:
    """Conditions under which Spark gives other rows than those that pass, all in one query."""
    values = [row[column] for row in table.rows]
    conditions = list(build_conditions(column, table.types[column], values))
    [key] = table.key
    parts = [
        f"SELECT {number} AS n, {key} FROM delta.`{table.address.path}` WHERE {where.sql(SPARK)}"
        for number, where in enumerate(conditions)
    ]
    found = spark.rows(" UNION ALL ".join(parts))
    said = []
    for number, where in enumerate(conditions):
        have = sorted(canonical(row[key]) for row in found if row["n"] == number)
        want = sorted(canonical(row[key]) for row in table.rows if where.keeps(row))
        if have != want:
            said.append(f"{where}: {have} instead of {want}")
    return said


FAULTS = {"f32": "Spark 4.2.0 does not find -0.0 by `= 0.0` in Parquet files"}
COLUMNS = [
    pytest.param(name, marks=[pytest.mark.xfail(reason=FAULTS[name])] if name in FAULTS else [])
    for name in TYPED
]


@pytest.mark.parametrize("column", COLUMNS)
def test_no_statistics_hide_a_row_from_spark(spark: Spark, table: Get, column: str) -> None:
    assert find_wrong(spark, table("types"), column) == []
