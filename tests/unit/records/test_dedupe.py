"""Keys of rows."""

from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync_runner.records.dedupe import (
    Order,
    build_keys,
    find_last_of_keys,
    find_order,
    find_pieces,
    match,
    pick_bounds,
)


def last_rows(keys: list[Any]) -> list[int]:
    """By the plain way."""
    return sorted({key: row for row, key in enumerate(keys)}.values())


@given(st.lists(st.one_of(st.none(), st.integers(0, 5)), min_size=1, max_size=30))
def test_of_rows_with_one_key_the_last_is_found_and_nulls_are_one_key(keys: list[Any]) -> None:
    found = find_last_of_keys(pa.array(keys, pa.int64()))
    rows = list(range(len(keys))) if found is None else found.to_pylist()
    assert rows == last_rows(keys)


@given(st.lists(st.tuples(*[st.one_of(st.none(), st.text("a|:-1", max_size=3))] * 2), min_size=2))
def test_keys_of_several_columns_are_equal_only_where_every_value_is(
    rows: list[tuple[str | None, str | None]],
) -> None:
    one, two = (pa.array([row[i] for row in rows], pa.string()) for i in (0, 1))
    keys = build_keys(pa.table({"one": one, "two": two}), ["one", "two"]).to_pylist()
    assert None not in keys
    assert len(set(keys)) == len(set(rows))


def test_keys_of_several_columns_may_mix_types() -> None:
    table = pa.table({"a": [1, 1, None], "b": [b"x", b"y", b"x"], "c": [True, None, True]})
    assert len(set(build_keys(table, ["a", "b", "c"]).to_pylist())) == 3


@pytest.mark.parametrize(
    ("keys", "order"),
    [
        ([1, 2, 3], Order.ASCENDING),
        ([3, 2, 1], Order.DESCENDING),
        ([1], Order.ASCENDING),
        ([1, 1, 2], Order.NONE),
        ([1, 3, 2], Order.NONE),
        ([1, None, 2], Order.NONE),
        (["a", "b"], Order.ASCENDING),
    ],
    ids=str,
)
def test_order_is_strict_and_without_nulls(keys: list[Any], order: Order) -> None:
    assert find_order(pa.array(keys)) is order


def test_null_matches_null() -> None:
    assert match(pa.array([1, None, 3]), pa.array([None, 3])).to_pylist() == [False, True, True]


@given(
    st.lists(st.one_of(st.none(), st.text(max_size=2)), min_size=1, max_size=50),
    st.integers(2, 6),
)
def test_pieces_share_no_key_and_together_hold_them_all(keys: list[Any], pieces: int) -> None:
    column = pa.array(keys, pa.string())
    bounds = pick_bounds(column, pieces)
    numbers = find_pieces(column, bounds).to_pylist()
    assert len(bounds) < pieces
    assert all(0 <= number <= len(bounds) for number in numbers)
    by_key: dict[Any, int] = {}
    for key, number in zip(keys, numbers, strict=True):
        assert by_key.setdefault(key, number) == number


def test_pieces_are_about_equal() -> None:
    column = pa.array(range(1000))
    numbers = find_pieces(column, pick_bounds(column, 4)).to_pylist()
    assert sorted(map(numbers.count, range(4))) == [250] * 4


@pytest.mark.parametrize(
    "keys",
    [
        pa.array([Decimal(5), Decimal(1), Decimal(5), None], pa.decimal128(38, 0)),
        pa.array([10**30, 10**30 + 1, 10**30], pa.decimal128(38, 0)),
        pa.array([True, False, True, None]),
    ],
    ids=["decimal", "huge-decimal", "boolean"],
)
def test_keys_of_every_type_are_cut_and_equal_ones_stay_together(keys: pa.Array) -> None:
    pieces = find_pieces(keys, pick_bounds(keys, 2)).to_pylist()
    found: dict[Any, set[int]] = {}
    for key, piece in zip(keys.to_pylist(), pieces, strict=True):
        found.setdefault(key, set()).add(piece)
    assert all(len(piece) == 1 for piece in found.values())
