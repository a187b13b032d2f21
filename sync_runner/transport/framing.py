"""Parses HTTP/1.1 responses, by RFC 9112 and as leniently as other clients do.

Servers and proxies fold headers, send a length twice, a length beside chunks, bare line feeds, or
no reason phrase. All of that has one meaning. Parsers made for servers refuse it, because two
readers of one request must agree (request smuggling). A client has no second reader: it accepts
such a response, and does not use its connection again.
"""

import re
from functools import lru_cache
from io import BytesIO
from typing import NamedTuple

from sync_runner.transport.failures import BrokenError, TooLargeError

HEAD_BYTES_MAX = 256 << 10
_HEAD_END = re.compile(rb"\n\r?\n")
_STATUS_LINE = re.compile(r"HTTP/1\.([0-9]) +([1-9][0-9]{2})(?:[ \t].*)?")
_BEGIN = b"HTTP/1."
_TLS_BEGINS = (b"\x15\x03", b"\x16\x03")
_CHUNK_SIZE = re.compile(rb"[ \t]*([0-9A-Fa-f]{1,15})[ \t]*(?:;.*)?", re.DOTALL)
_LENGTH = re.compile(r"[0-9]{1,15}")
_CHUNK_LINE_BYTES_MAX = 64 << 10
_PLAIN_LINE_MAX = 512
"""Longer lines are not remembered."""
_NOT_PLAIN = ("", "")
_WITHOUT_BODY = frozenset({204, 304})


class ResponseHead(NamedTuple):
    """Status and headers of a response, and where its body ends."""

    status: int
    headers: dict[str, str]
    """Names in lower case; values of one name joined by commas."""
    length: int | None
    """Bytes of the body; None where chunks or the end of the connection end it."""
    codings: tuple[str, ...]
    """Transfer codings in the order in which they were applied, chunked left out."""
    is_chunked: bool
    keep_alive: bool


def parse_head(raw: bytes) -> ResponseHead:
    """The head of one response, blank line included. Raises BrokenError with the reason."""
    text = raw.decode("latin-1")
    lines = text.split("\r\n")
    has_bare_feeds = raw.count(b"\n") != len(lines) - 1
    if has_bare_feeds:
        lines = text.replace("\r\n", "\n").split("\n")
    del lines[-2:]  # the line's end and the blank line
    is_old, status = _parse_status_line(lines[0][:_PLAIN_LINE_MAX].rstrip("\r"))
    headers, is_odd = _parse_headers(lines)
    is_odd |= has_bare_feeds
    codings = _split(headers.get("transfer-encoding", ""))
    is_chunked = "chunked" in codings
    others = tuple([name for name in codings if name not in ("chunked", "identity")])
    if is_chunked and codings[-1] != "chunked":
        raise _broken("chunked is not the last transfer coding")
    length = None
    if status in _WITHOUT_BODY or status < 200:
        length, is_chunked, others = 0, False, ()
    elif not is_chunked and not others:
        length = _find_length(headers)
    # Transfer-Encoding wins over a length beside it, and the connection is closed after it.
    is_odd |= bool(codings) and ("content-length" in headers or is_old)
    options = _split(headers.get("connection", ""))
    wants_more = "keep-alive" in options if is_old else "close" not in options
    ends = is_chunked or length is not None
    return ResponseHead(
        status, headers, length, others, is_chunked, wants_more and ends and not is_odd
    )


@lru_cache(maxsize=64)
def _parse_status_line(line: str) -> tuple[bool, int]:
    """Whether the response is HTTP/1.0, and its status."""
    matched = _STATUS_LINE.fullmatch(line)
    if matched is None:
        raise _broken("the first line is not a status line")
    return matched[1] == "0", int(matched[2])


@lru_cache(maxsize=256)
def _parse_plain_line(line: str) -> tuple[str, str]:
    """Name and value of a line as nearly all are written; empty where it needs a closer look."""
    name, colon, value = line.partition(": ")
    key = name.lower()
    is_plain = colon and ":" not in name and key == key.strip() and value.isprintable()
    return (key, value.strip(" ")) if is_plain else _NOT_PLAIN


def _parse_headers(lines: list[str]) -> tuple[dict[str, str], bool]:
    """Headers by name, and whether any line was odd. The first line is the status line."""
    headers: dict[str, str] = {}
    is_odd = False
    last = ""
    for line in lines[1:]:
        # A server sends nearly the same lines with every response.
        key, value = _parse_plain_line(line) if len(line) < _PLAIN_LINE_MAX else _NOT_PLAIN
        if key and key not in headers:
            headers[key] = value
            last = key
            continue
        if line[:1] in (" ", "\t"):  # the line before goes on here
            is_odd = True
            if last:
                headers[last] = f"{headers[last]} {line.strip()}".strip()
            continue
        name, colon, value = line.partition(":")
        key = name.strip().lower()
        if not colon or not key or key != name.lower() or "\r" in value or "\0" in value:
            is_odd = True
            value = value.replace("\r", " ").replace("\0", " ")
        if not colon or not key:
            last = ""  # its meaning is not defined
            continue
        value = value.strip(" \t")
        headers[key] = f"{headers[key]}, {value}" if key in headers else value
        last = key
    return headers, is_odd


def _split(value: str) -> list[str]:
    """The names in a list of them, in small letters and without parameters."""
    if not value:  # most responses name no codings and no options
        return []
    names = (part.partition(";")[0].strip().lower() for part in value.split(","))
    return [name for name in names if name]


