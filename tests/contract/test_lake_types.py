"""What becomes of columns: types pass through, widen, or conflict."""

import datetime as dt
import itertools
import json
import secrets
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from deltalake import DeltaTable
from external_data_operator.api.conditions import Reason
from external_data_operator.api.schema import SyncType
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sync_runner.errors import ConfigurationError
from sync_runner.records.decode import RecordDecoder
from tests.contract.lake_pod import Place, folder_place
from tests.contract.lake_reading import read_duckdb, read_polars
from tests.contract.lake_rows import ListedSource, Syncs, options

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


def full(place: Place) -> Syncs:
    """Full refreshes."""
    return Syncs(place, options(SyncType.FULL_REFRESH))


def incremental(place: Place) -> Syncs:
    """Merges by id."""
    return Syncs(place, options(SyncType.INCREMENTAL, key=["id"], cursor="seq"))


def table_folder(place: Place) -> Path:
    """Where the table lies on this machine."""
    return Path(place.open().uri.removeprefix("file://"))


def rows(place: Place) -> list[dict[str, Any]]:
    """The table's rows, those without a value left out, by id."""
    found = read_duckdb(table_folder(place))
    plain = [{k: v for k, v in row.items() if v is not None} for row in found]
    return sorted(plain, key=lambda row: row["id"])


def test_every_type_of_a_typed_source_comes_through(tmp_path: Path) -> None:
    place = folder_place(tmp_path)
    records = pa.RecordBatch.from_arrays(
        [pa.array(values, type_) for type_, values, _ in TYPED.values()], names=list(TYPED)
    )
    outcome = full(place).read(ListedSource([records]))
    assert {c.name: c.data_type for c in outcome.columns} == {k: v[2] for k, v in TYPED.items()}
    wanted = [{name: values[i] for name, (_, values, _) in TYPED.items()} for i in (0, 1)]
    assert read_polars(str(table_folder(place))) == wanted


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
    assert read_polars(str(table_folder(sync.place))) == [{"id": 1, "at": moment}]


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
    before = DeltaTable(str(table_folder(sync.place))).version()
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
    before = sorted(path.name for path in (table_folder(sync.place) / "_delta_log").iterdir())
    with pytest.raises(ConfigurationError) as caught:
        sync([{"id": 2, "seq": 2, "The Value": new, "other": 1}])
    assert caught.value.reason is Reason.SCHEMA_CONFLICT
    assert "The Value" in str(caught.value)
    assert all(word in str(caught.value) for word in words.split("|"))
    after = sorted(path.name for path in (table_folder(sync.place) / "_delta_log").iterdir())
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


def test_a_replaced_table_drops_what_is_not_enabled_any_more(tmp_path: Path) -> None:
    place = folder_place(tmp_path)
    full(place)([{"id": 1, "Kept": 1, "gone": 1}])
    how = options(SyncType.FULL_REFRESH, enabled_columns=["id", "Kept"])
    outcome = Syncs(place, how)([{"id": 1}], run="another")
    assert [column.name for column in outcome.columns] == ["id", "kept"]


def test_names_stay_over_runs_and_the_log_keeps_the_sources_spelling(tmp_path: Path) -> None:
    sync = full(folder_place(tmp_path))
    sync([{"userId": 1, "id": 1}])
    sync([{"user_id": 2, "id": 1, "userId": 1}])
    fields = DeltaTable(str(table_folder(sync.place))).schema().fields
    spelled = {field.metadata["externalData.source"]: field.name for field in fields}
    assert spelled["userId"] == "user_id"
    assert spelled["user_id"].startswith("user_id_")


@pytest.mark.parametrize(
    ("enabled", "wanted"),
    [(None, {"key_id", "seq", "a", "b"}), ([], {"key_id", "seq"}), (["b"], {"key_id", "seq", "b"})],
    ids=["all", "none", "one"],
)
def test_enabled_columns_are_kept_and_keys_and_cursor_always(
    tmp_path: Path, enabled: list[str] | None, wanted: set[str]
) -> None:
    place = folder_place(tmp_path)
    how = options(SyncType.INCREMENTAL, key=["key.id"], cursor="seq", enabled_columns=enabled)
    outcome = Syncs(place, how)([{"key.id": 1, "seq": 1, "a": 1, "b": 2}])
    assert {column.name for column in outcome.columns} == wanted


