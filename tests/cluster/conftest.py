"""The operator under test, the API that it reads, and a namespace for each test."""

import itertools
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from dev.localcluster.cluster import LocalCluster
from tests.cluster.kube import Kube, install_definitions, make_namespace
from tests.cluster.operator_process import CLOSED, NAMESPACE, OPEN, OperatorProcess
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
    install_definitions(cluster)
    home = make_namespace(cluster, NAMESPACE)
    s3 = cluster.s3
    home.secret("lake", AWS_ACCESS_KEY_ID=s3.access_key, AWS_SECRET_ACCESS_KEY=s3.secret_key)
    log: Path = tmp_path_factory.mktemp("operator") / "log"
    process = OperatorProcess(cluster, runner_image, log)
    process.start()
    yield process
    process.stop()


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
