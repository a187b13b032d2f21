"""Where the native decoder finds rows and values in a body, and what it refuses."""

import sys
import threading
from typing import Any

import external_data_decoder as native
import pyarrow as pa
import pytest


def push(body: bytes, path: list[str], **options: Any) -> tuple[int, list[Any]]:
    """What one page gives."""
    return native.Decoder(records_path=path, **options).push(body)[:2]


def refuse(body: bytes, path: list[str] | None = None) -> native.DecodeError:
    """How one page is refused."""
    with pytest.raises(native.DecodeError) as error:
        push(body, path or [])
    assert str(error.value) == f"{error.value.kind}: {error.value.detail}"
    return error.value


@pytest.mark.parametrize(
    ("body", "path", "rows"),
    [
        pytest.param(b'[{"a":1},{"a":2}]', [], 2, id="the body is the list"),
        pytest.param(b'{"a":1}', [], 1, id="the body is one row"),
        pytest.param(b'{"data":[{"a":1}]}', ["data"], 1, id="below a key"),
        pytest.param(b'{"x":0,"r":{"y":[],"i":[{}]},"z":1}', ["r", "i"], 1, id="below two keys"),
        pytest.param(b'{"data":{"a":1}}', ["data"], 1, id="one object is one row"),
        pytest.param(b'{"data":null}', ["data"], 0, id="null is no rows"),
        pytest.param(b'{"data":[]}', ["data"], 0, id="an empty list"),
        pytest.param(b'{"data":{ }}', ["data"], 0, id="an empty object is no row"),
        pytest.param(b"", ["data"], 0, id="an empty body"),
        pytest.param(b" \r\n", ["data"], 0, id="a blank body"),
        pytest.param(b"\xef\xbb\xbf", ["data"], 0, id="a lone byte order mark"),
        pytest.param(b"{}", ["data"], 0, id="a body that is an empty object"),
        pytest.param(b" [ ] ", ["data"], 0, id="a body that is an empty list"),
        pytest.param(b"{}", [], 0, id="an empty object for a list"),
        pytest.param(b"null", [], 0, id="null for a list"),
        pytest.param(b'\xef\xbb\xbf[{"a":1}]', [], 1, id="behind a byte order mark"),
        pytest.param(b'{"d\\u0061ta":[{}]}', ["data"], 1, id="a key with escapes"),
        pytest.param(b'{"odata.value":[{}]}', ["odata.value"], 1, id="a key with a dot"),
        pytest.param(b'{"data":[{}],"data":[{}]}', ["data"], 1, id="equal rows of equal keys"),
        pytest.param(b'{"data":[],"data":[{}]}', ["data"], 1, id="the last, behind an empty one"),
    ],
)
def test_rows_are_found_where_the_path_leads(body: bytes, path: list[str], rows: int) -> None:
    assert push(body, path) == (rows, [])


def test_rows_under_an_earlier_equal_key_are_refused_and_taken_back() -> None:
    decoder = native.Decoder(records_path=["data"])
    decoder.push(b'{"data":[{"a":0}]}')
    with pytest.raises(native.DecodeError, match="twice"):
        decoder.push(b'{"data":[{"a":"x","b":1}],"data":[{"a":2}]}')
    decoder.push(b'{"data":[{"a":2}]}')
    assert pa.record_batch(decoder.flush()).to_pylist() == [{"a": 0}, {"a": 2}]


@pytest.mark.parametrize(
    ("body", "path", "detail"),
    [
        pytest.param(
            b'{"items":[],"n":1}', ["data"], 'the body has no "data", only "items", "n"', id="keys"
        ),
        pytest.param(b'{"r":{"x":1}}', ["r", "i"], '"r" has no "i", only "x"', id="inner keys"),
        pytest.param(b'[{"data":1}]', ["data"], "the body is a list", id="a list on the way"),
        pytest.param(b'"secret"', ["data"], "the body is a string", id="a string for a body"),
        pytest.param(
            b'{"r":{"i":[]},"r":{"x":1}}', ["r", "i"], '"r" has no "i", only "x"', id="equal keys"
        ),
    ],
)
def test_a_path_that_leads_nowhere_is_refused_with_the_keys_that_are_there(
    body: bytes, path: list[str], detail: str
) -> None:
    error = refuse(body, path)
    assert (error.kind, error.detail) == ("path_not_found", detail)


