"""A page is rows of its stream, an empty list, or a failure that says what else it is."""

import json

import pytest
from external_data_operator.api.conditions import Reason
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sync_runner.errors import ResponseError, RetryableError, RunError
from sync_runner.records.decode import RecordDecoder, Value
from sync_runner.records.lone import Expected

KNOWN = Expected(known=frozenset({"id", "colour"}))
EMPTY = Expected(nothing_is_empty=True)
UNPROVEN = RetryableError, Reason.SOURCE_UNAVAILABLE
OTHER = RetryableError, Reason.INVALID_RESPONSE


def refuse(body: bytes | str, path: str | None = None, expected: Expected = KNOWN) -> RunError:
    """How one page is refused."""
    decoder = RecordDecoder(records_path=path, expected=expected)
    with pytest.raises(RunError) as caught:
        decoder.push(body.encode() if isinstance(body, str) else body)
    assert decoder.rows == 0
    return caught.value


NOTHING = {
    "no byte": ("", None),
    "blank": (" \r\n\t", "data"),
    "mark": ("\ufeff", None),
    "null": ("null", None),
    "null at the path": ('{"data": null}', "data"),
    "null on the way": ('{"r": null}', "r.data"),
    "object": ("{ }", None),
    "object before the path": ("{}", "data"),
    "object at the path": ('{"data": {}}', "data"),
    "object on the way": ('{"r": {}}', "r.data"),
    "list before the path": ("[]", "data"),
    "rows without fields": ('{"data": [{}, {}]}', "data"),
}


@pytest.mark.parametrize(("body", "path"), NOTHING.values(), ids=NOTHING.keys())
@pytest.mark.parametrize("expected", [Expected(), KNOWN], ids=["first", "later"])
def test_what_holds_nothing_is_no_end(body: str, path: str | None, expected: Expected) -> None:
    error = refuse(body, path, expected)
    assert (type(error), error.reason) == UNPROVEN


@pytest.mark.parametrize(("body", "path"), NOTHING.values(), ids=NOTHING.keys())
def test_what_holds_nothing_is_a_page_where_the_spec_says_so(body: str, path: str | None) -> None:
    decoder = RecordDecoder(records_path=path, expected=EMPTY)
    assert decoder.push(body.encode()).rows == 0


def test_the_values_beside_no_rows_are_read_all_the_same() -> None:
    decoder = RecordDecoder(records_path="data", envelope=["next"], expected=EMPTY)
    assert decoder.push(b'{"data": null, "next": "x"}').values == (Value("string", "x"),)


@pytest.mark.parametrize(("body", "path"), [("[]", None), ('{"data": [ ]}', "data")])
def test_an_empty_list_is_an_empty_page(body: str, path: str | None) -> None:
    assert RecordDecoder(records_path=path, expected=KNOWN).push(body.encode()).rows == 0


@pytest.mark.parametrize(
    ("body", "path", "expected", "what", "words"),
    [
        pytest.param(
            '{"error": "s3cr3t", "code": 9}', None, KNOWN, OTHER, '"error", "code"', id="error"
        ),
        pytest.param('{"error": {"a": 1}}', "data", KNOWN, OTHER, '"error"', id="no path"),
        pytest.param('{"error": "x"}', "data", Expected(), OTHER, '"error"', id="at first"),
        pytest.param(
            '[{"err": "s3cr3t", "n": 1}]', None, KNOWN, OTHER, '"err", "n"', id="in a list"
        ),
        pytest.param('{"w": 1, "v": 2}', None, KNOWN, OTHER, "no field", id="stranger"),
        pytest.param(
            '{"items": []}',
            "data",
            KNOWN,
            (RetryableError, Reason.RECORDS_PATH_NOT_FOUND),
            '"items"',
            id="a path that led somewhere before",
        ),
        pytest.param(
            '{"result": "s3cr3t limit"}',
            "result",
            KNOWN,
            (RetryableError, Reason.INVALID_RECORDS),
            "a string",
            id="a text where the list was",
        ),
        pytest.param(
            '{"orders": [{"id": 1}], "total": 1}',
            None,
            Expected(paginates=True),
            (ResponseError, Reason.INVALID_RECORDS),
            "recordsPath: orders",
            id="envelope",
        ),
        pytest.param(
            '{"result": {"total": 1, "rows": [{"id": 1}]}}',
            "result",
            Expected(),
            (ResponseError, Reason.INVALID_RECORDS),
            "recordsPath: result.rows",
            id="envelope below a path",
        ),
    ],
)
def test_something_else_in_the_place_of_rows_is_named_by_its_keys(
    body: str, path: str | None, expected: Expected, what: tuple[type, Reason], words: str
) -> None:
    error = refuse(body, path, expected)
    assert (type(error), error.reason) == what
    assert words in str(error)
    assert "s3cr3t" not in str(error)


