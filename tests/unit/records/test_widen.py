"""Types that widen, and values that go along."""

import datetime as dt
import random
from decimal import Decimal
from functools import reduce
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync_runner.records.widen import (
    JSON_KEY,
    as_json_text,
    convert,
    fit,
    is_json,
    is_same,
    join_fields,
)

JSON = "json"


def field(spec: Any) -> pa.Field:
    """A column `c` of a type, or of JSON text."""
    if spec == JSON:
        return pa.field("c", pa.string(), metadata={JSON_KEY: b"1"})
    return pa.field("c", spec)


LONG, INT, DOUBLE, TEXT, BOOL = pa.int64(), pa.int32(), pa.float64(), pa.string(), pa.bool_()
BIG = pa.decimal128(38, 0)
MONEY = pa.decimal128(10, 2)
NESTED = pa.struct([("a", LONG)])

JOINS = [
    (pa.null(), LONG, LONG),
    (INT, LONG, LONG),
    (LONG, BIG, BIG),
    (LONG, DOUBLE, DOUBLE),
    (BIG, DOUBLE, DOUBLE),
    (INT, MONEY, pa.decimal128(12, 2)),
    (LONG, MONEY, pa.decimal128(21, 2)),
    (BIG, MONEY, DOUBLE),
    (pa.float32(), INT, DOUBLE),
    (BOOL, LONG, TEXT),
    (BOOL, TEXT, TEXT),
    (LONG, TEXT, TEXT),
    (pa.date32(), TEXT, TEXT),
    (pa.date32(), pa.timestamp("us"), TEXT),
    (pa.timestamp("us", "UTC"), pa.timestamp("us"), TEXT),
    (LONG, JSON, TEXT),
    (TEXT, JSON, TEXT),
    (pa.null(), JSON, JSON),
    (NESTED, JSON, JSON),
    (NESTED, LONG, TEXT),
    (NESTED, pa.list_(LONG), JSON),
    (NESTED, pa.struct([("b", TEXT)]), pa.struct([("a", LONG), ("b", TEXT)])),
    (NESTED, pa.struct([("a", pa.list_(LONG))]), pa.struct([("a", TEXT)])),
    (pa.struct([("a", NESTED)]), pa.struct([("a", LONG)]), pa.struct([("a", TEXT)])),
    (pa.null(), NESTED, NESTED),
    (pa.list_(LONG), pa.list_(DOUBLE), pa.list_(DOUBLE)),
    (pa.list_(pa.null()), pa.list_(LONG), pa.list_(LONG)),
    (pa.list_(pa.null()), pa.list_(NESTED), pa.list_(NESTED)),
]


@pytest.mark.parametrize(("one", "other", "wanted"), JOINS, ids=str)
def test_two_types_join_to_one_that_holds_both_whichever_comes_first(
    one: Any, other: Any, wanted: Any
) -> None:
    assert is_same(join_fields(field(one), field(other)), field(wanted))
    if not pa.types.is_nested(field(wanted).type):
        assert is_same(join_fields(field(other), field(one)), field(wanted))


TYPES = st.recursive(
    st.sampled_from([pa.null(), BOOL, LONG, BIG, DOUBLE, TEXT, pa.date32()]),
    lambda inner: (
        inner.map(pa.list_)
        | st.dictionaries(st.sampled_from("abc"), inner, min_size=1).map(
            lambda members: pa.struct(list(members.items()))
        )
    ),
    max_leaves=5,
)


def sort_members(type_: pa.DataType) -> pa.DataType:
    """The same type with members in the order of their names."""
    if pa.types.is_list(type_):
        return pa.list_(sort_members(type_.value_type))
    if not pa.types.is_struct(type_):
        return type_
    members = sorted(type_, key=lambda member: str(member.name))
    return pa.struct([(member.name, sort_members(member.type)) for member in members])


@given(st.lists(TYPES | st.just(JSON), min_size=1, max_size=4), st.randoms(use_true_random=False))
def test_joining_gives_the_same_type_in_any_order(types: list[Any], dice: random.Random) -> None:
    fields = list(map(field, types))
    found = set()
    for _ in range(4):
        dice.shuffle(fields)
        at = dice.randrange(len(fields))
        groups = [group for group in (fields[:at], fields[at:]) if group]
        joined = reduce(join_fields, [reduce(join_fields, group) for group in groups])
        assert is_same(join_fields(joined, fields[0]), joined)
        found.add((str(sort_members(joined.type)), is_json(joined)))
    assert len(found) == 1


