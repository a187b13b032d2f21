"""The two addresses of a cluster: the host's end of a virtual cable, and the node's.

Each cluster has a subnet of four addresses of its own out of 172.31.0.0/16, so that clusters run
side by side. The cable ends with the cluster's network namespace.
"""

import hashlib
import ipaddress
import json
from collections.abc import Iterable
from dataclasses import dataclass

from dev.localcluster.cache import locked
from dev.localcluster.commands import run
from dev.localcluster.errors import CommandFailedError, LocalClusterError

_BLOCK = ipaddress.ip_network("172.31.0.0/16")
_NARROW = 20
"""Wider networks than this, as a cloud's 172.31.0.0/16 is, do not count as taken."""


@dataclass(frozen=True)
class Addresses:
    """`host` is where pods reach this machine, `node` where this machine reaches the cluster."""

    host: str
    node: str


def link_name(cluster: str) -> str:
    """The host's end of the cable; the kernel allows 15 characters."""
    return "edlc-" + hashlib.sha256(cluster.encode()).hexdigest()[:8]


def find_free_subnet(taken: Iterable[str]) -> Addresses:
    """The first subnet that overlaps none of the networks in use."""
    used = [
        network
        for network in (ipaddress.ip_network(text, strict=False) for text in taken)
        if isinstance(network, ipaddress.IPv4Network) and network.prefixlen >= _NARROW
    ]
    for number in range(256):
        subnet = ipaddress.IPv4Network((int(_BLOCK.network_address) + 256 * number, 30))
        if not any(subnet.overlaps(network) for network in used):
            host, node = subnet.hosts()
            return Addresses(host=str(host), node=str(node))
    raise LocalClusterError(
        f"every subnet of {_BLOCK} is in use: end a cluster that you do not need"
    )


def connect(cluster: str, *, pid: int) -> Addresses:
    """Lays the cable between this machine and the network namespace of that process."""
    link = link_name(cluster)
    with locked("subnets", waiting="it chooses a subnet"):
        addresses = find_free_subnet(_networks_in_use())
        run("ip", "link", "add", link, "type", "veth", "peer", "name", "eth0", "netns", str(pid))
        run("ip", "address", "add", f"{addresses.host}/30", "dev", link)
    run("ip", "link", "set", link, "up")
    inside = ("nsenter", "--target", str(pid), "--net")
    run(*inside, "ip", "link", "set", "lo", "up")
    run(*inside, "ip", "address", "add", f"{addresses.node}/30", "dev", "eth0")
    run(*inside, "ip", "link", "set", "eth0", "up")
    run(*inside, "ip", "route", "add", "default", "via", addresses.host)
    run(*inside, "sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward")
    return addresses


def disconnect(cluster: str) -> None:
    """Takes the cable away at once; without this the kernel does so a little later."""
    try:
        run("ip", "link", "delete", link_name(cluster))
    except CommandFailedError as error:
        if "Cannot find device" not in error.stderr:
            raise


def _networks_in_use() -> list[str]:
    routes = json.loads(run("ip", "-json", "-4", "route", "show", "table", "all") or "[]")
    return [route["dst"] for route in routes if route["dst"] != "default"]
