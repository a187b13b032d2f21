"""The state of a walk through a REST stream, and the token that stores it.

The token recreates the next request exactly. It may contain the source's page tokens and the body
that the spec declares; it never contains a credential, which an authentication adds when the
request is sent.
"""

import json
from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple

from sync_runner.errors import ExpiredTokenError
from sync_runner.protocols import Token
from sync_runner.sources.cursor_tracker import Seen
from sync_runner.sources.rest.bounds import Window
from sync_runner.sources.rest.pagination.page import Counted, PageRequest
from sync_runner.sources.rest.pagination.trail import Behind
from sync_runner.transport.messages import Request

_FORM = 2
"""Of tokens. One of another form was written by another version of the runner."""


class NextPage(NamedTuple):
    """The next request of a walk, and what earlier pages said."""

    page: PageRequest
    window: Window = Window()
    begins_window: bool = True
    """Whether the request is the first one of its window."""
    number: int = 1
    """Which page of the run it asks for, for messages."""


@dataclass(frozen=True)
class Bookmark:
    """What a resumed walk needs to know."""

    place: NextPage
    seen: Seen = field(default_factory=Seen)
    """What the walk has seen of its cursor."""
    behind: Behind = field(default_factory=Behind)
    """What the walk knows of its last page."""
    missing: list[str] | None = None
    """The spec's paths that were on no page so far; None before the first page with rows."""


def write_token(bookmark: Bookmark) -> Token:
    """The bookmark as JSON text."""
    place, behind = bookmark.place, bookmark.behind
    counted, last = place.page.counted, behind.request
    page = {
        "request": _write_request(place.page.request),
        "counted": None if counted is None else counted._asdict(),
    }
    saved = {
        "form": _FORM,
        "place": place._asdict() | {"page": page, "window": asdict(place.window)},
        "seen": asdict(bookmark.seen),
        "behind": behind._asdict() | {"request": None if last is None else _write_request(last)},
        "missing": bookmark.missing,
    }
    return json.dumps(saved, separators=(",", ":"))


def parse_token(token: Token) -> Bookmark:
    """The bookmark of a token that `write_token` made; ExpiredTokenError for any other text, such
    as one of the version before an upgrade."""
    try:
        saved = json.loads(token)
        if saved["form"] != _FORM:
            raise ValueError("another form")
        place, behind = saved["place"], saved["behind"]
        page, last = place.pop("page"), behind.pop("request")
        counted = page["counted"]
        return Bookmark(
            NextPage(
                PageRequest(
                    _parse_request(page["request"]),
                    None if counted is None else Counted(**counted),
                ),
                Window(**place.pop("window")),
                **place,
            ),
            Seen(**saved["seen"]),
            Behind(None if last is None else _parse_request(last), **behind),
            saved["missing"],
        )
    except (ValueError, KeyError, TypeError) as error:
        message = "The journal's page token cannot be read; another version may have written it."
        raise ExpiredTokenError(message) from error


def _write_request(request: Request) -> dict[str, Any]:
    """A body is text, but for the few bytes that are not."""
    return request._asdict() | {"body": request.body.decode("utf-8", "surrogateescape")}


def _parse_request(saved: dict[str, Any]) -> Request:
    headers = tuple((name, value) for name, value in saved.pop("headers"))
    body = saved.pop("body").encode("utf-8", "surrogateescape")
    return Request(**saved, headers=headers, body=body)
