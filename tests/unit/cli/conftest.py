"""A shop behind a token, and commands at it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers.rest import RestServer, running_rest
from tests.servers.tables import Table, make_rows
from tests.unit.cli.shop import TOKEN, Runner


@pytest.fixture
def shop() -> Iterator[RestServer]:
    """An API with 250 orders behind a token."""
    with running_rest() as server:
        server.token = TOKEN
        server.on("/orders", Table(make_rows(250)))
        yield server


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str], shop: RestServer) -> Runner:
    """Commands at the shop."""
    return Runner(tmp_path, capsys, shop.url)