def test_of_many_and_long_keys_only_some_are_named() -> None:
    body = ",".join(f'"k{i:02}{"x" * 100}":0' for i in range(30))
    error = refuse(f"{{{body}}}".encode(), ["data"])
    assert error.detail.count('"k') == 20
    assert error.detail.endswith('…", 10 more')
    assert len(error.detail) < 1600


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        pytest.param(b"[{},1]", "row 1 of the page is a number", id="number"),
        pytest.param(b'["secret"]', "row 0 of the page is a string", id="string"),
        pytest.param(b"[null]", "row 0 of the page is null", id="null"),
        pytest.param(b"[[]]", "row 0 of the page is a list", id="list"),
        pytest.param(b"[true]", "row 0 of the page is a boolean", id="boolean"),
        pytest.param(b"12", "found a number instead of rows", id="no list at all"),
    ],
)
def test_rows_that_are_no_objects_are_refused(body: bytes, detail: str) -> None:
    error = refuse(body)
    assert (error.kind, error.detail) == ("not_objects", detail)


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        pytest.param(b"<html>", "expected a value at byte 0 (line 1, column 1)", id="html"),
        pytest.param(
            b'[{"a" 1}]', "expected a colon at byte 6 (line 1, column 7, row 0)", id="colon"
        ),
        pytest.param(
            b'[{"a":1 "b":2}]',
            "expected a comma or a closing bracket at byte 8 (line 1, column 9, row 0)",
            id="comma",
        ),
        pytest.param(
            b"[{}] {}", "a second JSON value begins at byte 5 (line 1, column 6)", id="json lines"
        ),
        pytest.param(
            b'[{"a":nan}]', "expected a value at byte 6 (line 1, column 7, row 0)", id="nan"
        ),
        pytest.param(
            b'[{"a":-NaN}]', "expected a digit at byte 7 (line 1, column 8, row 0)", id="minus NaN"
        ),
        pytest.param(
            b"[{}] ;", "expected the end at byte 5 (line 1, column 6)", id="more behind the end"
        ),
        pytest.param(
            b'[{"a":1},\r\n {"a":"\xc3\xa9"},\n  {"a":1,}]',
            "expected a key at byte 33 (line 3, column 10, row 2)",
            id="in the third row",
        ),
        pytest.param(
            b'[{"a":"\n"}]',
            "expected a printable character at byte 7 (line 1, column 8, row 0)",
            id="control",
        ),
        pytest.param(
            b"[{]\xff",
            "expected a key at byte 2 (line 1, column 3, row 0)",
            id="grammar before encoding",
        ),
        pytest.param(
            b'[{"a":1}]\x00',
            "expected the end at byte 9 (line 1, column 10)",
            id="zero behind the end",
        ),
    ],
)
def test_what_is_not_json_is_refused_with_its_place(body: bytes, detail: str) -> None:
    error = refuse(body)
    assert (error.kind, error.detail) == ("not_json", detail)


@pytest.mark.parametrize(
    ("body", "end"),
    [
        pytest.param(b'[{"a":1', 7, id="in a row"),
        pytest.param(b'[{"a":"x', 8, id="in a string"),
        pytest.param(b'[{"a":"\\u00', 11, id="in an escape"),
        pytest.param(b'[{"a":tru', 9, id="in a word"),
        pytest.param(b'[{"a":-', 7, id="in a number"),
        pytest.param(b"[{}]"[:-1], 3, id="before the last bracket"),
    ],
)
def test_a_body_that_broke_off_is_told_apart(body: bytes, end: int) -> None:
    error = refuse(body)
    assert (error.kind, error.detail) == ("truncated", f"the body ends at byte {end}")


def test_a_body_that_broke_off_inside_of_a_character_broke_off() -> None:
    error = refuse('[{"a":"é'.encode()[:-1])
    assert (error.kind, error.detail) == (
        "truncated",
        "the body ends at byte 10",
    )


@pytest.mark.parametrize("path", [[], ["data"], ["else"]], ids=["body", "key", "missing"])
@pytest.mark.parametrize(
    "body", ['["hunter2"]', '{"data":["hunter2"]', '"hunter2" x', '[{"":"hunter2"']
)
def test_failures_show_no_value_of_the_body(body: str, path: list[str]) -> None:
    assert "hunter2" not in str(refuse(body.encode(), path))


@pytest.mark.parametrize("shape", [("[", "]"), ('{"a":', "}")], ids=["lists", "objects"])
def test_brackets_may_be_512_deep_and_no_deeper(shape: tuple[str, str]) -> None:
    def nested(depth: int) -> bytes:
        return f'[{{"x":{shape[0] * depth}1{shape[1] * depth}}}]'.encode()

    assert push(nested(510), [])[0] == 1
    error = refuse(nested(511))
    assert error.kind == "too_deep"
    assert refuse(b"[" * 10_000_000).kind == "too_deep"


def test_a_stream_has_at_most_ten_thousand_columns() -> None:
    decoder = native.Decoder(records_path=[])
    row = ",".join(f'"c{i}":{i}' for i in range(10_000))
    assert decoder.push(f"[{{{row}}}]".encode())[0] == 1
    with pytest.raises(native.DecodeError) as error:
        decoder.push(b'[{"one more":1}]')
    assert error.value.kind == "too_many_columns"
    assert pa.record_batch(decoder.flush()).num_columns == 10_000