def test_rows_whose_kept_columns_are_all_null_are_rows_all_the_same(tmp_path: Path) -> None:
    how = options(SyncType.FULL_REFRESH, enabled_columns=["a"])
    sync = Syncs(folder_place(tmp_path), how)
    outcome = sync([{"a": None, "b": 1}] * 30, [{"a": "x", "b": 1}])
    assert outcome.table is not None
    assert outcome.table.rows == 31
    assert len(read_polars(str(table_folder(sync.place)))) == 31


def test_no_table_is_made_of_a_stream_without_rows(tmp_path: Path) -> None:
    outcome = full(folder_place(tmp_path))([])
    assert (outcome.table, outcome.columns, outcome.rows) == (None, [], 0)


def test_a_full_refresh_without_rows_empties_the_table_and_keeps_its_columns(
    tmp_path: Path,
) -> None:
    sync = full(folder_place(tmp_path))
    sync([{"id": 1}])
    outcome = sync([])
    assert outcome.table is not None
    assert (outcome.table.rows, [c.name for c in outcome.columns]) == (0, ["id"])


NOTHING = pa.array([[], None], pa.list_(pa.null()))
WORDS = pa.array([["x"], []], pa.list_(pa.string()))


def batch(first: int, **columns: pa.Array) -> pa.RecordBatch:
    """Two rows from this id on."""
    return pa.record_batch({"id": [first, first + 1], "seq": [first, first + 1], **columns})


@pytest.mark.parametrize("sync", [full, incremental])
def test_lists_of_nothing_take_the_type_of_later_ones(tmp_path: Path, sync: Any) -> None:
    syncs = sync(folder_place(tmp_path))
    syncs.read(ListedSource([batch(1, v=NOTHING), batch(3, v=WORDS)], "seq"))
    assert [row.get("v") for row in rows(syncs.place)] == [[], None, ["x"], []]


def test_lists_of_nothing_become_lists_of_what_the_table_has(tmp_path: Path) -> None:
    sync = incremental(folder_place(tmp_path))
    sync.read(ListedSource([batch(1, v=WORDS)], "seq"))
    sync.read(ListedSource([batch(2, v=NOTHING)], "seq"))
    assert [row.get("v") for row in rows(sync.place)] == [["x"], [], None]


def test_lists_of_nothing_alone_are_no_column_yet(tmp_path: Path) -> None:
    sync = incremental(folder_place(tmp_path))
    outcome = sync.read(ListedSource([batch(1, v=NOTHING)], "seq"))
    assert [column.name for column in outcome.columns] == ["id", "seq"]
    sync.read(ListedSource([batch(3, v=WORDS)], "seq"))
    assert [row.get("v") for row in rows(sync.place)] == [None, None, ["x"], []]


def test_a_member_that_is_a_list_of_nothing_comes_with_its_type(tmp_path: Path) -> None:
    def records(first: int, members: list[dict[str, Any]]) -> pa.RecordBatch:
        return batch(first, v=pa.array(members))

    sync = incremental(folder_place(tmp_path))
    sync.read(ListedSource([records(1, [{"a": 1, "tags": []}] * 2)], "seq"))
    assert [row["v"] for row in rows(sync.place)] == [{"a": 1}] * 2
    sync.read(ListedSource([records(3, [{"a": 2, "tags": ["x"]}] * 2)], "seq"))
    sync.read(ListedSource([records(4, [{"a": 3, "tags": []}] * 2)], "seq"))
    wanted = [{"a": 1, "tags": None}] * 2 + [{"a": 2, "tags": ["x"]}] + [{"a": 3, "tags": []}] * 2
    assert [row["v"] for row in rows(sync.place)] == wanted


@pytest.mark.parametrize("member", [5, {"x": 1}], ids=["a number", "an object"])
def test_a_list_of_nothing_in_the_place_of_another_member_is_a_conflict(
    tmp_path: Path, member: Any
) -> None:
    sync = incremental(folder_place(tmp_path))
    sync.read(ListedSource([batch(1, v=pa.array([{"a": 1, "m": member}] * 2))], "seq"))
    with pytest.raises(ConfigurationError, match=r"column v\.m is") as error:
        sync.read(ListedSource([batch(3, v=pa.array([{"a": 1, "m": []}] * 2))], "seq"))
    assert error.value.reason is Reason.SCHEMA_CONFLICT


