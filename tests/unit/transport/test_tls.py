"""Whom a client believes over TLS."""

import socketserver
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from external_data_operator.api.conditions import Reason

from sync_runner.errors import ConfigurationError, RetryableError
from sync_runner.network.sockets import build_tls
from sync_runner.transport.exchange import AttemptLimits
from sync_runner.transport.messages import Request
from tests.clocks import JumpingClock
from tests.servers.replies import ok
from tests.servers.rest import RestServer, running_rest
from tests.servers.tls import DAY, Authority, make_authority
from tests.unit.transport.conftest import MakeClient, read_body


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return make_authority(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def server(authority: Authority) -> Iterator[RestServer]:
    with running_rest(authority.server) as server:
        server.on("/x", ok([1]))
        yield server


def test_an_authority_of_the_spec_is_believed(
    server: RestServer, make_client: MakeClient, authority: Authority
) -> None:
    client = make_client(tls=build_tls(authority.pem))
    for _ in range(3):
        assert client.fetch(Request("GET", f"{server.url}/x"), read_body) == b"[1]"
    assert server.connections == 1


def test_an_unknown_authority_is_not_believed_and_not_asked_again(
    server: RestServer, make_client: MakeClient, clock: JumpingClock
) -> None:
    with pytest.raises(RetryableError, match="certificate is not trusted") as caught:
        make_client(tls=build_tls(None)).fetch(Request("GET", f"{server.url}/x"), read_body)
    assert caught.value.reason is Reason.UNREACHABLE
    assert clock.slept == []
    assert server.requests == []


def test_a_certificate_for_another_name_is_not_believed(
    make_client: MakeClient, tmp_path: Path
) -> None:
    other = make_authority(tmp_path, names=("elsewhere.example",))
    with running_rest(other.server) as server:
        client = make_client(server.url, tls=build_tls(other.pem))
        with pytest.raises(RetryableError, match="certificate is not trusted"):
            client.fetch(Request("GET", f"{server.url}/x"), read_body)
        assert server.requests == []


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"ends": -DAY}, "certificate has expired"),
        ({"names": ("elsewhere.example",)}, "Hostname mismatch"),
    ],
    ids=["expired", "another name"],
)
def test_what_is_wrong_with_a_certificate_is_said(
    make_client: MakeClient, tmp_path: Path, options: dict[str, Any], words: str
) -> None:
    other = make_authority(tmp_path, **options)
    with running_rest(other.server) as server:
        client = make_client(server.url, tls=build_tls(other.pem))
        with pytest.raises(RetryableError, match=words) as caught:
            client.fetch(Request("GET", f"{server.url}/x"), read_body)
        assert caught.value.reason is Reason.UNREACHABLE
        assert server.requests == []


def test_an_unknown_authority_is_said(server: RestServer, make_client: MakeClient) -> None:
    with pytest.raises(RetryableError, match="unable to get local issuer certificate"):
        make_client(tls=build_tls(None)).fetch(Request("GET", f"{server.url}/x"), read_body)


def test_a_handshake_that_the_server_refuses_is_said(
    make_client: MakeClient, tmp_path: Path
) -> None:
    other = make_authority(tmp_path)
    other.server.maximum_version = ssl.TLSVersion.TLSv1_2
    other.server.set_ciphers("ECDHE-ECDSA-AES128-CCM8")  # which no client of ours offers
    with running_rest(other.server) as server:
        client = make_client(server.url, tls=build_tls(other.pem))
        with pytest.raises(RetryableError, match=r"handshake failed .*alert handshake failure"):
            client.fetch(Request("GET", f"{server.url}/x"), read_body)


def test_a_server_that_wants_a_certificate_of_ours_is_said(
    make_client: MakeClient, tmp_path: Path
) -> None:
    other = make_authority(tmp_path)
    other.server.verify_mode = ssl.CERT_REQUIRED
    other.server.maximum_version = ssl.TLSVersion.TLSv1_2  # whose handshake the alert ends
    with running_rest(other.server) as server:
        client = make_client(server.url, tls=build_tls(other.pem))
        with pytest.raises(RetryableError, match="alert handshake failure"):
            client.fetch(Request("GET", f"{server.url}/x"), read_body)


@pytest.mark.parametrize("size", [0, 1 << 24], ids=["short request", "long request"])
def test_a_server_that_wants_a_certificate_after_the_handshake_is_said(
    make_client: MakeClient, tmp_path: Path, size: int
) -> None:
    """In TLS 1.3 the client has finished when the server refuses; what it sends meanwhile breaks
    the connection, and the alert is there all the same."""
    other = make_authority(tmp_path)
    other.server.verify_mode = ssl.CERT_REQUIRED
    other.server.minimum_version = ssl.TLSVersion.TLSv1_3
    with running_rest(other.server) as server:
        client = make_client(server.url, tls=build_tls(other.pem))
        for _ in range(3):
            with pytest.raises(RetryableError, match="requires a client certificate") as caught:
                client.fetch(Request("POST", f"{server.url}/x", body=b"x" * size), read_body)
            assert caught.value.reason is Reason.UNREACHABLE
        assert server.requests == []


class _PlainHttp(socketserver.BaseRequestHandler):
    """Answers whatever begins with a sentence of HTTP, as nginx does."""

    def handle(self) -> None:
        self.request.recv(1 << 16)
        self.request.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")


def test_a_port_that_answers_in_plain_http_is_said(
    make_client: MakeClient, authority: Authority
) -> None:
    with socketserver.TCPServer(("127.0.0.1", 0), _PlainHttp) as plain:
        thread = threading.Thread(target=plain.serve_forever, daemon=True)
        thread.start()
        url = f"https://localhost:{plain.server_address[1]}"
        client = make_client(url, tls=build_tls(authority.pem))
        with pytest.raises(RetryableError, match="does not use TLS on this port"):
            client.fetch(Request("GET", f"{url}/x"), read_body)
        plain.shutdown()
        thread.join()


def test_a_server_that_speaks_no_tls_is_unreachable(
    make_client: MakeClient, authority: Authority
) -> None:
    with running_rest() as plain:
        url = f"https://localhost:{plain.port}"
        limits = AttemptLimits(connect_s=0.2)
        client = make_client(url, tls=build_tls(authority.pem), limits=limits)
        with pytest.raises(RetryableError, match="TLS handshake did not finish in time") as caught:
            client.fetch(Request("GET", f"{url}/x"), read_body)
        assert caught.value.reason is Reason.UNREACHABLE


@pytest.mark.parametrize("pem", ["", "not a certificate", "-----BEGIN CERTIFICATE-----\nAA=="])
def test_a_bundle_without_certificates_is_said(pem: str) -> None:
    with pytest.raises(ConfigurationError, match=r"tls\.ca"):
        build_tls(pem)
