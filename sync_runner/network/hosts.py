"""Which hosts may be reached: only addresses that are public or opened by the operator.

The rules apply to addresses, so that they hold for whatever a name resolves to at the time of
connecting. The list follows IANA's registries of special-purpose addresses; it is written out
because the result of the standard library's `is_global` differs between patch releases.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

from external_data_operator.api.conditions import Reason

from sync_runner.errors import ConfigurationError

_SPECIAL_V4 = tuple(
    IPv4Network(net)
    for net in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",
        "100.64.0.0/10",  # carrier-grade NAT
        "127.0.0.0/8",
        "169.254.0.0/16",  # link-local, and the clouds' metadata
        "172.16.0.0/12",
        "192.0.0.0/24",  # protocol assignments
        "192.0.2.0/24",  # documentation
        "192.88.99.0/24",  # relays of 6to4
        "192.168.0.0/16",
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, broadcast
    )
)
_GLOBAL_V6 = IPv6Network("2000::/3")
_SPECIAL_V6 = tuple(
    IPv6Network(net)
    for net in (
        "2001::/23",  # protocol assignments: Teredo, ORCHID, benchmarks
        "2001:db8::/32",  # documentation
        "3fff::/20",  # documentation
    )
)
_NAT64 = IPv6Network("64:ff9b::/96")
_SIX_TO_FOUR = IPv6Network("2002::/16")


@dataclass(frozen=True)
class Endpoint:
    """A host and port to connect to, with the facts that rules and messages need."""

    host: str
    port: int
    name: str
    """Its name in messages."""
    protocol: str
    """The protocol's name in messages."""
    is_encrypted: bool
    """Whether connections use TLS."""


@dataclass(frozen=True)
class AddressRules:
    """Which addresses may be connected to."""

    private: tuple[IPv4Network | IPv6Network, ...] = ()

    def allows(self, address: str, *, is_encrypted: bool) -> bool:
        """Public addresses by TLS; addresses of the opened private networks without it too."""
        ip = ip_address(address.partition("%")[0])
        inner = _find_inner(ip)
        private = is_special(ip)
        if private and any(_is_in(ip, net) or _is_in(inner, net) for net in self.private):
            return True
        return is_encrypted and not private


def build_rules(private_cidrs: Sequence[str]) -> AddressRules:
    """Rules that open these networks; ConfigurationError where one is not a network."""
    try:
        return AddressRules(tuple(ip_network(cidr, strict=False) for cidr in private_cidrs))
    except ValueError as error:
        message = (
            "The operator's setting allowPrivateHosts contains an entry that is not a network. "
            "Write each one in CIDR notation, such as 10.0.0.0/8."
        )
        raise ConfigurationError(Reason.INVALID_SPEC, message) from error


def is_special(ip: IPv4Address | IPv6Address) -> bool:
    """Whether an address, or the IPv4 address inside it, is anything but a public unicast one."""
    inner = _find_inner(ip)
    if inner is not None:
        return is_special(inner)
    if isinstance(ip, IPv4Address):
        return any(ip in net for net in _SPECIAL_V4)
    return ip not in _GLOBAL_V6 or any(ip in net for net in _SPECIAL_V6)


def _find_inner(ip: IPv4Address | IPv6Address) -> IPv4Address | None:
    """The IPv4 address that a mapped, NAT64 or 6to4 address leads to."""
    if isinstance(ip, IPv4Address):
        return None
    if ip.ipv4_mapped is not None:
        return ip.ipv4_mapped
    if ip in _NAT64:
        return IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip.sixtofour if ip in _SIX_TO_FOUR else None


def _is_in(ip: IPv4Address | IPv6Address | None, net: IPv4Network | IPv6Network) -> bool:
    return ip is not None and ip.version == net.version and ip in net
