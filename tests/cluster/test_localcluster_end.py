"""A cluster that ends leaves nothing on the machine, however it ends; clusters do not touch."""

import json
import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from dev.localcluster.cluster import LocalCluster, end, home_of
from dev.localcluster.containment import find_containers
from dev.localcluster.control import find_supervisor
from dev.localcluster.network import link_name

NAME = f"ends-{os.getpid()}"


@pytest.fixture
def name() -> Iterator[str]:
    yield NAME
    end(NAME)


def namespace_of(pid: int | str) -> str | None:
    try:
        return str(Path(f"/proc/{pid}/ns/pid").readlink())
    except OSError:
        return None


def processes_in(namespace: str) -> set[str]:
    """Its processes, by number and by when they began: numbers, also those of namespaces, are
    given again.
    """
    pids = [pid for pid in all_pids() if namespace_of(pid) == namespace]
    return {f"process {pid} of {began_at(pid)}" for pid in pids}


def began_at(pid: int) -> str:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return "never"
    return "never" if fields[0] in {"Z", "X"} else fields[19]


def mounts_of(pid: int | str) -> str:
    try:
        return Path(f"/proc/{pid}/mountinfo").read_text()
    except OSError:
        return ""


def all_pids() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]


def start_with_a_pod(name: str) -> LocalCluster:
    """A cluster with a pod in it, so that there are containers, mounts and rules to end."""
    cluster = LocalCluster.up(name)
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "stays"},
        "spec": {"containers": [{"name": "only", "image": "localhost/pause:1"}]},
    }
    cluster.kubectl("apply", "-f", "-", stdin=json.dumps(pod))
    cluster.kubectl("wait", "--for=condition=Ready", "pod/stays", "--timeout=60s")
    return cluster


def traces_of(home: Path, *, processes: set[str], containers: list[str]) -> list[str]:
    """Everything of a cluster that is still there; `processes` are those that it had."""
    found = sorted(processes & {f"process {pid} of {began_at(pid)}" for pid in all_pids()})
    found += [f"mount in {pid}" for pid in all_pids() if str(home) in mounts_of(pid)]
    found += [f"link {link}" for _, link in socket.if_nameindex() if link == link_name(home.name)]
    groups = Path("/sys/fs/cgroup")
    found += [str(path) for name in containers for path in groups.glob(f"**/k8s.io/{name}")]
    return [*found, str(home)] if home.exists() else found


def test_nothing_is_left_of_a_cluster_that_was_killed_or_ended(
    cluster: LocalCluster, name: str
) -> None:
    first = start_with_a_pod(name)
    assert first.host_address != cluster.host_address
    supervisor = find_supervisor(first.home)
    assert supervisor is not None
    namespace, containers = namespace_of(supervisor), find_containers(first.home)
    assert namespace is not None
    assert len(containers) == 2
    processes = processes_in(namespace)
    before = traces_of(first.home, processes=processes, containers=containers)
    assert {trace.split()[0].split("/")[0] for trace in before} == {"process", "mount", "link", ""}

    os.kill(supervisor, signal.SIGKILL)
    second = start_with_a_pod(name)

    left = traces_of(first.home, processes=processes, containers=containers)
    assert [trace for trace in left if trace.startswith("process")] == []
    assert [trace for trace in left if "k8s.io" in trace] == []
    supervisor = find_supervisor(second.home)
    assert supervisor is not None
    namespace, containers = namespace_of(supervisor), find_containers(second.home)
    assert namespace is not None
    processes = processes_in(namespace)
    assert processes

    second.down()

    assert traces_of(second.home, processes=processes, containers=containers) == []
    assert LocalCluster.find(name) is None
    assert "Ready" in cluster.kubectl("get", "nodes")


def test_a_named_cluster_is_used_and_left_as_it_is(
    cluster: LocalCluster, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EXTERNAL_DATA_KUBECONFIG", str(cluster.kubeconfig))
    given = LocalCluster.up(name)
    assert given.endpoints.backend == "given"
    identity = ("get", "namespace", "kube-system", "-o", "jsonpath={.metadata.uid}")
    assert given.kubectl(*identity) == cluster.kubectl(*identity)
    assert given.host_address == cluster.host_address
    assert given.s3.endpoint.startswith(f"http://{cluster.host_address}:")
    given.down()
    assert not home_of(name).exists()
    assert "Ready" in cluster.kubectl("get", "nodes")
