"""Nested values as structs and lists: which rows allow it, and what becomes of the others."""

import json
from typing import Any

import external_data_decoder as native
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

LONG, DOUBLE, TEXT = pa.int64(), pa.float64(), pa.string()


def open_decoder() -> native.Decoder:
    """A decoder that makes structs."""
    return native.Decoder(records_path=[], structs=True)


def push(decoder: native.Decoder, *values: Any) -> pa.RecordBatch:
    """The batch of one page whose rows have these values in column `a`."""
    decoder.push(json.dumps([{"a": value} for value in values]).encode())
    batch = pa.record_batch(decoder.flush())
    batch.validate(full=True)
    return batch


def struct(**members: pa.DataType) -> pa.DataType:
    """A struct type."""
    return pa.struct(list(members.items()))


@pytest.mark.parametrize(
    ("values", "kind", "wanted"),
    [
        pytest.param([{"x": 1}, None], struct(x=LONG), [{"x": 1}, None], id="an object"),
        pytest.param(
            [{"x": 1}, {"y": "é"}],
            struct(x=LONG, y=TEXT),
            [{"x": 1, "y": None}, {"x": None, "y": "é"}],
            id="members are those of all objects",
        ),
        pytest.param(
            [{"x": 1}, {"x": 0.5}], struct(x=DOUBLE), [{"x": 1.0}, {"x": 0.5}], id="members widen"
        ),
        pytest.param(
            [{"x": {"y": {"z": True}}}],
            struct(x=struct(y=struct(z=pa.bool_()))),
            [{"x": {"y": {"z": True}}}],
            id="objects in objects",
        ),
        pytest.param([[1, None], [], None], pa.list_(LONG), [[1, None], [], None], id="a list"),
        pytest.param([[], None], pa.list_(pa.null()), [[], None], id="a list of nothing"),
        pytest.param([[[1], []], []], pa.list_(pa.list_(LONG)), [[[1], []], []], id="lists in it"),
        pytest.param(
            [[{"k": 1}, {"k": 2, "m": "b"}], []],
            pa.list_(struct(k=LONG, m=TEXT)),
            [[{"k": 1, "m": None}, {"k": 2, "m": "b"}], []],
            id="objects in lists",
        ),
        pytest.param([{}, {"x": 1}], struct(x=LONG), [None, {"x": 1}], id="{} is no value"),
        pytest.param([{}, None], pa.null(), [None, None], id="nothing but {}"),
        pytest.param(
            [{"x": None, "y": 1}], struct(y=LONG), [{"y": 1}], id="members without values"
        ),
    ],
)
def test_values_of_one_kind_become_structs_and_lists(
    values: list[Any], kind: pa.DataType, wanted: list[Any]
) -> None:
    batch = push(open_decoder(), *values)
    assert batch.schema.field("a").type == kind
    assert batch.column("a").to_pylist() == wanted


@pytest.mark.parametrize(
    "values",
    [
        pytest.param([{"x": 1}, [1]], id="an object and a list"),
        pytest.param([{f"k{i}": i for i in range(257)}], id="a map of many keys"),
    ],
)
def test_objects_beside_lists_and_maps_are_json_text(values: list[Any]) -> None:
    decoder = open_decoder()
    batch = push(decoder, *values)
    assert batch.schema.field("a").metadata == {b"json": b"1"}
    assert [json.loads(text) for text in batch.column("a").to_pylist()] == values
    assert push(decoder, {"x": 1}).column("a").to_pylist() == ['{"x": 1}'], "types never narrow"


@pytest.mark.parametrize(
    ("values", "kind", "wanted"),
    [
        pytest.param([{"x": 1}, 5, "s"], TEXT, ['{"x": 1}', "5", "s"], id="a column"),
        pytest.param(
            [{"x": {"y": 1}, "z": 1}, {"x": "s", "z": 2}, {"x": [2]}],
            struct(x=TEXT, z=LONG),
            [{"x": '{"y": 1}', "z": 1}, {"x": "s", "z": 2}, {"x": "[2]", "z": None}],
            id="a member",
        ),
        pytest.param([[1, [2]]], pa.list_(TEXT), [["1", "[2]"]], id="an element"),
        pytest.param(
            [[{"x": []}, {"x": True}]],
            pa.list_(struct(x=TEXT)),
            [[{"x": "[]"}, {"x": "true"}]],
            id="a member of an element",
        ),
    ],
)
def test_what_is_of_several_kinds_is_text_at_any_depth(
    values: list[Any], kind: pa.DataType, wanted: list[Any]
) -> None:
    batch = push(open_decoder(), *values)
    assert batch.schema.field("a") == pa.field("a", kind)
    assert not batch.schema.field("a").metadata
    assert batch.column("a").to_pylist() == wanted


def test_an_object_of_nulls_is_null_whatever_members_others_have() -> None:
    values = [{"x": None}, {"x": 1}, {"x": None, "y": {"z": None}}, {"y": {"z": 2}}]
    found = push(open_decoder(), *values).column("a").to_pylist()
    assert found == [None, {"x": 1, "y": None}, None, {"x": None, "y": {"z": 2}}]


