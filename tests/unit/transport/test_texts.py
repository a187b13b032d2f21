"""A body becomes UTF-8, whatever it was sent in."""

import pytest
from external_data_operator.api.conditions import Reason

from sync_runner.errors import ConfigurationError
from sync_runner.transport.messages import Response
from sync_runner.transport.texts import read_text

TEXT = '[{"t": "déjà “vu” €"}]'
LATIN = '[{"t": "déjà vu"}]'


def read(body: bytes, content_type: str = "application/json") -> bytes:
    """The body as the decoder gets it."""
    return read_text(Response(200, {"content-type": content_type}, body))


@pytest.mark.parametrize(
    ("text", "codec", "declared"),
    [
        pytest.param(LATIN, "latin-1", "application/json; charset=ISO-8859-1", id="Latin-1"),
        pytest.param(TEXT, "cp1252", 'text/json;Charset="windows-1252"', id="windows-1252"),
        pytest.param(TEXT, "cp1252", "application/json; charset=latin1", id="called Latin-1"),
        pytest.param(TEXT, "utf-16", "application/json", id="UTF-16 with a mark"),
        pytest.param(TEXT, "utf-16-be", "application/json", id="UTF-16 without a mark"),
        pytest.param(TEXT, "utf-16-le", "application/json; charset=utf-16", id="UTF-16 declared"),
        pytest.param(TEXT, "utf-32", "application/json", id="UTF-32"),
        pytest.param('["東京"]', "shift_jis", "text/plain; charset=Shift_JIS", id="Shift JIS"),
        pytest.param(TEXT, "utf-8", "application/json; charset=ISO-8859-1", id="declared wrongly"),
        pytest.param(TEXT, "utf-8", "application/json; charset=utf8", id="UTF-8"),
        pytest.param(TEXT, "utf-8", "application/json; charset=nonsense", id="no matter"),
    ],
)
def test_a_body_is_read_in_the_charset_that_it_is_in(text: str, codec: str, declared: str) -> None:
    assert read(text.encode(codec), declared).decode() == text


def test_what_a_charset_has_not_is_left_for_the_decoder_to_count() -> None:
    body = b'["\x81 \xe9"]'
    assert read(body, "application/json; charset=cp1252") == b'["\xff \xc3\xa9"]'
    assert read(body) == body


@pytest.mark.parametrize(
    "name", ["nonsense", "zlib", "idna", "unicode_escape", "raw_unicode_escape", "punycode", ""]
)
def test_a_charset_that_is_none_is_said(name: str) -> None:
    body = b'["\xe9"]'
    if not name:
        assert read(body, "application/json; charset=") == body
        return
    with pytest.raises(ConfigurationError, match="charset of the response is unknown") as caught:
        read(body, f"application/json; charset={name}")
    assert caught.value.reason is Reason.INVALID_RESPONSE


@pytest.mark.parametrize("body", [b"", b"[", b"[]", b"\xff", b"1", b"\0", b"{}"])
def test_short_bodies_are_left_alone(body: bytes) -> None:
    assert read(body) == body


@pytest.mark.parametrize(
    "guard",
    [
        b")]}',\n",
        b")]}'\n",
        b")]}'\r\n\r\n",
        b")]}\n",
        b"for(;;);",
        b"for (;;);",
        b"while(1);",
        b"\xef\xbb\xbf)]}'\n",
    ],
    ids=repr,
)
@pytest.mark.parametrize("body", [b'{"data": [1]}', b"[]", b""])
def test_what_stands_before_json_against_other_sites_is_skipped(guard: bytes, body: bytes) -> None:
    assert read_text(Response(200, {}, guard + body)) == body


@pytest.mark.parametrize(
    "body", [b'{"a": ")]}\',"}', b" [1]", b"before(1)", b"while", b")]", b"for"]
)
def test_other_text_keeps_its_beginning(body: bytes) -> None:
    assert read_text(Response(200, {}, body)) == body
