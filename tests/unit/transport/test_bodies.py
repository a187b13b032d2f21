"""Compressed bodies, honest and hostile."""

import gzip
import zlib

import pytest

from sync_runner.transport.bodies import decode_body
from sync_runner.transport.failures import EncodingError, TooLargeError, TornBodyError

PLAIN = b'{"data": [' + b"1," * 5000 + b"1]}"


def _raw_deflate(plain: bytes) -> bytes:
    stream = zlib.compressobj(wbits=-15)
    return stream.compress(plain) + stream.flush()


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", gzip.compress(PLAIN)),
        ("GZIP", gzip.compress(PLAIN)),
        ("x-gzip", gzip.compress(PLAIN)),
        ("gzip", gzip.compress(PLAIN[:100]) + gzip.compress(PLAIN[100:])),
        ("deflate", zlib.compress(PLAIN)),
        ("deflate", _raw_deflate(PLAIN)),
        ("identity", PLAIN),
    ],
    ids=["gzip", "upper case", "x-gzip", "two members", "zlib", "bare deflate", "identity"],
)
def test_a_body_is_unpacked(encoding: str, body: bytes) -> None:
    assert decode_body(body, encoding, bytes_max=1 << 20) == PLAIN


def test_a_bomb_is_not_unpacked_further_than_the_bound() -> None:
    bomb = gzip.compress(b"0" * 50_000_000)
    assert len(bomb) < 100_000
    with pytest.raises(TooLargeError):
        decode_body(bomb, "gzip", bytes_max=1 << 20)


def test_many_small_members_count_together() -> None:
    with pytest.raises(TooLargeError):
        decode_body(gzip.compress(b"0" * 1000) * 100, "gzip", bytes_max=50_000)


@pytest.mark.parametrize("cut", [1, 8, 20])
def test_a_body_that_breaks_off_is_torn(cut: int) -> None:
    body = gzip.compress(PLAIN)
    with pytest.raises(TornBodyError):
        decode_body(body[:-cut], "gzip", bytes_max=1 << 20)


def test_a_body_that_is_not_compressed_at_all_is_torn() -> None:
    with pytest.raises(TornBodyError):
        decode_body(b"\x1fplain text", "gzip", bytes_max=1 << 20)


def test_an_encoding_that_was_not_asked_for_is_refused() -> None:
    with pytest.raises(EncodingError):
        decode_body(b"x", "br", bytes_max=1 << 20)


def test_a_body_of_a_thousand_members_is_unpacked_and_one_of_more_is_torn() -> None:
    member = gzip.compress(b"1")
    assert decode_body(member * 1000, "gzip", bytes_max=1 << 20) == b"1" * 1000
    with pytest.raises(TornBodyError, match="members"):
        decode_body(member * 1001, "gzip", bytes_max=1 << 20)
