"""What the API server makes of our definitions: refusals by field, defaults, ownership, and what
kubectl shows."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from external_data_operator.api.meta import GROUP_VERSION

from dev.localcluster.cluster import LocalCluster
from dev.localcluster.errors import CommandFailedError
from tests.unit.api.refusals import (
    ACCEPTED,
    MODELS_ALONE,
    REFUSALS,
    SCHEMA,
    SOURCE,
    UNKNOWN_FIELDS,
    Refusal,
)
from tests.waiting import wait_for

NAMESPACE = "definitions"
OPERATOR = "external-data-operator"
Manifest = dict[str, Any]
PREFIXED: Manifest = {**SOURCE, "tablePrefix": "a_"}


@pytest.fixture(scope="module")
def api(cluster: LocalCluster) -> Iterator[LocalCluster]:
    """A cluster that knows our kinds, and an empty namespace."""
    cluster.kubectl("apply", "--server-side", "--force-conflicts", "-f", "crds")
    cluster.kubectl("wait", "--for=condition=Established", "-f", "crds", "--timeout=30s")
    cluster.kubectl("create", "namespace", NAMESPACE)
    _wait_until_served(cluster)
    yield cluster
    cluster.kubectl("delete", "namespace", NAMESPACE, "--wait=false")


def _wait_until_served(cluster: LocalCluster) -> None:
    """An established definition reaches the resource handler a moment later."""
    wait_for(lambda: "externaldataschemas" in cluster.kubectl("api-resources", "--cached=false"))


def manifest(kind: str, spec: Manifest, name: str = "shop") -> str:
    metadata = {"name": name, "namespace": NAMESPACE}
    document = {"apiVersion": GROUP_VERSION, "kind": kind, "metadata": metadata, "spec": spec}
    return json.dumps(document)


def refuse(api: LocalCluster, *arguments: str, stdin: str) -> str:
    """What kubectl says; the test fails when it does not refuse."""
    with pytest.raises(CommandFailedError) as refused:
        api.kubectl(*arguments, "-f", "-", stdin=stdin)
    return str(refused.value.stderr)


def get(api: LocalCluster, resource: str, name: str, *options: str) -> Manifest:
    text = api.kubectl("get", resource, name, "-n", NAMESPACE, "-o", "json", *options)
    found: Manifest = json.loads(text)
    return found


@pytest.mark.parametrize("case", REFUSALS, ids=lambda case: case.id)
def test_a_wrong_spec_is_refused_at_apply_and_its_field_is_named(
    api: LocalCluster, case: Refusal
) -> None:
    text = manifest(case.kind, case.spec)
    said = refuse(api, "apply", "--dry-run=server", stdin=text)
    assert case.field in said
    assert case.message in said


@pytest.mark.parametrize("case", UNKNOWN_FIELDS, ids=lambda case: case.id)
def test_an_unknown_field_is_refused_by_its_name(api: LocalCluster, case: Refusal) -> None:
    said = refuse(api, "apply", "--dry-run=server", stdin=manifest(case.kind, case.spec))
    assert f'unknown field "{case.field}"' in said


@pytest.mark.parametrize("case", UNKNOWN_FIELDS, ids=lambda case: case.id)
def test_server_side_apply_refuses_an_unknown_field_by_its_last_name(
    api: LocalCluster, case: Refusal
) -> None:
    arguments = ("apply", "--server-side", "--dry-run=server")
    said = refuse(api, *arguments, stdin=manifest(case.kind, case.spec))
    assert case.field.rsplit(".", 1)[1] in said


@pytest.mark.parametrize("case", MODELS_ALONE, ids=lambda case: case.id)
def test_what_only_the_models_refuse_passes_at_apply(api: LocalCluster, case: Refusal) -> None:
    api.kubectl("apply", "--dry-run=server", "-f", "-", stdin=manifest(case.kind, case.spec))


@pytest.mark.parametrize("case", ACCEPTED, ids=lambda case: case.id)
def test_a_neighbour_of_a_wrong_spec_is_accepted(api: LocalCluster, case: Refusal) -> None:
    api.kubectl("apply", "--dry-run=server", "-f", "-", stdin=manifest(case.kind, case.spec))


@pytest.mark.parametrize(
    ("kind", "spec", "change", "field"),
    [
        ("ExternalDataSource", PREFIXED, {"tablePrefix": "b_"}, "tablePrefix"),
        ("ExternalDataSource", PREFIXED, {"tablePrefix": None}, "tablePrefix"),
        ("ExternalDataSource", SOURCE, {"tablePrefix": "b_"}, "tablePrefix"),
        ("ExternalDataSchema", SCHEMA, {"stream": "customers"}, "stream"),
        ("ExternalDataSchema", SCHEMA, {"sourceRef": {"name": "other"}}, "sourceRef"),
    ],
    ids=["prefix changed", "prefix removed", "prefix added", "stream changed", "source changed"],
)
def test_an_immutable_field_keeps_its_value(
    api: LocalCluster, kind: str, spec: Manifest, change: Manifest, field: str
) -> None:
    name = f"immutable-{field.lower()}"
    api.kubectl("apply", "-f", "-", stdin=manifest(kind, spec, name))
    after = {key: value for key, value in {**spec, **change}.items() if value is not None}
    said = refuse(api, "apply", stdin=manifest(kind, after, name))
    assert f"spec.{field}" in said
    assert f"{field} is immutable" in said
    api.kubectl("delete", kind.lower(), name, "-n", NAMESPACE)


def test_an_empty_prefix_is_the_same_as_none(api: LocalCluster) -> None:
    api.kubectl("apply", "-f", "-", stdin=manifest("ExternalDataSource", SOURCE, "prefix"))
    spec = {**SOURCE, "tablePrefix": ""}
    api.kubectl("apply", "-f", "-", stdin=manifest("ExternalDataSource", spec, "prefix"))


def test_a_fresh_object_looks_unreconciled(api: LocalCluster) -> None:
    api.kubectl("apply", "-f", "-", stdin=manifest("ExternalDataSource", SOURCE, "fresh"))
    assert get(api, "eds", "fresh")["status"] == {"observedGeneration": -1}


def test_null_is_the_same_as_absent(api: LocalCluster) -> None:
    spec = {**SCHEMA, "cron": None, "enabledColumns": None, "syncFrequency": "6hour"}
    api.kubectl("apply", "-f", "-", stdin=manifest("ExternalDataSchema", spec, "nulls"))
    assert not {"cron", "enabledColumns"} & set(get(api, "edsc", "nulls")["spec"])


def test_the_body_of_a_request_keeps_whatever_it_holds(api: LocalCluster) -> None:
    body = {"query": "{ orders { id } }", "variables": {"first": 10, "deep": [{"x": 1.5}]}}
    stream = {"name": "orders", "path": "/graphql", "method": "POST", "body": body}
    spec = {"rest": {"baseUrl": "https://api.shop.example", "streams": [stream]}}
    api.kubectl("apply", "-f", "-", stdin=manifest("ExternalDataSource", spec, "body"))
    assert get(api, "eds", "body")["spec"]["rest"]["streams"][0]["body"] == body


def test_defaults_belong_to_nobody_so_that_a_user_takes_a_generated_schema_over(
    api: LocalCluster,
) -> None:
    generated = manifest("ExternalDataSchema", SCHEMA, "generated")
    arguments = ("apply", "--server-side", "-f", "-", "--field-manager")
    api.kubectl(*arguments, OPERATOR, stdin=generated)
    found = get(api, "edsc", "generated", "--show-managed-fields")
    assert found["spec"]["shouldSync"] is True
    owned = found["metadata"]["managedFields"][0]["fieldsV1"]["f:spec"]
    assert set(owned) == {"f:sourceRef", "f:stream"}

    mine = {**SCHEMA, "shouldSync": False, "cron": "5 4 * * *"}
    api.kubectl(*arguments, "me", stdin=manifest("ExternalDataSchema", mine, "generated"))
    api.kubectl(*arguments, OPERATOR, stdin=generated)
    spec = get(api, "edsc", "generated")["spec"]
    assert (spec["shouldSync"], spec["cron"]) == (False, "5 4 * * *")


def test_two_appliers_own_their_own_streams(api: LocalCluster) -> None:
    one = {"rest": {"baseUrl": "https://a.example", "streams": [{"name": "a", "path": "/a"}]}}
    two = {"rest": {"baseUrl": "https://a.example", "streams": [{"name": "b", "path": "/b"}]}}
    for manager, spec in (("one", one), ("two", two)):
        text = manifest("ExternalDataSource", spec, "shared")
        api.kubectl("apply", "--server-side", "--field-manager", manager, "-f", "-", stdin=text)
    streams = get(api, "eds", "shared")["spec"]["rest"]["streams"]
    assert {stream["name"] for stream in streams} == {"a", "b"}


def test_field_selectors_find_the_schemas_of_a_source(api: LocalCluster) -> None:
    for source in ("left", "right"):
        spec = {"sourceRef": {"name": source}, "stream": "orders"}
        api.kubectl("apply", "-f", "-", stdin=manifest("ExternalDataSchema", spec, f"of-{source}"))
    selector = ("--field-selector", "spec.sourceRef.name=left", "-o", "name")
    found = api.kubectl("get", "edsc", "-n", NAMESPACE, *selector)
    assert found.split() == ["externaldataschema.external-data.io/of-left"]


STATUS: Manifest = {
    "observedGeneration": 1,
    "phase": "Completed",
    "syncType": "Incremental",
    "lastSyncedAt": "2026-01-01T00:00:00Z",
    "nextSyncAt": "2126-01-01T06:00:00Z",
    "table": {"uri": "s3://lake/a/orders", "version": 3, "rows": 1234567, "bytes": 9, "files": 1},
    "conditions": [
        {
            "type": "Ready",
            "status": "True",
            "reason": "Synced",
            "message": "1234567 rows",
            "lastTransitionTime": "2026-01-01T00:00:00Z",
            "observedGeneration": 1,
        }
    ],
}


def test_kubectl_get_shows_how_a_table_goes(api: LocalCluster) -> None:
    api.kubectl("apply", "-f", "-", stdin=manifest("ExternalDataSchema", SCHEMA, "shown"))
    patch = json.dumps({"status": STATUS})
    where = ("edsc", "shown", "-n", NAMESPACE)
    api.kubectl("patch", *where, "--subresource=status", "--type=merge", "-p", patch)
    head, row = api.kubectl("get", *where).splitlines()
    columns = ["NAME", "SOURCE", "STREAM", "SYNC TYPE", "READY", "PHASE", "ROWS", "LAST SYNCED"]
    starts = [head.index(column) for column in [*columns, "NEXT", "AGE"]]
    cells = [row[a:b].strip() for a, b in zip(starts, [*starts[1:], None], strict=True)]
    assert cells[:7] == ["shown", "shop", "orders", "Incremental", "True", "Completed", "1234567"]
    assert cells[8] == "2126-01-01T06:00:00Z", "a time to come is not an age"
    wide = api.kubectl("get", *where, "-o", "wide")
    assert "s3://lake/a/orders" in wide
    api.kubectl("wait", "--for=condition=Ready", *where, "--timeout=5s")


def test_a_status_takes_no_defaults_so_that_what_is_written_is_what_is_read(
    api: LocalCluster,
) -> None:
    api.kubectl("apply", "-f", "-", stdin=manifest("ExternalDataSchema", SCHEMA, "status"))
    status = {**STATUS, "history": [{"job": "j", "trigger": "Initial", "result": "Failed"}]}
    text = json.dumps({
        "apiVersion": GROUP_VERSION,
        "kind": "ExternalDataSchema",
        "metadata": {"name": "status", "namespace": NAMESPACE},
        "status": status,
    })  # fmt: skip
    arguments = ("apply", "--server-side", "--subresource=status", "--field-manager", OPERATOR)
    api.kubectl(*arguments, "-f", "-", stdin=text)
    assert get(api, "edsc", "status")["status"] == status


def test_one_category_lists_both_kinds(api: LocalCluster) -> None:
    found = api.kubectl("get", "external-data", "-n", NAMESPACE, "-o", "name")
    kinds = {line.split("/")[0] for line in found.splitlines()}
    assert kinds == {
        "externaldatasource.external-data.io", "externaldataschema.external-data.io",
    }  # fmt: skip


def test_kubectl_explain_shows_the_sentence_and_the_default_of_a_field(api: LocalCluster) -> None:
    said = " ".join(api.kubectl("explain", "eds.spec.rest.streams.method").split())
    assert "HTTP method. Use POST only for reads. Default: GET." in said
    assert "ENUM: GET POST" in said


def test_every_field_that_kubectl_explain_lists_has_a_sentence(api: LocalCluster) -> None:
    for kind in ("eds", "edsc"):
        for part in ("spec", "status"):
            text = api.kubectl("explain", f"{kind}.{part}", "--recursive=false")
            assert "<no description>" not in text