@pytest.mark.parametrize(("levels", "is_text"), [(8, False), (9, True)])
def test_values_of_more_than_eight_levels_are_text(levels: int, is_text: bool) -> None:
    value: Any = 1
    for _ in range(levels):
        value = {"x": value}
    found = push(open_decoder(), value).column("a").to_pylist()[0]
    for _ in range(levels - is_text):
        found = found["x"]
    assert found == ('{"x": 1}' if is_text else 1)


def test_objects_that_have_few_of_many_members_are_text() -> None:
    decoder = open_decoder()
    sparse = [{f"k{i % 250}": i} for i in range(20_000)]
    batch = push(decoder, *sparse)
    assert batch.nbytes < 1 << 20
    assert json.loads(batch.column("a").to_pylist()[1]) == sparse[1]
    elements = [{f"k{i}": i for i in range(250)}, *({} for _ in range(60_000))]
    assert push(open_decoder(), elements).nbytes < 1 << 20


def test_a_stream_has_ten_thousand_members_at_the_most() -> None:
    decoder = open_decoder()
    row = {f"c{i}": {f"k{j}": j for j in range(250)} for i in range(41)}
    decoder.push(json.dumps([row]).encode())
    batch = pa.record_batch(decoder.flush())
    kinds = [field.type.num_fields for field in batch.schema]
    assert kinds == [250] * 40 + [0]
    assert json.loads(batch.column("c40").to_pylist()[0]) == row["c40"]


def test_types_stay_from_one_batch_to_the_next_and_widen() -> None:
    decoder = open_decoder()
    assert push(decoder, {"x": 1}).schema.field("a").type == struct(x=LONG)
    assert push(decoder, None, {"y": "b"}).schema.field("a").type == struct(x=LONG, y=TEXT)
    batch = push(decoder, {"x": 0.5})
    assert batch.column("a").to_pylist() == [{"x": 0.5, "y": None}]


def test_without_the_choice_nested_values_are_text() -> None:
    decoder = native.Decoder(records_path=[])
    assert push(decoder, {"x": 1}, [1]).column("a").to_pylist() == ['{"x": 1}', "[1]"]


def test_nested_keys_become_columns_beside_the_struct() -> None:
    decoder = native.Decoder(records_path=[], extract=[["a", "id"]], structs=True)
    batch = push(decoder, {"id": 1, "n": "x"}, {"id": 2})
    assert batch.column("a.id").to_pylist() == [1, 2]
    assert batch.column("a").to_pylist() == [{"id": 1, "n": "x"}, {"id": 2, "n": None}]


def test_a_page_that_is_refused_leaves_no_trace_in_structs() -> None:
    decoder = open_decoder()
    decoder.push(b'[{"a":{"x":1}}]')
    with pytest.raises(native.DecodeError):
        decoder.push(b'[{"a":{"y":1}},')
    assert pa.record_batch(decoder.flush()).column("a").to_pylist() == [{"x": 1}]


def pages_of(leaves: st.SearchStrategy[Any]) -> st.SearchStrategy[list[list[Any]]]:
    """Pages of values whose scalars are of one kind: others would meet as text."""
    values = st.recursive(
        st.none() | leaves,
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("pq"), inner, max_size=2)
        ),
        max_leaves=6,
    )
    lists = st.none() | st.lists(leaves, max_size=2)
    alike = st.dictionaries(st.sampled_from("pqr"), lists, max_size=3)
    page = st.lists(values, min_size=1, max_size=4) | st.lists(alike, min_size=1, max_size=4)
    return st.lists(page, min_size=1, max_size=3)


PAGES = st.one_of(
    pages_of(st.booleans()),
    pages_of(st.integers(-5, 5) | st.sampled_from([0.5, -1e300])),
    pages_of(st.sampled_from(["s", "", '"q"', "é\n"])),
)


def _plain(value: Any) -> Any:
    """A value without what structs do not tell apart: missing members, null, and empty objects."""
    if isinstance(value, dict):
        members = {key: _plain(inner) for key, inner in value.items()}
        return {key: inner for key, inner in members.items() if inner is not None} or None
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    return value


def _says(found: Any, value: Any) -> bool:
    """Whether a value came through, as itself or as its text."""
    if found is None:
        return _plain(value) is None
    if isinstance(found, str) and not isinstance(value, str):
        return bool(json.loads(found) == value)
    if isinstance(found, dict):
        return all(_says(found.get(key), inner) for key, inner in value.items())
    if isinstance(found, list):
        return len(found) == len(value) and all(map(_says, found, value))
    return bool(found == value)


@given(PAGES)
def test_any_values_come_through_as_structs_or_as_their_own_text(pages: list[list[Any]]) -> None:
    decoder = open_decoder()
    for page in pages:
        found = push(decoder, *page).column("a").to_pylist()
        assert all(map(_says, found, page))
