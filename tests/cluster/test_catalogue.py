"""A large catalogue on its way through a real log and a real API server, and the operator's log."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest
from external_data_operator.api.plan import DiscoveredStream, Discovery
from external_data_operator.cluster.api import Api
from external_data_operator.cluster.kinds import CONFIG_MAPS, ApiKinds
from external_data_operator.controllers import CONTROLLERS
from external_data_operator.reconcile.plans.catalogue import (
    find_discovery,
    pack_catalogue,
    read_catalogue,
)
from external_data_operator.reconcile.render.config import render_catalogue_part, render_discovery
from external_data_operator.reconcile.sources.owner import own
from kubernetes.aio import config
from kubernetes.aio.client.api_client import ApiClient
from kubernetes.aio.client.configuration import Configuration

from dev.localcluster.cluster import LocalCluster
from tests import large_catalogue
from tests.cluster.kube import Kube, Object, build_source, make_namespace, wait
from tests.cluster.operator_process import OperatorProcess, running_operator
from tests.cluster.shop_api import ShopApi, wide_columns
from tests.unit.test_logs import HEAD

LOG_BYTES = 8 << 20
STREAMS, COLUMNS = 5, 2000
"""A check of a REST source reads rows of no more streams."""
PRINTS = """
import json, sys
from external_data_operator.api.handoff import Document, build_pieces
from large_catalogue import build_catalogue
content = build_catalogue(hashed=sys.argv[1] == "hashes").model_dump_json(by_alias=True).encode()
for piece in build_pieces(Document.DISCOVERY, content):
    print(json.dumps({"run": "run", "handoff": piece.model_dump(mode="json")}), flush=True)
"""
Result = TypeVar("Result")


def ask(kube: Kube, do: Callable[[Api], Awaitable[Result]]) -> Result:
    """What the operator's own client gets from the API server of the cluster."""

    async def connected() -> Result:
        where, file = Configuration(), str(kube.cluster.kubeconfig)
        await config.load_kube_config(config_file=file, client_configuration=where)
        api = Api(ApiClient(where), ApiKinds(CONTROLLERS), lambda *_: None)
        try:
            return await do(api)
        finally:
            await api.close()

    return asyncio.run(connected())


def build_pod(image: str, names: str) -> Object:
    """A pod of the runner's image that hands over the catalogue instead of a check."""
    secure: Object = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    container = {
        "name": "runner",
        "image": image,
        "command": ["/opt/app/bin/python", "/code/print.py", names],
        "env": [{"name": "PYTHONPATH", "value": "/opt/ours:/code"}],
        "securityContext": {**secure, "readOnlyRootFilesystem": True},
        "volumeMounts": [{"name": "code", "mountPath": "/code"}],
    }
    spec = {
        "restartPolicy": "Never",
        "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [container],
        "volumes": [{"name": "code", "configMap": {"name": "code"}}],
    }
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": names}, "spec": spec}


@pytest.fixture(scope="module")
def operator(
    cluster: LocalCluster, runner_image: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[OperatorProcess]:
    """A running operator that logs in JSON."""
    folder, as_json = tmp_path_factory.mktemp("operator"), {"EXTERNAL_DATA_LOG_FORMAT": "json"}
    with running_operator(cluster, runner_image, folder, **as_json) as process:
        yield process


@pytest.fixture(scope="module")
def apart(cluster: LocalCluster, operator: OperatorProcess) -> Iterator[Kube]:
    """A namespace that no operator watches, with the code of the pods and a source."""
    kube = make_namespace(cluster, "catalogues")
    source = Path(large_catalogue.__file__).read_text()
    data = {"large_catalogue.py": source, "print.py": PRINTS}
    kube.apply(
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "code"}, "data": data},
        build_source("db", "https://db.example"),
    )
    yield kube
    cluster.kubectl("delete", "namespace", kube.namespace, "--wait=false")


@pytest.mark.parametrize("names", ["words", "hashes"])
def test_2000_tables_of_50_columns_arrive_whole_from_a_pods_log_and_are_kept_whole(
    apart: Kube, runner_image: str, names: str
) -> None:
    apart.apply(build_pod(runner_image, names))
    wait(
        lambda: (apart.find("pod", names) or {})["status"].get("phase") == "Succeeded",
        told=lambda: apart.find("pod", names),
        timeout_s=120,
    )
    log = ask(apart, lambda api: api.log(apart.namespace, names, bytes_max=LOG_BYTES))
    found = find_discovery(log, "run")
    assert found == large_catalogue.build_catalogue(hashed=names == "hashes")
    assert len(found.streams) == 2000
    assert all(len(stream.columns) == 50 for stream in found.streams)
    assert keep_and_read(apart, names, found) == found.streams


