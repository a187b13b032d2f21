"""An operator that watches some namespaces only: by name, or by a pattern that later namespaces
may match.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from dev.localcluster.cluster import LocalCluster
from tests.cluster.kube import (
    Kube,
    build_source,
    condition,
    install_definitions,
    make_namespace,
    wait,
)
from tests.cluster.operator_process import OperatorProcess


@pytest.fixture(params=["one-a", "one-*"], ids=["by name", "by pattern"])
def watching(
    request: pytest.FixtureRequest, cluster: LocalCluster, tmp_path: Path
) -> Iterator[OperatorProcess]:
    """An operator that needs no pod for what is asked here."""
    install_definitions(cluster)
    process = OperatorProcess(
        cluster,
        "localhost/none:1",
        tmp_path / "log",
        EXTERNAL_DATA_WATCH_NAMESPACES=request.param,
        EXTERNAL_DATA_DEFAULT_DESTINATION="",
    )
    yield process
    process.stop()
    for name in ("one-a", "one-b", "other"):
        cluster.kubectl("delete", "namespace", name, "--wait=false", "--ignore-not-found")
    for name in ("one-a", "one-b", "other"):
        wait(lambda n=name: not cluster.kubectl("get", "namespace", n, "--ignore-not-found"))


def test_only_the_watched_namespaces_are_touched(
    watching: OperatorProcess, cluster: LocalCluster, request: pytest.FixtureRequest
) -> None:
    inside, outside = make_namespace(cluster, "one-a"), make_namespace(cluster, "other")
    watching.start()
    for kube in (outside, inside):
        kube.apply(build_source("shop", "https://shop.example"))
    found = inside.wait_ready("eds", "shop", "False", "InvalidSpec", timeout_s=20)
    assert "destination" in (condition(found, "Ready") or {})["message"]
    assert not is_looked_at(outside)
    if request.node.callspec.id == "by pattern":
        later = make_namespace(cluster, "one-b")
        later.apply(build_source("shop", "https://shop.example"))
        later.wait_ready("eds", "shop", "False", "InvalidSpec", timeout_s=40)


def is_looked_at(kube: Kube) -> bool:
    return condition(kube.find("eds", "shop"), "Ready") is not None
