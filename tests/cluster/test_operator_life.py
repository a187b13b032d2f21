"""Restarts, hand-deleted children, deletion in any phase: nothing is lost, doubled or left
behind.
"""

from collections.abc import Iterator

import pytest

from dev.localcluster.cluster import LocalCluster
from dev.localcluster.errors import CommandFailedError
from tests.cluster.kube import Kube, Object, build_source, condition, make_namespace, wait
from tests.cluster.operator_process import OPEN, OperatorProcess
from tests.cluster.shop_api import TOKEN, ShopApi

CHILDREN = "jobs,cronjobs,pods,edsc,configmaps,secrets"
SELECTOR = "app.kubernetes.io/managed-by=external-data-operator"


def left(kube: Kube) -> list[str]:
    """Children that are still there."""
    return [f"{one['kind']}/{one['metadata']['name']}" for one in kube.list(CHILDREN, SELECTOR)]


def versions(kube: Kube) -> dict[str, str]:
    """The version of each object that the operator made or writes to."""
    items = kube.list("eds,edsc,jobs,cronjobs,configmaps", "")
    return {one["metadata"]["uid"]: one["metadata"]["resourceVersion"] for one in items}


def synced(kube: Kube, shop: ShopApi) -> Object:
    kube.apply(build_source("shop", f"{shop.origin}/good"))
    return kube.wait_ready("edsc", "shop-items", "True", "Synced")


@pytest.fixture(scope="module")
def settled(cluster: LocalCluster, operator: OperatorProcess, shop: ShopApi) -> Iterator[Kube]:
    """A namespace with a source whose table is synced; tests leave it in such a state."""
    kube = make_namespace(cluster, f"{OPEN}-settled")
    synced(kube, shop)
    wait(lambda: kube.find("eds", "shop")["status"].get("phase") == "Completed")
    yield kube
    cluster.kubectl("delete", "namespace", kube.namespace, "--wait=false")


def history(kube: Kube) -> list[Object]:
    """The runs of the table, newest first."""
    return kube.find("edsc", "shop-items")["status"]["history"]


def test_a_restart_writes_nothing_and_starts_no_run(settled: Kube, operator: OperatorProcess):
    before = versions(settled)
    operator.kill()
    operator.start()
    operator.wait_until_all_seen()
    assert versions(settled) == before


def test_an_operator_that_is_told_to_stop_does_so_at_once(operator: OperatorProcess):
    seconds = operator.stop()
    operator.start()
    assert seconds < 4


def test_children_that_somebody_deleted_or_changed_are_put_right(settled: Kube):
    kube = settled
    kube.run("patch", "cronjob", "shop-items", "-p", '{"spec":{"suspend":true}}')
    wait(lambda: kube.find("cronjob", "shop-items")["spec"]["suspend"] is False)
    kube.run("delete", "cronjob", "shop-items")
    kube.run("delete", "configmap", "-l", SELECTOR)
    wait(lambda: kube.find("cronjob", "shop-items"))
    wait(lambda: len([one for one in left(kube) if one.startswith("ConfigMap")]) >= 2)
    kube.run("delete", "edsc", "shop-items")
    kube.wait_ready("edsc", "shop-items", "True", "Synced")


def handled(kube: Kube, request: str) -> str | None:
    """The token of the last request of this kind that the source has carried out."""
    return kube.find("eds", "shop")["status"].get("handledRequests", {}).get(request)


def is_running(pod: Object) -> bool:
    return bool(pod["status"].get("phase") == "Running")


def syncing(kube: Kube) -> list[Object]:
    """Pods that are reading just now."""
    return [one for one in kube.list("pods", "external-data.io/task=sync") if is_running(one)]


