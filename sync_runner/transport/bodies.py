"""Decompresses bodies, up to the size limit of a page, so that a small body cannot fill the
memory."""

import re
import zlib
from io import BytesIO

from sync_runner.transport.failures import EncodingError, TooLargeError, TornBodyError

ACCEPTED = "gzip, deflate"
_ZLIB_OR_GZIP = 32 + zlib.MAX_WBITS
_RAW_DEFLATE = -zlib.MAX_WBITS
_ZLIB_METHOD = 8
_MEMBERS_MAX = 1_000
_PIECE_BYTES = 64 << 10
"""A thousand times as much may come out of a piece of a bomb."""
_DEFLATE_NAMES = frozenset({"gzip", "x-gzip", "deflate", "x-deflate"})
_NOTHING = frozenset({"", "identity"})
_KNOWN = frozenset({"br", "zstd", "compress", "x-compress", "bzip2", "lz4", "snappy", "xz"})
_CODINGS_MAX = 5
GZIP_MAGIC = b"\x1f\x8b"
_PLAIN = re.compile(rb'(?:\xef\xbb\xbf)?[ \t\r\n]*[{\["]')


def decode_body(body: bytes, encoding: str, *, bytes_max: int) -> bytes:
    """The body as it was before it was compressed. Raises TooLargeError, TornBodyError,
    EncodingError."""
    names = [name.strip().lower() for name in encoding.split(",")]
    names = [name for name in names if name not in _NOTHING]
    if len(names) > _CODINGS_MAX:
        raise EncodingError
    for name in reversed(names):
        body = _undo(body, name, bytes_max) if body else body
    # No text begins so: a compressed file, whether or not it was compressed again on its way.
    return _inflate(body, bytes_max, wbits=_ZLIB_OR_GZIP) if body[:2] == GZIP_MAGIC else body


def _undo(body: bytes, name: str, bytes_max: int) -> bytes:
    """The body without one encoding. Some proxies name an encoding that they have removed, and some
    servers a charset, so that plain JSON is accepted under any name."""
    if name not in _DEFLATE_NAMES:
        if _PLAIN.match(body):
            return body
        raise EncodingError(name if name in _KNOWN else "")
    is_wrapped = body[:2] == GZIP_MAGIC or _is_zlib(body)
    if not is_wrapped and _PLAIN.match(body) and not (name == "deflate" and _is_raw(body)):
        return body
    is_bare = name == "deflate" and not is_wrapped
    return _inflate(body, bytes_max, wbits=_RAW_DEFLATE if is_bare else _ZLIB_OR_GZIP)


def _is_zlib(body: bytes) -> bool:
    """A zlib header's two bytes are a multiple of 31."""
    is_deflate = body[0] & 0x0F == _ZLIB_METHOD
    return is_deflate and len(body) > 1 and int.from_bytes(body[:2]) % 31 == 0


def _is_raw(body: bytes) -> bool:
    """Whether the first bytes are a bare deflate stream, which may begin as JSON does."""
    try:
        zlib.decompressobj(_RAW_DEFLATE).decompress(body[:_PIECE_BYTES], _PIECE_BYTES)
    except zlib.error:
        return False
    return True


def _inflate(body: bytes, bytes_max: int, *, wbits: int) -> bytes:
    """All members of a compressed body; other bytes after one are ignored, as gzip and browsers
    do. The result grows in place, since a page may need a good part of the memory."""
    plain = BytesIO()
    at = 0
    for _ in range(_MEMBERS_MAX):
        if at > 0 and body[at : at + 2] != GZIP_MAGIC:
            return plain.getvalue()
        at = _inflate_member(body, at, plain, wbits=wbits, bytes_max=bytes_max)
    if body[at : at + 2] == GZIP_MAGIC:
        raise TornBodyError("The compressed body has too many members.")
    return plain.getvalue()


def _inflate_member(body: bytes, at: int, plain: BytesIO, *, wbits: int, bytes_max: int) -> int:
    """Where the member that begins at `at` ends."""
    stream = zlib.decompressobj(wbits)
    view = memoryview(body)
    while not stream.eof:
        if at == len(body):
            raise TornBodyError("The compressed body is incomplete.")
        piece = view[at : at + _PIECE_BYTES]
        try:
            plain.write(stream.decompress(piece, bytes_max + 1 - plain.tell()))
        except zlib.error as error:
            raise TornBodyError("The compressed body is damaged.") from error
        if plain.tell() > bytes_max:
            raise TooLargeError(bytes_max)
        at += len(piece)
    return at - len(stream.unused_data)
