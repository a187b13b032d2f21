"""What a runner's pod may do, and which credentials it is given."""

from tests.unit.reconcile.sources.source_life import look
from tests.unit.reconcile.worlds import created_jobs, observe_source


def pod_of_check():
    decision, _ = look(observe_source())
    (job,) = created_jobs(decision)
    return job["spec"]["template"]["spec"]


def test_a_runners_pod_is_restricted_and_has_no_token_of_the_cluster():
    pod = pod_of_check()
    assert pod["automountServiceAccountToken"] is False
    assert pod["enableServiceLinks"] is False
    assert pod["securityContext"] == {
        "runAsNonRoot": True,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    (container,) = pod["containers"]
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    writable = [one["name"] for one in container["volumeMounts"] if not one.get("readOnly")]
    assert writable == ["scratch"]


def test_a_runners_pod_mounts_only_the_keys_that_its_source_names():
    volumes = {one["name"]: one for one in pod_of_check()["volumes"]}
    (secret,) = volumes["secrets"]["projected"]["sources"]
    assert secret["secret"]["name"] == "api"
    assert secret["secret"]["items"] == [{"key": "token", "path": "api/token"}]
    assert "sources" not in volumes["config-maps"]["projected"]
