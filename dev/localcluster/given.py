"""A cluster that runs already, named by `EXTERNAL_DATA_KUBECONFIG`; it is not started or ended.

Its pods must reach this machine, or the bucket that the `EXTERNAL_DATA_S3_*` variables name. Images
have to be where it finds them, under the names in the `EXTERNAL_DATA_*_IMAGE` variables.
"""

import os
import shutil
import socket
from pathlib import Path
from urllib.parse import urlsplit

from dev.localcluster.binaries import find_or_build_binaries
from dev.localcluster.commands import run
from dev.localcluster.control import find_supervisor
from dev.localcluster.endpoints import Endpoints
from dev.localcluster.errors import LocalClusterError
from dev.localcluster.s3 import S3Access
from dev.localcluster.s3_beside import end_s3, start_s3

DESCRIPTION = "the cluster that EXTERNAL_DATA_KUBECONFIG names"
VARIABLE = "EXTERNAL_DATA_KUBECONFIG"
IMAGE_VARIABLES = {
    "operator": "EXTERNAL_DATA_OPERATOR_IMAGE",
    "runner": "EXTERNAL_DATA_RUNNER_IMAGE",
}
_S3_VARIABLES = {
    "endpoint": "EXTERNAL_DATA_S3_ENDPOINT",
    "access_key": "EXTERNAL_DATA_S3_ACCESS_KEY",
    "secret_key": "EXTERNAL_DATA_S3_SECRET_KEY",
    "bucket": "EXTERNAL_DATA_S3_BUCKET",
}


def start(name: str, home: Path) -> Endpoints:
    """Asks the cluster for its version and starts an S3 server unless one is named."""
    kubeconfig = Path(os.environ[VARIABLE]).expanduser().absolute()
    if not kubeconfig.is_file():
        raise LocalClusterError(f"{VARIABLE} names {kubeconfig}, which is no file")
    kubectl, helm = find_clients()
    server = run(
        *(kubectl, "--kubeconfig", kubeconfig, "config", "view", "--minify"),
        *("--output", "jsonpath={.clusters[0].cluster.server}"),
    )
    run(kubectl, "--kubeconfig", kubeconfig, "version", "--request-timeout=10s")
    address = find_own_address(server)
    return Endpoints(
        name=name,
        backend="given",
        kubeconfig=str(kubeconfig),
        kubectl=kubectl,
        helm=helm,
        host_address=address,
        node_address=urlsplit(server).hostname or "",
        s3=_named_s3() or start_s3(home, address=address),
    )


def is_running(endpoints: Endpoints, home: Path) -> bool:
    """Whether it is still the one that is named, and its S3 server runs."""
    named = os.environ.get(VARIABLE)
    if named is None or Path(named).expanduser().absolute() != Path(endpoints.kubeconfig):
        return False
    return _named_s3() is not None or find_supervisor(home) is not None


def remove(name: str, home: Path) -> None:
    """Ends the S3 server, if it is ours."""
    end_s3(home)


def load_image(endpoints: Endpoints, home: Path, archive: Path) -> None:
    """Not possible from here."""
    raise LocalClusterError(
        f"{archive.name} cannot be loaded into a cluster that runs elsewhere: push it to a "
        "registry that the cluster reaches"
    )


def find_named_images() -> dict[str, str]:
    """The operator's and the runner's image, as a person named them."""
    found = {part: os.environ.get(variable, "") for part, variable in IMAGE_VARIABLES.items()}
    missing = [IMAGE_VARIABLES[part] for part, name in found.items() if not name]
    if missing:
        raise LocalClusterError(
            "a cluster that runs elsewhere gets its images from a registry: build the Dockerfile's "
            f"two targets, push them, and name them in {' and '.join(missing)}"
        )
    return found


def find_clients() -> tuple[str, str]:
    """kubectl and helm: those that are installed, or else ours."""
    kubectl, helm = shutil.which("kubectl"), shutil.which("helm")
    if kubectl and helm:
        return kubectl, helm
    binaries = find_or_build_binaries()
    return str(binaries / "kubectl"), str(binaries / "helm")


def find_own_address(server: str) -> str:
    """The address of this machine that faces that server."""
    url = urlsplit(server)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect((url.hostname, url.port or 443))
        return str(probe.getsockname()[0])


def _named_s3() -> S3Access | None:
    found = {field: os.environ.get(name, "") for field, name in _S3_VARIABLES.items()}
    if not any(found.values()):
        return None
    missing = [_S3_VARIABLES[field] for field, value in found.items() if not value]
    if missing:
        raise LocalClusterError(f"the bucket is named in part only: set {', '.join(missing)} too")
    return S3Access(**found)
