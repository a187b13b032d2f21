"""Opens connections to addresses that the rules allow.

A name is resolved once, each address is checked, and the socket connects to the checked address, so
that a name whose address changes in between (DNS rebinding) gains nothing. The certificate is
checked against the name. Proxies of the environment are ignored.
"""

import socket
import ssl
import time
from collections.abc import Sequence

from external_data_operator.api.conditions import Reason

from sync_runner.errors import ConfigurationError
from sync_runner.network.failures import ConnectError
from sync_runner.network.hosts import AddressRules, Endpoint

Socket = socket.socket
"""The type of the sockets that are opened here."""
_SETTING = (
    "the operator's setting allowPrivateHosts (on the command line: option --allow-private-host)"
)


def build_tls(authorities: str | None, *, alpn: Sequence[str] = ()) -> ssl.SSLContext:
    """Trusts the machine's authorities, or only those of a PEM bundle; `alpn` names the protocols
    to agree on, the best first. ConfigurationError if the bundle contains no certificates."""
    try:
        if authorities is not None and not authorities.strip():
            raise ValueError("an empty bundle")
        context = ssl.create_default_context(cadata=authorities)
    except (ssl.SSLError, ValueError) as error:
        message = "tls.ca contains no certificates in PEM format. Correct the Secret or ConfigMap."
        raise ConfigurationError(Reason.INVALID_SPEC, message) from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if alpn:
        context.set_alpn_protocols(list(alpn))
    return context


def require_all_allowed(endpoint: Endpoint, rules: AddressRules) -> None:
    """For a host that others connect to, who choose among its addresses themselves.

    Raises ConnectError, ConfigurationError(HostNotAllowed).
    """
    addresses = _resolve(endpoint)
    if len(_find_allowed(endpoint, rules, addresses)) < len(addresses):
        message = (
            f"Host {endpoint.name} is refused: one of its addresses is not public. To allow it, "
            f"add its network to {_SETTING}."
        )
        raise ConfigurationError(Reason.HOST_NOT_ALLOWED, message)


def open_socket(
    endpoint: Endpoint, rules: AddressRules, tls: ssl.SSLContext | None, connect_s: float
) -> Socket:
    """A connected socket, through TLS from its first byte if the endpoint wants that. Raises
    ConnectError, ConfigurationError(HostNotAllowed)."""
    deadline = time.monotonic() + connect_s
    plain = connect(endpoint, rules, connect_s)
    if not endpoint.is_encrypted:
        return plain
    assert tls is not None, "TLS needs a context"
    return wrap_tls(plain, endpoint, tls, deadline - time.monotonic())


def connect(endpoint: Endpoint, rules: AddressRules, connect_s: float) -> Socket:
    """A connected socket without TLS, for protocols that agree on it later. Raises ConnectError,
    ConfigurationError(HostNotAllowed)."""
    deadline = time.monotonic() + connect_s
    addresses = _find_allowed(endpoint, rules, _resolve(endpoint))
    plain = _connect(addresses, endpoint.port, deadline)
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return plain


def wrap_tls(plain: Socket, endpoint: Endpoint, tls: ssl.SSLContext, handshake_s: float) -> Socket:
    """The same connection through TLS, with a certificate of the endpoint's host. Closes it and
    raises ConnectError where that fails."""
    try:
        plain.settimeout(max(0.001, handshake_s))
        return tls.wrap_socket(plain, server_hostname=endpoint.host)
    except ssl.SSLCertVerificationError as error:
        plain.close()
        message = (
            f"The server's certificate is not trusted ({error.verify_message}). If a private "
            "authority issued it, set tls.ca."
        )
        raise ConnectError(message, final=True) from error
    except TimeoutError as error:
        plain.close()
        raise ConnectError("The TLS handshake did not finish in time.") from error
    except ssl.SSLError as error:
        plain.close()
        raise ConnectError(f"The TLS handshake failed ({describe_tls(error)}).") from error
    except OSError as error:
        plain.close()
        message = "The TLS handshake failed (the server closed the connection)."
        raise ConnectError(message) from error


def describe_tls(error: ssl.SSLError) -> str:
    """The alert or the fault, in OpenSSL's own words, which contain nothing that was sent."""
    if isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError):
        return "the server closed the connection"
    reason = error.reason or "no reason given"
    if reason in ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE"):
        return "the server does not use TLS on this port"
    if reason == "TLSV13_ALERT_CERTIFICATE_REQUIRED":
        return "the server requires a client certificate, which is not supported"
    return reason.lower().replace("_", " ")


def _resolve(endpoint: Endpoint) -> list[str]:
    """The addresses of a host, in the resolver's order; ConnectError where it has none."""
    try:
        found = socket.getaddrinfo(endpoint.host, endpoint.port, type=socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError) as error:
        raise ConnectError("The host name cannot be resolved.") from error
    return list(dict.fromkeys(str(sockaddr[0]) for *_, sockaddr in found))


def _find_allowed(endpoint: Endpoint, rules: AddressRules, addresses: list[str]) -> list[str]:
    """Those that may be connected to; ConfigurationError(HostNotAllowed) where there are none."""
    allowed = [a for a in addresses if rules.allows(a, is_encrypted=endpoint.is_encrypted)]
    if allowed:
        return allowed
    if not endpoint.is_encrypted:
        why = (
            f"plain {endpoint.protocol} is allowed only for private networks in {_SETTING}. "
            "Use TLS, or add its network if that is private."
        )
    else:
        why = f"its address is not public. To allow it, add its network to {_SETTING}."
    raise ConfigurationError(Reason.HOST_NOT_ALLOWED, f"Host {endpoint.name} is refused: {why}")


def _connect(addresses: list[str], port: int, deadline: float) -> Socket:
    """Tries each address in turn, each with its share of the time that is left."""
    failure: OSError | None = None
    for index, address in enumerate(addresses):
        share = (deadline - time.monotonic()) / (len(addresses) - index)
        try:
            return socket.create_connection((address, port), timeout=max(0.001, share))
        except OSError as error:
            failure = error
    raise ConnectError(_describe(failure)) from failure


def _describe(failure: OSError | None) -> str:
    if isinstance(failure, ConnectionRefusedError):
        return "The connection was refused."
    if isinstance(failure, TimeoutError):
        return "The connection was not established in time."
    return "The connection failed."
