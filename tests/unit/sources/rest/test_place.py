"""What a walk writes down is what it reads, and nothing of another version is taken for it."""

import json

import pytest

from sync_runner.errors import ExpiredTokenError
from sync_runner.sources.cursor_tracker import Seen
from sync_runner.sources.rest.bounds import Window
from sync_runner.sources.rest.pagination.page import Counted, PageRequest
from sync_runner.sources.rest.pagination.trail import Behind
from sync_runner.sources.rest.place import Bookmark, NextPage, parse_token, write_token
from sync_runner.transport.messages import Request

GET = Request("GET", "https://h.example/orders?cursor=%C3%BC")
POST = Request("POST", "https://h.example/q", (("X-Page", "2"),), '{"page": "ü\\ud800"}'.encode())
BYTES = Request("POST", "https://h.example/q", body=bytes(range(256)))
OLD = json.dumps(
    {
        "place": {
            "request": {
                "url": "https://h.example/orders?limit=100&offset=200",
                "base": "https://h.example/orders?limit=100",
                "skip": 200,
                "start": 0,
                "limit": 100,
                "size": 100,
                "total": None,
            },
            "window": {"lower": None, "upper": None, "until": None, "verbatim": False},
            "begins_window": False,
            "number": 3,
        },
        "seen": {"highest": None, "ascending": True, "rows": 200, "ahead": 0, "unreadable": 0},
        "behind": {"url": "https://h.example/orders", "digest": 7, "rows": 100, "pages": 2},
        "missing": [],
    }
)
"""A token that the version before whole requests wrote."""


@pytest.mark.parametrize("request_", [GET, POST, BYTES], ids=["get", "post", "any bytes"])
@pytest.mark.parametrize(
    "counted", [None, Counted(200, 200, 100, 100, 450)], ids=["not", "counted"]
)
def test_a_bookmark_survives_its_token(request_: Request, counted: Counted | None) -> None:
    place = NextPage(
        PageRequest(request_, counted),
        Window("2024-01-01T00:00:00Z", "2024-01-02T00:00:00Z", "2024-03-01T00:00:00Z"),
        begins_window=False,
        number=3,
    )
    behind = Behind(GET, digest=2**63, rows=100, pages=2, idle=1)
    bookmark = Bookmark(place, Seen("2024-01-01", rows=200), behind, ["cursorPath next"])
    assert parse_token(write_token(bookmark)) == bookmark


def test_a_bookmark_of_a_first_page_survives_its_token() -> None:
    bookmark = Bookmark(NextPage(PageRequest(GET)))
    assert parse_token(write_token(bookmark)) == bookmark


def _of_another_form() -> str:
    saved = json.loads(write_token(Bookmark(NextPage(PageRequest(GET)))))
    return json.dumps(saved | {"form": saved["form"] + 1})


@pytest.mark.parametrize("token", [OLD, _of_another_form()], ids=["before", "after"])
def test_a_token_of_another_version_begins_the_walk_again(token: str) -> None:
    with pytest.raises(ExpiredTokenError):
        parse_token(token)