@pytest.mark.parametrize("up", [True, False], ids=["operator up", "operator down"])
def test_sources_deleted_in_any_phase_leave_nothing_behind(
    kube: Kube, shop: ShopApi, operator: OperatorProcess, up: bool
):
    waiting = build_source("waiting", f"{shop.origin}/good")
    waiting["spec"]["rest"]["auth"]["bearer"]["token"]["secretKeyRef"]["name"] = "none"
    inline = build_source("done", f"{shop.origin}/good")
    inline["spec"]["rest"]["auth"]["bearer"]["token"] = {"value": TOKEN}
    kube.apply(waiting, inline, build_source("syncing", f"{shop.origin}/gated"))
    kube.wait_ready("eds", "waiting", "False", "SecretNotFound")
    kube.wait_ready("edsc", "done-items", "True", "Synced")
    wait(lambda: syncing(kube))
    kube.apply(build_source("checked", f"{shop.origin}/good"))
    wait(lambda: kube.list("jobs", "external-data.io/source=checked"))
    if not up:
        operator.stop()
    try:
        kube.run("delete", "eds", "--all", "--timeout=10s")
        wait(lambda: not left(kube), timeout_s=90, told=lambda: str(left(kube)))
    finally:
        if not up:
            operator.start()
    waiting["metadata"]["name"] = "later"
    kube.apply(waiting)
    kube.wait_ready("eds", "later", "False", "SecretNotFound")
    assert left(kube) == []


@pytest.mark.parametrize("up", [True, False], ids=["operator up", "operator down"])
def test_a_users_schema_deleted_during_its_sync_takes_its_job_along(
    kube: Kube, shop: ShopApi, operator: OperatorProcess, up: bool
):
    schema = {
        "apiVersion": "external-data.io/v1alpha1",
        "kind": "ExternalDataSchema",
        "metadata": {"name": "mine"},
        "spec": {"sourceRef": {"name": "shop"}, "stream": "items"},
    }
    kube.apply(schema, build_source("shop", f"{shop.origin}/gated", schemas={"include": ["none"]}))
    wait(lambda: syncing(kube))
    assert kube.find("edsc", "shop-items") is None
    if not up:
        operator.stop()
    kube.run("delete", "edsc", "mine", "--timeout=10s")
    try:
        wait(lambda: not kube.list("jobs,cronjobs,pods", "external-data.io/task=sync"))
    finally:
        if not up:
            operator.start()


def test_a_users_schema_outlives_its_source_but_nothing_of_it_runs(kube: Kube, shop: ShopApi):
    schema = {
        "apiVersion": "external-data.io/v1alpha1",
        "kind": "ExternalDataSchema",
        "metadata": {"name": "mine"},
        "spec": {"sourceRef": {"name": "shop"}, "stream": "items"},
    }
    kube.apply(build_source("shop", f"{shop.origin}/gated"), schema)
    wait(lambda: syncing(kube))
    kube.run("delete", "eds", "shop", "--timeout=10s")
    kube.wait_ready("edsc", "mine", "False", "SourceNotFound")
    wait(lambda: not kube.list("jobs,cronjobs,pods", SELECTOR))
    assert kube.find("edsc", "shop-items") is None


def test_a_pod_killed_in_the_middle_is_replaced_and_goes_on_from_its_journal(
    kube: Kube, shop: ShopApi
):
    kube.apply(build_source("shop", f"{shop.origin}/gated"))
    pods = wait(lambda: syncing(kube))
    shop.open(1)
    wait(lambda: shop.is_holding(2))
    first = pods[0]["metadata"]["name"]
    kube.run("delete", "pod", first, "--grace-period=0", "--force")
    shop.open()
    schema = kube.wait_ready("edsc", "shop-items", "True", "Synced", timeout_s=120)
    shop.close()
    assert schema["status"]["table"]["rows"] == 200
    assert len(schema["status"]["history"]) == 1


