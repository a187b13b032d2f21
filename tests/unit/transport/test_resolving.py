"""The address that was judged is the one that is connected to, whatever a resolver says next."""

import socket
from collections.abc import Callable
from typing import Any

import pytest
from external_data_operator.api.conditions import Reason

from sync_runner.errors import ConfigurationError
from sync_runner.network.failures import ConnectError
from sync_runner.network.hosts import build_rules
from sync_runner.network.sockets import require_all_allowed
from sync_runner.transport.messages import Request
from sync_runner.transport.origin import parse_origin
from tests.servers.replies import ok
from tests.servers.rest import RestServer
from tests.unit.transport.conftest import MakeClient, read_body

NAME = "changing.example"
Answer = Callable[[list[str]], None]


@pytest.fixture
def resolve_to(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """Lets a name resolve to other addresses each time; the last answer stays."""
    real = socket.getaddrinfo

    def install(*answers: list[str]) -> list[str]:
        left, asked = list(answers), []

        def resolve(host: str, port: int, *args: Any, **kwargs: Any) -> Any:
            if host != NAME:
                return real(host, port, *args, **kwargs)
            asked.append(host)
            addresses = left.pop(0) if len(left) > 1 else left[0]
            return [entry for a in addresses for entry in real(a, port, *args, **kwargs)]

        monkeypatch.setattr(socket, "getaddrinfo", resolve)
        return asked

    return install


def test_a_name_is_resolved_once_for_a_connection_and_judged(
    server: RestServer, make_client: MakeClient, resolve_to: Callable[..., list[str]]
) -> None:
    server.on("/x", ok([1]))
    asked = resolve_to(["127.0.0.1"], ["10.0.0.1"])
    url = f"http://{NAME}:{server.port}"
    client = make_client(url)
    assert client.fetch(Request("GET", f"{url}/x"), read_body) == b"[1]"
    assert asked == [NAME]
    assert server.requests[0].headers["host"] == f"{NAME}:{server.port}"


def test_a_name_that_turns_private_between_two_attempts_is_refused(
    server: RestServer, make_client: MakeClient, resolve_to: Callable[..., list[str]]
) -> None:
    server.on("/x", ok([1]))
    resolve_to(["127.0.0.2"], ["127.0.0.1"])
    url = f"http://{NAME}:{server.port}"
    client = make_client(url, rules=build_rules(["127.0.0.2/32"]))
    with pytest.raises(ConfigurationError) as caught:
        client.fetch(Request("GET", f"{url}/x"), read_body)
    assert caught.value.reason is Reason.HOST_NOT_ALLOWED
    assert server.connections == 0


def test_of_several_addresses_only_those_that_are_allowed_are_tried(
    server: RestServer, make_client: MakeClient, resolve_to: Callable[..., list[str]]
) -> None:
    server.on("/x", ok([1]))
    resolve_to(["10.9.9.9", "127.0.0.2", "127.0.0.1"])
    url = f"http://{NAME}:{server.port}"
    assert make_client(url).fetch(Request("GET", f"{url}/x"), read_body) == b"[1]"


def test_a_host_that_others_connect_to_must_be_allowed_at_every_address(
    resolve_to: Callable[..., list[str]],
) -> None:
    endpoint = parse_origin(f"https://{NAME}").endpoint
    resolve_to(["1.1.1.1", "10.0.0.1"])
    with pytest.raises(ConfigurationError, match="one of its addresses"):
        require_all_allowed(endpoint, build_rules([]))
    require_all_allowed(endpoint, build_rules(["10.0.0.0/8"]))
    with pytest.raises(ConnectError, match="cannot be resolved"):
        require_all_allowed(parse_origin("https://no-such-host.invalid").endpoint, build_rules([]))
