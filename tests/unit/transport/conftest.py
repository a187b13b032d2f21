"""A client of a real server on loopback, with a clock whose sleepers do not wait."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from sync_runner.network.hosts import build_rules
from sync_runner.transport.client import Client, Settings
from sync_runner.transport.exchange import Response
from sync_runner.transport.origin import parse_origin
from tests.clocks import JumpingClock
from tests.servers.rest import RestServer, running_rest

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
                Settings(parse_origin(url), **settings),
                clock=clock,
                is_stopped=is_stopped,
                jitter=lambda: 0.0,
            )
            stack.callback(client.close)
            return client

        yield make
