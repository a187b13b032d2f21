"""The chart: what it renders, that the API server takes it, and that upgrades and an uninstall lose
nothing."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from external_data_operator.api.source import S3Destination
from external_data_operator.settings import parse_settings

from dev.localcluster.cluster import LocalCluster
from dev.localcluster.errors import CommandFailedError
from tests.waiting import wait_for

ROOT = Path(__file__).parents[2]
CHART = ROOT / "helm" / "external-data-operator"
NAMESPACE = "chart"
LAKE = {"s3": {"bucket": "lake", "credentialsSecretRef": {"name": "lake"}}}
Manifest = dict[str, Any]


def render(cluster: LocalCluster, **values: Any) -> list[Manifest]:
    text = cluster.helm(
        "template", "external-data", str(CHART), "--namespace", NAMESPACE, "--values", "-",
        stdin=json.dumps(values),
    )  # fmt: skip
    return [document for document in yaml.safe_load_all(text) if document]


def of_kind(documents: list[Manifest], kind: str) -> list[Manifest]:
    return [document for document in documents if document["kind"] == kind]


def operator_env(documents: list[Manifest]) -> dict[str, str]:
    (deployment,) = of_kind(documents, "Deployment")
    container = deployment["spec"]["template"]["spec"]["containers"][0]
    return {item["name"]: item.get("value", NAMESPACE) for item in container["env"]}


def test_the_chart_passes_its_own_lint(cluster: LocalCluster) -> None:
    assert "0 chart(s) failed" in cluster.helm("lint", "--strict", str(CHART))


def test_the_operator_reads_the_settings_that_the_chart_writes(cluster: LocalCluster) -> None:
    openings = [{"namespaces": ["team-*"], "cidrs": ["10.0.0.0/8"]}]
    documents = render(
        cluster,
        defaultDestination=LAKE,
        allowPrivateHosts=openings,
        rejectInlineCredentials=True,
        watchNamespaces=["a", "team-*"],
        runner={"image": {"registry": "hub.example", "tag": "7"}, "imagePullSecrets": ["pull"]},
    )  # fmt: skip
    settings = parse_settings(operator_env(documents))
    assert settings.namespace == NAMESPACE
    assert settings.runner_image == "hub.example/external-data-runner:7"
    assert settings.runner_image_pull_secrets == ("pull",)
    assert settings.default_destination is not None
    assert settings.default_destination.s3.bucket == "lake"
    assert settings.private_cidrs("team-a") == ["10.0.0.0/8"]
    assert settings.reject_inline_credentials
    assert settings.watch_namespaces == ("a", "team-*")


def test_every_setting_of_the_operator_is_written_but_the_port(cluster: LocalCluster) -> None:
    env = operator_env(render(cluster, defaultDestination=LAKE))
    written = {name.removeprefix("EXTERNAL_DATA_").lower() for name in env}
    known = set(type(parse_settings(env)).model_fields)
    assert written <= known, "the operator would not read these"
    assert known - written == {"http_port"}


def test_the_defaults_are_those_of_the_settings(cluster: LocalCluster) -> None:
    env = operator_env(render(cluster))
    required = ("EXTERNAL_DATA_NAMESPACE", "EXTERNAL_DATA_RUNNER_IMAGE")
    assert parse_settings(env) == parse_settings({name: env[name] for name in required})


def test_the_operator_runs_restricted_and_alone(cluster: LocalCluster) -> None:
    (deployment,) = of_kind(render(cluster), "Deployment")
    assert deployment["spec"]["replicas"] == 1
    assert deployment["spec"]["strategy"] == {"type": "Recreate"}
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


@pytest.mark.parametrize(
    ("namespaces", "roles", "reads_namespaces"),
    [([], [], False), (["team-*"], [], True), (["a", "b"], ["a", "b"], False)],
    ids=["all namespaces", "a pattern", "named namespaces"],
)
def test_rights_are_no_wider_than_what_is_watched(
    cluster: LocalCluster, namespaces: list[str], roles: list[str], reads_namespaces: bool
) -> None:
    documents = render(cluster, watchNamespaces=namespaces)
    name = "external-data-operator"
    wide = [role for role in of_kind(documents, "ClusterRole") if role["metadata"]["name"] == name]
    narrow = [role["metadata"]["namespace"] for role in of_kind(documents, "Role")]
    assert narrow == roles
    assert bool(wide) is not bool(roles)
    rules = [rule for role in wide for rule in role["rules"]]
    assert any("namespaces" in rule["resources"] for rule in rules) is reads_namespaces


def test_secrets_are_never_listed_and_definitions_never_touched(cluster: LocalCluster) -> None:
    documents = render(cluster, defaultDestination=LAKE)
    roles = of_kind(documents, "ClusterRole") + of_kind(documents, "Role")
    rules = [rule for role in roles for rule in role["rules"]]
    verbs = {verb for rule in rules if "secrets" in rule["resources"] for verb in rule["verbs"]}
    assert not verbs & {"list", "watch", "*"}
    groups = {group for rule in rules for group in rule["apiGroups"]}
    assert groups == {"", "batch", "external-data.io"}
    assert all("*" not in rule["resources"] + rule["verbs"] for rule in rules)


def test_the_default_credentials_are_read_by_name_only(cluster: LocalCluster) -> None:
    (role,) = of_kind(render(cluster, defaultDestination=LAKE), "Role")
    assert role["metadata"]["namespace"] == NAMESPACE
    assert role["rules"] == [
        {"apiGroups": [""], "resources": ["secrets"], "resourceNames": ["lake"], "verbs": ["get"]}
    ]


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"replicas": 2}, "replicas"),
        ({"log": {"level": "LOUD"}}, "/log/level"),
        ({"runner": {"jobTtlSeconds": 60}}, "/runner/jobTtlSeconds"),
        ({"defaultDestination": {"s3": {}}}, "bucket"),
        ({"allowPrivateHosts": [{"namespaces": ["a"]}]}, "cidrs"),
        ({"image": {"tga": "1"}}, "tga"),
    ],
    ids=["unknown", "enumeration", "minimum", "required", "incomplete", "typing error"],
)
def test_wrong_values_are_refused_by_name(
    cluster: LocalCluster, values: Manifest, field: str
) -> None:
    with pytest.raises(CommandFailedError) as refused:
        render(cluster, **values)
    assert field in str(refused.value.stderr)


def test_the_default_destination_has_the_fields_of_a_source(cluster: LocalCluster) -> None:
    schema = json.loads((CHART / "values.schema.json").read_text())
    fields = schema["properties"]["defaultDestination"]["properties"]["s3"]["properties"]
    assert set(fields) == {field.alias for field in S3Destination.model_fields.values()}


def test_an_upgrade_brings_the_definitions_and_an_uninstall_leaves_them(
    cluster: LocalCluster,
) -> None:
    install = (
        "upgrade", "--install", "chart-test", str(CHART), "--namespace", NAMESPACE,
        "--create-namespace", "--set", "fullnameOverride=chart-test",
    )  # fmt: skip
    crd = ("crd", "externaldatasources.external-data.io")
    cluster.kubectl("delete", *crd, "--ignore-not-found", "externaldataschemas.external-data.io")
    cluster.helm(*install)
    cluster.kubectl("patch", *crd, "--type=json", "-p", _without_short_name())
    cluster.helm(*install, "--force-conflicts")
    names = json.loads(cluster.kubectl("get", *crd, "-o", "json"))["spec"]["names"]
    assert names["shortNames"] == ["eds"]

    cluster.helm("uninstall", "chart-test", "--namespace", NAMESPACE)
    assert cluster.kubectl("get", *crd, "-o", "name")
    assert not cluster.kubectl("get", "deployment", "-n", NAMESPACE, "-o", "name")


def _without_short_name() -> str:
    return json.dumps([{"op": "replace", "path": "/spec/names/shortNames", "value": ["old"]}])


def test_viewers_see_sources_and_only_editors_write_them(cluster: LocalCluster) -> None:
    cluster.kubectl("apply", "--server-side", "--force-conflicts", "-f", "crds")
    cluster.kubectl("wait", "--for=condition=Established", "-f", "crds", "--timeout=30s")
    roles = [
        role
        for role in of_kind(render(cluster), "ClusterRole")
        if role["metadata"]["name"].endswith(("-view", "-edit"))
    ]
    text = json.dumps({"apiVersion": "v1", "kind": "List", "items": roles})
    cluster.kubectl("apply", "-f", "-", stdin=text)
    cluster.kubectl("create", "namespace", "people")
    for role, user in (("view", "viewer"), ("edit", "editor")):
        binding = ("create", "rolebinding", role, f"--clusterrole={role}", f"--user={user}")
        cluster.kubectl(*binding, "-n", "people")
    # The cluster aggregates its roles a moment after they came.
    wait_for(lambda: can(cluster, "viewer", "list"))
    wait_for(lambda: can(cluster, "editor", "create"))
    assert not can(cluster, "viewer", "create")
    cluster.kubectl("delete", "-f", "-", stdin=text)


def can(cluster: LocalCluster, user: str, verb: str) -> bool:
    """Whether a user may."""
    question = ("auth", "can-i", verb, "externaldatasources.external-data.io", "--as", user)
    try:
        return cluster.kubectl(*question, "-n", "people").strip() == "yes"
    except CommandFailedError:
        return False
