"""The local cluster is a real Kubernetes: what the product relies on, shown with small pods."""

import json
import time
import urllib.request

import boto3
import pytest
from botocore.config import Config

from dev.localcluster.base_image import base_archive, find_or_build_base
from dev.localcluster.cluster import LocalCluster
from dev.localcluster.errors import CommandFailedError

NAMESPACE = "localcluster"
PYTHON = "/usr/bin/python3"
RESTRICTED = {
    "runAsNonRoot": True,
    "runAsUser": 65532,
    "runAsGroup": 65532,
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
    "seccompProfile": {"type": "RuntimeDefault"},
}
ASK_API = """
import pathlib, ssl, urllib.request
account = pathlib.Path("/var/run/secrets/kubernetes.io/serviceaccount")
trust = ssl.create_default_context(cafile=str(account / "ca.crt"))
ask = urllib.request.Request("https://kubernetes.default/version")
ask.add_header("authorization", "Bearer " + (account / "token").read_text())
print(urllib.request.urlopen(ask, context=trust, timeout=10).read().decode())
"""
SERVE = """
import http.server
class Hello(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"hello")
http.server.HTTPServer(("", 8080), Hello).serve_forever()
"""
RESOLVE = """
import socket, time
began = time.monotonic()
try:
    socket.gethostbyname("example.com")
except socket.gaierror:
    print("unknown", time.monotonic() - began < 2)
print(socket.gethostbyname("host.localcluster.internal"))
"""


@pytest.fixture(scope="module")
def image(cluster: LocalCluster) -> str:
    """A Python in the node's store, and a namespace to run it in."""
    cluster.load_image(base_archive())
    cluster.kubectl("create", "namespace", NAMESPACE)
    cluster.kubectl("wait", "--for=create", "serviceaccount/default", "-n", NAMESPACE)
    return find_or_build_base()


def pod(name: str, image: str, script: str, **container: object) -> str:
    """The manifest of a pod that runs a Python script once."""
    only = {
        "name": "only",
        "image": image,
        "imagePullPolicy": "Never",
        "command": [PYTHON, "-c", script],
        **container,
    }
    manifest = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": {"app": name}},
        "spec": {
            "restartPolicy": "Never",
            "terminationGracePeriodSeconds": 0,
            "containers": [only],
        },
    }
    return json.dumps(manifest)


def run_pod(cluster: LocalCluster, name: str, manifest: str, *, ends: str = "Succeeded") -> str:
    """Applies it, waits for its end, and returns its log."""
    cluster.kubectl("apply", "-n", NAMESPACE, "-f", "-", stdin=manifest)
    wait_for_phase(cluster, name, ends)
    return cluster.kubectl("logs", "-n", NAMESPACE, name)


def wait_for_phase(cluster: LocalCluster, name: str, phase: str) -> None:
    wanted = f"--for=jsonpath={{.status.phase}}={phase}"
    cluster.kubectl("wait", wanted, f"pod/{name}", "-n", NAMESPACE, "--timeout=60s")


def test_a_job_completes_and_its_log_is_readable(cluster: LocalCluster, image: str) -> None:
    cluster.kubectl(
        *("create", "job", "greets", f"--image={image}", "-n", NAMESPACE),
        *("--", PYTHON, "-c", "print('done')"),
    )
    cluster.kubectl(
        "wait", "--for=condition=Complete", "job/greets", "-n", NAMESPACE, "--timeout=60s"
    )
    assert cluster.kubectl("logs", "-n", NAMESPACE, "job/greets") == "done\n"


def test_a_pod_reaches_the_api_by_name_with_its_account(cluster: LocalCluster, image: str) -> None:
    said = run_pod(cluster, "asks-api", pod("asks-api", image, ASK_API))
    assert json.loads(said)["minor"] == "36"


def test_unknown_names_fail_at_once_and_the_machine_has_one(
    cluster: LocalCluster, image: str
) -> None:
    said = run_pod(cluster, "resolves", pod("resolves", image, RESOLVE))
    assert said.splitlines() == ["unknown True", cluster.host_address]


def test_a_pod_above_its_memory_limit_is_oom_killed(cluster: LocalCluster, image: str) -> None:
    greedy = pod(
        "greedy",
        image,
        "kept = [bytearray(1 << 20) for _ in range(200)]",
        resources={"limits": {"memory": "48Mi"}},
    )
    run_pod(cluster, "greedy", greedy, ends="Failed")
    found = json.loads(cluster.kubectl("get", "pod", "greedy", "-n", NAMESPACE, "-o", "json"))
    ended = found["status"]["containerStatuses"][0]["state"]["terminated"]
    assert (ended["reason"], ended["exitCode"]) == ("OOMKilled", 137)


