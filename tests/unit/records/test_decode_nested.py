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
        pytest.param([{"x": 1}, 5], id="an object and a number"),
        pytest.param([[1], "text"], id="a list and a text"),
        pytest.param([{f"k{i}": i for i in range(257)}], id="a map of many keys"),
    ],
)
def test_values_of_several_kinds_and_maps_stay_text(values: list[Any]) -> None:
    decoder = open_decoder()
    batch = push(decoder, *values)
    assert batch.schema.field("a").metadata == {b"json": b"1"}
    assert [json.loads(text) for text in batch.column("a").to_pylist()] == values
    assert push(decoder, {"x": 1}).column("a").to_pylist() == ['{"x": 1}'], "types never narrow"


def test_only_the_member_of_several_kinds_is_text() -> None:
    column = push(open_decoder(), {"x": {"y": 1}, "z": 1}, {"x": "s", "z": 2}).column("a")
    assert column.type == struct(x=TEXT, z=LONG)
    assert column.to_pylist() == [{"x": '{"y": 1}', "z": 1}, {"x": '"s"', "z": 2}]


def test_what_lies_deeper_than_eight_levels_is_text() -> None:
    value: Any = {"deep": [1]}
    for _ in range(8):
        value = {"x": value}
    inner = push(open_decoder(), value).column("a").to_pylist()[0]
    for _ in range(7):
        inner = inner["x"]
    assert inner == {"x": '{"deep": [1]}'}


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


LEAVES = st.none() | st.booleans()
OBJECTS = st.dictionaries(st.sampled_from("pq"), LEAVES | st.lists(LEAVES, max_size=3), max_size=2)


def _plain(value: Any) -> Any:
    """A value without what structs do not tell apart: missing members, null, and empty objects."""
    if isinstance(value, dict):
        members = {key: _plain(inner) for key, inner in value.items()}
        return {key: inner for key, inner in members.items() if inner is not None} or None
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    return json.loads(value) if isinstance(value, str) else value


@given(st.lists(st.lists(OBJECTS | st.none(), max_size=4), min_size=1, max_size=3))
def test_any_objects_come_through_over_any_pages(pages: list[list[Any]]) -> None:
    decoder = open_decoder()
    for page in pages:
        batch = push(decoder, *page)
        if not page:
            continue
        assert [_plain(v) for v in batch.column("a").to_pylist()] == [_plain(v) for v in page]
