"""Lists, structs and JSON text: empty ones take a later type, members are known by name."""

import itertools
import json
import secrets
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from external_data_operator.api.conditions import Reason
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sync_runner.errors import ConfigurationError
from sync_runner.protocols import Progress
from sync_runner.records.decode import RecordDecoder
from tests.contract.lake_columns import incremental, rows
from tests.contract.lake_pod import folder_place
from tests.contract.lake_rows import ListedSource, full

NOTHING = pa.array([[], None], pa.list_(pa.null()))
WORDS = pa.array([["x"], []], pa.list_(pa.string()))


def batch(first: int, **columns: pa.Array) -> pa.RecordBatch:
    """Two rows from this id on."""
    return pa.record_batch({"id": [first, first + 1], "seq": [first, first + 1], **columns})


def json_field(name: str) -> pa.Field:
    """Text of nested values, as the decoder marks it."""
    return pa.field(name, pa.string(), metadata={"json": "1"})


def json_batch(first: int, *texts: str) -> pa.RecordBatch:
    """Rows from this id on whose `v` is nested."""
    ids = list(range(first, first + len(texts)))
    schema = pa.schema([("id", pa.int64()), ("seq", pa.int64()), json_field("v")])
    return pa.record_batch([ids, ids, list(texts)], schema=schema)


@pytest.mark.parametrize("depth", ["struct", "list"])
def test_members_that_readers_cannot_tell_apart_are_named(tmp_path: Path, depth: str) -> None:
    def nest(*rows: dict[str, int]) -> pa.Array:
        return pa.array([[row] if depth == "list" else row for row in rows])

    twins = batch(3, v=nest({"Serial No": 3, "serial_no": 30}, {"Serial No": 4}))
    sync = incremental(folder_place(tmp_path / "new"))
    progress = Progress()
    sync.read(ListedSource([twins], "seq"), progress=progress)
    (note,) = progress.notes
    assert note.startswith("Members Serial No and serial_no in v have names that readers")
    sync = incremental(folder_place(tmp_path / "old"))
    sync.read(ListedSource([batch(1, v=nest({"Serial No": 1}, {"Serial No": 2}))], "seq"))
    with pytest.raises(ConfigurationError, match="Serial No and serial_no") as caught:
        sync.read(
            ListedSource([batch(5, v=nest({"Serial No": 5}, {"Serial No": 6})), twins], "seq")
        )
    assert caught.value.reason is Reason.SCHEMA_CONFLICT
    assert "30" not in str(caught.value)


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
    with pytest.raises(ConfigurationError, match=r"Column v\.m is") as error:
        sync.read(ListedSource([batch(3, v=pa.array([{"a": 1, "m": []}] * 2))], "seq"))
    assert error.value.reason is Reason.SCHEMA_CONFLICT


def test_a_list_of_nothing_in_the_place_of_a_number_is_a_conflict(tmp_path: Path) -> None:
    sync = incremental(folder_place(tmp_path))
    sync.read(ListedSource([batch(1, v=pa.array([1, 2]))], "seq"))
    with pytest.raises(ConfigurationError, match=r"Column v is long .* sends array") as error:
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
    with pytest.raises(ConfigurationError, match=r"Column v is struct .* sends long") as error:
        sync.read(ListedSource([batch(3, v=pa.array([1, 2]))], "seq"))
    assert error.value.reason is Reason.SCHEMA_CONFLICT
    assert [row.get("v") for row in rows(sync.place)] == [{"a": 1}, None]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ({"a": 1}, {"a": "x"}, r"v\.a is long .* sends string"),
        ({"a": {"b": True}}, {"a": {"b": 2}}, r"v\.a\.b is boolean .* sends long"),
        ([{"a": 1}], [{"a": [2]}], r"v\[\]\.a is long .* sends array"),
        ({"a": [1]}, {"a": {"x": 1}}, r"v\.a is array .* sends struct"),
    ],
    ids=["text", "deep", "in a list", "of another kind"],
)
def test_a_member_that_cannot_widen_is_a_conflict_that_names_it(
    tmp_path: Path, old: Any, new: Any, words: str
) -> None:
    sync = incremental(folder_place(tmp_path))
    sync([{"id": 1, "seq": 1, "v": old}])
    with pytest.raises(ConfigurationError, match=f"Column {words}") as caught:
        sync([{"id": 2, "seq": 2, "v": new}])
    assert caught.value.reason is Reason.SCHEMA_CONFLICT
    assert [row["v"] for row in rows(sync.place)] == [old]


@pytest.mark.parametrize("value", ["text", 5, True])
def test_a_column_of_json_takes_nothing_else_once_it_has_rows(tmp_path: Path, value: Any) -> None:
    sync = incremental(folder_place(tmp_path))
    sync.read(ListedSource([json_batch(1, '{"a": 1}')], "seq"))
    with pytest.raises(ConfigurationError, match=r"v is nested values .* sends") as caught:
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


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
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
