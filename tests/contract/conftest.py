"""Servers that the contract tests read from."""

from collections.abc import Iterator

import pytest

from tests.servers.rest import RestServer, running_rest


@pytest.fixture
def server() -> Iterator[RestServer]:
    """A REST server without any path yet."""
    with running_rest() as server:
        yield server
