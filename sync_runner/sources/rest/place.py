"""Where a walk through a REST stream stands, and the token that it is written down as.

The token recreates the next request exactly. It may hold what the source puts into its own page
tokens; it never holds a credential of ours.
"""

import json
from dataclasses import asdict, dataclass, field
from typing import NamedTuple

from sync_runner.errors import ExpiredTokenError
from sync_runner.protocols import Token
from sync_runner.sources.cursor_tracker import Seen
from sync_runner.sources.rest.bounds import Window
from sync_runner.sources.rest.pagination.page import PageRequest
from sync_runner.sources.rest.pagination.trail import Behind


class Place(NamedTuple):
    """The next request of a walk, and what earlier pages said."""

    request: PageRequest
    window: Window = Window()
    begins_window: bool = True
    """Whether the request is the first one of its window."""
    number: int = 1
    """Which page of the run it asks for, for messages."""


@dataclass(frozen=True)
class Bookmark:
    """What a resumed walk needs to know."""

    place: Place
    seen: Seen = field(default_factory=Seen)
    """What the walk has seen of its cursor."""
    behind: Behind = field(default_factory=Behind)
    """What the walk knows of its last page."""
    missing: list[str] | None = None
    """The spec's paths that were on no page so far; None before the first page with rows."""


def write_token(bookmark: Bookmark) -> Token:
    """The bookmark as JSON text."""
    place = bookmark.place
    saved = {
        "place": {
            "request": place.request._asdict(),
            "window": asdict(place.window),
            "begins_window": place.begins_window,
            "number": place.number,
        },
        "seen": asdict(bookmark.seen),
        "behind": bookmark.behind._asdict(),
        "missing": bookmark.missing,
    }
    return json.dumps(saved, separators=(",", ":"))


def parse_token(token: Token) -> Bookmark:
    """The bookmark of a token that `write_token` made; ExpiredTokenError for any other text."""
    try:
        saved = json.loads(token)
        place = saved["place"]
        return Bookmark(
            Place(
                PageRequest(**place["request"]),
                Window(**place["window"]),
                place["begins_window"],
                place["number"],
            ),
            Seen(**saved["seen"]),
            Behind(**saved["behind"]),
            saved["missing"],
        )
    except (ValueError, KeyError, TypeError) as error:
        raise ExpiredTokenError("the journal's page token cannot be read any more") from error
