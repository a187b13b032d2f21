"""Bad input gets a clear answer in status, by reason and by the field or host to look at."""

import socket

import pytest

from dev.localcluster.cluster import LocalCluster
from tests.cluster.kube import Kube, build_source, condition, wait
from tests.cluster.operator_process import OperatorProcess
from tests.cluster.shop_api import TOKEN, ShopApi


def stalled(item):
    """Whether a person must act."""
    return condition(item, "Stalled") is not None


def destination(cluster: LocalCluster, bucket: str, secret: str):
    s3 = cluster.s3
    return {
        "s3": {
            "bucket": bucket,
            "endpoint": s3.endpoint,
            "region": s3.region,
            "credentialsSecretRef": {"name": secret},
        }
    }


def test_a_source_becomes_ready_and_its_table_is_synced(kube: Kube, shop: ShopApi):
    kube.apply(build_source("shop", f"{shop.origin}/good"))
    source = kube.wait_ready("eds", "shop", "True", "Ready")
    assert source["status"]["kind"] == "rest"
    schema = kube.wait_ready("edsc", "shop-items", "True", "Synced")
    status = schema["status"]
    assert status["table"]["rows"] == 200
    assert {column["name"] for column in status["availableColumns"]} == {"id", "name"}
    assert status["history"][0]["trigger"] == "Initial"
    assert status["nextSyncAt"]
    counts = wait(lambda: kube.find("eds", "shop")["status"].get("phase") == "Completed")
    assert counts
    kube.run("wait", "--for=condition=Ready", "eds/shop", "edsc/shop-items", "--timeout=1s")


def test_every_wrong_answer_of_a_source_has_its_reason_in_status(
    kube: Kube, shop: ShopApi, cluster: LocalCluster
):
    s3 = cluster.s3
    kube.secret("wrong", token="not-the-token")
    kube.secret("lake", AWS_ACCESS_KEY_ID=s3.access_key, AWS_SECRET_ACCESS_KEY=s3.secret_key)
    kube.secret("thief", AWS_ACCESS_KEY_ID=s3.access_key, AWS_SECRET_ACCESS_KEY="guessed")
    with socket.create_server((cluster.host_address, 0)) as probe:
        silent = f"http://{cluster.host_address}:{probe.getsockname()[1]}"
    rejected = build_source("rejected", f"{shop.origin}/good")
    rejected["spec"]["rest"]["auth"]["bearer"]["token"]["secretKeyRef"]["name"] = "wrong"
    good = f"{shop.origin}/good"
    kube.apply(
        rejected,
        build_source("unreachable", silent),
        build_source("no-bucket", good, destination=destination(cluster, "no-such-bucket", "lake")),
        build_source("forbidden", good, destination=destination(cluster, "lake", "thief")),
        *(build_source(root, f"{shop.origin}/{root}") for root in ("text", "elsewhere", "scalars")),
    )
    expected = {
        "rejected": "CredentialsRejected",
        "unreachable": "Unreachable",
        "no-bucket": "InvalidDestination",
        "forbidden": "DestinationForbidden",
        "text": "InvalidResponse",
        "elsewhere": "RecordsPathNotFound",
        "scalars": "InvalidRecords",
    }
    for name, reason in expected.items():
        found = kube.wait_ready("eds", name, "False", reason, timeout_s=120)
        assert stalled(found) == (reason != "Unreachable"), name
        assert condition(found, "Ready")["message"], name


def test_a_private_host_is_refused_where_no_rule_opens_it(closed: Kube, shop: ShopApi):
    closed.apply(build_source("inside", f"{shop.origin}/good"))
    source = closed.wait_ready("eds", "inside", "False", "HostNotAllowed")
    assert stalled(source)


def test_a_missing_secret_is_said_and_work_goes_on_once_it_is_there(kube: Kube, shop: ShopApi):
    source = build_source("late", f"{shop.origin}/good")
    source["spec"]["rest"]["auth"]["bearer"]["token"]["secretKeyRef"]["name"] = "later"
    kube.apply(source)
    found = kube.wait_ready("eds", "late", "False", "SecretNotFound", timeout_s=10)
    assert not stalled(found)
    assert "Secret later does not exist" in condition(found, "Ready")["message"]
    kube.secret("later", tokn=TOKEN)
    wait(
        lambda: "has no key token" in condition(kube.find("eds", "late"), "Ready")["message"],
        timeout_s=30,
    )
    kube.secret("later", token=TOKEN)
    kube.wait_ready("edsc", "late-items", "True", "Synced", timeout_s=90)


