"""Command lines and configuration files hold what the cluster was measured to need."""

from pathlib import Path

import pytest

from dev.localcluster.binaries import GO_MODULE, PROGRAMS
from dev.localcluster.configs import build_kubelet_config, build_pod_network
from dev.localcluster.layout import Site
from dev.localcluster.programs import FIRST, THEN, build_argv

SITE = Site("x", Path("/home/x"), Path("/bin/x"), host="172.31.7.1", node="172.31.7.2")


@pytest.mark.parametrize("program", [*FIRST, *THEN])
def test_every_program_is_one_that_is_built_or_installed(program: str) -> None:
    path = Path(build_argv(SITE, program)[0])
    assert path.name in {*PROGRAMS, "coredns", "containerd"}
    assert path.is_absolute() == (program != "containerd")


def test_flags_of_the_caller_come_after_ours_and_so_win() -> None:
    argv = build_argv(SITE, "kube-apiserver", extra=["--secure-port=7443"])
    assert argv.index("--secure-port=6443") < argv.index("--secure-port=7443")


def test_the_api_server_takes_no_anonymous_requests() -> None:
    assert "--anonymous-auth=false" in build_argv(SITE, "kube-apiserver")
    assert build_kubelet_config(SITE)["authentication"]["anonymous"] == {"enabled": False}


def test_pods_are_routed_and_keep_their_addresses_in_the_clusters_folder() -> None:
    first = build_pod_network(SITE)["plugins"][0]
    assert first["type"] == "ptp"
    assert first["ipam"]["dataDir"].startswith("/home/x/")


def test_the_go_module_names_one_release_of_kubernetes_throughout() -> None:
    text = (GO_MODULE / "go.mod").read_text()
    staged = [
        line.split()[-1]
        for line in text.splitlines()
        if line.startswith("\tk8s.io/") and "=>" in line
    ]
    assert len(staged) == 33
    assert set(staged) == {"v0.36.3"}
    assert "k8s.io/kubernetes v1.36.3" in text