def test_a_termination_message_arrives_in_the_status(cluster: LocalCluster, image: str) -> None:
    report = "open('/dev/termination-log', 'w').write('4 rows')"
    run_pod(cluster, "reports", pod("reports", image, report))
    found = json.loads(cluster.kubectl("get", "pod", "reports", "-n", NAMESPACE, "-o", "json"))
    assert found["status"]["containerStatuses"][0]["state"]["terminated"]["message"] == "4 rows"


def test_a_restricted_namespace_takes_restricted_pods_only(
    cluster: LocalCluster, image: str
) -> None:
    cluster.kubectl("create", "namespace", "restricted")
    cluster.kubectl("wait", "--for=create", "serviceaccount/default", "-n", "restricted")
    cluster.kubectl(
        "label", "namespace", "restricted", "pod-security.kubernetes.io/enforce=restricted"
    )
    apply = ("apply", "-n", "restricted", "-f", "-")
    with pytest.raises(CommandFailedError, match="violates PodSecurity"):
        cluster.kubectl(*apply, stdin=pod("open", image, "pass"))
    script = "import os; print(os.getuid(), os.getgid())"
    cluster.kubectl(*apply, stdin=pod("tight", image, script, securityContext=RESTRICTED))
    ended = "--for=jsonpath={.status.phase}=Succeeded"
    cluster.kubectl("wait", ended, "pod/tight", "-n", "restricted", "--timeout=60s")
    assert cluster.kubectl("logs", "tight", "-n", "restricted") == "65532 65532\n"


def test_a_pod_reaches_another_through_a_service(cluster: LocalCluster, image: str) -> None:
    cluster.kubectl("apply", "-n", NAMESPACE, "-f", "-", stdin=pod("serves", image, SERVE))
    cluster.kubectl("expose", "pod", "serves", "--port=80", "--target-port=8080", "-n", NAMESPACE)
    wait_for_phase(cluster, "serves", "Running")
    script = (
        "import time, urllib.request\n"
        "for attempt in range(50):\n"
        "    try:\n"
        "        print(urllib.request.urlopen('http://serves', timeout=5).read().decode())\n"
        "        break\n"
        "    except OSError:\n"
        "        time.sleep(0.2)\n"
    )
    assert run_pod(cluster, "asks-service", pod("asks-service", image, script)) == "hello\n"
    said = cluster.kubectl("exec", "-n", NAMESPACE, "serves", "--", PYTHON, "-c", "print('inside')")
    assert said == "inside\n"


def test_pods_and_this_machine_share_the_bucket(cluster: LocalCluster, image: str) -> None:
    s3 = boto3.client(
        "s3",
        endpoint_url=cluster.s3.endpoint,
        aws_access_key_id=cluster.s3.access_key,
        aws_secret_access_key=cluster.s3.secret_key,
        region_name=cluster.s3.region,
        config=Config(signature_version="s3v4"),
    )
    target = {"Bucket": cluster.s3.bucket, "Key": "greeting"}
    s3.put_object(**target, Body=b"from this machine")
    read = s3.generate_presigned_url("get_object", Params=target)
    write = s3.generate_presigned_url("put_object", Params=target)
    script = (
        "import urllib.request\n"
        f"print(urllib.request.urlopen({read!r}).read().decode())\n"
        f"ask = urllib.request.Request({write!r}, data=b'from a pod', method='PUT')\n"
        "ask.add_header('content-type', '')\n"
        "urllib.request.urlopen(ask)\n"
    )
    said = run_pod(cluster, "shares", pod("shares", image, script))
    assert said == "from this machine\n"
    assert s3.get_object(**target)["Body"].read() == b"from a pod"


def test_the_bucket_is_closed_to_strangers(cluster: LocalCluster) -> None:
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with pytest.raises(urllib.error.HTTPError, match="403") as refused:
        direct.open(f"{cluster.s3.endpoint}/{cluster.s3.bucket}?list-type=2", timeout=10)
    refused.value.close()


def test_a_paused_api_server_answers_again_after_it_is_resumed(cluster: LocalCluster) -> None:
    cluster.pause_apiserver()
    try:
        with pytest.raises(CommandFailedError):
            cluster.kubectl("get", "nodes", "--request-timeout=1s")
    finally:
        cluster.resume_apiserver()
    assert "Ready" in cluster.kubectl("get", "nodes")


def test_an_api_server_restarts_with_other_flags(cluster: LocalCluster) -> None:
    cluster.restart_apiserver("--goaway-chance=0.01")
    began = cluster.kubectl("get", "--raw", "/metrics")
    assert "process_start_time_seconds" in began
    started = next(
        float(line.split()[1])
        for line in began.splitlines()
        if line.startswith("process_start_time_seconds")
    )
    assert time.time() - started < 60
    assert "Ready" in cluster.kubectl("get", "nodes")
