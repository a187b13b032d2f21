"""What becomes of columns: types pass through, widen, or conflict."""

import datetime as dt
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import DeltaTable
from external_data_operator.api.conditions import Reason

from sync_runner.errors import ConfigurationError
from tests.contract.lake_columns import incremental, rows
from tests.contract.lake_pod import folder_place
from tests.contract.lake_reading import read_polars
from tests.contract.lake_rows import ListedSource, full

UTC = dt.UTC
TYPED = {
    "i8": (pa.int8(), [1, None], "byte"),
    "i16": (pa.int16(), [1, None], "short"),
    "i32": (pa.int32(), [1, None], "integer"),
    "i64": (pa.int64(), [2**62, None], "long"),
    "u64": (pa.uint64(), [2**63, None], "decimal(20,0)"),
    "f32": (pa.float32(), [1.5, None], "float"),
    "f64": (pa.float64(), [0.1, None], "double"),
    "money": (pa.decimal128(12, 2), [Decimal("12.34"), None], "decimal(12,2)"),
    "big": (pa.decimal128(38, 0), [Decimal(10**37), None], "decimal(38,0)"),
    "flag": (pa.bool_(), [True, None], "boolean"),
    "text": (pa.string(), ["渡辺", None], "string"),
    "raw": (pa.binary(), [b"\x00\xff", None], "binary"),
    "day": (pa.date32(), [dt.date(1900, 2, 28), None], "date"),
    "zoned": (
        pa.timestamp("us", "UTC"),
        [dt.datetime(2024, 1, 1, 1, tzinfo=UTC), None],
        "timestamp",
    ),
    "local": (pa.timestamp("us"), [dt.datetime(2024, 1, 1, 1), None], "timestamp_ntz"),  # noqa: DTZ001
    "record": (pa.struct([("a", pa.int64())]), [{"a": 1}, None], "struct"),
    "items": (pa.list_(pa.string()), [["x", None], None], "array"),
}


def test_every_type_of_a_typed_source_comes_through(tmp_path: Path) -> None:
    place = folder_place(tmp_path)
    records = pa.RecordBatch.from_arrays(
        [pa.array(values, type_) for type_, values, _ in TYPED.values()], names=list(TYPED)
    )
    outcome = full(place).read(ListedSource([records]))
    assert {c.name: c.data_type for c in outcome.columns} == {k: v[2] for k, v in TYPED.items()}
    wanted = [{name: values[i] for name, (_, values, _) in TYPED.items()} for i in (0, 1)]
    assert read_polars(str(place.folder)) == wanted


@pytest.mark.parametrize("name", ["local", "record", "zoned", "money"])
def test_a_column_of_any_type_can_come_later(tmp_path: Path, name: str) -> None:
    type_, values, _ = TYPED[name]
    sync = incremental(folder_place(tmp_path))
    sync([{"id": 1, "seq": 1}])
    late = pa.record_batch({"id": [2], "seq": [2], name: pa.array(values[:1], type_)})
    sync.read(ListedSource([late], "seq"))
    assert rows(sync.place) == [{"id": 1, "seq": 1}, {"id": 2, "seq": 2, name: values[0]}]


def test_a_replaced_table_may_come_to_hold_moments_without_a_zone(tmp_path: Path) -> None:
    sync = full(folder_place(tmp_path))
    sync([{"id": 1}])
    moment = dt.datetime(2024, 5, 5)  # noqa: DTZ001
    sync([{"id": 1, "at": moment}])
    assert read_polars(str(sync.place.folder)) == [{"id": 1, "at": moment}]


def test_a_type_that_widens_within_a_run_is_one_type_in_the_table(tmp_path: Path) -> None:
    sync = full(folder_place(tmp_path))
    pages = [[{"id": i, "v": i} for i in range(n, n + 30)] for n in (0, 30)]
    sync(*pages, [{"id": 100, "v": 1.5}], [{"id": 101, "v": "text"}], [{"id": 102, "v": 7}])
    sync = full(folder_place(tmp_path / "other"))
    assert {c.name: c.data_type for c in sync([{"id": 0, "v": 1}]).columns}["v"] == "long"
    outcome = sync(*pages, [{"id": 100, "v": 1.5}], [{"id": 101, "v": "text"}])
    assert {c.name: c.data_type for c in outcome.columns}["v"] == "string"
    found = {row["id"]: row["v"] for row in rows(sync.place)}
    assert (found[0], found[59], found[100], found[101]) == ("0", "59", "1.5", "text")


