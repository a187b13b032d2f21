"""What the REST server under test can answer, honestly or not."""

import gzip
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Reply:
    """One answer, and how it is put on the wire."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    chunked: bool = False
    unframed: bool = False
    """Neither a length nor chunks: the end of the connection ends the body."""
    sent_bytes: int | None = None
    """How many bytes of head and body are sent before the connection ends; None: all."""
    reset: bool = False
    """The connection ends with a reset instead of an orderly close."""
    piece_bytes: int = 0
    piece_pause_s: float = 0.0
    """Slow bytes: pieces of this size, with a pause before each."""
    silence_s: float = 0.0
    """A pause before the first byte."""
    close: bool = False
    raw: bytes | None = None
    """Sent as it is, instead of all the above."""


def ok(value: Any, **how: Any) -> Reply:
    """A JSON document."""
    return Reply(body=json.dumps(value, ensure_ascii=False).encode(), **how)


def status(code: int, **headers: str) -> Reply:
    """An error; `Retry_After` becomes `Retry-After`. Its body must never be seen in a message."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(code, b'{"error": "body-secret"}', named)


def redirect(location: str, code: int = 302) -> Reply:
    """Leads elsewhere."""
    return Reply(code, headers={"Location": location})


def reset() -> Reply:
    """The connection is reset before anything was sent."""
    return Reply(sent_bytes=0, reset=True)


def hang_up() -> Reply:
    """The connection is closed before anything was sent."""
    return Reply(sent_bytes=0)


def login_page() -> Reply:
    """What a gateway sends instead of data."""
    return Reply(
        body=b"<!DOCTYPE html><html><body>Please sign in</body></html>",
        headers={"Content-Type": "text/html"},
    )


def compressed(value: Any, encoding: str = "gzip", *, cut: int = 0) -> Reply:
    """A compressed JSON document, without its last `cut` bytes."""
    plain = json.dumps(value).encode()
    raw = zlib.compressobj(wbits=-15)
    body = {
        "gzip": lambda: gzip.compress(plain),
        "deflate": lambda: zlib.compress(plain),
        "raw": lambda: raw.compress(plain) + raw.flush(),
        "br": lambda: b"\x0b\x02\x80" + plain + b"\x03",
    }[encoding]()
    name = "deflate" if encoding == "raw" else encoding
    return Reply(body=body[: len(body) - cut], headers={"Content-Encoding": name})
