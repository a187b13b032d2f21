"""Undoes the compression of a body, never further than the bound that holds for a page."""

import zlib

from sync_runner.transport.failures import EncodingError, TooLargeError, TornBodyError

ACCEPTED = "gzip, deflate"
_ZLIB_OR_GZIP = 32 + zlib.MAX_WBITS
_RAW_DEFLATE = -zlib.MAX_WBITS
_ZLIB_METHOD = 8
_MEMBERS_MAX = 1_000
"""Each member copies what is behind it: millions of small ones would take hours."""
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
    byte."""
    pieces: list[bytes] = []
    left = bytes_max
    wbits = _ZLIB_OR_GZIP if body[0] == 0x1F or body[0] & 0x0F == _ZLIB_METHOD else _RAW_DEFLATE
    for _ in range(_MEMBERS_MAX):
        if not body:
            return b"".join(pieces)
        stream = zlib.decompressobj(wbits)
        try:
            pieces.append(stream.decompress(body, left + 1))
        except zlib.error as error:
            raise TornBodyError("answered with a compressed body that cannot be read") from error
        left -= len(pieces[-1])
        if left < 0:
            raise TooLargeError(bytes_max)
        if not stream.eof:
            raise TornBodyError("answered with a compressed body that breaks off")
        body = stream.unused_data
    if body:
        raise TornBodyError("answered with a compressed body of too many members")
    return b"".join(pieces)
