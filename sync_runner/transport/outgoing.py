"""Writes requests as bytes: target, head and body. Pure.

The lines of a head that are the same for every request are built once; a page costs one line and
its body.
"""

import re
from collections.abc import Iterable
from typing import NamedTuple
from urllib.parse import quote

from external_data_operator.api.conditions import Reason

from sync_runner.errors import ConfigurationError
from sync_runner.transport.bodies import ACCEPTED
from sync_runner.transport.messages import Headers, Request

TARGET_SAFE = "!$%&'()*+,-./:;=?@[]_~"
"""What RFC 3986 allows, and the brackets that many APIs want as they are."""
_TARGET = re.compile(
    r"/[A-Za-z0-9!$&'()*+,\-./:;=?@\[\]_~]*(?:%[0-9A-Fa-f]{2}[A-Za-z0-9!$&'()*+,\-./:;=?@\[\]_~]*)*"
)
_BARE_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_HEADER_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
_OURS = frozenset({"host", "content-length", "transfer-encoding", "connection", "accept-encoding"})
_DEFAULTS: Headers = (("Accept", "application/json"), ("User-Agent", "external-data-operator"))
_JSON = ("Content-Type", "application/json")


class RequestHead(NamedTuple):
    """Headers, and their lines as bytes."""

    headers: Headers
    lines: bytes
    has_type: bool
    """Whether the type of a body is among them."""


def build_head(authority: str, *groups: Iterable[tuple[str, str]]) -> RequestHead:
    """The head of requests to this authority; of headers of one name the last one is sent.

    ConfigurationError(InvalidSpec) if one cannot be sent.
    """
    headers = _merge((_DEFAULTS, *groups))
    ours = (("Host", authority), ("Accept-Encoding", ACCEPTED))
    text = "".join(f"{name}: {value}\r\n" for name, value in (*headers, *ours))
    has_type = any(name.lower() == "content-type" for name, _ in headers)
    return RequestHead(headers, text.encode("latin-1"), has_type)


def add_type(request: Request, head: RequestHead) -> Headers:
    """The head's headers, and the type of the request's body if they lack it."""
    return head.headers if head.has_type or not request.body else (*head.headers, _JSON)


def write_request(request: Request, target: str, head: RequestHead) -> bytes:
    """All bytes of a request; of its own headers only those in the head are sent."""
    begin = f"{request.method} {target} HTTP/1.1\r\n".encode("latin-1") + head.lines
    if request.body:
        name = "" if head.has_type else "Content-Type: application/json\r\n"
        length = f"{name}Content-Length: {len(request.body)}\r\n\r\n"
        return begin + length.encode("latin-1") + request.body
    return begin + (b"Content-Length: 0\r\n\r\n" if request.method == "POST" else b"\r\n")


def spell_target(target: str) -> str:
    """Escapes characters that are not allowed in an address; existing escapes stay."""
    if _TARGET.fullmatch(target):
        return target
    whole = target.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return _BARE_PERCENT.sub("%25", quote(whole, safe=TARGET_SAFE))


def _merge(groups: Iterable[Iterable[tuple[str, str]]]) -> Headers:
    """Names are compared without case; the first spelling is kept."""
    merged: dict[str, tuple[str, str]] = {}
    for group in groups:
        for name, value in group:
            _require_sendable(name, value)
            first, _ = merged.get(name.lower(), (name, ""))
            merged[name.lower()] = (first, value)
    return tuple(merged.values())


def _require_sendable(name: str, value: str) -> None:
    if name.lower() in _OURS:
        message = f"headers: {name} is set by the runner. Remove it."
        raise ConfigurationError(Reason.INVALID_SPEC, message)
    if not _HEADER_NAME.fullmatch(name):
        message = "headers: a name contains characters that are not allowed in a header."
        raise ConfigurationError(Reason.INVALID_SPEC, message)
    if not _HEADER_VALUE.fullmatch(value):
        message = (
            f"headers: the value of {name} contains characters that are not allowed in a header."
        )
        raise ConfigurationError(Reason.INVALID_SPEC, message)
