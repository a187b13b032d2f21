"""Keeps the cluster's traces out of the machine: mounts over what programs write by fixed paths,
and the control groups of pods, which alone do not end with the processes in them.
"""

import contextlib
import time
from pathlib import Path

from dev.localcluster.cache import cache_root, locked
from dev.localcluster.commands import run
from dev.localcluster.control import any_supervisor_runs
from dev.localcluster.errors import LocalClusterError

_CGROUPS = Path("/sys/fs/cgroup")
_POD_GROUP = "k8s.io"
_FIXED = {"kubelet": Path("/var/lib/kubelet"), "cni": Path("/var/lib/cni")}
"""Folders that programs insist on, by the name of what lies over them in the cluster's folder."""


_COVER = """set -eu
for folder in /run /var/log; do mount -t tmpfs -o mode=0755 localcluster "$folder"; done
case "$1" in /tmp/*) mkdir /run/cache && mount --rbind "$1" /run/cache ;; esac
mount -t tmpfs -o mode=1777 localcluster /tmp
case "$1" in /tmp/*) mkdir -p "$1" && mount --move /run/cache "$1" ;; esac
hostname node
"""
"""Private temporary folders, out of which a cache that lies in one of them is kept."""


def cover_fixed_paths(home: Path, *, pid: int) -> None:
    """In the mounts of that process only: those folders become the cluster's own."""
    inside = ("nsenter", "--target", str(pid), "--mount", "--uts")
    run(*inside, "sh", "-c", _COVER, "sh", cache_root())
    with locked("fixed-paths", waiting="it ends a cluster"):
        for name, path in _FIXED.items():
            (home / name).mkdir(exist_ok=True)
            path.mkdir(parents=True, exist_ok=True)
            run(*inside, "mount", "--bind", home / name, path)


def remove_fixed_paths() -> None:
    """Those that had to be made to be covered, with the last cluster of the machine: removing a
    folder ends what is mounted over it, in every namespace.
    """
    with locked("fixed-paths", waiting="it starts a cluster"):
        if any_supervisor_runs():
            return
        for path in _FIXED.values():
            with contextlib.suppress(OSError):  # something else lives there
                path.rmdir()


def choose_snapshotter(home: Path) -> str:
    """Layers need overlay, which does not lie upon another overlay (a container's own disk)."""
    kind = run("stat", "--file-system", "--format", "%T", home).strip()
    return "native" if kind == "overlayfs" else "overlayfs"


def remove_cgroups(home: Path) -> None:
    """Those of the cluster's containers, under each controller, once their processes have ended."""
    for parent in (_CGROUPS / _POD_GROUP, *_CGROUPS.glob(f"*/{_POD_GROUP}")):
        for container in find_containers(home):
            _remove_cgroup(parent / container)
        with contextlib.suppress(OSError):  # another cluster's containers are in it
            parent.rmdir()


def find_containers(home: Path) -> list[str]:
    """The names of all containers and sandboxes that the cluster still keeps record of."""
    records = home / "containerd" / "io.containerd.grpc.v1.cri"
    return [path.name for kind in ("containers", "sandboxes") for path in records.glob(f"{kind}/*")]


def _remove_cgroup(group: Path) -> None:
    for _ in range(100):
        if not group.exists():
            return
        for folder in sorted(group.rglob("*/"), reverse=True):
            with contextlib.suppress(OSError):  # it still ends
                folder.rmdir()
        with contextlib.suppress(OSError):
            group.rmdir()
            return
        time.sleep(0.05)
    raise LocalClusterError(f"the control group {group} cannot be removed: it is in use")
