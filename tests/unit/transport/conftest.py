"""A client of a real server on loopback, with a clock whose sleepers do not wait."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from external_data_operator.api.auth import BearerAuth
from external_data_operator.api.meta import CertificateRef, SecretValue

from sync_runner.network.hosts import build_rules
from sync_runner.transport.auths.bearer import Bearer
from sync_runner.transport.auths.context import AuthContext
from sync_runner.transport.client import Client, ClientSettings
from sync_runner.transport.messages import Response
from sync_runner.transport.origin import parse_origin
from tests.clocks import JumpingClock
from tests.servers.rest import RestServer, running_rest


class RotatingCredentials:
    """One credential that changes each time it is read; the last value stays."""

    def __init__(self, *texts: str) -> None:
        self._left = list(texts)

    def secret(self, value: SecretValue) -> str:
        """The next value."""
        return self._left.pop(0) if len(self._left) > 1 else self._left[0]

    def certificate(self, ref: CertificateRef) -> str:
        """None is asked for."""
        raise NotImplementedError

    def keys_of(self, secret_name: str) -> dict[str, str]:
        """None are asked for."""
        raise NotImplementedError


def bearer(*tokens: str) -> Bearer:
    """The authentication with a token that rotates."""
    spec = BearerAuth.model_validate({"token": {"secretKeyRef": {"name": "s", "key": "k"}}})

    def open_client(url: str) -> Client:
        raise NotImplementedError

    return Bearer(spec, AuthContext(RotatingCredentials(*tokens), open_client))


MakeClient = Callable[..., Client]


def read_body(response: Response) -> bytes:
    """The body as it came."""
    return response.body


def read_json(response: Response) -> Any:
    """The body as JSON."""
    return json.loads(response.body)


@pytest.fixture
def clock() -> JumpingClock:
    return JumpingClock()


@pytest.fixture
def server() -> Iterator[RestServer]:
    with running_rest() as server:
        yield server


@pytest.fixture
def make_client(server: RestServer, clock: JumpingClock) -> Iterator[MakeClient]:
    """A client of the server; its settings may be given by name."""
    with ExitStack() as stack:

        def make(url: str = server.url, **settings: Any) -> Client:
            is_stopped = settings.pop("is_stopped", lambda: False)
            settings.setdefault("rules", build_rules(["127.0.0.0/8"]))
            client = Client(
                ClientSettings(parse_origin(url), **settings),
                clock=clock,
                is_stopped=is_stopped,
                jitter=lambda: 0.0,
            )
            stack.callback(client.close)
            return client

        yield make
