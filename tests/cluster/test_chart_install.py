"""An operator that the chart installed works: under the restricted profile, with rights in one
namespace only."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from external_data_operator.api.meta import GROUP_VERSION
from external_data_operator.cluster.kinds import ApiKinds
from external_data_operator.controllers import CONTROLLERS

from dev.localcluster.cluster import LocalCluster
from tests.cluster.kube import make_namespace
from tests.unit.api.refusals import SOURCE

CHART = Path(__file__).parents[2] / "helm" / "external-data-operator"
RELEASE, HOME, WATCHED, OTHER = "installed", "chart-home", "chart-watched", "chart-other"
INLINE: dict[str, Any] = {
    "rest": {**SOURCE["rest"], "auth": {"bearer": {"token": {"value": "s3cr3t-of-the-user"}}}}
}


@pytest.fixture(scope="module")
def installed(cluster: LocalCluster) -> Iterator[LocalCluster]:
    """A cluster with the chart in a namespace that admits restricted pods only."""
    for namespace in (HOME, WATCHED, OTHER):
        make_namespace(cluster, namespace)
    profile = "pod-security.kubernetes.io/enforce=restricted"
    cluster.kubectl("label", "namespace", HOME, profile)
    images = cluster.images()
    values = {
        "image": _image(images.operator),
        "runner": {"image": _image(images.runner)},
        "watchNamespaces": [WATCHED],
        "rejectInlineCredentials": True,
        "metrics": {"service": True},
    }
    cluster.helm(
        "upgrade", "--install", RELEASE, str(CHART), "--namespace", HOME, "--values", "-",
        "--wait", "--timeout", "120s", "--take-ownership", "--force-conflicts",
        stdin=json.dumps(values),
    )  # fmt: skip
    yield cluster
    cluster.helm("uninstall", RELEASE, "--namespace", HOME)
    cluster.kubectl("delete", "namespace", HOME, WATCHED, OTHER, "--wait=false")


def _image(name: str) -> dict[str, str]:
    repository, _, tag = name.rpartition(":")
    return {"repository": repository, "tag": tag}


def apply(cluster: LocalCluster, namespace: str, name: str, spec: dict[str, Any]) -> None:
    metadata = {"name": name, "namespace": namespace}
    document = {"apiVersion": GROUP_VERSION, "kind": "ExternalDataSource", "metadata": metadata}
    cluster.kubectl("apply", "-f", "-", stdin=json.dumps({**document, "spec": spec}))


def test_a_source_of_the_watched_namespace_is_answered_and_others_are_not(
    installed: LocalCluster,
) -> None:
    apply(installed, OTHER, "unseen", INLINE)
    apply(installed, WATCHED, "seen", INLINE)
    where = ("eds", "seen", "-n", WATCHED)
    installed.kubectl("wait", "--for=condition=Stalled", *where, "--timeout=30s")
    status = json.loads(installed.kubectl("get", *where, "-o", "json"))["status"]
    ready = next(one for one in status["conditions"] if one["type"] == "Ready")
    assert (ready["status"], ready["reason"]) == ("False", "InlineCredentialsRefused")
    assert "rest.auth.bearer.token" in ready["message"]
    assert "s3cr3t" not in json.dumps(status)
    unseen = json.loads(installed.kubectl("get", "eds", "unseen", "-n", OTHER, "-o", "json"))
    assert unseen["status"] == {"observedGeneration": -1}


def test_the_operator_has_no_rights_outside_the_watched_namespace(
    installed: LocalCluster,
) -> None:
    user = f"--as=system:serviceaccount:{HOME}:{RELEASE}-external-data-operator"
    assert _can(installed, "get", "secrets", WATCHED, user)
    assert not _can(installed, "get", "secrets", OTHER, user)
    assert not _can(installed, "list", "secrets", WATCHED, user)


def _can(cluster: LocalCluster, verb: str, resource: str, namespace: str, user: str) -> bool:
    text = cluster.kubectl("auth", "can-i", "--list", "--no-headers", "-n", namespace, user)
    rows = [line.split() for line in text.splitlines() if line.split()[:1] == [resource]]
    return any(
        f"{verb}" in " ".join(row).replace("[", " ").replace("]", " ").split() for row in rows
    )


def test_the_operator_may_do_what_it_does_to_each_kind_and_nothing_else(
    installed: LocalCluster,
) -> None:
    user = f"--as=system:serviceaccount:{HOME}:{RELEASE}-external-data-operator"
    text = installed.kubectl("auth", "can-i", "--list", "--no-headers", "-n", WATCHED, user)
    rows = {line.split()[0]: line for line in text.splitlines() if line.strip()}
    for kind in ApiKinds(CONTROLLERS).all:
        row = rows[f"{kind.plural}.{kind.group}".rstrip(".")]
        verbs = row[row.rindex("[") :].strip("[] ").split()
        assert set(verbs) == kind.verbs, kind.kind


def test_metrics_are_served_through_the_service(installed: LocalCluster) -> None:
    service = f"{RELEASE}-external-data-operator-metrics"
    path = f"/api/v1/namespaces/{HOME}/services/{service}:http/proxy/metrics"
    assert "# HELP" in installed.kubectl("get", "--raw", path)