def test_a_page_of_two_gibibytes_is_refused_unread() -> None:
    error = refuse(bytes(2**31))
    assert (error.kind, error.detail) == ("too_large", "the body has 2 GiB or more")


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        pytest.param("null", ("null", ""), id="null"),
        pytest.param("true", ("boolean", "true"), id="true"),
        pytest.param("7", ("number", "7"), id="int"),
        pytest.param("-" + "9" * 40, ("number", "-" + "9" * 40), id="40 digits"),
        pytest.param("4.50", ("number", "4.50"), id="a zero at the end"),
        pytest.param("1.23E+7", ("number", "1.23E+7"), id="an exponent"),
        pytest.param(r'"a\u00e9\n"', ("string", "aé\n"), id="text"),
        pytest.param('{"b": [1 ]}', ("object", ""), id="an object"),
        pytest.param("[1]", ("list", ""), id="a list"),
    ],
)
def test_a_value_of_the_envelope_comes_character_by_character(
    value: str, wanted: tuple[str, str]
) -> None:
    body = f'{{"data":[{{}}],"next":{value}}}'.encode()
    assert push(body, ["data"], envelope=[["next"]]) == (1, [wanted])


ONE, TWO, OBJECT = ("number", "1"), ("number", "2"), ("object", "")
MISSING = ("missing", "")


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        pytest.param(b'{"n":1,"m":{"a":2,"b":3},"d":[]}', [ONE, TWO, OBJECT], id="before the rows"),
        pytest.param(b'{"d":[],"m":{"a":2},"n":1}', [ONE, TWO, OBJECT], id="behind the rows"),
        pytest.param(b'{"d":[],"m":2}', [MISSING, MISSING, TWO], id="missing"),
        pytest.param(
            b'{"d":[],"m":{"a":2},"m":{}}', [MISSING, MISSING, OBJECT], id="the last of equal keys"
        ),
        pytest.param(
            b'{"d":[],"m":[{"a":2}]}', [MISSING, MISSING, ("list", "")], id="not through lists"
        ),
    ],
)
def test_values_of_the_envelope_come_in_the_order_of_their_paths(
    body: bytes, wanted: list[Any]
) -> None:
    assert push(body, ["d"], envelope=[["n"], ["m", "a"], ["m"]])[1] == wanted


def test_the_envelope_may_reach_into_a_body_that_is_one_row() -> None:
    body = b'{"id":1,"meta":{"next":"x"}}'
    assert push(body, [], envelope=[["meta", "next"], ["id"]]) == (1, [("string", "x"), ONE])
    assert push(b'[{"id":1}]', [], envelope=[["id"]]) == (1, [MISSING])


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        pytest.param(b'{"@m.next":1,"@m":{"next":2},"d":[]}', ONE, id="before the nested one"),
        pytest.param(b'{"@m":{"next":2},"d":[],"@m.next":1}', ONE, id="behind the nested one"),
        pytest.param(b'{"@m":{"next":2},"d":[]}', TWO, id="the nested one alone"),
        pytest.param(b'{"@m":{"next":2},"d":[],"@m.next":null}', ("null", ""), id="though null"),
    ],
)
def test_a_key_with_dots_comes_before_the_keys_between_them(
    body: bytes, wanted: tuple[str, str]
) -> None:
    assert push(body, ["d"], envelope=[["@m", "next"]])[1] == [wanted]


def test_rows_below_a_key_with_dots_come_before_those_between_them() -> None:
    literal, nested = '"a.b":{"c":[{"x":1}]}', '"a":{"b":{"c":[{"x":2},{"x":3}]}}'
    for body in (f"{{{literal},{nested}}}", f"{{{nested},{literal}}}"):
        decoder = native.Decoder(records_path=["a", "b", "c"])
        assert decoder.push(body.encode())[0] == 1
        assert pa.record_batch(decoder.flush()).to_pylist() == [{"x": 1}]


def test_rows_that_the_caller_knows_are_not_added_again() -> None:
    decoder = native.Decoder(records_path=["d"])
    _, _, digest, repeated, _ = decoder.push(b'{"d":[{"x":1}],"at":1}')
    assert digest
    assert not repeated
    assert decoder.push(b'{"at":2,"d":[{"x":1}]}', unless=digest)[2:4] == (digest, True)
    assert not decoder.push(b'{"d":[{"x":2}]}', unless=digest)[3]
    assert decoder.push(b'{"d":[]}', unless=digest)[2:4] == (0, False)
    assert pa.record_batch(decoder.flush()).to_pylist() == [{"x": 1}, {"x": 2}]


