"""From a source's batch to a table's columns."""

import datetime as dt
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from sync_runner.records.columns import Columns, source_of
from sync_runner.records.widen import JSON_KEY, is_json


def batch(**columns: Any) -> pa.RecordBatch:
    """One batch."""
    return pa.RecordBatch.from_pydict(columns)


def test_columns_get_safe_names_and_remember_the_sources_spelling() -> None:
    adopted = Columns({}, None).adopt(pa.record_batch({"User Id": [1], "a.b": ["x"]}))
    assert adopted.schema.names == ["user_id", "a_b"]
    assert [source_of(field) for field in adopted.schema] == ["User Id", "a.b"]


def test_text_of_json_stays_marked() -> None:
    schema = pa.schema([pa.field("meta", pa.string(), metadata={"json": "1"})])
    adopted = Columns({}, None).adopt(pa.record_batch([["{}"]], schema=schema))
    assert is_json(adopted.schema.field("meta"))


def test_a_column_without_any_value_is_left_out() -> None:
    columns = Columns({}, None)
    adopted = columns.adopt(batch(a=[1, 2], b=[None, None], c=pa.array([None, None], pa.int64())))
    assert adopted.schema.names == ["a"]


def test_rows_without_any_value_are_rows_all_the_same() -> None:
    adopted = Columns({}, None).adopt(batch(a=[None, None]))
    assert adopted.num_rows == 2


@pytest.mark.parametrize(
    ("keep", "wanted"),
    [
        (None, ["id", "seq", "user_name", "x"]),
        ({"id", "seq"}, ["id", "seq"]),
        ({"User Name"}, ["user_name"]),
        ({"user_name"}, ["user_name"]),
        ({"absent", "x"}, ["x"]),
    ],
    ids=str,
)
def test_only_kept_columns_stay_in_either_spelling(
    keep: set[str] | None, wanted: list[str]
) -> None:
    records = pa.record_batch({"id": [1], "seq": [2], "User Name": ["n"], "x": [3]})
    assert Columns({}, keep).adopt(records).schema.names == wanted


def test_names_that_the_table_gave_are_kept() -> None:
    columns = Columns({"userId": "uid"}, None)
    assert columns.adopt(batch(userId=[1])).schema.names == ["uid"]
    assert columns.name_of("userId") == "uid"


@pytest.mark.parametrize(
    ("column", "type_", "values"),
    [
        (pa.array([1], pa.uint8()), pa.int16(), [1]),
        (pa.array([2**63], pa.uint64()), pa.decimal128(20, 0), [Decimal(2**63)]),
        (pa.array([1.5], pa.float16()), pa.float32(), [1.5]),
        (pa.array(["x"], pa.large_string()), pa.string(), ["x"]),
        (pa.array(["x"], pa.string_view()), pa.string(), ["x"]),
        (pa.array(["x", "x"]).dictionary_encode(), pa.string(), ["x", "x"]),
        (pa.array([b"ab"], pa.binary(2)), pa.binary(), [b"ab"]),
        (pa.array([dt.time(1, 2)]), pa.string(), ["01:02:00.000000"]),
        (pa.array([dt.timedelta(seconds=1)]), pa.int64(), [1_000_000]),
        (pa.array([1], pa.date64()), pa.date32(), [dt.date(1970, 1, 1)]),
        (
            pa.array([1_500], pa.timestamp("ns")),
            pa.timestamp("us"),
            [dt.datetime(1970, 1, 1, 0, 0, 0, 1)],  # noqa: DTZ001
        ),
        (
            pa.array([0], pa.timestamp("s", "Europe/Berlin")),
            pa.timestamp("us", "UTC"),
            [dt.datetime(1970, 1, 1, tzinfo=dt.UTC)],
        ),
        (pa.array([Decimal("1.50")], pa.decimal256(50, 2)), pa.string(), ["1.50"]),
        (pa.array([Decimal("1.50")], pa.decimal128(9, 2)), pa.decimal128(9, 2), [Decimal("1.50")]),
        (pa.array([[1]], pa.large_list(pa.uint8())), pa.list_(pa.int16()), [[1]]),
        (pa.array([{"x y": 1}, None]), pa.struct([("x_y", pa.int64())]), [{"x_y": 1}, None]),
        (
            pa.array([[{"A B": 1}], None, []]),
            pa.list_(pa.struct([("a_b", pa.int64())])),
            [[{"a_b": 1}], None, []],
        ),
        (
            pa.array([[("k", 1)]], pa.map_(pa.string(), pa.uint8())),
            pa.map_(pa.string(), pa.int16()),
            [[("k", 1)]],
        ),
    ],
    ids=lambda value: str(getattr(value, "type", "")),
)
def test_values_of_any_type_come_into_a_type_that_the_lake_has(
    column: pa.Array, type_: pa.DataType, values: list[Any]
) -> None:
    adopted = Columns({}, None).adopt(pa.record_batch({"c": column})).column("c")
    assert adopted.type == type_
    assert adopted.to_pylist() == values


def test_json_of_an_extension_type_is_text_of_json() -> None:
    column = pa.ExtensionArray.from_storage(pa.json_(), pa.array(['{"a":1}']))
    adopted = Columns({}, None).adopt(pa.record_batch({"c": column}))
    assert adopted.schema.field("c").metadata[JSON_KEY] == b"1"
    assert adopted.column("c").to_pylist() == ['{"a":1}']


def test_members_that_would_bear_one_name_leave_their_column_as_json_text() -> None:
    column = pa.array([[{"Id": 1, "id": 2}]])
    adopted = Columns({}, None).adopt(pa.record_batch({"c": column}))
    assert adopted.schema.field("c").metadata[JSON_KEY] == b"1"
    assert adopted.column("c").to_pylist() == ['[{"Id":1,"id":2}]']


def test_text_of_members_that_would_meet_has_no_nulls_that_the_source_did_not_send() -> None:
    twins = pa.array([{"Id": 1, "id": None}, {"Id": None, "id": 2}, None])
    adopted = Columns({}, None).adopt(pa.record_batch({"c": twins}))
    assert adopted.column("c").to_pylist() == ['{"Id":1}', '{"id":2}', None]
