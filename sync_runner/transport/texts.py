"""Converts the body of a response to UTF-8.

JSON is UTF-8, and servers that send another charset usually declare it. Some declare one and send
UTF-8, so that bytes which are valid UTF-8 stay. UTF-16 is recognised by its byte order mark, or by
the zero bytes between the first characters.
"""

import codecs
import re
from email.message import Message

from external_data_operator.api.conditions import Reason

from sync_runner.errors import ResponseError
from sync_runner.transport.messages import Response

_UTF_8 = frozenset({"", "utf-8", "utf8", "us-ascii", "ascii", "utf-8-sig", "utf8mb4"})
_LATIN_1 = frozenset({"iso8859-1", "latin_1"})
_NO_CHARSETS = frozenset({"unicode-escape", "raw-unicode-escape", "punycode"})
_MARKS = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
_PEEK_BYTES = 4
_USUAL = frozenset({b"{", b"["})
_GUARD = re.compile(rb"(?:\xef\xbb\xbf)?\s*(?:\)\]\}'?,?|for\s*\(;;\);?|while\s*\(1\);?)\s*")
"""A prefix of JSON that keeps scripts of other sites from reading it; every client of such an API
skips it, and no JSON begins with it."""
_REPLACEMENT = "\ufffd".encode()


def read_text(response: Response) -> bytes:
    """The body as UTF-8, except bytes that are not valid in the charset of the response.

    ResponseError(InvalidResponse) if the charset is unknown.
    """
    body = _drop_guard(response.body)
    wide = _find_wide(body[:_PEEK_BYTES])
    if wide is not None:
        return _recode(body, wide)
    content_type = response.headers.get("content-type", "")
    if "charset" not in content_type.lower():
        return body
    name = _find_charset(content_type)
    if name in _UTF_8 or _is_utf_8(body):
        return body
    return _recode(body, _find_codec(name))


def _drop_guard(body: bytes) -> bytes:
    guard = None if body[:1] in _USUAL else _GUARD.match(body)
    return body if guard is None else body[guard.end() :]


def _find_wide(begin: bytes) -> str | None:
    """UTF-16 or UTF-32, by how a JSON text begins: with two ASCII characters, or a mark."""
    if 0 not in begin and begin[:2] not in _MARKS:
        return None
    if begin[:2] in _MARKS:
        return "utf-32-le" if begin[2:] == b"\0\0" else _MARKS[begin[:2]]
    zeros = [byte == 0 for byte in begin]
    patterns: dict[tuple[bool, ...], str] = {
        (True, True, True, False): "utf-32-be",
        (False, True, True, True): "utf-32-le",
        (True, False, True, False): "utf-16-be",
        (False, True, False, True): "utf-16-le",
    }
    return patterns.get(tuple(zeros))


def _find_charset(content_type: str) -> str:
    message = Message()
    message["content-type"] = content_type
    return str(message.get_param("charset", "")).strip().strip("'\"").lower()


def _is_utf_8(body: bytes) -> bool:
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True


def _find_codec(name: str) -> str:
    try:
        codec = codecs.lookup(name)
        b" ".decode(codec.name, "replace")  # codecs that are no charsets do not
        if codec.name in _NO_CHARSETS:
            raise LookupError(codec.name)
    except (LookupError, ValueError) as error:
        raise _unknown() from error
    # What calls itself Latin-1 is windows-1252, as browsers read it: the rest are no characters.
    return "cp1252" if codec.name in _LATIN_1 else codec.name


def _recode(body: bytes, codec: str) -> bytes:
    """Invalid bytes become a byte that UTF-8 does not have, so that the decoder counts them."""
    try:
        text = body.decode(codec, "replace")
    except UnicodeError as error:  # a codec that replaces nothing
        raise _unknown() from error
    return (
        text.removeprefix("\ufeff").encode("utf-8", "surrogatepass").replace(_REPLACEMENT, b"\xff")
    )


def _unknown() -> ResponseError:
    message = "The charset of the response is unknown. Request UTF-8 by an Accept header."
    return ResponseError(Reason.INVALID_RESPONSE, message)
