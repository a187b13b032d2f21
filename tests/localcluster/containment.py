"""Keeps the cluster's traces out of the machine: mounts over what programs write by fixed paths,
and the control groups, which alone do not end with the processes in them.
"""

import contextlib
import time
from pathlib import Path

from tests.localcluster.commands import run
from tests.localcluster.errors import LocalClusterError

_CGROUPS = Path("/sys/fs/cgroup")
_CNI_CACHE = Path("/var/lib/cni")


def cover_fixed_paths(home: Path, *, pid: int) -> None:
    """In the mounts of that process only: containerd's and the kubelet's folders become its own."""
    inside = ("nsenter", "--target", str(pid), "--mount", "--uts")
    private = home / "cni"
    private.mkdir(exist_ok=True)
    _CNI_CACHE.mkdir(parents=True, exist_ok=True)
    run(*inside, "mount", "--bind", private, _CNI_CACHE)
    for folder in ("/run", "/var/log"):
        run(*inside, "mount", "-t", "tmpfs", "-o", "mode=0755", "localcluster", folder)
    run(*inside, "hostname", "node")


def choose_snapshotter(home: Path) -> str:
    """Layers need overlay, which does not lie upon another overlay (a container's own disk)."""
    kind = run("stat", "--file-system", "--format", "%T", home).strip()
    return "native" if kind == "overlayfs" else "overlayfs"


def remove_cgroups(name: str) -> None:
    """Takes away the control group of that name with all below it, under each controller."""
    groups = [_CGROUPS / name, *_CGROUPS.glob(f"*/{name}")]
    for group in groups:
        for _ in range(100):
            if not group.exists():
                break
            _remove_tree(group)
            if group.exists():
                time.sleep(0.05)
        else:
            raise LocalClusterError(f"the control group {group} cannot be removed: it is in use")


def remove_fixed_paths() -> None:
    """The one folder that had to be made to be covered, unless something else lives there."""
    with contextlib.suppress(OSError):
        _CNI_CACHE.rmdir()


def _remove_tree(group: Path) -> None:
    for folder in sorted(group.rglob("*/"), key=lambda path: len(path.parts), reverse=True):
        with contextlib.suppress(OSError):  # it still ends; the caller tries again
            folder.rmdir()
    with contextlib.suppress(OSError):
        group.rmdir()
