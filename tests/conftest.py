"""What tests of several folders share: one local cluster for a session."""

import os
from collections.abc import Iterator

import pytest

from tests.localcluster.cluster import LocalCluster


@pytest.fixture(scope="session")
def cluster() -> Iterator[LocalCluster]:
    """A cluster of this session's own, ended with it."""
    running = LocalCluster.up(f"tests-{os.getpid()}")
    yield running
    running.down()
