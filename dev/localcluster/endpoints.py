"""What a running cluster offers, kept as a file beside it so that other processes find it."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from dev.localcluster.s3 import S3Access

_FILE = "cluster.json"


@dataclass(frozen=True)
class Endpoints:
    """Paths and addresses; `host_address` is this machine as pods see it."""

    name: str
    backend: str
    kubeconfig: str
    kubectl: str
    helm: str
    host_address: str
    node_address: str
    s3: S3Access

    def as_json(self) -> str:
        return json.dumps(asdict(self), indent=2)


def write_endpoints(home: Path, endpoints: Endpoints) -> None:
    """Last of all when a cluster starts: the file says that everything is there."""
    path = home / _FILE
    draft = path.with_suffix(".draft")
    draft.touch(mode=0o600)
    draft.write_text(endpoints.as_json())
    draft.rename(path)


def find_endpoints(home: Path) -> Endpoints | None:
    """Those of a cluster that came up, whether or not it still runs."""
    try:
        content = json.loads((home / _FILE).read_text())
    except (FileNotFoundError, NotADirectoryError):
        return None
    return Endpoints(**{**content, "s3": S3Access(**content["s3"])})