def test_a_list_of_nothing_in_the_place_of_a_number_is_a_conflict(tmp_path: Path) -> None:
    sync = incremental(folder_place(tmp_path))
    sync.read(ListedSource([batch(1, v=pa.array([1, 2]))], "seq"))
    with pytest.raises(ConfigurationError, match=r"column v is long .* brings array") as error:
        sync.read(ListedSource([batch(3, v=NOTHING)], "seq"))
    assert error.value.reason is Reason.SCHEMA_CONFLICT


def test_a_full_refresh_keeps_the_struct_that_its_lists_of_nothing_may_belong_to(
    tmp_path: Path,
) -> None:
    sync = full(folder_place(tmp_path))
    sync.read(ListedSource([batch(1, v=pa.array([{"a": 1}] * 2))]))
    outcome = sync.read(ListedSource([batch(1, v=pa.array([{"t": []}] * 2))]))
    assert [(c.name, c.data_type) for c in outcome.columns][2:] == [("v", "struct")]


def test_a_struct_whose_column_turns_to_text_keeps_its_values(tmp_path: Path) -> None:
    sync = full(folder_place(tmp_path))
    structs = [{"a": Decimal(2**64), "m": "s", "t": [1.5]}] * 2
    text = pa.array(['{"x": "y"}', "5"])
    field = pa.field("v", pa.string(), metadata={"json": "1"})
    late = pa.record_batch(
        [pa.array([3, 4]), pa.array([3, 4]), text],
        schema=pa.schema([("id", pa.int64()), ("seq", pa.int64()), field]),
    )
    sync.read(ListedSource([batch(1, v=pa.array(structs)), late]))
    wanted = '{"a":18446744073709551616,"m":"s","t":[1.5]}'
    assert [row["v"] for row in rows(sync.place)] == [wanted, wanted, '{"x": "y"}', "5"]


def test_a_struct_that_turns_into_something_else_is_a_conflict(tmp_path: Path) -> None:
    sync = incremental(folder_place(tmp_path))
    sync.read(ListedSource([batch(1, v=pa.array([{"a": 1}, None]))], "seq"))
    with pytest.raises(ConfigurationError, match=r"column v is struct .* brings long") as error:
        sync.read(ListedSource([batch(3, v=pa.array([1, 2]))], "seq"))
    assert error.value.reason is Reason.SCHEMA_CONFLICT
    assert [row.get("v") for row in rows(sync.place)] == [{"a": 1}, None]


def test_letters_of_any_script_stay_in_the_names_of_columns_and_members(tmp_path: Path) -> None:
    sync = full(folder_place(tmp_path))
    sync([{"id": 1, "日本": "x", "Größe": {"שם": 2}}])
    wanted = [{"id": 1, "日本": "x", "größe": {"שם": 2}}]
    assert rows(sync.place) == read_polars(str(table_folder(sync.place))) == wanted


def test_a_table_keeps_the_names_that_it_has(tmp_path: Path) -> None:
    sync = full(folder_place(tmp_path))
    sync([{"id": 1, "Größe": 1}])
    log = table_folder(sync.place) / "_delta_log" / f"{0:020}.json"
    log.write_text(log.read_text().replace('"größe', '"grosse').replace('\\"größe', '\\"grosse'))
    sync([{"id": 2, "Größe": 2}])
    assert rows(sync.place) == [{"id": 2, "grosse": 2}]


def json_field(name: str) -> pa.Field:
    """Text of nested values, as the decoder marks it."""
    return pa.field(name, pa.string(), metadata={"json": "1"})


