"""From a REST source's spec to a client and the first request of a stream: origin, authentication,
rate, TLS and address."""

import json
from collections.abc import Collection
from typing import Any
from urllib.parse import urlsplit

from external_data_operator.api.conditions import Reason
from external_data_operator.api.plan import NetworkPolicy
from external_data_operator.api.sources.rest import EmptyBody, RestSource, RestStream

from sync_runner.errors import ConfigurationError
from sync_runner.network.hosts import build_rules
from sync_runner.network.sockets import build_tls
from sync_runner.protocols import Clock, Credentials, IsStopped
from sync_runner.records.lone import Expected
from sync_runner.transport.auths import build_auth
from sync_runner.transport.auths.context import AuthContext
from sync_runner.transport.client import Client, ClientSettings
from sync_runner.transport.exchange import AttemptLimits
from sync_runner.transport.messages import Request
from sync_runner.transport.origin import Origin, parse_origin


def open_client(
    rest: RestSource,
    network: NetworkPolicy,
    *,
    credentials: Credentials,
    clock: Clock,
    is_stopped: IsStopped,
    limits: AttemptLimits | None = None,
) -> Client:
    """A client of `baseUrl`; reads the credentials. Raises ConfigurationError."""
    ca = rest.tls.ca if rest.tls is not None else None
    authorities = credentials.certificate(ca) if ca is not None else None
    rules = build_rules(network.private_cidrs)

    def open_origin(origin: Origin, **more: Any) -> Client:
        tls = build_tls(authorities, alpn=["http/1.1"]) if origin.scheme == "https" else None
        settings = ClientSettings(origin, rules, tls, limits=limits or AttemptLimits(), **more)
        return Client(settings, clock=clock, is_stopped=is_stopped)

    context = AuthContext(credentials, lambda url: open_origin(_parse_origin(url, "auth")))
    return open_origin(
        find_origin(rest),
        headers=rest.headers,
        auth=build_auth(rest.auth, context),
        per_second=rest.rate.requests_per_second if rest.rate is not None else None,
    )


def find_origin(rest: RestSource) -> Origin:
    """The origin of `baseUrl`; ConfigurationError if it is not valid."""
    return _parse_origin(rest.base_url, "baseUrl")


def _parse_origin(url: str, field: str) -> Origin:
    try:
        return parse_origin(url)
    except ValueError as error:
        raise ConfigurationError(Reason.INVALID_SPEC, f"{field}: {error}") from error


def build_request(stream: RestStream, url: str) -> Request:
    """The request for a stream at this address."""
    body = b"" if stream.body is None else json.dumps(stream.body).encode()
    return Request(stream.method.value, url, body=body)


def build_address(rest: RestSource, stream: RestStream) -> str:
    """The stream's address, without query."""
    base = urlsplit(rest.base_url).path.rstrip("/")
    return f"{find_origin(rest).url}{base}/{stream.path.lstrip('/')}"


def expect_rows(
    stream: RestStream, stated: Collection[str], *, known: Collection[str] = ()
) -> Expected:
    """What distinguishes the rows of a stream from other bodies. `stated`: fields that every row
    should have; `known`: fields of its rows before this run."""
    return Expected(
        stated=frozenset(stated),
        known=frozenset(known),
        nothing_is_empty=stream.empty_body is EmptyBody.EMPTY_PAGE,
        paginates=stream.pagination.none is None,
    )


def get_stream(rest: RestSource, name: str) -> RestStream:
    """The stream of that name; ConfigurationError(StreamNotFound)."""
    for stream in rest.streams:
        if stream.name == name:
            return stream
    message = f"The source has no stream {name}. Correct the stream of the schema, or add it."
    raise ConfigurationError(Reason.STREAM_NOT_FOUND, message)
