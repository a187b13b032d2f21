"""The inputs of an authentication besides its spec."""

from collections.abc import Callable
from dataclasses import dataclass

from sync_runner.protocols import Credentials
from sync_runner.transport.client import Client


@dataclass(frozen=True)
class AuthContext:
    """Credentials, and a client for servers that issue tokens."""

    credentials: Credentials
    open_client: Callable[[str], Client]
    """A client of the origin of an address, under the run's own rules for hosts and TLS and without
    an authentication: for tokens that another server hands out."""
