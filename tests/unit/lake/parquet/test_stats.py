"""Statistics of files, for the log and for merges."""

import datetime as dt
import io
import json
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sync_runner.lake.parquet.parts import PartEncoder
from sync_runner.lake.parquet.stats import TEXT_MAX, read_ranges, read_stats


def write(table: pa.Table, rows: int = 2) -> pq.FileMetaData:
    """The footer of a file with row groups of so many rows."""
    sink = io.BytesIO()
    pq.write_table(table, sink, row_group_size=rows)
    return pq.read_metadata(io.BytesIO(sink.getvalue()))


def stats_of(**columns: Any) -> dict[str, Any]:
    """What the log says of a file."""
    table = pa.table(columns)
    return dict(json.loads(read_stats(write(table), table.schema, [])))


def test_bounds_and_nulls_are_those_of_all_row_groups() -> None:
    stats = stats_of(a=[5, None, 1, 9], b=["x", "y", None, "a"])
    assert stats == {
        "numRecords": 4,
        "minValues": {"a": 1, "b": "a"},
        "maxValues": {"a": 9, "b": "y"},
        "nullCount": {"a": 1, "b": 1},
    }


def test_long_text_is_cut_and_its_upper_bound_rounded_up() -> None:
    low, high = "a" * 100, "z" * 100
    stats = stats_of(t=[low, high])
    assert stats["minValues"]["t"] == "a" * TEXT_MAX
    assert stats["maxValues"]["t"] > high
    assert stats["minValues"]["t"] < low


def test_text_that_nothing_is_above_has_no_upper_bound() -> None:
    highest = "\U0010ffff"
    for text in (highest * 66, "a" * TEXT_MAX + highest + "b", "a" * TEXT_MAX + highest * 2):
        stats = stats_of(t=["a", text])
        assert "t" not in stats["maxValues"]
        assert stats["minValues"]["t"] == "a"
        assert stats["nullCount"] == {"t": 0}
    assert stats_of(t=["a" * TEXT_MAX + highest])["maxValues"]["t"] == "a" * TEXT_MAX + highest


@pytest.mark.parametrize(
    "text", ["é" * 70, "\U0001f600" * 70, "\uffff" * 70, "z" * 63 + "\ud7ff" * 9]
)
def test_bounds_of_cut_text_lie_on_both_sides_of_it_in_bytes(text: str) -> None:
    stats = stats_of(t=[text])
    low, high = stats["minValues"]["t"].encode(), stats["maxValues"]["t"].encode()
    assert low <= text.encode() <= high


def test_columns_and_row_groups_without_a_value_have_a_null_count() -> None:
    table = pa.table({"a": pa.array([None] * 4, pa.int64()), "b": [None, None, 3, 4]})
    stats = json.loads(read_stats(write(table), table.schema, []))
    assert stats["nullCount"] == {"a": 4, "b": 2}
    assert (stats["minValues"], stats["maxValues"]) == ({"b": 3}, {"b": 4})


def test_bounds_of_decimals_have_every_digit() -> None:
    values = [Decimal("12345678901234567890.25"), Decimal("-0.01"), None]
    table = pa.table({"d": pa.array(values, pa.decimal128(38, 2))})
    text = read_stats(write(table), table.schema, [])
    assert '"minValues":{"d":-0.01}' in text
    assert '"maxValues":{"d":12345678901234567890.25}' in text


@pytest.mark.parametrize(
    ("values", "type_", "low"),
    [
        ([dt.date(2024, 1, 2)], pa.date32(), "2024-01-02"),
        (
            [dt.datetime(2024, 1, 2, 3, tzinfo=dt.UTC)],
            pa.timestamp("us", "UTC"),
            "2024-01-02T03:00:00.000000Z",
        ),
        ([dt.datetime(2024, 1, 2)], pa.timestamp("us"), "2024-01-02T00:00:00.000000"),  # noqa: DTZ001
        ([1.5], pa.float64(), 1.5),
        ([float("inf")], pa.float64(), None),
        ([True], pa.bool_(), True),
        ([b"x"], pa.binary(), None),
    ],
    ids=str,
)
def test_bounds_are_spelled_as_readers_expect_or_left_out(
    values: list[Any], type_: pa.DataType, low: object
) -> None:
    assert stats_of(c=pa.array(values, type_))["minValues"].get("c") == low


def test_a_null_count_comes_with_a_bound_or_not_at_all() -> None:
    stats = stats_of(a=[b"x", None], b=[float("inf"), None], c=[1, None])
    assert stats["nullCount"] == {"c": 1}


def test_a_column_with_nan_has_no_statistics_in_log_and_footer() -> None:
    nested = [{"x": 1.0, "y": [2.0]}]
    encoder = PartEncoder(pa.table({"a": [1.0], "b": [1.0], "c": [1], "d": nested}))
    encoder.write(pa.table({"a": [1.0], "b": [1.0], "c": [1], "d": nested}))
    nested = [{"x": 1.0, "y": [float("nan")]}]
    encoder.write(pa.table({"a": [2.0], "b": [float("nan")], "c": [2], "d": nested}))
    pieces, footer = encoder.close()
    stats = json.loads(read_stats(footer, encoder.schema, []))
    assert stats["maxValues"] == {"a": 2.0, "c": 2}
    assert stats["nullCount"] == {"a": 0, "c": 0}
    with_statistics = [
        footer.row_group(group).column(column).is_stats_set
        for group in range(2)
        for column in range(5)
    ]
    assert with_statistics == [True, False, True, True, False] * 2
    rows = pq.read_table(io.BytesIO(b"".join(pieces))).to_pylist()
    assert [row["a"] for row in rows] == [1.0, 2.0]
    assert str([row["b"] for row in rows]) == "[1.0, nan]"


def test_nested_columns_have_no_bounds_and_do_not_shift_others() -> None:
    stats = stats_of(s=[{"a": 1, "b": 2}], c=[7])
    assert (stats["minValues"], stats["maxValues"]) == ({"c": 7}, {"c": 7})


def test_columns_far_right_have_statistics_only_where_they_matter() -> None:
    table = pa.table({f"c{i}": [i] for i in range(60)})
    stats = json.loads(read_stats(write(table), table.schema, ["c59"]))
    assert "c31" in stats["minValues"]
    assert "c40" not in stats["minValues"]
    assert stats["minValues"]["c59"] == 59


@pytest.mark.parametrize(
    ("values", "wanted"), [([3, 1, 2], (1, 3)), ([1, None], None), ([None, None], None)], ids=str
)
def test_a_range_with_nulls_is_unknown(values: list[int | None], wanted: object) -> None:
    table = pa.table({"k": pa.array(values, pa.int64())})
    assert read_ranges(write(table), table.schema, ["k"]) == {"k": wanted}