def json_batch(first: int, *texts: str) -> pa.RecordBatch:
    """Rows from this id on whose `v` is nested."""
    ids = list(range(first, first + len(texts)))
    schema = pa.schema([("id", pa.int64()), ("seq", pa.int64()), json_field("v")])
    return pa.record_batch([ids, ids, list(texts)], schema=schema)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ({"a": 1}, {"a": "x"}, r"v\.a is long .* brings string"),
        ({"a": {"b": True}}, {"a": {"b": 2}}, r"v\.a\.b is boolean .* brings long"),
        ([{"a": 1}], [{"a": [2]}], r"v\[\]\.a is long .* brings array"),
        ({"a": [1]}, {"a": {"x": 1}}, r"v\.a is array .* brings struct"),
    ],
    ids=["text", "deep", "in a list", "of another kind"],
)
def test_a_member_that_cannot_widen_is_a_conflict_that_names_it(
    tmp_path: Path, old: Any, new: Any, words: str
) -> None:
    sync = incremental(folder_place(tmp_path))
    sync([{"id": 1, "seq": 1, "v": old}])
    with pytest.raises(ConfigurationError, match=f"column {words}") as caught:
        sync([{"id": 2, "seq": 2, "v": new}])
    assert caught.value.reason is Reason.SCHEMA_CONFLICT
    assert [row["v"] for row in rows(sync.place)] == [old]


@pytest.mark.parametrize("value", ["text", 5, True])
def test_a_column_of_json_takes_nothing_else_once_it_has_rows(tmp_path: Path, value: Any) -> None:
    sync = incremental(folder_place(tmp_path))
    sync.read(ListedSource([json_batch(1, '{"a": 1}')], "seq"))
    with pytest.raises(ConfigurationError, match=r"v is nested values .* brings") as caught:
        sync([{"id": 2, "seq": 2, "v": value}])
    assert caught.value.reason is Reason.SCHEMA_CONFLICT


def test_a_column_of_text_takes_everything_and_leaves_text_as_it_is(tmp_path: Path) -> None:
    sync = incremental(folder_place(tmp_path))
    sync([{"id": 1, "seq": 1, "v": "abc"}])
    sync.read(ListedSource([json_batch(2, '{"a": 1}')], "seq"))
    sync([{"id": 3, "seq": 3, "v": {"a": 2.0, "b": None}}], [{"id": 4, "seq": 4, "v": "x"}])
    assert [row["v"] for row in rows(sync.place)] == ["abc", '{"a": 1}', '{"a":2}', "x"]


def test_members_are_known_by_their_names_in_any_order(tmp_path: Path) -> None:
    sync = incremental(folder_place(tmp_path))
    sync([{"id": 1, "seq": 1, "v": {"a": 1, "b": "x", "c": {"d": 1, "e": True}}}])
    sync([{"id": 2, "seq": 2, "v": {"c": {"e": False, "d": 0.5}, "b": "y", "a": 2}}])
    sync([{"id": 3, "seq": 3, "v": {"b": "z", "f": [{"h": 1, "g": 2}]}}])
    sync([{"id": 4, "seq": 4, "v": {"f": [{"g": 3, "h": 4}], "a": None}}])
    none = {"a": None, "b": None, "c": None, "f": None}
    assert [row["v"] for row in rows(sync.place)] == [
        none | {"a": 1, "b": "x", "c": {"d": 1.0, "e": True}},
        none | {"a": 2, "b": "y", "c": {"d": 0.5, "e": False}},
        none | {"b": "z", "f": [{"h": 1, "g": 2}]},
        none | {"f": [{"h": 4, "g": 3}]},
    ]


NESTED_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.sampled_from(["", "s", "1", '{"a": 1}']),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("abc"), inner, max_size=2)
    ),
    max_leaves=4,
)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(NESTED_VALUES, min_size=1, max_size=8), st.sets(st.integers(1, 7)), st.booleans())
def test_where_batches_are_cut_never_shows(
    tmp_path: Path, values: list[Any], cuts: set[int], one_decoder: bool
) -> None:
    """One batch of all rows, or several, of one decoder or of pods that resume each other's run."""

    def read(*pages: list[Any]) -> list[dict[str, Any]]:
        sync = full(folder_place(tmp_path / secrets.token_hex(4)))
        batches, decoder = [], RecordDecoder()
        for page in pages:
            decoder = decoder if one_decoder else RecordDecoder()
            decoder.push(json.dumps(page).encode())
            batches.append(decoder.flush())
        outcome = sync.read(ListedSource(batches))
        types = {column.name: column.data_type for column in outcome.columns}
        return [types, *rows(sync.place)]

    records = [{"id": number, "v": value} for number, value in enumerate(values)]
    ends = [0, *sorted(cut for cut in cuts if cut < len(values)), len(values)]
    pages = [records[first:last] for first, last in itertools.pairwise(ends)]
    assert read(*pages) == read(records)
