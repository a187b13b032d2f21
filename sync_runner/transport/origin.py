"""The origin of an address, to which a client and its credentials are bound."""

import re
from dataclasses import dataclass
from ipaddress import IPv6Address
from urllib.parse import SplitResult, urlsplit

from sync_runner.network.hosts import Endpoint

_PORTS = {"http": 80, "https": 443}
_HOST_NAME = re.compile(
    r"[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?(\.[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?)*\.?"
)


@dataclass(frozen=True)
class Origin:
    """Scheme, host and port."""

    scheme: str
    host: str
    port: int

    @property
    def authority(self) -> str:
        """Host, and the port where it is not the scheme's own; as in the Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def endpoint(self) -> Endpoint:
        """The host and port of its connections."""
        return Endpoint(
            self.host,
            self.port,
            name=self.authority,
            protocol=self.scheme,
            is_encrypted=self.scheme == "https",
        )

    @property
    def url(self) -> str:
        """The origin as the beginning of an address, without a slash at its end."""
        return f"{self.scheme}://{self.authority}"


def parse_origin(url: str) -> Origin:
    """The origin of an absolute address. Raises ValueError with a sentence that contains no part
    of the address."""
    if "\\" in url or not url.isascii():
        raise ValueError("An address must be ASCII without backslashes.")
    parts = urlsplit(url)
    if parts.scheme not in _PORTS:
        raise ValueError("An address must begin with https:// or http://.")
    if parts.username is not None or parts.password is not None:
        raise ValueError("An address must not contain a user name or password.")
    return Origin(parts.scheme, _parse_host(parts), _parse_port(parts))


def _parse_port(parts: SplitResult) -> int:
    """An absent or empty port is the scheme's default; port 0 is not valid."""
    try:
        port = parts.port
    except ValueError:
        port = 0
    if port == 0:
        raise ValueError("The port of an address must be between 1 and 65535.")
    return _PORTS[parts.scheme] if port is None else port


def _parse_host(parts: SplitResult) -> str:
    host = (parts.hostname or "").rstrip(".")
    if ":" in host:
        return str(IPv6Address(host))
    if len(host) > 253 or not _HOST_NAME.fullmatch(host):
        raise ValueError("An address must contain one host name or IP address.")
    return host