@pytest.mark.parametrize(
    "body", ['{"id": 4}', '{"id": 4, "new": 1}', '[{"new": 1}, {"colour": 2}]']
)
def test_rows_that_share_a_field_with_those_before_are_rows(body: str) -> None:
    assert RecordDecoder(expected=KNOWN).push(body.encode()).rows >= 1


def test_a_row_without_fields_is_one_beside_others() -> None:
    decoder = RecordDecoder()
    assert decoder.push(b'[{}, {"a": 1}]').rows == 2
    assert decoder.push(b"[{}]").rows == 1
    assert decoder.flush().num_rows == 3


def test_rows_share_a_field_with_earlier_pages_of_the_run() -> None:
    decoder = RecordDecoder()
    decoder.push(b'[{"a": 1, "b": 2}]')
    decoder.push(b'{"b": 5, "c": 1}')
    with pytest.raises(RetryableError, match='"x"'):
        decoder.push(b'{"x": 1}')
    decoder.flush()
    with pytest.raises(RetryableError, match='"x"'):
        decoder.push(b'[{"x": 1}]')
    assert decoder.push(b'{"c": 3}').rows == 1


def test_a_stream_of_single_objects_stays_one() -> None:
    decoder = RecordDecoder()
    for number in range(3):
        decoder.push(json.dumps({"temperature": number, "at": "noon"}).encode())
    assert decoder.flush().num_rows == 3


HALVES = {
    "high": (r"a \ud83d", "a \ufffd", 1),
    "low": (r"\ude00 b", "\ufffd b", 1),
    "wrong order": (r"\ude00\ud83d", "\ufffd\ufffd", 2),
    "two high and a low": (r"\ud83d\ud83d\ude00", "\ufffd\U0001f600", 1),
    "before another escape": (r"\ud83d\u0041\n", "\ufffdA\n", 1),
    "before a text like one": (r"\ud83d\\ude00", "\ufffd\\ude00", 1),
    "whole": (r"\ud83d\ude00", "\U0001f600", 0),
}


@pytest.mark.parametrize(("spelled", "wanted", "count"), HALVES.values(), ids=HALVES.keys())
def test_half_a_character_becomes_a_replacement_and_is_counted(
    spelled: str, wanted: str, count: int
) -> None:
    decoder = RecordDecoder()
    decoder.push(f'[{{"t":"{spelled}","n":{{"k":["{spelled}"]}}}}]'.encode())
    assert decoder.replaced == ({"t": count, "n": count} if count else {})
    row = decoder.flush().to_pylist()[0]
    assert row["t"] == wanted
    assert json.loads(row["n"]) == {"k": [wanted]}
    assert decoder.replaced == {}


def test_half_a_character_in_a_key_becomes_a_replacement() -> None:
    decoder = RecordDecoder()
    decoder.push(rb'[{"k\ud83d":1,"\ude00":{"\ud83dx":2}}]')
    row = decoder.flush().to_pylist()[0]
    assert row == {"k\ufffd": 1, "\ufffd": r'{"\ufffdx":2}'}