def test_a_table_that_fails_for_good_stops_its_schedule_and_runs_at_once_when_corrected(
    kube: Kube, shop: ShopApi
):
    kube.apply(build_source("shop", f"{shop.origin}/turning"))
    kube.wait_ready("edsc", "shop-items", "False", "LoopDetected")
    failed = wait(lambda: (found := kube.find("edsc", "shop-items")) and stalled(found) and found)
    assert failed["status"]["phase"] in ("Failed", "Running")
    wait(lambda: kube.find("cronjob", "shop-items")["spec"]["suspend"])
    kube.apply(build_source("shop", f"{shop.origin}/good"))
    schema = kube.wait_ready("edsc", "shop-items", "True", "Synced")
    assert [one["result"] for one in schema["status"]["history"]] == ["Succeeded", "Failed"]
    assert "latestError" not in schema["status"]
    assert kube.find("cronjob", "shop-items")["spec"]["suspend"] is False


def test_a_source_that_lost_its_rows_empties_no_table_until_a_person_lets_it(
    kube: Kube, shop: ShopApi
):
    def annotate(action: str) -> None:
        kube.run("annotate", "edsc", "shop-items", f"external-data.io/{action}=1", "--overwrite")

    kube.apply(build_source("shop", f"{shop.origin}/draining"))
    kube.wait_ready("edsc", "shop-items", "True", "Synced")
    shop.is_drained = True
    annotate("reload")
    held = kube.wait_ready("edsc", "shop-items", "False", "TableWouldShrink")
    assert "0 of the table's 200 rows" in condition(held, "Ready")["message"]
    assert stalled(held)
    assert held["status"]["table"]["rows"] == 200
    annotate("allow-shrink")
    let = kube.wait_ready("edsc", "shop-items", "True", "Synced")
    assert let["status"]["table"]["rows"] == 0
    assert let["status"]["handledRequests"] == {"reload": "1", "allow-shrink": "1"}


def test_a_pod_that_the_quota_refuses_is_said_and_made_once_there_is_room(
    kube: Kube, shop: ShopApi
):
    quota = {"metadata": {"name": "none"}, "spec": {"hard": {"pods": "0"}}}
    kube.apply({"apiVersion": "v1", "kind": "ResourceQuota", **quota})
    kube.apply(build_source("shop", f"{shop.origin}/good"))
    source = kube.wait_ready("eds", "shop", "False", "PodRefused")
    assert "exceeded quota" in condition(source, "Ready")["message"]
    kube.run("delete", "resourcequota", "none")
    kube.wait_ready("eds", "shop", "True", "Ready", timeout_s=120)


def test_a_run_that_needs_more_memory_than_it_may_have_says_so(kube: Kube, shop: ShopApi):
    small = {"resources": {"requests": {"memory": "8Mi"}, "limits": {"memory": "12Mi"}}}
    kube.apply(build_source("shop", f"{shop.origin}/good", runtime=small))
    source = kube.wait_ready("eds", "shop", "False", "OutOfMemory")
    assert "runtime.resources.limits.memory" in condition(source, "Ready")["message"]


@pytest.mark.parametrize(
    "limits", [{"memory": "16Mi"}, {"cpu": "1m"}], ids=["below the request", "of too little cpu"]
)
def test_resources_that_the_api_server_refuses_are_said_in_its_words(
    kube: Kube, shop: ShopApi, limits: dict[str, str]
):
    kube.apply(
        build_source("shop", f"{shop.origin}/good", runtime={"resources": {"limits": limits}})
    )
    source = kube.wait_ready("eds", "shop", "False", "InvalidSpec")
    assert "must be less than or equal to" in condition(source, "Ready")["message"]
    assert stalled(source)


def test_no_credential_is_seen_anywhere_but_in_its_secret(
    kube: Kube, shop: ShopApi, operator: OperatorProcess
):
    inline = build_source("inline", f"{shop.origin}/good")
    inline["spec"]["rest"]["auth"]["bearer"]["token"] = {"value": TOKEN}
    rejected = build_source("rejected", f"{shop.origin}/good")
    rejected["spec"]["rest"]["auth"]["bearer"]["token"] = {"value": f"{TOKEN}-wrong"}
    kube.apply(inline, rejected)
    kube.wait_ready("edsc", "inline-items", "True", "Synced")
    kube.wait_ready("eds", "rejected", "False", "CredentialsRejected")
    kube.apply(inline)
    wait(lambda: "secretKeyRef" in str(kube.find("eds", "inline")["spec"]["rest"]["auth"]))
    kube.wait_ready("eds", "inline", "True", "Ready")
    kinds = "eds,edsc,jobs,cronjobs,pods,configmaps,events"
    everything = kube.run("get", kinds, "-o", "json", "--show-managed-fields")
    everything += kube.run("describe", "eds,edsc,jobs,pods")
    for pod in kube.list("pods"):
        everything += kube.run("logs", pod["metadata"]["name"])
    everything += operator.log
    assert TOKEN not in everything
    assert kube.find("secret", "inline-credentials") is not None
