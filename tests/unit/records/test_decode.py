"""Each rule by which the native decoder makes columns out of rows, one fact at a time."""

import json
from decimal import Decimal
from typing import Any

import external_data_decoder as native
import pyarrow as pa
import pytest

BIG = 10**37
HUGE = "1" + "0" * 38
DECIMAL = pa.decimal128(38, 0)


def decode(*rows: str, **options: Any) -> pa.RecordBatch:
    """One page whose rows are given as text."""
    decoder = native.Decoder(records_path=[], **options)
    decoder.push(f"[{','.join(rows)}]".encode())
    return flush(decoder)


def flush(decoder: native.Decoder) -> pa.RecordBatch:
    """The batch, after Arrow's own full check."""
    batch = pa.record_batch(decoder.flush())
    batch.validate(full=True)
    return batch


def decode_values(*values: str) -> pa.Array:
    """One column, `a`."""
    return decode(*(f'{{"a":{value}}}' for value in values)).column("a")


@pytest.mark.parametrize(
    ("values", "kind", "wanted"),
    [
        pytest.param(["null", "null"], pa.null(), [None, None], id="all null"),
        pytest.param(["true", "null", "false"], pa.bool_(), [True, None, False], id="bool"),
        pytest.param(["1", "null", "-2"], pa.int64(), [1, None, -2], id="int"),
        pytest.param(
            [str(2**63 - 1), str(-(2**63))], pa.int64(), [2**63 - 1, -(2**63)], id="limits"
        ),
        pytest.param([str(2**63)], DECIMAL, [Decimal(2**63)], id="one beyond int64"),
        pytest.param([str(-(2**63) - 1)], DECIMAL, [Decimal(-(2**63) - 1)], id="one below int64"),
        pytest.param(["9" * 38], DECIMAL, [Decimal("9" * 38)], id="38 digits"),
        pytest.param(
            ["-" + "9" * 38], DECIMAL, [Decimal("-" + "9" * 38)], id="38 digits below zero"
        ),
        pytest.param([HUGE], pa.string(), [HUGE], id="39 digits are text"),
        pytest.param(["-0"], pa.int64(), [0], id="minus zero is an integer"),
        pytest.param(["1e3"], pa.float64(), [1000.0], id="an exponent makes a float"),
        pytest.param(["1.0"], pa.float64(), [1.0], id="a point makes a float"),
        pytest.param(["1e400"], pa.string(), ["1e400"], id="beyond float64 is text"),
        pytest.param(["1e-400"], pa.string(), ["1e-400"], id="closer to zero than float64 is text"),
        pytest.param(['""', '"x"'], pa.string(), ["", "x"], id="text"),
        pytest.param(["1", str(BIG)], DECIMAL, [Decimal(1), Decimal(BIG)], id="int meets decimal"),
        pytest.param(["1", "null", "0.5"], pa.float64(), [1.0, None, 0.5], id="int meets float"),
        pytest.param(["0.5", "1"], pa.float64(), [0.5, 1.0], id="float meets int"),
        pytest.param([str(BIG), "0.5"], pa.string(), [str(BIG), "0.5"], id="39 digits in all"),
        pytest.param(["0.5", str(BIG)], pa.string(), ["0.5", str(BIG)], id="39 the other way"),
        pytest.param(["1", "null", '"x"'], pa.string(), ["1", None, "x"], id="int meets text"),
        pytest.param(
            ['"x"', "1", "1.50", "-0"], pa.string(), ["x", "1", "1.5", "0"], id="in one spelling"
        ),
        pytest.param(
            ["1.50", "1e20", '"x"'], pa.string(), ["1.5", f"1{'0' * 20}", "x"], id="whichever first"
        ),
        pytest.param(
            ["-27664699587971.062", '"x"'], pa.string(), ["-27664699587971.062", "x"], id="even"
        ),
        pytest.param([str(BIG), '"x"'], pa.string(), [str(BIG), "x"], id="decimal meets text"),
        pytest.param(
            ["true", '"x"', "false"], pa.string(), ["true", "x", "false"], id="bool meets text"
        ),
        pytest.param(["true", "1"], pa.string(), ["true", "1"], id="bool meets int"),
        pytest.param(["1.0", "false"], pa.string(), ["1", "false"], id="float meets bool"),
        pytest.param(["7", HUGE], pa.string(), ["7", HUGE], id="int meets 39 digits"),
    ],
)
def test_a_column_is_of_the_narrowest_type_that_holds_its_values(
    values: list[str], kind: pa.DataType, wanted: list[Any]
) -> None:
    column = decode_values(*values)
    assert column.type == kind
    assert column.to_pylist() == wanted


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        pytest.param(
            ['{"b": [1,\n2]}', "null", "[ ]"], ['{"b": [1,\n2]}', None, "[ ]"], id="as sent"
        ),
        pytest.param(["[1.50]", '{"a": null}'], ["[1.50]", '{"a": null}'], id="of both kinds"),
    ],
)
def test_a_column_of_nested_values_is_json_text(
    values: list[str], wanted: list[str | None]
) -> None:
    batch = decode(*(f'{{"a":{value}}}' for value in values))
    assert batch.schema.field("a").metadata == {b"json": b"1"}
    assert batch.column("a").to_pylist() == wanted
    assert all(json.loads(text) is not ... for text in wanted if text is not None)


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        pytest.param(['"x\\ny"', '{"a": 1}'], ["x\ny", '{"a": 1}'], id="text first"),
        pytest.param(["{}", '"\\u00e9"', "null"], ["{}", "é", None], id="an object first"),
        pytest.param(["1", "2.50", "[]"], ["1", "2.5", "[]"], id="numbers"),
        pytest.param(["[]", "2.0", "1"], ["[]", "2", "1"], id="numbers later"),
        pytest.param(["true", "[]", "null", "false"], ["true", "[]", None, "false"], id="bools"),
        pytest.param(["{}", "true"], ["{}", "true"], id="a bool later"),
    ],
)
def test_a_column_of_nested_and_other_values_is_text(
    values: list[str], wanted: list[str | None]
) -> None:
    batch = decode(*(f'{{"a":{value}}}' for value in values))
    assert batch.schema.field("a") == pa.field("a", pa.string())
    assert not batch.schema.field("a").metadata
    assert batch.column("a").to_pylist() == wanted


