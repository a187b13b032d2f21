"""The cluster's programs, built once from Go modules: Kubernetes, etcd, Helm, CoreDNS, pause."""

import platform
import shutil
from pathlib import Path

from dev.localcluster.cache import build_key, file_parts, find_or_build
from dev.localcluster.commands import run, run_announced
from dev.localcluster.errors import LocalClusterError

GO_MODULE = Path(__file__).parent / "go"
KUBERNETES = "v1.36.3"
HELM = "v4.2.4"
PROGRAMS = (
    "etcd",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-proxy",
    "kube-scheduler",
    "kubectl",
    "kubelet",
)
"""The names by which the one Kubernetes binary is called."""

_VERSION = "k8s.io/component-base/version"
_LDFLAGS = (
    f"-s -w -X {_VERSION}.gitVersion={KUBERNETES} -X {_VERSION}.gitMajor=1"
    f" -X {_VERSION}.gitMinor={KUBERNETES.split('.')[1]}"
    f" -X helm.sh/helm/v4/internal/version.version={HELM}"
)
_PACKAGES = ("./kubernetes", "./coredns", "./pause", "helm.sh/helm/v4/cmd/helm")
_GO_MINIMUM = (1, 26)


def find_or_build_binaries() -> Path:
    """The folder that holds the programs; built when nothing like it is in the cache."""
    sources = [path for path in GO_MODULE.rglob("*") if path.suffix in {".go", ".mod", ".sum"}]
    flags = " ".join((_LDFLAGS, *_PACKAGES, platform.machine()))
    key = build_key([*file_parts(GO_MODULE, sources), flags.encode()])
    return find_or_build(f"binaries-{key}", _build, waiting="it builds Kubernetes")


def _build(folder: Path) -> None:
    _require_go()
    run_announced(
        *("nice", "go", "build", "-trimpath", "-buildvcs=false", "-ldflags", _LDFLAGS),
        *("-o", f"{folder}/", *_PACKAGES),
        what="building Kubernetes, etcd, Helm and CoreDNS (once; about 7 minutes on 2 cores)",
        env={"CGO_ENABLED": "0", "GOFLAGS": "-mod=readonly"},
        cwd=GO_MODULE,
    )
    for program in PROGRAMS:
        (folder / program).symlink_to("kubernetes")


def _require_go() -> None:
    wanted = ".".join(str(part) for part in _GO_MINIMUM)
    if shutil.which("go") is None:
        raise LocalClusterError(
            f"Go is missing, which the cluster's programs are built with: install Go {wanted} or "
            "newer, or name a cluster that runs already in EXTERNAL_DATA_KUBECONFIG"
        )
    found = run("go", "env", "GOVERSION", cwd=GO_MODULE).strip().removeprefix("go")
    version = tuple(int(part) for part in found.split("-")[0].split(".")[:2])
    if version < _GO_MINIMUM:
        raise LocalClusterError(
            f"Go is {found}, and the cluster needs {wanted}: install a newer Go"
        )
