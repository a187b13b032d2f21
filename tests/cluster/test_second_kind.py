"""A second kind of source, a database with a log, goes through the operator: its key in the CRDs,
its adapter in the operator's process, its code in the pods' image, and nothing else.
"""

from collections.abc import Iterator
from typing import Any

import polars
import pytest

from dev.localcluster.buildah import buildah
from dev.localcluster.cluster import LocalCluster
from tests.cluster.kube import Kube, Object, install_definitions, make_namespace, wait
from tests.cluster.logbook_server import LogbookServer, running_logbook
from tests.cluster.operator_process import OPEN, OperatorProcess, running_operator
from tests.fakes.logbook import Row
from tests.fakes.tree import PLACES, TABLE, Tree, copy_tree

OURS = "/opt/ours"
PARTS, READINGS = "plant-parts", "plant-readings"


@pytest.fixture(scope="module")
def tree(cluster: LocalCluster, tmp_path_factory: pytest.TempPathFactory) -> Tree:
    """The product with the kind in it, and its definitions as `make generate` writes them."""
    if cluster.endpoints.backend == "given":
        pytest.skip("an image cannot be loaded into a cluster that runs elsewhere")
    tree = copy_tree(tmp_path_factory.mktemp("product"))
    tree.add_kind()
    tree.run("-m", "external_data_operator.crdgen")
    return tree


@pytest.fixture(scope="module")
def image(cluster: LocalCluster, runner_image: str, tree: Tree) -> Iterator[str]:
    """The runner's image with the files of the kind in it."""
    name = f"localhost/external-data-runner-logbook:{runner_image.rpartition(':')[2]}"
    archive = tree.root / "runner.tar"
    container = buildah("from", "--pull-never", runner_image).strip()
    added = [TABLE, *(path for files in PLACES.values() for path in files.values())]
    for path in added:
        if not path.startswith("examples/"):
            inside = path.removeprefix("operator/")
            buildah("copy", "--quiet", container, str(tree.root / path), f"{OURS}/{inside}")
    buildah("commit", "--quiet", "--rm", container, name)
    buildah("push", "--quiet", name, f"docker-archive:{archive}:{name}")
    cluster.load_image(archive)
    archive.unlink()
    yield name
    buildah("rmi", "--force", name)