def test_a_late_column_leaves_earlier_rows_null(tmp_path: Path) -> None:
    sync = full(folder_place(tmp_path))
    sync([{"id": i} for i in range(50)], [{"id": 50, "late": "x"}])
    assert [row.get("late") for row in rows(sync.place)] == [None] * 50 + ["x"]


def test_numbers_of_a_table_widen_with_all_its_rows(tmp_path: Path) -> None:
    sync = incremental(folder_place(tmp_path))
    sync([{"id": i, "seq": i, "v": 2**50 + i} for i in range(100)])
    before = DeltaTable(str(sync.place.folder)).version()
    outcome = sync([{"id": 3, "seq": 200, "v": 0.5}])
    assert outcome.table is not None
    assert outcome.table.version == before + 1
    assert [row["v"] for row in rows(sync.place)][2:5] == [float(2**50 + 2), 0.5, float(2**50 + 4)]


def test_narrower_values_are_cast_to_the_tables_type(tmp_path: Path) -> None:
    sync = incremental(folder_place(tmp_path))
    sync([{"id": 1, "seq": 1, "v": "a", "w": 0.5}])
    sync([{"id": 2, "seq": 2, "v": 5, "w": 3}], [{"id": 3, "seq": 3, "v": True, "w": 1}])
    assert [(row["v"], row["w"]) for row in rows(sync.place)] == [
        ("a", 0.5),
        ("5", 3.0),
        ("true", 1.0),
    ]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [(1, "x", "long|string"), (True, 1, "boolean|long"), (dt.date(2024, 1, 1), "x", "date|string")],
    ids=["long", "boolean", "date"],
)
def test_what_cannot_widen_fails_naming_column_and_types_and_changes_nothing(
    tmp_path: Path, old: object, new: object, words: str
) -> None:
    sync = incremental(folder_place(tmp_path))
    sync([{"id": 1, "seq": 1, "The Value": old}])
    before = sorted(path.name for path in (sync.place.folder / "_delta_log").iterdir())
    with pytest.raises(ConfigurationError) as caught:
        sync([{"id": 2, "seq": 2, "The Value": new, "other": 1}])
    assert caught.value.reason is Reason.SCHEMA_CONFLICT
    assert "The Value" in str(caught.value)
    assert all(word in str(caught.value) for word in words.split("|"))
    after = sorted(path.name for path in (sync.place.folder / "_delta_log").iterdir())
    assert (rows(sync.place), before) == ([{"id": 1, "seq": 1, "the_value": old}], after)


def test_a_column_that_vanishes_is_null_in_new_rows_and_stays(tmp_path: Path) -> None:
    sync = incremental(folder_place(tmp_path))
    sync([{"id": 1, "seq": 1, "v": "old"}])
    sync([{"id": 2, "seq": 2}])
    assert rows(sync.place) == [{"id": 1, "seq": 1, "v": "old"}, {"id": 2, "seq": 2}]


def test_a_replaced_table_keeps_its_columns_and_none_becomes_narrower(tmp_path: Path) -> None:
    sync = full(folder_place(tmp_path))
    sync([{"id": 1, "gone": 1, "empty": 2.5, "price": 0.5, "code": "x", "v": {"a": 1.5, "b": 1}}])
    new = {"id": 1, "empty": None, "price": 2, "code": 7, "v": {"c": "s", "a": 1}}
    outcome = sync([new])
    assert {c.name: c.data_type for c in outcome.columns} == {
        "id": "long",
        "gone": "long",
        "empty": "double",
        "price": "double",
        "code": "string",
        "v": "struct",
    }
    v = {"a": 1.0, "b": None, "c": "s"}
    assert rows(sync.place) == [{"id": 1, "price": 2.0, "code": "7", "v": v}]


def test_a_replaced_table_takes_values_of_any_kind_as_text(tmp_path: Path) -> None:
    sync = full(folder_place(tmp_path))
    sync([{"id": 1, "a": 1, "b": {"x": 1}, "c": [1]}])
    sync([{"id": 1, "a": "one", "b": 5, "c": {"y": None, "x": 2.0}}])
    assert rows(sync.place) == [{"id": 1, "a": "one", "b": "5", "c": '{"x":2}'}]


def test_no_table_is_made_of_a_stream_without_rows(tmp_path: Path) -> None:
    outcome = full(folder_place(tmp_path))([])
    assert (outcome.table, outcome.columns, outcome.counts.rows) == (None, [], 0)


def test_a_full_refresh_without_rows_empties_the_table_and_keeps_its_columns(
    tmp_path: Path,
) -> None:
    sync = full(folder_place(tmp_path))
    sync([{"id": 1}])
    outcome = sync([])
    assert outcome.table is not None
    assert (outcome.table.rows, [c.name for c in outcome.columns]) == (0, ["id"])
