"""Odd responses that other clients read are read, whole or in pieces, and none is read wrongly."""

import gzip
import zlib
from typing import Any

import pytest
from external_data_operator.api.conditions import Reason

from sync_runner.errors import ConfigurationError, RetryableError
from sync_runner.transport.bodies import decode_body
from sync_runner.transport.failures import BrokenError, TooLargeError
from sync_runner.transport.framing import Incoming
from sync_runner.transport.messages import Request
from tests.servers.replies import Reply, ok, redirect
from tests.servers.rest import RestServer
from tests.unit.transport.conftest import MakeClient, read_body

BODY = b'{"rows": [1, 2]}'
CHUNKS = b"6\r\n" + BODY[:6] + b"\r\nA\r\n" + BODY[6:] + b"\r\n0\r\n\r\n"
HEAD = b"HTTP/1.1 200 OK\r\n"
LENGTH = b"Content-Length: 16\r\n"
FOLD = b"X-Long: a\r\n\tb\r\n"
OLD = b"HTTP/1.0 200 OK\r\n"
EARLY = b"HTTP/1.1 100 Continue\r\n\r\n"
TRAILED = b"10 ;a=b\r\n" + BODY + b"\r\n000\r\nX: y\r\n\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"
CLOSED = {
    "two equal lengths beside a fold": HEAD
    + LENGTH
    + b"X-Long: a\r\n\tb\r\n"
    + LENGTH
    + b"\r\n"
    + BODY,
    "a length beside chunks": HEAD + b"Content-Length: 3\r\n" + CHUNKED + b"\r\n" + CHUNKS,
    "a fold before the first header": HEAD + b" X: y\r\n" + LENGTH + b"\r\n" + BODY,
    "a folded length": HEAD + b"Content-Length:\r\n 16\r\n\r\n" + BODY,
    "bare line feeds": (HEAD + LENGTH + b"\r\n").replace(b"\r", b"") + BODY,
    "a space before the colon": HEAD + b"Content-Length : 16\r\n\r\n" + BODY,
    "a line without a colon": HEAD + b"nonsense\r\n" + LENGTH + b"\r\n" + BODY,
    "a carriage return in a value": HEAD + b"X: a\rb\r\n" + LENGTH + b"\r\n" + BODY,
    "HTTP/1.0": OLD + LENGTH + b"\r\n" + BODY,
    "chunks in HTTP/1.0": OLD + CHUNKED + b"\r\n" + CHUNKS,
    "close": HEAD + b"CONNECTION: Close\r\n" + LENGTH + b"\r\n" + BODY,
    "identity": HEAD + b"Transfer-Encoding: identity\r\n" + LENGTH + b"\r\n" + BODY,
    "more than the length": HEAD + LENGTH + b"\r\n" + BODY + b"\r\n",
}
KEPT = {
    "one list of equal lengths": HEAD + b"Content-Length: 16, 16\r\n\r\n" + BODY,
    "chunks": HEAD + CHUNKED + b"\r\n" + CHUNKS,
    "chunked twice": HEAD + CHUNKED + CHUNKED + b"\r\n" + CHUNKS,
    "extensions and trailers": HEAD + CHUNKED + b"\r\n" + TRAILED,
    "line feeds between chunks": HEAD + CHUNKED + b"\r\n" + CHUNKS.replace(b"\r", b""),
    "no reason": b"HTTP/1.1 200\r\n" + LENGTH + b"\r\n" + BODY,
    "an empty reason and odd case": b"HTTP/1.1 200 \r\ncOnTeNt-LeNgTh:16  \r\n\r\n" + BODY,
    "bytes beyond ASCII": HEAD + b"X: \xff\xe9\r\n" + LENGTH + b"\r\n" + BODY,
    "two interim responses": EARLY * 2 + HEAD + LENGTH + b"\r\n" + BODY,
    "keep-alive in HTTP/1.0": OLD + b"Connection: keep-alive\r\n" + LENGTH + b"\r\n" + BODY,
    "no-break spaces in a name's value": HEAD + b"X: \xa0a\xa0\r\n" + LENGTH + b"\r\n" + BODY,
    "a line as long as a cookie": HEAD + b"X: " + b"y" * 5000 + b"\r\n" + LENGTH + b"\r\n" + BODY,
    "a name twice": HEAD + b"X: 1\r\nX: 2\r\n" + LENGTH + b"\r\n" + BODY,
    "blank lines first": b"\r\n\r\n" + HEAD + LENGTH + b"\r\n" + BODY,
}  # fmt: skip
UNTIL_CLOSED = {
    "no framing": HEAD + b"\r\n" + BODY,
    "no headers": b"HTTP/1.1 200 OK\r\n\r\n" + BODY,
    "an empty length": HEAD + b"Content-Length:\r\n\r\n" + BODY,
    "no line after the last chunk": HEAD + CHUNKED + b"\r\n" + CHUNKS[:-2],
}
BROKEN = {
    "SSH": (b"SSH-2.0-OpenSSH_9.2\r\n", "not a status line"),
    "TLS": (b"\x15\x03\x03\x00\x02\x02\x28", "uses TLS"),
    "HTTP/2": (b"HTTP/2 200\r\n\r\n", "not a status line"),
    "two lengths": (HEAD + LENGTH + b"Content-Length: 9\r\n\r\n", "contradict"),
    "a negative length": (HEAD + b"Content-Length: -1\r\n\r\n", "not a number"),
    "chunked not last": (HEAD + b"Transfer-Encoding: chunked, gzip\r\n\r\n", "last transfer"),
    "no size": (HEAD + CHUNKED + b"\r\nxyz\r\n", "size of a chunk"),
    "a long chunk": (HEAD + CHUNKED + b"\r\n1\r\nab\r\n", "longer than its size"),
    "another protocol": (b"HTTP/1.1 101 Switching\r\n\r\n", "another protocol"),
}