@pytest.fixture(scope="module")
def operator(
    cluster: LocalCluster, image: str, tree: Tree, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[OperatorProcess]:
    """An operator of the product with the kind."""
    log = tmp_path_factory.mktemp("operator")
    crds = tree.root / "crds"
    with running_operator(cluster, image, log, crds=crds, **tree.environment) as process:
        yield process
    install_definitions(cluster)


@pytest.fixture(scope="module")
def plant(
    cluster: LocalCluster, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LogbookServer]:
    """Parts have a key, readings have none."""
    folder = tmp_path_factory.mktemp("plant") / "book"
    with running_logbook(cluster.host_address, folder, cluster.s3) as server:
        server.book.create(parts=["id"], readings=[])
        for number in range(5):
            day = f"2026-01-0{number + 1}T00:00:00Z"
            part = {"id": number, "name": f"part {number}", "updated_at": day}
            server.book.append("parts", part)
            server.book.append("readings", {"part": number, "heat": 20 + number})
        yield server


@pytest.fixture(scope="module")
def works(cluster: LocalCluster, operator: OperatorProcess, plant: LogbookServer) -> Iterator[Kube]:
    """A namespace with a source of the kind, as a user applies it."""
    kube = make_namespace(cluster, f"{OPEN}-works")
    kube.apply(build_plant(plant))
    yield kube
    kube.run("delete", "eds,edsc", "--all", "--timeout=60s")
    cluster.kubectl("delete", "namespace", kube.namespace, "--wait=false")


def build_plant(plant: LogbookServer) -> Object:
    return {
        "apiVersion": "external-data.io/v1alpha1",
        "kind": "ExternalDataSource",
        "metadata": {"name": "plant"},
        "spec": {"tablePrefix": "plant_", "logbook": {"path": plant.url}},
    }


def read(kube: Kube, schema: str) -> list[Row]:
    """A table's rows in S3, by a reader that is not ours."""
    s3 = kube.cluster.s3
    access = {
        "aws_endpoint_url": s3.endpoint,
        "aws_access_key_id": s3.access_key,
        "aws_secret_access_key": s3.secret_key,
        "aws_region": s3.region,
        "aws_allow_http": "true",
    }
    uri = status(kube, schema)["table"]["uri"]
    return polars.read_delta(uri, storage_options=access).sort(polars.all()).to_dicts()


def status(kube: Kube, schema: str) -> Object:
    found = kube.find("edsc", schema)
    assert found is not None
    return dict(found["status"])


def runs(kube: Kube, schema: str) -> list[Object]:
    """Runs that ended, newest first."""
    return list(status(kube, schema).get("history", ()))


def reload(kube: Kube, schema: str, token: str) -> None:
    """Asks for a sync, as a user does."""
    kube.annotate("edsc", schema, "reload", token)


def wait_for_runs(kube: Kube, schema: str, count: int) -> Object:
    """The newest run, once so many have ended."""
    wait(
        lambda: len(runs(kube, schema)) == count,
        timeout_s=120,
        told=lambda: str(status(kube, schema)),
    )
    return runs(kube, schema)[0]


def tasks(kube: Kube) -> list[str]:
    """Of each Job, which task it has and for which schema."""
    labels = [job["metadata"]["labels"] for job in kube.list("jobs")]
    return sorted(str(one["external-data.io/task"]) for one in labels)


def test_a_source_of_the_kind_is_checked_and_its_catalogue_becomes_schemas(
    works: Kube, plant: LogbookServer
) -> None:
    source = works.wait_ready("eds", "plant", "True", "Ready", timeout_s=120)
    assert source["status"]["kind"] == "logbook"
    wait(lambda: works.find("eds", "plant")["status"]["schemas"]["total"] == 2)
    found = works.wait_ready("edsc", PARTS, "True", "Synced", timeout_s=120)["status"]
    assert found["syncType"] == "Incremental", "by the catalogue's key and the log"
    assert {one["name"] for one in found["availableColumns"]} >= {"id", "name", "updated_at"}
    assert found["incrementalFields"] == [{"name": "updated_at", "type": "DateTime"}]
    assert status(works, READINGS)["syncType"] == "Append"


def test_each_table_is_synced_by_one_run_and_confirmed_after_its_commit(
    works: Kube, plant: LogbookServer
) -> None:
    for schema in (PARTS, READINGS):
        works.wait_ready("edsc", schema, "True", "Synced", timeout_s=120)
        assert wait_for_runs(works, schema, 1)["result"] == "Succeeded"
    assert tasks(works) == ["check", "sync", "sync"]
    assert [row["name"] for row in read(works, PARTS)] == [f"part {n}" for n in range(5)]
    assert [row["heat"] for row in read(works, READINGS)] == [20, 21, 22, 23, 24]
    assert plant.too_early == []
    assert sorted(plant.told) == [("parts", 10), ("readings", 10)]
    assert plant.book.slots == {"parts": 10, "readings": 10}


def test_the_next_run_takes_what_was_changed_and_deleted_and_nothing_else(
    works: Kube, plant: LogbookServer
) -> None:
    plant.book.append("parts", {"id": 0, "name": "new", "updated_at": "2026-02-01T00:00:00Z"})
    plant.book.append("parts", {"id": 3}, deleted=True)
    reload(works, PARTS, "t1")
    last = wait_for_runs(works, PARTS, 2)
    assert (last["result"], last["rows"]) == ("Succeeded", 2)
    assert [row["name"] for row in read(works, PARTS)] == ["new", "part 1", "part 2", "part 4"]
    assert (plant.book.walks[-1], plant.book.slots["parts"], plant.too_early) == (10, 12, [])


def test_a_pod_that_is_killed_between_commit_and_confirmation_has_a_successor_that_confirms(
    works: Kube, plant: LogbookServer
) -> None:
    plant.book.append("parts", {"id": 9, "name": "part 9", "updated_at": "2026-02-02T00:00:00Z"})
    version = status(works, PARTS)["table"]["version"]
    plant.hold("parts", 13)
    reload(works, PARTS, "t2")
    assert plant.held.wait(timeout=120)
    assert [row["name"] for row in read(works, PARTS)][-1] == "part 9", "the commit is there"
    assert ("parts", 13) not in plant.told, "and the source knows nothing of it"
    first = find_pod(works)
    works.run("delete", "pod", first, "--grace-period=1")  # and waits for its end
    plant.drop()
    last = wait_for_runs(works, PARTS, 3)
    assert (last["result"], last["rows"]) == ("Succeeded", 1)
    assert find_pod(works) != first
    assert plant.told[-1] == ("parts", 13)
    assert (plant.book.slots["parts"], plant.too_early) == (13, [])
    assert status(works, PARTS)["table"]["version"] == version + 1, "nothing was committed twice"


def find_pod(kube: Kube) -> str:
    """The newest pod of a sync of parts."""
    pods: list[Any] = kube.list("pods", "external-data.io/task=sync")
    ours = [pod for pod in pods if PARTS in str(pod["metadata"]["annotations"])]
    newest = max(ours, key=lambda pod: pod["metadata"]["creationTimestamp"])
    return str(newest["metadata"]["name"])