def test_only_columns_with_nested_values_say_that_they_are_json() -> None:
    schema = decode('{"a":"{}","b":1}').schema
    assert schema.field("a").metadata is None
    assert schema.field("b").metadata is None


def test_columns_stand_in_the_order_in_which_they_first_appear() -> None:
    batch = decode('{"b":1,"a":2}', '{"a":3,"c":4,"b":5}', '{"":6}')
    assert batch.schema.names == ["b", "a", "c", ""]


def test_a_late_column_is_null_before_and_a_vanished_one_null_behind() -> None:
    batch = decode('{"a":1}', '{"a":2}', '{"b":"x"}', "{}")
    assert batch.to_pylist() == [
        {"a": 1, "b": None},
        {"a": 2, "b": None},
        {"a": None, "b": "x"},
        {"a": None, "b": None},
    ]


def test_the_last_of_several_equal_keys_counts() -> None:
    assert decode('{"a":1,"b":2,"a":3}', '{"a":4,"a":null}').to_pylist() == [
        {"a": 3, "b": 2},
        {"a": None, "b": None},
    ]


def test_equal_keys_are_recognised_however_they_are_escaped() -> None:
    batch = decode('{"caf\\u00e9":1,"q\\"":2}', '{"café":3,"q\\u0022":4}')
    assert batch.to_pydict() == {"café": [1, 3], 'q"': [2, 4]}


def test_keys_that_begin_alike_are_told_apart() -> None:
    long = "a_name_of_sixteen"
    batch = decode(f'{{"{long}":1,"{long}_b":2}}', f'{{"{long}_b":3,"{long}":4}}')
    assert batch.to_pydict() == {long: [1, 4], f"{long}_b": [2, 3]}


def test_a_zero_character_in_a_key_is_replaced_for_arrow_cannot_name_it() -> None:
    assert decode(r'{"a\u0000b":1}').schema.names == ["a\ufffdb"]