def _find_length(headers: dict[str, str]) -> int | None:
    """The one length that all Content-Length headers name; None where there is none."""
    value = headers.get("content-length", "")
    if value.isdecimal() and value.isascii() and len(value) <= 15:
        return int(value)
    values = _split(value)
    if not all(_LENGTH.fullmatch(value) for value in values):
        raise _broken("Content-Length is not a number")
    lengths = {int(value) for value in values}
    if len(lengths) > 1:
        raise _broken("the Content-Length headers contradict each other")
    return lengths.pop() if lengths else None


def _broken(why: str) -> BrokenError:
    return BrokenError(f"The response is not valid HTTP/1.1: {why}.")


class Incoming:
    """One response as it arrives. The body grows in place and is returned without a copy, since a
    page may need a good part of the memory."""

    def __init__(self, body_bytes_max: int) -> None:
        """A body with more bytes raises TooLargeError."""
        self._body_bytes_max = body_bytes_max
        self._pending = bytearray()
        self._body = BytesIO()
        self._left = 0
        self._read_line = self._read_chunk_size
        self._trailer_bytes = 0
        self._in_trailers = False
        self.head: ResponseHead | None = None
        self.done = False
        self.keep_alive = False

    def feed(self, buffer: bytearray, count: int) -> None:
        """Reads the first `count` bytes of a buffer. Raises BrokenError, TooLargeError."""
        data, at, end = buffer, 0, count
        if self._pending:
            data = self._pending
            data += buffer[:count]
            self._pending = bytearray()
            end = len(data)
        if self.head is None:
            at = self._feed_head(data, end)
        if self.head is None:
            return
        if self.head.is_chunked:
            at = self._feed_chunks(data, at, end)
        elif self.head.length is None:
            at = self._write(data, at, end)
        else:
            at = self._write(data, at, min(end, at + self._left))
            self.done = self._left == 0
        if self.done and at < end:
            self.keep_alive = False  # more than was asked for

    def ends_here(self) -> bool:
        """Whether the response is whole now that the connection has ended."""
        self.keep_alive = False
        if self.head is None:
            return False
        if self.head.is_chunked:
            return self._in_trailers  # the chunk of no bytes was there
        return self.head.length is None

    def take_body(self) -> bytes:
        """The body; it can be taken once."""
        body = self._body.getvalue()
        self._body.close()
        return body

    def _feed_head(self, data: bytearray, end: int) -> int:
        """Where the body begins; interim responses (1xx) are passed over."""
        at = 0
        while True:
            while at < end and data[at] in b"\r\n":
                at += 1
            if not data.startswith(_BEGIN, at, end):
                _refuse_other_protocols(bytes(data[at : min(end, at + len(_BEGIN))]))
            found = _HEAD_END.search(data, at, end)
            if found is None:
                self._pending = data[at:end]
                return end
            head = parse_head(bytes(data[at : found.end()]))
            at = found.end()
            if head.status == 101:
                raise _broken("the server changes to another protocol")
            if head.status >= 200:
                break
        if head.length is not None and head.length > self._body_bytes_max:
            raise TooLargeError(self._body_bytes_max)
        self.head = head
        self.keep_alive = head.keep_alive
        self._left = head.length or 0
        return at

    def _feed_chunks(self, data: bytearray, at: int, end: int) -> int:
        while at < end and not self.done:
            if self._left:
                at = self._write(data, at, min(end, at + self._left))
                if not self._left and data.startswith(b"\r\n", at, end):
                    at += 2
                    self._read_line = self._read_chunk_size
                continue
            newline = data.find(b"\n", at, end)
            if (end if newline < 0 else newline) - at > _CHUNK_LINE_BYTES_MAX:
                raise _broken("a line between two chunks is too long")
            if newline < 0:
                self._pending = data[at:end]
                return end
            self._read_line(bytes(data[at:newline]).removesuffix(b"\r"))
            at = newline + 1
        return at

    def _read_chunk_size(self, line: bytes) -> None:
        matched = _CHUNK_SIZE.fullmatch(line)
        if matched is None:
            raise _broken("the size of a chunk is not a number")
        self._left = int(matched[1], 16)
        self._in_trailers = self._left == 0
        self._read_line = self._read_trailer if self._in_trailers else self._read_chunk_end

    def _read_chunk_end(self, line: bytes) -> None:
        if line.strip():
            raise _broken("a chunk is longer than its size")
        self._read_line = self._read_chunk_size

    def _read_trailer(self, line: bytes) -> None:
        """Trailers hold nothing that a page needs."""
        self._trailer_bytes += len(line)
        if self._trailer_bytes > HEAD_BYTES_MAX:
            raise _broken("the trailers are too long")
        self.done = not line

    def _write(self, data: bytearray, at: int, upto: int) -> int:
        """Adds a piece to the body."""
        with memoryview(data)[at:upto] as piece:
            self._body.write(piece)
        self._left = max(0, self._left - (upto - at))
        if self._body.tell() > self._body_bytes_max:
            raise TooLargeError(self._body_bytes_max)
        return upto


def _refuse_other_protocols(begin: bytes) -> None:
    """At once, since a server of another protocol may wait for our next message."""
    if begin.startswith(_TLS_BEGINS):
        raise _broken("the server uses TLS. Use https in baseUrl")
    if not _BEGIN.startswith(begin):
        raise _broken("the first line is not a status line")
