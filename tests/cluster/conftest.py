"""The operator under test, the API that it reads, and a namespace for each test."""

import itertools
import os
from collections.abc import Iterator

import pytest

from dev.localcluster.cluster import LocalCluster
from tests.cluster.kube import Kube, make_namespace
from tests.cluster.operator_process import CLOSED, OPEN, OperatorProcess, running_operator
from tests.cluster.shop_api import ShopApi, running_shop

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def runner_image(cluster: LocalCluster) -> str:
    """The runner's image from the source as it is; a variable names one that is loaded already."""
    return os.environ.get("EXTERNAL_DATA_TEST_RUNNER") or cluster.images().runner


@pytest.fixture(scope="session")
def shop(cluster: LocalCluster) -> Iterator[ShopApi]:
    """An HTTP API that pods reach."""
    with running_shop(cluster.host_address) as api:
        yield api


@pytest.fixture(scope="module")
def operator(
    cluster: LocalCluster, runner_image: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[OperatorProcess]:
    """A running operator; it keeps to its own log."""
    with running_operator(cluster, runner_image, tmp_path_factory.mktemp("operator")) as process:
        yield process


@pytest.fixture
def kube(cluster: LocalCluster, operator: OperatorProcess) -> Iterator[Kube]:
    """An empty namespace whose sources may reach the API of the test."""
    yield from _namespace(cluster, OPEN)


@pytest.fixture
def closed(cluster: LocalCluster, operator: OperatorProcess) -> Iterator[Kube]:
    """An empty namespace whose sources may reach public addresses only."""
    yield from _namespace(cluster, CLOSED)


def _namespace(cluster: LocalCluster, prefix: str) -> Iterator[Kube]:
    kube = make_namespace(cluster, f"{prefix}-{next(_numbers)}")
    yield kube
    cluster.kubectl("delete", "namespace", kube.namespace, "--wait=false")