@pytest.mark.parametrize(
    ("table", "incoming", "wanted"),
    [
        (LONG, LONG, LONG),
        (LONG, INT, LONG),
        (INT, LONG, LONG),
        (LONG, BIG, BIG),
        (LONG, DOUBLE, DOUBLE),
        (DOUBLE, LONG, DOUBLE),
        (TEXT, LONG, TEXT),
        (TEXT, BOOL, TEXT),
        (TEXT, JSON, TEXT),
        (JSON, LONG, None),
        (JSON, TEXT, None),
        (NESTED, pa.struct([("a", TEXT)]), None),
        (pa.struct([("a", TEXT)]), NESTED, pa.struct([("a", TEXT)])),
        (LONG, TEXT, None),
        (LONG, BOOL, None),
        (BOOL, LONG, None),
        (BOOL, TEXT, None),
        (DOUBLE, JSON, None),
        (pa.date32(), TEXT, None),
        (pa.timestamp("us"), pa.timestamp("us", "UTC"), None),
        (NESTED, pa.struct([("a", DOUBLE)]), pa.struct([("a", DOUBLE)])),
        (NESTED, LONG, None),
        (NESTED, pa.struct([("a", pa.list_(LONG))]), None),
        (NESTED, JSON, None),
        (JSON, NESTED, JSON),
        (pa.list_(TEXT), pa.list_(pa.null()), pa.list_(TEXT)),
        (LONG, pa.list_(pa.null()), None),
    ],
    ids=str,
)
def test_a_table_widens_among_numbers_and_takes_what_its_own_type_holds(
    table: Any, incoming: Any, wanted: Any
) -> None:
    fitted = fit(field(table), field(incoming))
    assert (fitted is None) == (wanted is None)
    if fitted is not None:
        assert is_same(fitted, field(wanted))


@pytest.mark.parametrize(
    ("values", "have", "want", "wanted"),
    [
        ([1, None], LONG, DOUBLE, [1.0, None]),
        ([2**60 + 1], LONG, BIG, [Decimal(2**60 + 1)]),
        ([Decimal("1.50")], MONEY, pa.decimal128(21, 4), [Decimal("1.5000")]),
        ([True, None], BOOL, TEXT, ["true", None]),
        ([1, -2], LONG, TEXT, ["1", "-2"]),
        ([1.5, 1e20], DOUBLE, TEXT, ["1.5", f"1{'0' * 20}"]),
        ([dt.date(2024, 2, 29)], pa.date32(), TEXT, ["2024-02-29"]),
        ([None], pa.null(), TEXT, [None]),
        (['{"a": 1}', None], JSON, TEXT, ['{"a": 1}', None]),
        ([{"a": 1}, None], NESTED, TEXT, ['{"a":1}', None]),
        (
            [{"a": None, "b": [2.0, 0.5]}, None],
            pa.struct([("a", LONG), ("b", pa.list_(DOUBLE))]),
            TEXT,
            ['{"b":[2,0.5]}', None],
        ),
        (
            [{"b": [{"y": "t", "x": 1}]}, None],
            pa.struct([("b", pa.list_(pa.struct([("y", TEXT), ("x", LONG)])))]),
            pa.struct([("a", TEXT), ("b", pa.list_(pa.struct([("x", DOUBLE), ("y", TEXT)])))]),
            [{"a": None, "b": [{"x": 1.0, "y": "t"}]}, None],
        ),
        (
            [{"a": {"x": 1}}, {"a": None}],
            pa.struct([("a", pa.struct([("x", LONG)]))]),
            pa.struct([("a", TEXT)]),
            [{"a": '{"x":1}'}, {"a": None}],
        ),
        ([{"a": 1}, None], NESTED, JSON, ['{"a":1}', None]),
        ([[1, 2]], pa.list_(LONG), JSON, ["[1,2]"]),
        ([[1]], pa.list_(LONG), pa.list_(DOUBLE), [[1.0]]),
        ([[], None], pa.list_(pa.null()), pa.list_(TEXT), [[], None]),
        (
            [{"a": 1, "v": []}],
            pa.struct([("a", LONG), ("v", pa.list_(pa.null()))]),
            NESTED,
            [{"a": 1}],
        ),
    ],
    ids=str,
)
def test_values_go_along_when_their_column_widens(
    values: list[Any], have: Any, want: Any, wanted: list[Any]
) -> None:
    for column in (
        pa.array(values, field(have).type),
        pa.chunked_array([values], field(have).type),
    ):
        converted = convert(column, field(have), field(want))
        assert converted.type == field(want).type
        assert converted.to_pylist() == wanted


def test_a_joined_field_keeps_its_name_and_says_that_it_is_json() -> None:
    joined = join_fields(
        pa.field("x", LONG, metadata={b"source": b"X"}).with_type(NESTED), field(JSON)
    )
    assert joined.name == "x"
    assert is_json(joined)
    assert joined.metadata[b"source"] == b"X"


def test_numbers_that_json_does_not_have_are_strings_in_json_text() -> None:
    nested = pa.array([{"a": [1.5, float("nan")], "b": float("-inf")}, None, {"a": []}])
    for column in (nested, pa.chunked_array([nested.slice(0, 1), nested.slice(1)])):
        texts = as_json_text(column).to_pylist()
        assert texts == ['{"a":[1.5,"NaN"],"b":"-Infinity"}', None, '{"a":[]}']
    assert as_json_text(pa.array([0.5, float("inf")])).to_pylist() == ["0.5", '"Infinity"']


def test_text_of_numbers_fits_into_a_column_of_numbers_and_other_text_does_not() -> None:
    numbers = pa.field("c", pa.string(), metadata={b"numbers": b"1"})
    fitted = fit(pa.field("c", pa.float64()), numbers)
    assert fitted is not None
    assert (fitted.type, fitted.metadata) == (pa.string(), {b"numbers": b"1"})
    assert fit(pa.field("c", pa.float64()), pa.field("c", pa.string())) is None
    assert fit(pa.field("c", pa.bool_()), numbers) is None
