"""The native decoder beside the model, the standard library, and itself without the bad pages."""

import json
from typing import Any

import external_data_decoder as native
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.unit.records.decode_model import Model, Row

# A busy machine is no failure: neither deadlines nor the check for slow drawing.
MORE = settings(
    max_examples=40,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
FEWER = settings(MORE, max_examples=25)
KINDS = {
    "null": pa.null(),
    "bool": pa.bool_(),
    "int": pa.int64(),
    "float": pa.float64(),
    "digits": pa.string(),
    "text": pa.string(),
    "json": pa.string(),
}

MARKS = {"json": {b"json": b"1"}, "digits": {b"numbers": b"1"}}

CHARACTERS = st.characters(exclude_categories=["Cs"])
STRINGS = st.text(CHARACTERS, max_size=40) | st.text('ab"\\\n\x00/é\U0001f44d', max_size=40)
SPACE = st.sampled_from(["", "", "", " ", "\n\t", "\r\n  "])


@st.composite
def spelled_strings(draw: st.DrawFn) -> str:
    """The text of a string, with escapes as different servers write them."""
    text = json.dumps(draw(STRINGS), ensure_ascii=draw(st.booleans()))
    return text.replace("/", "\\/") if draw(st.booleans()) else text


@st.composite
def spelled_numbers(draw: st.DrawFn) -> str:
    """The text of a number, from plain to odd."""
    whole = draw(
        st.integers(-1000, 1000) | st.integers(-(2**64), 2**64) | st.integers(-(10**40), 10**40)
    )
    plain = st.just(str(whole))
    floats = st.floats(allow_nan=False, allow_infinity=False)
    odd = st.sampled_from(
        ["-0", "0", "-0.0", "1e3", "1E-3", "1.0", "1.50e+02", "5e-324", "1e400", "0.1e1", "-1e22"]
    )
    pieces = st.builds("{}.{}e{}".format, plain, st.integers(0, 10**20), st.integers(-330, 300))
    return draw(plain | plain | floats.map(repr) | odd | pieces)


LEAVES = spelled_strings() | spelled_numbers() | st.sampled_from(["null", "true", "false"])


@st.composite
def listed(draw: st.DrawFn, inner: st.SearchStrategy[str]) -> str:
    """The text of a list."""
    return _enclose(draw, "[]", draw(st.lists(inner, max_size=4)))


@st.composite
def mapped(draw: st.DrawFn, inner: st.SearchStrategy[str]) -> str:
    """The text of an object, keys twice included."""
    members = draw(st.lists(st.tuples(spelled_strings(), inner), max_size=4))
    return _enclose(
        draw, "{}", [f"{key}{draw(SPACE)}:{draw(SPACE)}{value}" for key, value in members]
    )


def _enclose(draw: st.DrawFn, brackets: str, members: list[str]) -> str:
    between = ",".join(f"{draw(SPACE)}{member}{draw(SPACE)}" for member in members)
    return f"{brackets[0]}{between or draw(SPACE)}{brackets[1]}"


VALUES = st.recursive(LEAVES, lambda inner: listed(inner) | mapped(inner), max_leaves=8)
KEYS = st.sampled_from(
    ["id", "name", "a", "b", "a quite long name of a column", "é", 'q"\\', "", "\n"]
)
# Drawing from a list is much quicker than growing each value, and meets all types as often.
AWKWARD = [
    *("null", "true", "false", "0", "-0", "7", "-12", "9223372036854775807", "9223372036854775808"),
    *("-9223372036854775808", "12345678901234567890123", "9" * 38, "-" + "9" * 38, "1" + "0" * 38),
    *("1e3", "1.0", "-0.0", "0.1", "1E-7", "5e-324", "1.7976931348623157e308", "1e400", "12.10"),
    *('""', '"a"', '"sixteen_bytes_16"', '"more_than_sixteen_bytes"', '"東京、日本国"', '"\x7f"'),
    *(r'"\n"', r'"\u00e9\/"', r'"\"quoted\""', r'"\\"', r'"\ud83d\udc4d"', r'"\u0000"', '"a b"'),
    *("[]", "{}", "[1]", '{"a":1}', "[[],{}]", '{"a":{"a":[null]}}', "[ ]", "{\t}"),
    '{ "b" : [ 1 , "x" ] ,\n"b":2 }',
]
PLAIN_ROWS = st.lists(
    st.lists(st.tuples(KEYS, st.sampled_from(AWKWARD) | spelled_numbers()), max_size=6), max_size=6
)
GROWN_ROWS = st.lists(st.lists(st.tuples(STRINGS, VALUES), max_size=4), max_size=3)
ROWS = PLAIN_ROWS | PLAIN_ROWS | PLAIN_ROWS | GROWN_ROWS
PAGES = st.lists(ROWS, max_size=2)


def spell(rows: list[Row], space: str = "") -> bytes:
    """A page's body, `{"data": [...]}`."""
    spelled = [
        "{" + ",".join(f"{space}{json.dumps(k)}{space}:{space}{v}{space}" for k, v in row) + "}"
        for row in rows
    ]
    return (space + '{"data":[' + f"{space},".join(spelled) + space + "]}" + space).encode()


def decoder() -> native.Decoder:
    """For bodies of that form."""
    return native.Decoder(records_path=["data"])


def flush(filled: native.Decoder) -> pa.RecordBatch:
    """The batch, after Arrow's own full check."""
    batch = pa.record_batch(filled.flush())
    batch.validate(full=True)
    return batch


def same(found: Any, wanted: Any) -> bool:
    """Equality of one type."""
    return type(found) is type(wanted) and bool(found == wanted)


@MORE
@given(batches=st.lists(PAGES, max_size=2), space=SPACE)
def test_columns_types_and_values_are_the_models_over_pages_and_flushes(
    batches: list[list[list[Row]]], space: str
) -> None:
    found, model = decoder(), Model()
    for pages in batches:
        for rows in pages:
            assert found.push(spell(rows, space))[0] == len(rows)
            model.push(rows)
        assert found.rows == model.rows
        compare(flush(found), model)


def compare(batch: pa.RecordBatch, model: Model) -> None:
    """The model's own next batch."""
    rows = model.rows
    kinds, values = model.flush()
    assert batch.num_rows == rows
    assert batch.schema.names == list(kinds)
    for field, kind in zip(batch.schema, kinds.values(), strict=True):
        assert str(field.type) == str(KINDS.get(kind, kind)), field.name
        assert field.metadata == MARKS.get(kind), field.name
        assert field.nullable
    for column, wanted in zip(batch.columns, values.values(), strict=True):
        pairs = zip(column.to_pylist(), wanted, strict=True)
        assert all(same(a, b) for a, b in pairs), (column.to_pylist(), wanted)


VALID_NUMBERS = st.integers(-(2**63), 2**63 - 1)
TYPED = st.fixed_dictionaries(
    {"id": VALID_NUMBERS},
    optional={
        "text": st.none() | STRINGS,
        "float": st.none() | st.floats(allow_nan=False, allow_infinity=False),
        "flag": st.none() | st.booleans(),
        "nested": st.none() | st.dictionaries(STRINGS, st.lists(STRINGS | VALID_NUMBERS)),
    },
)


@FEWER
@given(
    rows=st.lists(TYPED, min_size=1), indent=st.sampled_from([None, 2]), ascii_only=st.booleans()
)
def test_rows_of_steady_types_read_as_the_standard_library_reads_them(
    rows: list[dict[str, Any]], indent: int | None, ascii_only: bool
) -> None:
    filled = decoder()
    filled.push(json.dumps({"data": rows}, indent=indent, ensure_ascii=ascii_only).encode())
    for found, wanted in zip(flush(filled).to_pylist(), rows, strict=True):
        if found.get("nested") is not None:
            found["nested"] = json.loads(found["nested"])
        assert {k: v for k, v in found.items() if v is not None} == {
            k: v for k, v in wanted.items() if v is not None
        }


@MORE
@given(before=PAGES, bad=ROWS, after=PAGES, cut=st.floats(0, 1), space=SPACE)
def test_a_page_that_broke_off_leaves_no_trace(
    before: list[list[Row]], bad: list[Row], after: list[list[Row]], cut: float, space: str
) -> None:
    found, wanted = decoder(), decoder()
    whole = spell(bad, space).rstrip()
    for rows in before:
        found.push(spell(rows, space))
        wanted.push(spell(rows, space))
    body = whole[: int(cut * (len(whole) - 1))]
    if body.strip():
        with pytest.raises(native.DecodeError) as error:
            found.push(body)
        assert error.value.kind == "truncated"
    for rows in after:
        found.push(spell(rows, space))
        wanted.push(spell(rows, space))
    assert (found.rows, found.bytes) == (wanted.rows, wanted.bytes)
    one, other = flush(found), flush(wanted)
    assert one.schema.equals(other.schema, check_metadata=True)
    assert str(one.to_pylist()) == str(other.to_pylist())


@FEWER
@given(rows=ROWS, space=SPACE)
def test_no_beginning_of_a_page_yields_rows(rows: list[Row], space: str) -> None:
    whole = spell(rows, space).rstrip()
    filled = decoder()
    for end in range(len(whole.lstrip())):
        body = whole[: len(whole) - len(whole.lstrip()) + end]
        if not body.strip():
            assert filled.push(body)[0] == 0
            continue
        with pytest.raises(native.DecodeError) as error:
            filled.push(body)
        assert error.value.kind == "truncated"
    assert filled.rows == 0
    assert flush(filled).schema.names == []


BYTES = st.sampled_from(
    [
        *b'{}[]",:\\/bfnrtu0123456789abcdefADEF.+-eE tnl\n\t\r\x00\x1f\x7f',
        0x80,
        0xC3,
        0xED,
        0xA0,
        0xFF,
    ]
)
EDITS = st.lists(
    st.tuples(st.floats(0, 1), st.sampled_from(["put", "drop", "insert"]), BYTES), max_size=3
)


def edit(body: bytes, edits: list[tuple[float, str, int]]) -> bytes:
    """Bytes changed, dropped and inserted."""
    changed = bytearray(body)
    for share, what, byte in edits:
        place = int(share * (len(changed) - 1))
        changed[place : place + (what != "insert")] = b"" if what == "drop" else bytes([byte])
    return bytes(changed)


def is_json(body: bytes) -> bool:
    """The standard library's verdict, NaN and infinities included; what is no Unicode is
    replaced."""
    try:
        json.loads(body.decode("utf-8", "replace"), object_pairs_hook=list)
    except ValueError:
        return False
    return True


@settings(MORE, max_examples=150)
@given(value=VALUES, edits=EDITS)
@example(value='"\\ud83d\\ude00"', edits=[])
@example(value='"\\ud83d"', edits=[])
@example(value='"\\ude00\\ud83d"', edits=[])
@example(value="01", edits=[])
@example(value="[1,]", edits=[])
@example(value='{"a":1,}', edits=[])
@example(value="NaN", edits=[])
@example(value="nan", edits=[])
@example(value="+Infinity", edits=[])
@example(value="Infinity1", edits=[])
@example(value="[-]", edits=[])
@example(value="[1.]", edits=[])
@example(value="[.5]", edits=[])
@example(value="[1e]", edits=[])
@example(value="[+1]", edits=[])
@example(value='["\t"]', edits=[])
@example(value="[\x0c1]", edits=[])
@example(value="\ufeff1", edits=[])
def test_exactly_what_is_json_or_a_number_of_python_passes(
    value: str, edits: list[tuple[float, str, int]]
) -> None:
    body = edit(value.encode(), edits)
    for place in (b'{"data":[{"a":%b}]}', b'{"data":[],"else":%b}', b'{"data":[{"a":[%b]}]}'):
        page = place.replace(b"%b", body)
        try:
            decoder().push(page)
        except native.DecodeError as error:
            # An edit may end the rows or make them another type: that is JSON all the same.
            passes = error.kind in {"path_not_found", "not_objects"}
        else:
            passes = True
        assert passes == is_json(page), page
