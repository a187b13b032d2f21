"""Speaks to the containerd of a cluster, through the cluster's own mounts."""

import tempfile
from pathlib import Path

from dev.localcluster.commands import run
from dev.localcluster.containment import choose_snapshotter
from dev.localcluster.control import find_supervisor
from dev.localcluster.errors import LocalClusterError
from dev.localcluster.layout import CONTAINERD_SOCKET
from dev.localcluster.loading import find_layers, write_partial
from dev.localcluster.readiness import wait_until


def wait_for_containerd(home: Path) -> None:
    """Until it answers."""
    log = home / "logs" / "containerd.log"
    wait_until(lambda: _ctr_ready(home), what="containerd", log=log, timeout_s=60)


def import_image(home: Path, archive: Path) -> None:
    """Gives the node the image of an archive, without the layers that it has."""
    stored = {line.removeprefix("sha256:") for line in _ctr(home, "content", "ls", "-q").split()}
    present = stored.intersection(find_layers(archive))
    with tempfile.TemporaryDirectory(prefix="load-", dir=home) as folder:
        if present:
            partial = Path(folder) / "partial.tar"
            write_partial(archive, present=present, into=partial)
            archive = partial
        snapshotter = choose_snapshotter(home)
        _ctr(home, "images", "import", "--snapshotter", snapshotter, "-", stdin=archive)


def _ctr_ready(home: Path) -> None:
    _ctr(home, "version")


def _ctr(home: Path, *args: str, stdin: Path | None = None) -> str:
    pid = find_supervisor(home)
    if pid is None:
        raise LocalClusterError(f"the cluster in {home} does not run")
    return run(
        *("nsenter", "--target", str(pid), "--mount", "ctr", "--address", CONTAINERD_SOCKET),
        *("--namespace", "k8s.io", *args),
        stdin=stdin,
        timeout_s=300,
    )
