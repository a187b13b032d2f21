"""The three ways to have a cluster, and which one is taken here."""

import os
import shutil
from pathlib import Path
from typing import Protocol

from dev.localcluster import given, kind, plain
from dev.localcluster.commands import run
from dev.localcluster.endpoints import Endpoints
from dev.localcluster.errors import LocalClusterError


class Backend(Protocol):
    """One way; each is a module."""

    DESCRIPTION: str

    def start(self, name: str, home: Path) -> Endpoints:
        """A cluster that is ready, in an empty folder of its own."""

    def is_running(self, endpoints: Endpoints, home: Path) -> bool:
        """Whether it still answers."""

    def remove(self, name: str, home: Path) -> None:
        """Ends it, in whatever state it is, and leaves nothing but the folder."""

    def load_image(self, endpoints: Endpoints, home: Path, archive: Path) -> None:
        """Gives its nodes the images of an archive."""


BACKENDS: dict[str, Backend] = {"given": given, "kind": kind, "plain": plain}


def choose_backend() -> str:
    """The cluster that a person named; else kind where it can work; else plain processes."""
    if os.environ.get(given.VARIABLE):
        return "given"
    if shutil.which("kind") and _docker_answers():
        return "kind"
    return "plain"


def _docker_answers() -> bool:
    if shutil.which("docker") is None:
        return False
    try:
        run("docker", "version", "--format", "{{.Server.Version}}", timeout_s=10)
    except LocalClusterError:
        return False
    return True
