"""Undoes the compression of a body, never further than the bound that holds for a page."""

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
_DEFLATE_NAMES = frozenset({"gzip", "x-gzip", "deflate"})


def decode_body(body: bytes, encoding: str, *, bytes_max: int) -> bytes:
    """The body as it was before it was compressed. Raises TooLargeError, TornBodyError,
    EncodingError."""
    name = encoding.strip().lower()
    if name in ("", "identity") or not body:
        return body
    if name not in _DEFLATE_NAMES:
        raise EncodingError
    return _inflate(body, bytes_max)


def _inflate(body: bytes, bytes_max: int) -> bytes:
    """All members of a compressed body; a bare deflate stream is told from a zlib one by its first
    byte. It grows in place: a page may take a good part of the memory that there is."""
    plain = BytesIO()
    wbits = _ZLIB_OR_GZIP if body[0] == 0x1F or body[0] & 0x0F == _ZLIB_METHOD else _RAW_DEFLATE
    at = 0
    for _ in range(_MEMBERS_MAX):
        if at == len(body):
            return plain.getvalue()
        at = _inflate_member(body, at, plain, wbits=wbits, bytes_max=bytes_max)
    if at < len(body):
        raise TornBodyError("answered with a compressed body of too many members")
    return plain.getvalue()


def _inflate_member(body: bytes, at: int, plain: BytesIO, *, wbits: int, bytes_max: int) -> int:
    """Where the member that begins at `at` ends."""
    stream = zlib.decompressobj(wbits)
    view = memoryview(body)
    while not stream.eof:
        if at == len(body):
            raise TornBodyError("answered with a compressed body that breaks off")
        piece = view[at : at + _PIECE_BYTES]
        try:
            plain.write(stream.decompress(piece, bytes_max + 1 - plain.tell()))
        except zlib.error as error:
            raise TornBodyError("answered with a compressed body that cannot be read") from error
        if plain.tell() > bytes_max:
            raise TooLargeError(bytes_max)
        at += len(piece)
    return at - len(stream.unused_data)
