"""What this machine must have to carry a cluster of plain processes, and what it lacks.

Packages are installed where that is possible; what a person must change is said in one sentence.
"""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from dev.localcluster.announce import announce
from dev.localcluster.commands import run, run_announced
from dev.localcluster.configs import CNI_PLUGINS
from dev.localcluster.errors import LocalClusterError

_OTHERWISE = "or name a cluster that runs already in EXTERNAL_DATA_KUBECONFIG"
CLUSTER_PROGRAMS: Mapping[str, str] = {
    "containerd": "containerd",
    "ctr": "containerd",
    "runc": "runc",
    "ip": "iproute2",
    "iptables": "iptables",
    "conntrack": "conntrack",
    "mount": "mount",
    "nsenter": "util-linux",
    "setpriv": "util-linux",
    "unshare": "util-linux",
    "openssl": "openssl",
    f"{CNI_PLUGINS}/ptp": "containernetworking-plugins",
}
"""Each program that the cluster calls, and the Debian package that has it."""
IMAGE_PROGRAMS: Mapping[str, str] = {"buildah": "buildah", "debootstrap": "debootstrap"}
"""The same, for building images."""


def require_host() -> None:
    """Raises unless a cluster of plain processes can run here; installs missing packages."""
    require_root()
    require_programs(CLUSTER_PROGRAMS)
    missing = find_missing_kernel_feature()
    if missing is not None:
        raise LocalClusterError(f"{missing}; change that, {_OTHERWISE}")


def require_root() -> None:
    if os.geteuid() != 0:
        raise LocalClusterError(
            f"a cluster of plain processes needs root, for namespaces and mounts: run this as "
            f"root (sudo), install kind and Docker, {_OTHERWISE}"
        )


def require_programs(wanted: Mapping[str, str]) -> None:
    """Installs the packages of those that are missing, where apt-get can."""
    _reach_system_programs()
    missing = find_missing_programs(wanted)
    if not missing:
        return
    packages = sorted(set(missing.values()))
    if shutil.which("apt-get") is None:
        raise LocalClusterError(
            f"the programs {', '.join(sorted(missing))} are missing, and this is no Debian where "
            f"they could be installed from {', '.join(packages)}: install them, {_OTHERWISE}"
        )
    require_root()
    _install(packages)
    still = find_missing_programs(wanted)
    if still:
        raise LocalClusterError(f"{', '.join(sorted(still))} is missing after the installation")


def _reach_system_programs() -> None:
    """A root shell made by `su` may lack the folders where Debian keeps them."""
    reached = os.environ.get("PATH", "").split(os.pathsep)
    lacking = [folder for folder in ("/usr/sbin", "/sbin") if folder not in reached]
    os.environ["PATH"] = os.pathsep.join([*reached, *lacking])


def find_missing_programs(wanted: Mapping[str, str]) -> dict[str, str]:
    return {program: package for program, package in wanted.items() if not shutil.which(program)}


def find_missing_kernel_feature() -> str | None:
    """The first thing that the kernel does not do, as the beginning of a sentence."""
    if not _has_memory_control():
        return "the kernel limits no memory (the memory control group is off)"
    if "overlay" not in Path("/proc/filesystems").read_text() and not _works("modprobe", "overlay"):
        return "the kernel has no overlay file system"
    if not _works("unshare", "--net", "--mount", "--pid", "--uts", "--ipc", "--fork", "true"):
        return "the kernel makes no namespaces here, as in a container without privileges"
    if not _works("unshare", "--net", "ip", "link", "add", "edlc0", "type", "veth"):
        return "the kernel has no virtual network cables (veth)"
    if not _works("unshare", "--net", "iptables", "-t", "nat", "-L", "-n"):
        return "the kernel has no address translation (iptables -t nat)"
    return None


def _has_memory_control() -> bool:
    unified = Path("/sys/fs/cgroup/cgroup.controllers")
    if unified.exists():
        return "memory" in unified.read_text().split()
    return (
        Path("/sys/fs/cgroup/memory/memory.limit_in_bytes").exists()
        or Path("/sys/fs/cgroup/memory/cgroup.procs").exists()
    )


def _works(*argv: str) -> bool:
    try:
        run(*argv)
    except LocalClusterError:
        return False
    return True


def _install(packages: list[str]) -> None:
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    if any("Candidate: (none)" in found or not found for found in map(_policy, packages)):
        run_announced("apt-get", "update", what="refreshing the list of packages", env=quiet)
    announce(f"missing packages: {', '.join(packages)}")
    run_announced(
        *("apt-get", "install", "--yes", "--no-install-recommends", *packages),
        what="installing them with apt-get",
        env=quiet,
    )


def _policy(package: str) -> str:
    return run("apt-cache", "policy", package)
