"""Installs the operator into a local cluster with its chart, as a user would."""

import json
from pathlib import Path

from dev.localcluster.cluster import LocalCluster

CHART = Path(__file__).parent.parent / "helm" / "external-data-operator"
RELEASE = "external-data"
OPERATOR_NAMESPACE = "external-data"
LAKE_SECRET = "lake"  # noqa: S105
SERVICE_NETWORK = "10.96.0.0/16"


def install_operator(cluster: LocalCluster, *, namespaces: list[str]) -> None:
    """Builds the images, installs chart and default destination, waits until the operator is there.

    `namespaces` may reach the cluster's own services and this machine's test servers, which have
    private addresses.
    """
    images = cluster.images()
    _ensure_namespace(cluster, OPERATOR_NAMESPACE)
    cluster.kubectl("apply", "-f", "-", stdin=json.dumps(_lake_secret(cluster)))
    cluster.helm(
        "upgrade", "--install", RELEASE, str(CHART), "--namespace", OPERATOR_NAMESPACE,
        "--values", "-", "--wait", "--timeout", "120s",
        # Tests of the same cluster may have applied the definitions without the chart.
        "--take-ownership", "--force-conflicts",
        stdin=json.dumps(_values(cluster, images.operator, images.runner, namespaces)),
    )  # fmt: skip


def _ensure_namespace(cluster: LocalCluster, name: str) -> None:
    manifest = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
    cluster.kubectl("apply", "-f", "-", stdin=json.dumps(manifest))


def _lake_secret(cluster: LocalCluster) -> dict[str, object]:
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": LAKE_SECRET, "namespace": OPERATOR_NAMESPACE},
        "stringData": {
            "AWS_ACCESS_KEY_ID": cluster.s3.access_key,
            "AWS_SECRET_ACCESS_KEY": cluster.s3.secret_key,
        },
    }


def _values(
    cluster: LocalCluster, operator: str, runner: str, namespaces: list[str]
) -> dict[str, object]:
    lake = {
        "bucket": cluster.s3.bucket,
        "endpoint": cluster.s3.endpoint,
        "region": cluster.s3.region,
        "credentialsSecretRef": {"name": LAKE_SECRET},
    }
    cidrs = [SERVICE_NETWORK, f"{cluster.host_address}/32"]
    return {
        "image": _image(operator),
        "runner": {"image": _image(runner)},
        "defaultDestination": {"s3": lake},
        "allowPrivateHosts": [{"namespaces": namespaces, "cidrs": cidrs}],
    }


def _image(name: str) -> dict[str, str]:
    repository, _, tag = name.rpartition(":")
    return {"repository": repository, "tag": tag, "pullPolicy": "IfNotPresent"}
