"""Rows that are the same each time, and the ways in which APIs hand them out page by page."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.servers.replies import Reply, ok
from tests.servers.rest import Seen

Row = dict[str, Any]
_BEGIN = datetime(2024, 1, 1, tzinfo=UTC)


def make_rows(count: int, *, first: int = 1, step_s: int = 60) -> list[Row]:
    """Rows with a key, a moment that ascends with it, text, and something nested."""
    return [
        {
            "id": number,
            "name": f"naïve {number}",
            "amount": number / 4,
            "paid": number % 2 == 0,
            "meta": {"uid": f"u{number}", "updated": moment_of(number, step_s)},
            "updated_at": moment_of(number, step_s),
        }
        for number in range(first, first + count)
    ]


def moment_of(number: int, step_s: int = 60) -> str:
    """When a row was last changed."""
    return (_BEGIN + timedelta(seconds=number * step_s)).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass
class Table:
    """Rows behind an address. `rows` may be changed while a client walks through them."""

    rows: list[Row]
    style: str = "offset"
    """offset, cursor, next or single."""
    page_max: int = 1_000_000
    """The server's own cap, whatever is asked for."""
    since: Callable[[Row, str], bool] | None = None
    until: Callable[[Row, str], bool] | None = None
    """Whether a row is kept under `since` and `until`."""
    with_total: bool = False
    page_default: int = 100

    def __call__(self, seen: Seen) -> Reply:
        """One page."""
        query = seen.query
        rows = self._select(query)
        size = min(int(query.get("limit", self.page_default)), self.page_max)
        if self.style == "single":
            return ok({"data": rows})
        start = int(query.get("offset" if self.style == "offset" else "at") or 0)
        page: dict[str, Any] = {"data": rows[start : start + size]}
        more = start + size < len(rows)
        if self.style == "cursor":
            page["meta"] = {"next": str(start + size) if more else None}
        elif self.style == "next":
            page["next"] = self._link(seen, start + size) if more else None
        elif self.with_total:
            page["total"] = len(rows)
        return ok(page)

    def _select(self, query: dict[str, str]) -> Sequence[Row]:
        rows = list(self.rows)
        if self.since is not None and "since" in query:
            rows = [row for row in rows if self.since(row, query["since"])]
        if self.until is not None and "until" in query:
            rows = [row for row in rows if self.until(row, query["until"])]
        return rows

    def _link(self, seen: Seen, start: int) -> str:
        size = seen.query.get("limit", str(self.page_default))
        return f"{seen.path}?at={start}&limit={size}"


def page(rows: Sequence[Row], **beside: Any) -> Reply:
    """One page as `Table` makes them."""
    return Reply(body=json.dumps({"data": list(rows), **beside}).encode())