def _read(raw: bytes, piece: int = 1 << 20) -> Incoming:
    incoming = Incoming(1 << 20)
    for start in range(0, len(raw), piece):
        data = bytearray(raw[start : start + piece])
        incoming.feed(data, len(data))
    return incoming


@pytest.mark.parametrize("piece", [1, 2, 3, 7, 40, 1 << 20])
@pytest.mark.parametrize("raw", [*CLOSED.values(), *KEPT.values()], ids=[*CLOSED, *KEPT])
def test_an_odd_response_is_read_however_it_is_cut(raw: bytes, piece: int) -> None:
    incoming = _read(raw, piece)
    assert incoming.done
    assert incoming.take_body() == BODY


@pytest.mark.parametrize("raw", CLOSED.values(), ids=CLOSED)
def test_the_connection_of_an_odd_response_is_not_used_again(
    server: RestServer, make_client: MakeClient, raw: bytes
) -> None:
    server.on("/x", Reply(raw=raw))
    client = make_client()
    for _ in range(2):
        assert client.fetch(Request("GET", f"{server.url}/x"), read_body) == BODY
    assert (server.connections, len(server.requests)) == (2, 2)


@pytest.mark.parametrize("raw", KEPT.values(), ids=KEPT)
def test_the_connection_of_an_unusual_response_is_used_again(
    server: RestServer, make_client: MakeClient, raw: bytes
) -> None:
    server.on("/x", Reply(raw=raw))
    client = make_client()
    for _ in range(2):
        assert client.fetch(Request("GET", f"{server.url}/x"), read_body) == BODY
    assert (server.connections, len(server.requests)) == (1, 2)


@pytest.mark.parametrize("raw", UNTIL_CLOSED.values(), ids=UNTIL_CLOSED)
def test_the_end_of_the_connection_ends_a_body_without_another_end(raw: bytes) -> None:
    incoming = _read(raw, 5)
    assert not incoming.done
    assert incoming.ends_here()
    assert incoming.take_body() == BODY


@pytest.mark.parametrize("cut", [1, 20, 45, 60, 70])
def test_a_response_that_breaks_off_is_not_whole(cut: int) -> None:
    raw = HEAD + CHUNKED + b"\r\n" + CHUNKS
    assert not _read(raw[:cut]).ends_here()
    assert not _read((HEAD + LENGTH + b"\r\n" + BODY)[: min(cut, 50)]).ends_here()


@pytest.mark.parametrize(("raw", "why"), BROKEN.values(), ids=BROKEN)
def test_what_is_not_http_is_refused_with_the_reason(raw: bytes, why: str) -> None:
    with pytest.raises(BrokenError, match=f"is not valid HTTP/1.1: .*{why}"):
        _read(raw)


def test_a_length_beyond_the_bound_is_refused_before_the_body_comes() -> None:
    with pytest.raises(TooLargeError):
        _read(HEAD + b"Content-Length: 1048577\r\n\r\n")


