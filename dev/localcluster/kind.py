"""A cluster of kind, where Docker answers; Linux, whose containers reach the machine at a gateway.

Written from kind's documentation and kept small: the project's own machines have no Docker engine,
so this backend is not covered by a test.
"""

import json
from pathlib import Path

from dev.localcluster.announce import announce
from dev.localcluster.commands import run, run_announced
from dev.localcluster.control import find_supervisor
from dev.localcluster.endpoints import Endpoints
from dev.localcluster.errors import LocalClusterError
from dev.localcluster.given import find_clients
from dev.localcluster.s3_beside import end_s3, start_s3

DESCRIPTION = "kind"


def start(name: str, home: Path) -> Endpoints:
    """A cluster of one node, and an S3 server on the gateway of kind's network."""
    kubeconfig = home / "kubeconfig"
    run_announced(
        *("kind", "create", "cluster", "--name", _kind_name(name)),
        *("--kubeconfig", kubeconfig, "--wait", "120s"),
        what="creating a cluster with kind",
    )
    kubectl, helm = find_clients()
    address = _find_gateway()
    announce(f"starting the S3 server on {address}")
    return Endpoints(
        name=name,
        backend="kind",
        kubeconfig=str(kubeconfig),
        kubectl=kubectl,
        helm=helm,
        host_address=address,
        node_address="127.0.0.1",
        s3=start_s3(home, address=address),
    )


def is_running(endpoints: Endpoints, home: Path) -> bool:
    """Whether kind knows it and its S3 server runs."""
    clusters = run("kind", "get", "clusters").split()
    return _kind_name(endpoints.name) in clusters and find_supervisor(home) is not None


def remove(name: str, home: Path) -> None:
    """Ends both."""
    end_s3(home)
    run("kind", "delete", "cluster", "--name", _kind_name(name))


def load_image(endpoints: Endpoints, home: Path, archive: Path) -> None:
    """Through kind."""
    run("kind", "load", "image-archive", archive, "--name", _kind_name(endpoints.name))


def _kind_name(name: str) -> str:
    return f"external-data-{name}"


def _find_gateway() -> str:
    found = run("docker", "network", "inspect", "kind", "--format", "{{json .IPAM.Config}}")
    for block in json.loads(found):
        gateway = str(block.get("Gateway", ""))
        if "." in gateway:
            return gateway
    raise LocalClusterError("kind's network has no IPv4 gateway, where pods could reach the bucket")
