"""Numbers of one batch: no digit is lost, whatever stands beside it and in whatever order."""

import json
from decimal import Decimal
from itertools import permutations
from typing import Any

import external_data_decoder as native
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

NUMBERS_MARK = {b"numbers": b"1"}


def decode(*values: str, **options: Any) -> tuple[pa.Field, list[Any]]:
    """One column of these values."""
    decoder = native.Decoder(records_path=[], **options)
    rows = ",".join('{"v":' + value + "}" for value in values)
    decoder.push(f"[{rows}]".encode())
    batch = pa.record_batch(decoder.flush())
    batch.validate(full=True)
    return batch.schema.field("v"), batch.column("v").to_pylist()


@pytest.mark.parametrize(
    ("values", "kind", "wanted"),
    [
        pytest.param(["7", "2.0", "3e3"], pa.int64(), [7, 2, 3000], id="whole floats are whole"),
        pytest.param(["2.0", "3e3"], pa.float64(), [2.0, 3000.0], id="floats alone stay floats"),
        pytest.param(["9007199254740992", "0.5"], pa.float64(), [2.0**53, 0.5], id="2^53"),
        pytest.param(
            ["9007199254740993", "0.5"],
            pa.decimal128(38, 1),
            [Decimal(2**53 + 1), Decimal("0.5")],
            id="above 2^53",
        ),
        pytest.param(
            ["1152921504606846976", "0.25"],
            pa.decimal128(38, 2),
            [Decimal(2**60), Decimal("0.25")],
            id="a power of two reads otherwise as a float",
        ),
        pytest.param(["10000000000000000", "0.5"], pa.float64(), [1e16, 0.5], id="10^16 does not"),
        pytest.param(["9007199254740993.0"], pa.int64(), [2**53 + 1], id="a long whole float"),
        pytest.param(["0.30000000000000004"], pa.float64(), [0.1 + 0.2], id="17 digits"),
        pytest.param(["0.10000000000000001"], pa.float64(), [0.1], id="17 digits of a short one"),
        pytest.param(
            ["1234567890123456.78", "1"],
            pa.decimal128(38, 2),
            [Decimal("1234567890123456.78"), Decimal(1)],
            id="18 digits",
        ),
        pytest.param(["1.50", "NaN"], pa.float64(), [1.5, "nan"], id="NaN"),
        pytest.param(["1", "-Infinity"], pa.float64(), [1.0, float("-inf")], id="infinity"),
        pytest.param(["-0.0"], pa.float64(), [-0.0], id="minus zero"),
    ],
)
def test_a_column_of_numbers_holds_each_of_them(
    values: list[str], kind: pa.DataType, wanted: list[Any]
) -> None:
    for order in permutations(range(len(values))):
        field, found = decode(*(values[place] for place in order))
        assert field.type == kind
        assert field.metadata is None
        assert list(map(str, found)) == [
            str(Decimal(value).quantize(Decimal(1).scaleb(-kind.scale)))
            if isinstance(value, Decimal)
            else str(value)
            for value in (wanted[place] for place in order)
        ]


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        pytest.param(["5.0", "0.50", "1E+400"], ["5", "0.5", "1e400"], id="beyond all types"),
        pytest.param(["1e-400", "1"], ["1e-400", "1"], id="nearer to zero than all types"),
        pytest.param(["9007199254740993", "NaN"], ["9007199254740993", "NaN"], id="NaN"),
        pytest.param(["9007199254740993", "1e300"], ["9007199254740993", "1e300"], id="far apart"),
        pytest.param(["8" * 45, "0.25"], ["8" * 45, "0.25"], id="45 digits"),
    ],
)
def test_numbers_that_no_type_holds_together_are_text_each_in_one_spelling(
    values: list[str], wanted: list[str]
) -> None:
    for order in permutations(range(len(values))):
        field, found = decode(*(values[place] for place in order))
        assert (field.type, field.metadata) == (pa.string(), NUMBERS_MARK)
        assert found == [wanted[place] for place in order]


def test_text_among_them_makes_plain_text_of_numbers_in_text() -> None:
    field, found = decode("1e400", '"x"', "1.50")
    assert (field.type, field.metadata) == (pa.string(), None)
    assert found == ["1e400", "x", "1.5"]


def test_nan_inside_json_text_is_a_string_there() -> None:
    field, found = decode('[NaN,{"a":-Infinity,"NaN":"\\"NaN"}]', "[1]")
    assert field.metadata == {b"json": b"1"}
    assert found == ['["NaN",{"a":"-Infinity","NaN":"\\"NaN"}]', "[1]"]
    for text in found:
        json.loads(text, parse_constant=pytest.fail)


def test_nan_inside_structs_is_a_double() -> None:
    field, found = decode('{"a":NaN}', '{"a":1}', structs=True)
    assert field.type == pa.struct([("a", pa.float64())])
    assert str(found) == "[{'a': nan}, {'a': 1.0}]"


NUMBERS = st.one_of(
    st.integers(-100, 100).map(str),
    st.integers(-(2**66), 2**66).map(str),
    st.integers(2**53 - 2, 2**53 + 2).map(str),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.integers(-99, 99).map("{}.0".format),
    st.decimals(allow_nan=False, allow_infinity=False, places=3).map(str),
    st.sampled_from(["NaN", "1e400", "1e-30", "1e18", "1e20", "0.1234567890123456789", "1e37"]),
)


@settings(database=None)
@given(values=st.lists(NUMBERS, min_size=1, max_size=6), data=st.data())
def test_the_column_does_not_depend_on_the_order_of_its_numbers(
    values: list[str], data: st.DataObject
) -> None:
    order = data.draw(st.permutations(range(len(values))))
    field, found = decode(*values)
    other, shuffled = decode(*(values[place] for place in order))
    assert field.equals(other, check_metadata=True)
    for place, value in zip(order, shuffled, strict=True):
        assert repr(found[place]).lstrip("-") == repr(value).lstrip("-")