def test_the_reason_of_a_response_that_is_not_http_reaches_the_run(
    server: RestServer, make_client: MakeClient
) -> None:
    server.on("/x", Reply(raw=BROKEN["two lengths"][0]))
    with pytest.raises(RetryableError, match="Content-Length headers contradict each other"):
        make_client().fetch(Request("GET", f"{server.url}/x"), read_body)


def test_a_transfer_coding_below_chunked_is_undone(
    server: RestServer, make_client: MakeClient
) -> None:
    packed = gzip.compress(BODY)
    raw = HEAD + b"Transfer-Encoding: gzip, chunked\r\n\r\n%x\r\n" % len(packed)
    server.on("/x", Reply(raw=raw + packed + b"\r\n0\r\n\r\n"))
    assert make_client().fetch(Request("GET", f"{server.url}/x"), read_body) == BODY


ENCODED = {
    "gzip twice": (gzip.compress(gzip.compress(BODY)), "gzip, gzip"),
    "deflate in gzip": (gzip.compress(zlib.compress(BODY)), "deflate,x-gzip"),
    "gzip beside identity": (gzip.compress(BODY), "identity, gzip"),
    "gzip said twice and done once": (gzip.compress(BODY), "gzip, gzip"),
    "gzip said and not done": (BODY, "gzip"),
    "deflate said and not done": (BODY, "deflate"),
    "a charset": (BODY, "utf-8"),
    "zeros after gzip": (gzip.compress(BODY) + bytes(512), "gzip"),
    "garbage after gzip": (gzip.compress(BODY) + b"\r\n<!-- -->", "gzip"),
    "bytes after zlib": (zlib.compress(BODY) + b"\n", "deflate"),
    "two members and zeros": (gzip.compress(BODY[:5]) + gzip.compress(BODY[5:]) + b"\0", "gzip"),
}


@pytest.mark.parametrize(("body", "encoding"), ENCODED.values(), ids=ENCODED)
def test_an_encoding_is_undone_as_other_clients_do(body: bytes, encoding: str) -> None:
    assert decode_body(body, encoding, bytes_max=1 << 20) == BODY


def test_an_encoding_that_cannot_be_undone_is_named_and_asked_for_once(
    server: RestServer, make_client: MakeClient
) -> None:
    server.on("/x", Reply(body=b"\x28\xb5\x2f\xfd", headers={"Content-Encoding": "zstd"}))
    with pytest.raises(ConfigurationError, match="the encoding zstd, which") as caught:
        make_client().fetch(Request("GET", f"{server.url}/x"), read_body)
    assert caught.value.reason is Reason.INVALID_RESPONSE
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ('/a"<b>{c}|d^`e\\?q=" {x}', "/a%22%3Cb%3E%7Bc%7D%7Cd%5E%60e%5C?q=%22%20%7Bx%7D"),
        ("/100%/%zz/%41?q=50%", "/100%25/%25zz/%41?q=50%25"),
        ("/a?filter[name]=x&b=$(c)~'d'", "/a?filter[name]=x&b=$(c)~'d'"),
        ("/\ud800?q=é", "/%EF%BF%BD?q=%C3%A9"),
    ],
    ids=["not allowed", "percent", "brackets", "half a character"],
)
def test_what_an_address_may_not_hold_is_escaped_once(
    server: RestServer, make_client: MakeClient, path: str, target: str
) -> None:
    server.on(target.partition("?")[0], ok([1]))
    make_client().fetch(Request("GET", f"{server.url}{path}"), read_body)
    assert server.targets() == [target]


def test_a_location_in_utf_8_is_escaped_once(server: RestServer, make_client: MakeClient) -> None:
    server.on("/x", redirect("/zażółć?q=ü".encode().decode("latin-1")))
    server.on("/za%C5%BC%C3%B3%C5%82%C4%87", ok([1]))
    make_client().fetch(Request("GET", f"{server.url}/x"), read_body)
    assert server.targets()[-1] == "/za%C5%BC%C3%B3%C5%82%C4%87?q=%C3%BC"


def test_a_next_page_at_port_0_is_refused(server: RestServer, make_client: MakeClient) -> None:
    client: Any = make_client()
    with pytest.raises(ConfigurationError, match="not valid"):
        client.fetch(Request("GET", "http://127.0.0.1:0/x"), read_body)
    assert server.connections == 0
