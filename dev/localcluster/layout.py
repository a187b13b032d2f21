"""Where one cluster of plain processes lives: its folders, its programs, its two addresses."""

from dataclasses import dataclass
from pathlib import Path

CONTAINERD_SOCKET = "/run/containerd/containerd.sock"
"""Inside the cluster's own mounts; the machine's containerd is never spoken to."""
NODE = "node"


@dataclass(frozen=True)
class Site:
    """`home` is the cluster's folder, `binaries` the built programs."""

    name: str
    home: Path
    binaries: Path
    host: str
    node: str

    @property
    def pki(self) -> Path:
        return self.home / "pki"

    @property
    def configs(self) -> Path:
        return self.home / "configs"

    @property
    def kubeconfig(self) -> Path:
        """The administrator's."""
        return self.home / "kubeconfig"
