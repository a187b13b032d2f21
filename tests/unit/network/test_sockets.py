"""Connections for protocols other than HTTP: judged alike, with TLS when the protocol wants it."""

import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from external_data_operator.api.conditions import Reason

from sync_runner.errors import ConfigurationError
from sync_runner.network.hosts import AddressRules, Endpoint, build_rules
from sync_runner.network.sockets import build_tls, connect, open_socket, wrap_tls
from tests.servers.tls import Authority, make_authority

LOOPBACK = build_rules(["127.0.0.0/8"])
SETTING = (
    r"the operator's setting allowPrivateHosts \(on the command line: option --allow-private-host\)"
)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return make_authority(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def port(authority: Authority) -> Iterator[int]:
    """A server that uses TLS once it was asked to, as databases do."""

    def serve(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection:
            connection.settimeout(10)
            if connection.recv(3) == b"tls":
                connection.sendall(b"S")
                connection = authority.server.wrap_socket(connection, server_side=True)
                connection.sendall(b"hello")
                connection.close()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(10)
        thread = threading.Thread(target=serve, args=(listener,))
        thread.start()
        yield int(listener.getsockname()[1])
        thread.join()


def _endpoint(port: int, *, host: str = "localhost", is_encrypted: bool = False) -> Endpoint:
    return Endpoint(host, port, f"{host}:{port}", "wire", is_encrypted)


def test_a_protocol_may_agree_on_tls_after_it_has_connected(
    port: int, authority: Authority, tmp_path: Path
) -> None:
    endpoint = _endpoint(port)
    plain = connect(endpoint, LOOPBACK, 5)
    plain.sendall(b"tls")
    assert plain.recv(1) == b"S"
    with wrap_tls(plain, endpoint, build_tls(authority.pem, alpn=["wire"]), 5) as inner:
        assert inner.recv(5) == b"hello"


@pytest.mark.parametrize(
    ("is_encrypted", "words"),
    [
        (
            False,
            (
                f"plain wire is allowed only for private networks in {SETTING}. "
                r"Use TLS, or add its network if that is private\.$"
            ),
        ),
        (
            True,
            f"its address is not public. To allow it, add its network to {SETTING}.",
        ),
    ],
    ids=["plain", "tls"],
)
def test_every_protocol_is_held_against_the_host_rules(is_encrypted: bool, words: str) -> None:
    endpoint = _endpoint(1, host="127.0.0.1", is_encrypted=is_encrypted)
    with pytest.raises(ConfigurationError, match=f"Host 127.0.0.1:1 is refused: {words}") as caught:
        open_socket(endpoint, AddressRules(), ssl.create_default_context(), 1)
    assert caught.value.reason is Reason.HOST_NOT_ALLOWED