def test_a_text_among_json_values_is_whole_too() -> None:
    decoder = RecordDecoder()
    decoder.push(rb'[{"v":{}},{"v":"x\ud83d\\"}]')
    assert decoder.flush().to_pylist()[1]["v"] == "x\ufffd\\"


def test_half_a_character_in_a_body_that_breaks_off_is_no_end() -> None:
    for end in range(1, 13):
        error = refuse(rb'[{"a":"\ud83d\ude00'[: 6 + end], None, Expected())
        assert (type(error), error.reason) == UNPROVEN


@pytest.mark.parametrize(
    "bad", [b"\xff", b"\xe9", b"\xed\xa0\x80"], ids=["byte", "Latin-1", "half"]
)
def test_bytes_that_are_no_text_become_replacements_and_are_counted(bad: bytes) -> None:
    decoder = RecordDecoder()
    decoder.push(b'[{"a":"x%by"},{"a":"z"}]' % bad)
    assert decoder.replaced == {"": 1 if len(bad) == 1 else 3}
    assert decoder.flush().column("a").to_pylist() == [f"x{chr(0xFFFD) * len(bad)}y", "z"]


def test_a_refused_page_leaves_no_count_behind() -> None:
    decoder = RecordDecoder()
    for bad in (rb'[{"a":"\ud83d"},', b'[{"a":"\xff"},'):
        with pytest.raises(RetryableError):
            decoder.push(bad)
    assert decoder.replaced == {}


@pytest.mark.parametrize(
    ("body", "place"),
    [
        pytest.param('{"id":1}\n{"id":2}\n', "byte 9 (line 2, column 1)", id="JSON lines"),
        pytest.param('[{"id":1},\n]', "byte 11 (line 2, column 1)", id="a comma too many"),
        pytest.param('[{"id":1,}]', "byte 9 (line 1, column 10, row 0)", id="in an object"),
        pytest.param('[{"id":1}] trailing', "byte 11 (line 1, column 12)", id="garbage"),
        pytest.param("[{'id':1}]", "byte 2 (line 1, column 3, row 0)", id="single quotes"),
        pytest.param('[{"id":1 /* s3cr3t */}]', "byte 9 (line 1, column 10, row 0)", id="comment"),
        pytest.param('[{"id":007}]', "byte 8 (line 1, column 9, row 0)", id="leading zeros"),
    ],
)
def test_what_no_retry_mends_is_said_once_with_its_place(body: str, place: str) -> None:
    error = refuse(body)
    assert (type(error), error.reason) == (ResponseError, Reason.INVALID_RESPONSE)
    assert place in str(error)
    assert "s3cr3t" not in str(error)


PIECES = st.sampled_from(
    [
        *(b"{", b"}", b"[", b"]", b",", b":", b'"', b"\\", b"\\u", b"d83d", b"\\ude00", b"null"),
        *(b"true", b"1", b"-", b".", b"e9", b"NaN", b"Infinity", b"\xff", b"\xe9", b"\xef\xbb\xbf"),
        *(
            b"\x00",
            b" ",
            b"\n",
            b'"id"',
            b'"data"',
            b'"error"',
            b"{}",
            b"[]",
            b'{"id":1}',
            b"9" * 40,
        ),
        *(b'"a":"x"', b'[{"id":2},{"a":null}]', b"<html>", b"0001-01-01", b"1e400", "é".encode()),
    ]
)


@settings(max_examples=300, suppress_health_check=list(HealthCheck))
@given(
    bodies=st.lists(
        st.lists(PIECES, max_size=24).map(b"".join) | st.binary(max_size=40), max_size=4
    ),
    path=st.sampled_from([None, "$", "data", "data.id"]),
    known=st.sampled_from([(), ("id",)]),
    nothing=st.booleans(),
    structs=st.booleans(),
)
def test_any_bytes_are_rows_or_a_failure_of_the_run(
    *, bodies: list[bytes], path: str | None, known: tuple[str, ...], nothing: bool, structs: bool
) -> None:
    expected = Expected(known=frozenset(known), nothing_is_empty=nothing)
    decoder = RecordDecoder(
        records_path=path, envelope=["next"], extract=["a.b"], structs=structs, expected=expected
    )
    for body in bodies:
        before = decoder.rows
        try:
            page = decoder.push(body)
        except RunError:
            assert decoder.rows == before
        else:
            assert decoder.rows == before + page.rows
    decoder.flush().validate(full=True)