def test_rows_that_ended_the_page_before_are_counted() -> None:
    decoder = native.Decoder(records_path=[], overlaps=True)
    pages = [b'[{"x":1},{"x":2}]', b'[{"x":2},{"x":3}]', b"[]", b'[{"x":3}]', b'[{"x":4}]']
    assert [decoder.push(page)[4] for page in pages] == [0, 1, 0, 1, 0]


def extract(*rows: str) -> pa.RecordBatch:
    """Rows with three nested paths that become columns."""
    decoder = native.Decoder(
        records_path=[],
        extract=[["id"], ["m", "uid"], ["m", "o"], ["m", "o", "x"], ["k", "l", "x"]],
    )
    decoder.push(f"[{','.join(rows)}]".encode())
    batch = pa.record_batch(decoder.flush())
    batch.validate(full=True)
    return batch


def test_nested_values_become_columns_beside_the_text_that_they_stand_in() -> None:
    batch = extract('{"id":1,"m":{"uid":"u1", "o":{"x":2}}}', '{"k":{"l":{"x":true}}}')
    assert batch.to_pylist() == [
        {"id": 1, "m": '{"uid":"u1", "o":{"x":2}}', "m.uid": "u1", "m.o": '{"x":2}', "m.o.x": 2}
        | {"k": None, "k.l.x": None},
        {"id": None, "m": None, "m.uid": None, "m.o": None, "m.o.x": None}
        | {"k": '{"l":{"x":true}}', "k.l.x": True},
    ]
    assert batch.schema.field("m.o").metadata == {b"json": b"1"}


def test_an_extracted_value_that_is_not_there_is_null() -> None:
    rows = ['{"m":{"uid":1}}', '{"m":{}}', '{"m":null}', '{"m":"text"}', '{"m":[{"uid":2}]}', "{}"]
    assert extract(*rows).column("m.uid").to_pylist() == [1, None, None, None, None, None]


def test_extracted_values_of_an_earlier_equal_key_are_taken_back() -> None:
    outer = extract('{"m":{"uid":1,"o":{"x":2}},"m":{"uid":3}}', '{"m":{"uid":4},"m":null}')
    assert outer.select(["m.uid", "m.o", "m.o.x"]).to_pylist() == [
        {"m.uid": 3, "m.o": None, "m.o.x": None},
        {"m.uid": None, "m.o": None, "m.o.x": None},
    ]
    inner = extract('{"k":{"l":{"x":1},"l":{}}}', '{"k":{"l":{"x":1},"l":{"x":2}}}')
    assert inner.column("k.l.x").to_pylist() == [None, 2]


def test_a_field_spelled_with_dots_comes_before_the_path_in_any_order() -> None:
    literal, nested = '"m.uid":1', '"m":{"uid":2,"o":{"x":3}}'
    rows = [f"{{{literal},{nested}}}", f"{{{nested},{literal}}}", f"{{{nested}}}"]
    rows += ['{"m.uid":null,"m":{"uid":2}}', f"{{{nested},{literal},{nested}}}"]
    assert extract(*rows).column("m.uid").to_pylist() == [1, 1, 2, None, 1]
    assert extract(*rows).column("m.o.x").to_pylist() == [3, 3, 3, None, 3]


def test_a_field_spelled_with_dots_comes_first_on_every_page_and_after_a_failure() -> None:
    decoder = native.Decoder(records_path=[], extract=[["m", "uid"]])
    literal_first = b'[{"m.uid":1,"m":{"uid":2}}]'
    decoder.push(b'[{"m":{"uid":3}}]')
    decoder.flush()
    decoder.push(literal_first)
    with pytest.raises(native.DecodeError):
        decoder.push(b'[{"m":{"uid":3}},')
    decoder.push(literal_first)
    assert pa.record_batch(decoder.flush()).column("m.uid").to_pylist() == [1, 1]


def test_rows_have_one_digest_where_overlaps_are_looked_for_too() -> None:
    decoder = native.Decoder(records_path=[], overlaps=True)
    pages = [b'[{"x":1},{"x":2}]', b'[{"x":1},{"x":2}]', b'[{"x":2},{"x":1}]', b'[{"x":1}]']
    digests = [decoder.push(page)[2] for page in pages]
    assert digests[0] == digests[1]
    assert len(set(digests)) == 3


def test_other_threads_run_while_a_page_is_read() -> None:
    page = b"[" + b",".join([b'{"a":1}'] * 5_000_000) + b"]"
    started, done = threading.Event(), threading.Event()

    def read() -> None:
        started.set()
        push(page, [])
        done.set()

    interval = sys.getswitchinterval()
    sys.setswitchinterval(60)  # Only a lock that is given up lets the other thread go on.
    try:
        thread = threading.Thread(target=read)
        thread.start()
        started.wait()
        ran_meanwhile = not done.is_set()
        thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert ran_meanwhile
