"""Which type holds the numbers of two columns, told by their values."""

from decimal import Decimal
from typing import Any

import external_data_decoder as native
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sync_runner.records.numeric import (
    NO_NUMBERS,
    ByValue,
    Numbers,
    cast_numbers,
    spell_numbers,
)

LONG, DOUBLE, TEXT = pa.int64(), pa.float64(), pa.string()
INT = pa.int32()
NAN = float("nan")


def decimal(scale: int, digits: int = 38) -> pa.DataType:
    """A type of decimals."""
    return pa.decimal128(digits, scale)


def column(type_: pa.DataType, *values: Any) -> pa.Array:
    """A column of these numbers."""
    whole = pa.types.is_decimal(type_)
    return pa.array([Decimal(str(v)) if whole and v is not None else v for v in values], type_)


def numbers(array: pa.Array) -> Numbers:
    """The same, to be asked."""
    return Numbers(lambda: [array.slice(0, 1), pa.chunked_array([array.slice(1)])])


def join(one: pa.Array, other: pa.Array, *, keeps: bool = False) -> pa.DataType:
    """What holds both, whichever comes first unless the first is a table's."""
    found = ByValue(numbers(one), numbers(other), keeps).join(one.type, other.type)
    if not keeps:
        assert ByValue(numbers(other), numbers(one)).join(other.type, one.type) == found
    return found


@pytest.mark.parametrize(
    ("one", "other", "wanted"),
    [
        pytest.param(column(LONG, 1), column(DOUBLE, 0.5), DOUBLE, id="small"),
        pytest.param(column(LONG, 1, None), column(DOUBLE, 2.0, None), LONG, id="whole"),
        pytest.param(column(LONG, 2**53), column(DOUBLE, 0.5), DOUBLE, id="2^53"),
        pytest.param(column(LONG, 2**53 + 1), column(DOUBLE, 0.25), decimal(2), id="above"),
        pytest.param(column(LONG, 10**17), column(DOUBLE, 0.25), DOUBLE, id="10^17"),
        pytest.param(column(LONG, 1, 2**60), column(DOUBLE, 0.25), decimal(2), id="2^60"),
        pytest.param(column(LONG, 2**53 + 1), column(DOUBLE, 1e300), TEXT, id="far apart"),
        pytest.param(column(LONG, 2**53 + 1), column(DOUBLE, NAN), TEXT, id="NaN"),
        pytest.param(column(LONG, 5), column(DOUBLE, NAN), DOUBLE, id="NaN and small"),
        pytest.param(column(LONG, 5), column(DOUBLE, 1e20), DOUBLE, id="beyond 64 bits"),
        pytest.param(column(LONG, 5), column(decimal(2), 1.25), decimal(2), id="decimals"),
        pytest.param(
            column(decimal(0), 10**36), column(decimal(2), "0.25"), TEXT, id="39 digits in all"
        ),
        pytest.param(
            column(decimal(0), 10**35), column(decimal(2), "0.25"), decimal(2), id="38 digits"
        ),
        pytest.param(column(decimal(1), 1.5), column(DOUBLE, 1e-7), decimal(7), id="exponent"),
        pytest.param(column(INT, 1), column(LONG, 2**60), LONG, id="integers"),
        pytest.param(column(decimal(0, 20), 1), column(LONG, 1), decimal(0, 20), id="by type"),
    ],
)
def test_two_columns_become_one_that_holds_every_number(
    one: pa.Array, other: pa.Array, wanted: pa.DataType
) -> None:
    assert join(one, other) == wanted


@pytest.mark.parametrize(
    ("table", "incoming", "wanted"),
    [
        pytest.param(column(DOUBLE, 1.0), column(LONG, 2), DOUBLE, id="a double stays"),
        pytest.param(column(LONG, 2**60), column(DOUBLE, 2.0), LONG, id="a long stays"),
        pytest.param(column(LONG, 2**50), column(DOUBLE, 2.5), DOUBLE, id="a long widens"),
        pytest.param(column(DOUBLE, 0.5), column(LONG, 2**60), decimal(1), id="a double widens"),
        pytest.param(column(decimal(3), 1), column(DOUBLE, 0.25), decimal(3), id="a decimal stays"),
        pytest.param(column(decimal(1), 1), column(DOUBLE, 0.25), decimal(2), id="more digits"),
        pytest.param(column(decimal(1), 1), column(DOUBLE, NAN), TEXT, id="NaN is no decimal"),
    ],
)
def test_a_tables_column_never_becomes_narrower(
    table: pa.Array, incoming: pa.Array, wanted: pa.DataType
) -> None:
    assert join(table, incoming, keeps=True) == wanted


def test_a_column_that_stays_what_it_is_is_not_looked_at() -> None:
    closed = Numbers(lambda: pytest.fail("the table was read"))
    for type_, incoming in ((DOUBLE, column(LONG, 1)), (LONG, column(DOUBLE, 1.0))):
        assert ByValue(closed, numbers(incoming), keeps=True).join(type_, incoming.type) == type_


def test_numbers_inside_structs_and_lists_are_found() -> None:
    array = pa.array([{"a": [1, 2**60]}, None, {"a": []}])
    inside = Numbers(lambda: [array, pa.nulls(2)]).member("a").items()
    assert not inside.fit(DOUBLE)
    assert inside.fit(LONG)
    assert Numbers(lambda: [array]).member("b").items().fit(DOUBLE)
    assert NO_NUMBERS.member("a").fit(LONG)


FLOATS = st.floats(allow_nan=False, allow_infinity=False)


@settings(database=None)
@given(values=st.lists(FLOATS, min_size=1), last=st.sampled_from(['"x"', "1e400", "{}", "true"]))
def test_numbers_become_the_text_that_the_decoder_makes_of_them(
    values: list[float], last: str
) -> None:
    decoder = native.Decoder(records_path=[])
    rows = ",".join('{"v":' + repr(value) + "}" for value in values)
    decoder.push(f'[{rows},{{"v":{last}}}]'.encode())
    wanted = pa.record_batch(decoder.flush()).column("v").to_pylist()[:-1]
    assert spell_numbers(pa.array(values)).to_pylist() == wanted


@settings(database=None)
@given(values=st.lists(FLOATS | st.integers(-(2**63), 2**63 - 1).map(float), min_size=1))
def test_floats_become_the_decimals_that_their_text_says(values: list[float]) -> None:
    array = pa.array(values)
    scale = numbers(array).scale
    if scale <= 38 and numbers(array).fit(decimal(scale)):
        found = cast_numbers(array, decimal(scale)).to_pylist()
        assert found == [Decimal(repr(value)) for value in values]


def test_a_long_that_is_no_float_never_becomes_one() -> None:
    with pytest.raises(AssertionError, match="lose digits"):
        cast_numbers(pa.array([2**53 + 1]), DOUBLE)
