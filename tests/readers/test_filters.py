"""Statistics never hide a row: a condition at any value of a column, and so at the bounds of every
file, passes the rows that it passes without statistics.
"""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake

from tests.readers.comparing import canonical, show_all, show_clickhouse
from tests.readers.filters import Where, build_conditions
from tests.readers.readers import READERS, Address, DeltaRs, Reader
from tests.readers.tables import TYPED, LakeTable

Get = Callable[[str, str], LakeTable]
VIEWS = {"clickhouse": show_clickhouse}
NAN_COMPARES_WITH_NOTHING = ("clickhouse", "deltalake")
FAULTS = {
    ("clickhouse", "raw"): "ClickHouse 26.9 refuses to compare a binary column",
    ("daft", "f32"): "Daft 0.7.26 takes 0.0 and -0.0 for two numbers",
}
"""What a reader does wrong by itself; once one is mended, its test says so by failing."""
CASES = [
    pytest.param(
        *(reader, column),
        marks=[pytest.mark.xfail(reason=FAULTS[reader, column], strict=True)]
        if (reader, column) in FAULTS
        else [],
    )
    for reader in READERS
    for column in TYPED
]


def names(rows: list[dict[str, Any]], key: tuple[str, ...]) -> list[str]:
    """The rows by their keys, in one order."""
    return sorted(repr([canonical(row.get(part)) for part in key]) for row in rows)


def pick_values(table: LakeTable, column: str) -> list[Any]:
    """All values of a column, or those at both ends and some between."""
    values = [row[column] for row in table.rows if row[column] is not None]
    if len(set(values)) <= 12:
        return values
    values.sort()
    return values[:3] + values[:: len(values) // 6] + values[-3:]


def find_wrong(reader: Reader, table: LakeTable, column: str) -> list[str]:
    """Conditions under which a reader gives other rows than those that pass."""
    said = []
    view = VIEWS.get(reader.name, show_all)
    highest = reader.name not in NAN_COMPARES_WITH_NOTHING
    for where in build_conditions(column, table.types[column], pick_values(table, column)):
        passing = [row for row in table.rows if where.keeps(row, nan_is_highest=highest)]
        want = names([view(row, {}) for row in passing], table.key)
        have = names(reader.read(table.address, where), table.key)
        if have != want:
            said.append(f"{where}: {have} instead of {want}")
    return said


def find_unbounded(table: LakeTable) -> set[str]:
    """Columns of which a file's statistics lack a bound or the number of nulls."""
    actions = DeltaTable(table.address.uri).get_add_actions(flatten=True)
    frame = pa.table(actions).to_pylist()
    return {
        column
        for column in table.types
        for add in frame
        for word in ("min", "max", "null_count")
        if add.get(f"{word}.{column}") is None
    }


@pytest.mark.parametrize(("reader", "column"), CASES)
def test_no_statistics_hide_a_row_of_any_type(
    tables: Get, readers: dict[str, Reader], reader: str, column: str
) -> None:
    table = tables("types", "folder")
    if reader == "deltalake" and column in find_unbounded(table):
        pytest.skip("see test_a_data_set_of_deltalake_loses_rows_where_a_bound_is_missing")
    try:
        assert find_wrong(readers[reader], table, column) == []
    finally:
        if (reader, column) in FAULTS:  # ClickHouse keeps a refused condition for its next query.
            readers[reader].stop()


@pytest.mark.parametrize("name", ["merged", "appended", "compacted", "composite"])
@pytest.mark.parametrize("reader", READERS)
def test_no_statistics_hide_a_row_of_a_table_that_was_rewritten(
    tables: Get, readers: dict[str, Reader], reader: str, name: str
) -> None:
    table = tables(name, "folder")
    unsafe = find_unbounded(table) if reader == "deltalake" else set()
    wrong = [
        said
        for column in table.types
        if column not in unsafe
        for said in find_wrong(readers[reader], table, column)
    ]
    assert wrong == []


def test_a_data_set_of_deltalake_loses_rows_where_a_bound_is_missing(tmp_path: Path) -> None:
    """In tables of its own too, as of 1.6.6: `to_pyarrow_dataset` compares with null."""
    write_deltalake(str(tmp_path), pa.table({"id": [1, 2], "f": [float("inf")] * 2}))
    wanted = Where("f", ">", 0.5, "double")
    assert DeltaRs().read(Address(f"file://{tmp_path}"), wanted) == []


def tell_lies(table: LakeTable, copy: Path) -> Address:
    """A copy whose log says that the highest `seq` of each file is the lowest one."""
    shutil.copytree(table.address.path, copy)
    for entry in (copy / "_delta_log").glob("*.json"):
        actions = [json.loads(line) for line in entry.read_text().splitlines()]
        for add in (action["add"] for action in actions if "add" in action):
            stats = json.loads(add["stats"])
            stats["maxValues"]["seq"] = stats["minValues"]["seq"]
            add["stats"] = json.dumps(stats)
        entry.write_text("\n".join(map(json.dumps, actions)))
    return Address(f"file://{copy}")


@pytest.mark.parametrize("reader", READERS)
def test_a_reader_believes_the_statistics_of_the_log(
    tables: Get, readers: dict[str, Reader], reader: str, tmp_path: Path
) -> None:
    """So the tests above can fail. Daft, as of 0.7.26, looks into every file."""
    address = tell_lies(tables("appended", "folder"), tmp_path / "copy")
    found = readers[reader].read(address, Where("seq", "=", 24, "long"))
    assert len(found) == (1 if reader == "daft" else 0)
