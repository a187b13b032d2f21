"""One Spark session for all tests, and the seven tables in folders."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from dev.environments import SPARK, make_environment
from tests.contract.lake_pod import folder_place
from tests.readers.foreign import Foreign
from tests.readers.tables import TABLES, LakeTable
from tests.servers.rest import running_rest
from tests.spark.jars import find_or_fetch_jars

_WORKER = Path(__file__).with_name("worker.py")


@dataclass(frozen=True)
class Spark:
    """A running session."""

    process: Foreign

    def rows(self, sql: str) -> list[dict[str, Any]]:
        """The rows of a query."""
        return self.process.ask(before=[], sql=sql)

    def do(self, *statements: str) -> None:
        """Statements whose rows nobody wants."""
        self.process.ask(before=list(statements), sql="")


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Spark]:
    """Spark with Delta, on one core."""
    home = tmp_path_factory.mktemp("spark")
    jars = ",".join(map(str, find_or_fetch_jars()))
    argv = ["nice", str(make_environment(SPARK)), "-P", str(_WORKER), jars, str(home)]
    process = Foreign.launch(argv, cwd=home, env=os.environ | {"TZ": "UTC"})
    yield Spark(process)
    process.stop()


@pytest.fixture(scope="session")
def table(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], LakeTable]:
    """A table by its name."""

    @cache
    def get(name: str) -> LakeTable:
        with running_rest() as server:
            return TABLES[name](server, folder_place(tmp_path_factory.mktemp("lake")))

    return get