@pytest.mark.parametrize("length", range(40))
def test_text_of_any_length_is_copied_whole(length: int) -> None:
    text = "é" * (length % 3) + "x" * length
    assert decode_values(f'"{text}"', f'"{text}\\n{text}"').to_pylist() == [text, f"{text}\n{text}"]


def test_every_escape_is_undone() -> None:
    spelled = r'"\"\\\/\b\f\n\r\t\u0041\u00e9\u6771\ud83d\udc4d\u0000"'
    assert decode_values(spelled).to_pylist() == ['"\\/\b\f\n\r\tAé東👍\0']


def test_types_outlive_a_flush_and_only_widen() -> None:
    decoder = native.Decoder(records_path=[])
    kinds = []
    for value in ("null", "1", "null", "2.5", "3", '"x"', "{}", "null"):
        decoder.push(f'[{{"a":{value}}}]'.encode())
        batch = flush(decoder)
        kinds.append((str(batch.schema.field("a").type), batch.to_pylist()[0]["a"]))
    assert kinds == [
        ("null", None),
        ("int64", 1),
        ("int64", None),
        ("double", 2.5),
        ("double", 3.0),
        ("string", "x"),
        ("string", "{}"),
        ("string", None),
    ]
    assert not batch.schema.field("a").metadata


def test_a_column_of_an_earlier_batch_is_there_as_nulls() -> None:
    decoder = native.Decoder(records_path=[])
    decoder.push(b'[{"a":1,"b":"x"}]')
    flush(decoder)
    decoder.push(b'[{"c":true},{"b":"y"}]')
    assert flush(decoder).to_pylist() == [
        {"a": None, "b": None, "c": True},
        {"a": None, "b": "y", "c": None},
    ]


def test_a_flush_without_rows_is_an_empty_batch_with_all_columns() -> None:
    decoder = native.Decoder(records_path=[])
    assert flush(decoder).num_columns == 0
    decoder.push(b'[{"a":1}]')
    flush(decoder)
    batch = flush(decoder)
    assert (batch.num_rows, batch.schema) == (0, pa.schema([("a", pa.int64())]))


def test_rows_without_any_column_are_rows() -> None:
    assert decode("{}", "{}").num_rows == 2


def test_rows_and_bytes_count_since_the_last_flush() -> None:
    decoder = native.Decoder(records_path=[])
    decoder.push(b'[{"a":1},{}]')
    decoder.push(b"[]")
    assert (decoder.rows, decoder.bytes) == (2, 14)
    flush(decoder)
    assert (decoder.rows, decoder.bytes) == (0, 0)


def test_a_batch_can_be_imported_twice() -> None:
    decoder = native.Decoder(records_path=[])
    decoder.push(b'[{"a":"x"}]')
    batch = decoder.flush()
    assert pa.record_batch(batch).equals(pa.record_batch(batch))


def test_a_batch_stands_by_itself_when_the_decoder_goes_on() -> None:
    decoder = native.Decoder(records_path=[])
    decoder.push(b'[{"a":"first","n":1}]')
    first = flush(decoder)
    decoder.push(b'[{"a":"other","n":2}]')
    flush(decoder)
    del decoder
    assert first.to_pylist() == [{"a": "first", "n": 1}]


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param('[{"a":"x","new":1},{"a":', id="widened and broke off"),
        pytest.param('[{"a":{}},{"a":2},7]', id="made JSON, then no object"),
        pytest.param('[{"a":null},{"a":1.5,"a":"x"},{]', id="nulls and equal keys"),
        pytest.param('[{"b":1,"b":{}},{"b":[1,]}]', id="another column"),
    ],
)
def test_a_refused_page_leaves_no_trace(bad: str) -> None:
    decoder = native.Decoder(records_path=[])
    decoder.push(b'[{"a":1},{"b":"x"},{"a":2}]')
    with pytest.raises(native.DecodeError):
        decoder.push(bad.encode())
    assert decoder.rows == 3
    decoder.push(b'[{"c":1,"a":3}]')
    batch = flush(decoder)
    assert batch.schema == pa.schema([("a", pa.int64()), ("b", pa.string()), ("c", pa.int64())])
    assert batch.to_pydict() == {
        "a": [1, None, 2, 3],
        "b": [None, "x", None, None],
        "c": [None, None, None, 1],
    }
