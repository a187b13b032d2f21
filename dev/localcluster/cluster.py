"""A cluster as tests and the demo see it: start, talk to, disturb, end.

Clusters have names; several run side by side, each in a folder of its own in the cache.
"""

import contextlib
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from dev.localcluster import given, plain
from dev.localcluster.announce import announce
from dev.localcluster.backends import BACKENDS, choose_backend
from dev.localcluster.cache import cache_root, locked
from dev.localcluster.commands import run
from dev.localcluster.control import request
from dev.localcluster.endpoints import Endpoints, find_endpoints, write_endpoints
from dev.localcluster.errors import LocalClusterError
from dev.localcluster.images import Images, find_or_build_images
from dev.localcluster.node_store import prepare_store
from dev.localcluster.readiness import wait_for_apiserver
from dev.localcluster.s3 import S3Access

DEFAULT_NAME = "demo"
_NAME = re.compile(r"[a-z][a-z0-9-]{0,30}")


class LocalCluster:
    """One running cluster."""

    def __init__(self, endpoints: Endpoints, home: Path) -> None:
        self.endpoints = endpoints
        self.home = home

    @classmethod
    def up(cls, name: str = DEFAULT_NAME) -> "LocalCluster":
        """The cluster of that name, started if it does not run."""
        with _locked(name):
            running = cls.find(name)
            if running is not None:
                return running
            _remove(name)
            backend = choose_backend()
            announce(f"cluster {name}: {BACKENDS[backend].DESCRIPTION}")
            home = home_of(name)
            home.mkdir(parents=True)
            (home / "backend").write_text(backend)
            try:
                endpoints = BACKENDS[backend].start(name, home)
            except BaseException:
                _keep_logs(name)
                _remove(name)
                raise
            write_endpoints(home, endpoints)
            return cls(endpoints, home)

    @classmethod
    def find(cls, name: str) -> "LocalCluster | None":
        """The cluster of that name, if it runs."""
        home = home_of(name)
        endpoints = find_endpoints(home)
        if endpoints is None or not BACKENDS[endpoints.backend].is_running(endpoints, home):
            return None
        return cls(endpoints, home)

    def down(self) -> None:
        """Ends it; nothing of it is left."""
        end(self.endpoints.name)

    @property
    def kubeconfig(self) -> Path:
        """The administrator's."""
        return Path(self.endpoints.kubeconfig)

    @property
    def kubectl_path(self) -> Path:
        return Path(self.endpoints.kubectl)

    @property
    def helm_path(self) -> Path:
        return Path(self.endpoints.helm)

    @property
    def host_address(self) -> str:
        """This machine as pods see it; test servers listen there."""
        return self.endpoints.host_address

    @property
    def s3(self) -> S3Access:
        """The bucket, at an address for pods and for this machine."""
        return self.endpoints.s3

    def kubectl(self, *args: str, stdin: str | None = None, timeout_s: float = 120.0) -> str:
        """Its stdout; CommandFailedError carries what it said otherwise."""
        path = self.endpoints.kubectl
        return run(path, "--kubeconfig", self.kubeconfig, *args, stdin=stdin, timeout_s=timeout_s)

    def helm(self, *args: str, stdin: str | None = None, timeout_s: float = 300.0) -> str:
        """Its stdout; CommandFailedError carries what it said otherwise."""
        path = self.endpoints.helm
        return run(path, "--kubeconfig", self.kubeconfig, *args, stdin=stdin, timeout_s=timeout_s)

    def load_image(self, archive: Path) -> None:
        """Gives the nodes the images of an archive in the form of `docker save`."""
        BACKENDS[self.endpoints.backend].load_image(self.endpoints, self.home, archive)

    def images(self) -> Images:
        """Builds the operator's and the runner's image from the source as it is, and loads them.

        For a cluster that runs elsewhere: those that its environment variables name.
        """
        if self.endpoints.backend == "given":
            return Images(**given.find_named_images(), archives={})
        images = find_or_build_images()
        for name, archive in images.archives.items():
            mark = self.home / "loaded" / name.replace("/", "_")
            if not mark.exists():
                announce(f"loading {name}")
                self.load_image(archive)
                mark.parent.mkdir(exist_ok=True)
                mark.touch()
        if self.endpoints.backend == "plain":
            prepare_store(images.archives.values())
        return images

    def pause_apiserver(self) -> None:
        """It keeps its connections and answers nothing, like a machine that hangs."""
        self._signal_apiserver("SIGSTOP")

    def resume_apiserver(self) -> None:
        """Ends a pause."""
        self._signal_apiserver("SIGCONT")

    def restart_apiserver(self, *flags: str) -> None:
        """Ends it and starts it anew, with these flags on top of the usual ones, until ready."""
        self._require_plain()
        request(self.home, "stop", name="kube-apiserver", grace_s=2.0)
        site = plain.site_of(self.endpoints, self.home)
        plain.start_program(site, "kube-apiserver", extra=flags)
        wait_for_apiserver(site)

    def _signal_apiserver(self, signal: str) -> None:
        self._require_plain()
        request(self.home, "signal", name="kube-apiserver", signal=signal)

    def _require_plain(self) -> None:
        if self.endpoints.backend != "plain":
            raise LocalClusterError("only a cluster of plain processes can be disturbed like this")


def home_of(name: str) -> Path:
    """The folder of the cluster of that name."""
    if _NAME.fullmatch(name) is None:
        raise LocalClusterError(
            f"{name!r} is no name for a cluster: use small letters, digits and hyphens, at most 31"
        )
    return cache_root() / "clusters" / name


def all_names() -> list[str]:
    """Of all clusters that left a trace here, running or not."""
    homes = cache_root() / "clusters"
    return sorted(path.name for path in homes.iterdir()) if homes.exists() else []


def end(name: str) -> bool:
    """Ends the cluster of that name in whatever state it is; says whether there was one."""
    with _locked(name):
        existed = home_of(name).exists()
        _remove(name)
    return existed


def _remove(name: str) -> None:
    home = home_of(name)
    if not home.exists():
        return
    marker = home / "backend"
    backend = marker.read_text() if marker.exists() else "plain"
    BACKENDS[backend].remove(name, home)
    shutil.rmtree(home)


def _keep_logs(name: str) -> None:
    """For the person who looks why a start failed; the next failure replaces them."""
    kept = cache_root() / f"failed-{name}"
    shutil.rmtree(kept, ignore_errors=True)
    logs = home_of(name) / "logs"
    if logs.exists():
        logs.rename(kept)
        announce(f"the logs are in {kept}")


@contextlib.contextmanager
def _locked(name: str) -> Iterator[None]:
    home_of(name)
    with locked(f"cluster-{name}", waiting=f"it starts or ends cluster {name}"):
        yield