def test_a_reload_runs_once_for_its_token_on_a_schema_and_for_all_on_a_source(settled: Kube):
    before = len(history(settled))
    settled.annotate("edsc", "shop-items", "reload", "one")
    wait(lambda: len(history(settled)) == before + 1)
    settled.annotate("edsc", "shop-items", "reload", "one")
    settled.annotate("eds", "shop", "reload", "two")
    wait(lambda: len(history(settled)) == before + 2)
    handled = wait(lambda: settled.find("eds", "shop")["status"].get("handledRequests"))
    assert handled["reload"] == "two"
    schema = settled.find("edsc", "shop-items")
    assert schema["status"]["handledRequests"] == {"reload": "one", "source-reload": "two"}
    assert [one["trigger"] for one in history(settled)[:2]] == ["Request", "Request"]


def test_a_refresh_finds_new_streams_and_syncs_none_of_the_old_ones(settled: Kube, shop: ShopApi):
    before = len(history(settled))
    source = build_source("shop", f"{shop.origin}/good")
    more = {"name": "more", "path": "/more", "recordsPath": "data"}
    source["spec"]["rest"]["streams"].append(more)
    settled.apply(source)
    settled.wait_ready("edsc", "shop-more", "True", "Synced")
    settled.annotate("eds", "shop", "refresh-schemas", "now")
    wait(lambda: handled(settled, "refresh-schemas") == "now")
    assert len(history(settled)) == before


def test_a_rotated_secret_is_noticed_without_any_edit(kube: Kube, shop: ShopApi):
    kube.secret("api", token="expired")
    kube.apply(build_source("shop", f"{shop.origin}/good"))
    kube.wait_ready("eds", "shop", "False", "CredentialsRejected")
    kube.secret("api", token=TOKEN)
    kube.wait_ready("eds", "shop", "True", "Ready", timeout_s=60)


def test_fields_that_a_person_set_on_a_generated_schema_stay_theirs(settled: Kube, shop: ShopApi):
    kube = settled
    kube.run("patch", "edsc", "shop-items", "--type=merge", "-p", '{"spec":{"cron":"7 3 * * *"}}')
    wait(lambda: kube.find("cronjob", "shop-items")["spec"]["schedule"] == "7 3 * * *")
    kube.apply(build_source("shop", f"{shop.origin}/good", schemas={"enable": "None"}))
    wait(lambda: kube.find("cronjob", "shop-items")["spec"]["suspend"] is True)
    kube.run("patch", "edsc", "shop-items", "--type=merge", "-p", '{"spec":{"shouldSync":true}}')
    wait(lambda: kube.find("cronjob", "shop-items")["spec"]["suspend"] is False)
    kube.annotate("eds", "shop", "refresh-schemas", "after")
    wait(lambda: handled(kube, "refresh-schemas") == "after")
    schema = kube.find("edsc", "shop-items")
    assert (schema["spec"]["cron"], schema["spec"]["shouldSync"]) == ("7 3 * * *", True)


def test_two_sources_whose_streams_would_share_a_table_do_not_both_write_it(
    kube: Kube, shop: ShopApi
):
    first = build_source("one", f"{shop.origin}/good", tablePrefix="")
    kube.apply(first)
    kube.wait_ready("edsc", "one-items", "True", "Synced")
    kube.apply(build_source("two", f"{shop.origin}/good", tablePrefix=""))
    taken = kube.wait_ready("edsc", "two-items", "False", "TableTaken")
    assert "one-items" in condition(taken, "Ready")["message"]
    kube.run("delete", "eds", "one")
    kube.wait_ready("edsc", "two-items", "True", "Synced")


def test_an_outage_of_the_api_server_passes_without_a_restart(
    kube: Kube, shop: ShopApi, operator: OperatorProcess, cluster: LocalCluster
):
    if cluster.endpoints.backend != "plain":
        pytest.skip("only a cluster of plain processes can be stopped")
    cluster.pause_apiserver()
    try:
        with pytest.raises(CommandFailedError):
            cluster.kubectl("get", "nodes", "--request-timeout=6s")
        assert operator.fetch("/healthz")[0] == 200
    finally:
        cluster.resume_apiserver()
    synced(kube, shop)
