"""What tests of several folders share: one local cluster for a session."""

import os
from collections.abc import Iterator

import pytest
from hypothesis import settings

from dev.localcluster.cluster import LocalCluster

# No test has a deadline that a busy machine can miss.
settings.register_profile("no-deadline", deadline=None)
settings.load_profile("no-deadline")


@pytest.fixture(scope="session")
def cluster() -> Iterator[LocalCluster]:
    """A cluster of this session's own, ended with it."""
    running = LocalCluster.up(f"tests-{os.getpid()}")
    yield running
    running.down()
