"""The newcomer's path, whole: what `make demo` promises, in a fresh cluster of its own."""

import base64
import json
import os
import subprocess
import sys
from collections.abc import Iterator

import boto3
import polars
import pytest

from dev.demo import EXAMPLE, NAMESPACE
from dev.install import OPERATOR_NAMESPACE
from dev.localcluster.cluster import LocalCluster
from tests.waiting import wait_for

STREAMS = {"deployments", "events", "jobs", "namespaces", "nodes", "pods", "services"}


@pytest.fixture(scope="module")
def fresh() -> Iterator[LocalCluster]:
    cluster = LocalCluster.up(f"e2e-{os.getpid()}")
    yield cluster
    cluster.down()


def run_demo() -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "dev.demo", "--name", f"e2e-{os.getpid()}"]
    return subprocess.run(command, capture_output=True, text=True, timeout=280, check=False)


@pytest.fixture(scope="module")
def demo(fresh: LocalCluster) -> str:
    done = run_demo()
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def read_schemas(cluster: LocalCluster) -> dict[str, dict[str, object]]:
    answer = json.loads(cluster.kubectl("get", "edsc", "-n", NAMESPACE, "-o", "json"))
    return {item["spec"]["stream"]: item["status"] for item in answer["items"]}


def read_table(cluster: LocalCluster, uri: str) -> polars.DataFrame:
    access = {
        "aws_endpoint_url": cluster.s3.endpoint,
        "aws_access_key_id": cluster.s3.access_key,
        "aws_secret_access_key": cluster.s3.secret_key,
        "aws_region": cluster.s3.region,
        "aws_allow_http": "true",
    }
    return polars.read_delta(uri, storage_options=access)


def find_s3_keys(cluster: LocalCluster, prefix: str) -> list[str]:
    client = boto3.client(
        "s3",
        endpoint_url=cluster.s3.endpoint,
        aws_access_key_id=cluster.s3.access_key,
        aws_secret_access_key=cluster.s3.secret_key,
        region_name=cluster.s3.region,
    )
    found = client.list_objects_v2(Bucket=cluster.s3.bucket, Prefix=prefix)
    client.close()
    return [item["Key"] for item in found.get("Contents", [])]


def test_it_lists_every_table_with_rows_and_address(demo: str) -> None:
    for stream in STREAMS:
        assert f"s3://lake/{NAMESPACE}/cluster_{stream}" in demo
    assert "The first rows of pods" in demo


def test_the_table_holds_what_the_cluster_holds(fresh: LocalCluster, demo: str) -> None:
    table = read_schemas(fresh)["namespaces"]["table"]
    assert isinstance(table, dict)
    rows = read_table(fresh, table["uri"])
    names = json.loads(fresh.kubectl("get", "namespaces", "-o", "json"))["items"]
    assert set(rows["metadata_uid"]) == {item["metadata"]["uid"] for item in names}
    assert table["rows"] == len(names)


def test_kubectl_wait_understands_both_kinds(fresh: LocalCluster, demo: str) -> None:
    wait = ("wait", "--for=condition=Ready", "--timeout=60s", "-n", NAMESPACE)
    fresh.kubectl(*wait, "eds/cluster")
    fresh.kubectl(*wait, "edsc", "--all")


def test_a_second_demo_finds_everything_there(fresh: LocalCluster, demo: str) -> None:
    again = run_demo()
    assert again.returncode == 0, again.stdout + again.stderr


def test_no_credential_is_shown_anywhere(fresh: LocalCluster, demo: str) -> None:
    secret = json.loads(
        fresh.kubectl("get", "secret", "inventory-reader-token", "-n", NAMESPACE, "-o", "json")
    )
    token = base64.b64decode(secret["data"]["token"]).decode()
    kinds = "eds,edsc,configmaps,cronjobs,jobs,pods,events"
    said = fresh.kubectl("get", kinds, "-n", NAMESPACE, "-o", "yaml", "--show-managed-fields")
    said += fresh.kubectl("logs", "-n", OPERATOR_NAMESPACE, "deploy/external-data-operator")
    for pod in fresh.kubectl("get", "pods", "-n", NAMESPACE, "-o", "name").split():
        said += fresh.kubectl("logs", "-n", NAMESPACE, pod)
    assert "cluster-events" in said
    assert token not in said
    assert fresh.s3.secret_key not in said


def test_deleting_the_example_leaves_the_data_and_nothing_else(
    fresh: LocalCluster, demo: str
) -> None:
    before = find_s3_keys(fresh, f"{NAMESPACE}/")
    assert before
    fresh.kubectl("delete", "--ignore-not-found", "-n", NAMESPACE, "-f", str(EXAMPLE))
    kinds = "eds,edsc,cronjobs,jobs,pods"

    def left() -> list[str]:
        return fresh.kubectl("get", kinds, "-n", NAMESPACE, "-o", "name").split()

    wait_for(lambda: not left(), timeout_s=120, every_s=1, told=left)
    assert find_s3_keys(fresh, f"{NAMESPACE}/") == before