def keep_and_read(kube: Kube, name: str, found: Discovery) -> list[DiscoveredStream | None]:
    """The streams as they come back from the API server."""
    source = kube.find("eds", "db")
    assert source is not None
    owner = own(source)
    packed = pack_catalogue(name, found)
    parts = [render_catalogue_part(owner, part, keys) for part, keys in packed.others.items()]
    head = render_discovery(owner, name, packed.head, {})

    async def keep(api: Api) -> list[Object]:
        for manifest in (*parts, head):
            await api.apply(manifest)
        listed, _ = await api.list_all(CONFIG_MAPS, kube.namespace)
        return listed

    kept = ask(kube, keep)
    catalogue = read_catalogue(next(one for one in kept if one["metadata"]["name"] == name), kept)
    assert catalogue is not None
    return [catalogue.find(stream) for stream in catalogue.names]


@pytest.fixture
def wide(kube: Kube, shop: ShopApi) -> Object:
    """A source of 5 streams with 2,000 columns each, of which one is synced."""
    source = build_source("wide", f"{shop.origin}/wide", schemas={"include": ["s4"]})
    (stream,) = source["spec"]["rest"]["streams"]
    del stream["pagination"], stream["primaryKey"]
    names = [f"s{number}" for number in range(STREAMS)]
    more = ({"name": name, "path": f"/{name}"} for name in names)
    source["spec"]["rest"]["streams"] = [{**stream, **one} for one in more]
    kube.apply(source)
    return kube.wait_ready("eds", "wide", "True", "Ready", timeout_s=180)


def test_all_columns_of_a_wide_source_and_table_are_known_and_stay_so(
    kube: Kube, operator: OperatorProcess, wide: Object
) -> None:
    expected = sorted(wide_columns("/wide/s4"))
    catalogue = read(kube)
    assert {len(catalogue.find(name).columns) for name in catalogue.names} == {COLUMNS}
    schema = kube.wait_ready("edsc", "wide-s4", "True", "Synced", timeout_s=120)
    columns = schema["status"]["availableColumns"]
    assert sorted(column["name"] for column in columns) == expected
    kube.run("delete", "configmap", "wide-discovery")
    wait(lambda: kube.find("configmap", "wide-discovery"))
    assert list(read(kube).names) == list(catalogue.names)
    operator.kill()
    operator.start()
    kube.annotate("eds", "wide", "refresh-schemas", "t1")
    handled = {"refresh-schemas": "t1"}
    wait(lambda: kube.find("eds", "wide")["status"].get("handledRequests") == handled)
    assert all(read(kube).find(name) == catalogue.find(name) for name in catalogue.names)


def read(kube: Kube):
    """The catalogue as it is kept."""
    return read_catalogue(kube.find("configmap", "wide-discovery"), kube.list("configmaps"))


def test_every_line_of_the_operator_has_the_shape_and_runs_are_named_as_in_their_pods(
    kube: Kube, operator: OperatorProcess, shop: ShopApi
) -> None:
    kube.apply(build_source("shop", f"{shop.origin}/good"))
    kube.wait_ready("edsc", "shop-items", "True", "Synced")
    lines = [json.loads(line) for line in operator.log.splitlines()]
    assert all(list(line)[: len(HEAD)] == HEAD for line in lines)
    ours = [line for line in lines if line["namespace"] == kube.namespace and line["run"]]
    jobs = {job["metadata"]["uid"]: job["metadata"]["labels"] for job in kube.list("jobs")}
    runs = {line["run"]: (line["source"], line["schema"]) for line in ours}
    assert runs.keys() == jobs.keys()
    assert set(runs.values()) == {("shop", None), ("shop", "shop-items")}
    pod = next(pod for pod in kube.list("pods") if "sync" in pod["metadata"]["labels"].values())
    said = kube.run("logs", pod["metadata"]["name"])
    for line in map(json.loads, said.splitlines()):
        assert runs[line["run"]] == (line["source"], line["schema"]) == ("shop", "shop-items")