MAPS = {
    "rows by id": b'{"a1": {"id": 1, "n": 2}, "b2": {"id": 2, "n": 3}}',
    "fields that differ": b'{"a1": {"id": 1}, "b2": {"n": 3}, "c3": {"n": 4, "x": {}}}',
    "an empty one": b'{"a1": {}, "b2": {"id": 3}, "c3": {"id": 4}}',
}


@pytest.mark.parametrize("path", [None, "data"])
@pytest.mark.parametrize("body", MAPS.values(), ids=MAPS.keys())
def test_a_map_of_rows_is_refused_and_not_one_row(body: bytes, path: str | None) -> None:
    decoder = RecordDecoder(records_path=path)
    with pytest.raises(ResponseError, match="rows by their ids instead of a list") as caught:
        decoder.push(body if path is None else b'{"data": ' + body + b"}")
    assert caught.value.reason is Reason.INVALID_RECORDS
    assert ("recordsPath data" in str(caught.value)) == (path is not None)
    advice = "set recordsPath: $." if path is None else "add one of its keys to primaryKey."
    assert str(caught.value).endswith(f"if the object itself is the row, {advice}")
    whole = RecordDecoder(records_path="$") if path is None else None
    assert whole is None or whole.push(body).rows == 1
    assert decoder.rows == 0


@pytest.mark.parametrize(
    "body",
    [b'{"a": {"id": 1}, "b": {"n": 2}}', b'{"a": {"id": 1}, "b": 3}', b'{"a": {"id": 1}}'],
    ids=["nothing shared", "a number beside", "one"],
)
def test_an_object_of_objects_that_share_nothing_is_a_row(body: bytes) -> None:
    decoder = RecordDecoder()
    assert decoder.push(body).rows == 1


def test_an_object_of_alike_objects_is_a_row_where_that_is_said() -> None:
    body = MAPS["rows by id"]
    assert RecordDecoder(records_path="$").push(body).rows == 1
    assert RecordDecoder(expected=Expected(stated=frozenset({"a1"}))).push(body).rows == 1
    assert RecordDecoder(expected=Expected(known=frozenset({"b2"}))).push(body).rows == 1


@pytest.mark.parametrize(
    ("body", "rows"),
    [
        (b'{"data": [], "data": [{"id": 1}]}', 1),
        (b'{"data": [{"id": 1}], "data": [{"id": 1}]}', 1),
        (b'{"data": [{"id": 1}], "data": [{"id": 2}]}', None),
        (b'{"data": [{"id": 1}], "next": 2, "data": []}', None),
        (b'{"data": [{"id": 1}], "data": null}', None),
    ],
    ids=["after-none", "equal", "other", "none", "null"],
)
def test_a_key_of_rows_that_stands_twice_loses_none(body: bytes, rows: int | None) -> None:
    decoder = RecordDecoder(records_path="data")
    if rows is not None:
        assert decoder.push(body).rows == rows
        return
    with pytest.raises(ResponseError, match="contains recordsPath data twice") as caught:
        decoder.push(body)
    assert caught.value.reason is Reason.INVALID_RESPONSE
    assert decoder.push(b'{"data": [{"id": 3}]}').rows == 1
    assert decoder.flush().to_pylist() == [{"id": 3}]


@pytest.mark.parametrize("blank", [None, "", " ", "\t"])
def test_a_blank_path_does_not_state_that_an_envelope_is_the_row(blank: str | None) -> None:
    with pytest.raises(ResponseError, match="Set recordsPath: data"):
        RecordDecoder(records_path=blank).push(b'{"data": [{"id": 1}], "next": null}')
    assert RecordDecoder(records_path=" $ ").push(b'{"data": [{"id": 1}]}').rows == 1
