"""A fast server of pages: the styles of paging that APIs have, over rows in memory, with as much
delay as wanted.

    /offset?offset=0&limit=100      {"data":[..],"total":N} /page?page=1&per_page=100
    {"data":[..],"page":p,"total_pages":n}      pages count from 1 /cursor?cursor=TOKEN&limit=100
    {"data":[..],"next_cursor":TOKEN|null}      no cursor: the first /next?limit=100
    {"data":[..],"next":URL|null} /link?page=1&per_page=100       [..]  and  Link: <URL>; rel="next"
    /stats[?reset=1]
    {"requests":n,"bytes":n,"first_request_at":s|null,"last_answer_at":s|null}

Everywhere: `set=NAME` picks a data set (the first without it), `rows=N` caps it (or repeats it, see
`rows.py`), `latency=MS` delays the answer, `since=TIME` starts at the first row updated then
(`after=TIME`: later than then).

Times are readings of the machine's monotonic clock. The server prints its address once
it listens, and ends when its standard input closes.
"""

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast
from urllib.parse import parse_qsl, urlencode

import uvloop

from benchmarks.rows import Rows, Span

_KEPT = ("set", "rows", "latency", "since", "after")
_NOT_FOUND = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"


@dataclass(frozen=True)
class Walk:
    """One request, resolved: which rows there are in all, and how the request asks to page through
    them.
    """

    rows: Rows
    first: int
    end: int
    size: int
    query: dict[str, str]
    address: str

    def link(self, path: str, **params: object) -> str:
        """Address of another page of the same walk."""
        kept = {k: v for k, v in self.query.items() if k in _KEPT}
        return f"{self.address}{path}?{urlencode(kept | {k: str(v) for k, v in params.items()})}"


@dataclass(frozen=True)
class Page:
    """Where a page starts, and what is put around its rows."""

    start: int
    tail: str
    head: str = '{"data":['
    header: str = ""


def _offset(walk: Walk) -> Page:
    start = walk.first + int(walk.query.get("offset", 0))
    return Page(start, f'],"total":{walk.end - walk.first}}}')


def _page(walk: Walk) -> Page:
    number = int(walk.query.get("page", 1))
    pages = -(-(walk.end - walk.first) // walk.size)
    tail = f'],"page":{number},"total_pages":{pages}}}'
    return Page(walk.first + (number - 1) * walk.size, tail)


def _cursor(walk: Walk) -> Page:
    token = walk.query.get("cursor", "")
    start = walk.first + (int(token[1:], 16) if token else 0)
    following = start + walk.size
    cursor = f'"c{following - walk.first:x}"' if following < walk.end else "null"
    return Page(start, f'],"next_cursor":{cursor}}}')


def _next(walk: Walk) -> Page:
    start = walk.first + int(walk.query.get("at", 0))
    following = start + walk.size
    more = following < walk.end
    url = walk.link("/next", at=following - walk.first, limit=walk.size) if more else None
    return Page(start, f'],"next":{json.dumps(url)}}}')


def _link(walk: Walk) -> Page:
    number = int(walk.query.get("page", 1))
    start = walk.first + (number - 1) * walk.size
    url = walk.link("/link", page=number + 1, per_page=walk.size)
    header = f'Link: <{url}>; rel="next"\r\n' if start + walk.size < walk.end else ""
    return Page(start, "]", head="[", header=header)


STYLES: dict[str, Callable[[Walk], Page]] = {
    "/offset": _offset,
    "/page": _page,
    "/cursor": _cursor,
    "/next": _next,
    "/link": _link,
}


@dataclass
class Served:
    """What all connections share: the data, and what was asked of it."""

    sets: dict[str, Rows]
    address: str = ""
    requests: int = 0
    bytes_sent: int = 0
    first_request_at: float | None = None
    last_answer_at: float | None = None
    default: str = field(init=False)

    def __post_init__(self) -> None:
        self.default = next(iter(self.sets))

    def count(self) -> None:
        """A page was asked for."""
        self.requests += 1
        if self.first_request_at is None:
            self.first_request_at = time.monotonic()

    def stats(self, *, reset: bool) -> bytes:
        """The counters; they start anew when asked to."""
        text = json.dumps(
            {
                "requests": self.requests,
                "bytes": self.bytes_sent,
                "first_request_at": self.first_request_at,
                "last_answer_at": self.last_answer_at,
            }
        )
        if reset:
            self.requests, self.bytes_sent = 0, 0
            self.first_request_at = self.last_answer_at = None
        return text.encode()


class Connection(asyncio.Protocol):
    """One client; requests without bodies, answered in order."""

    def __init__(self, served: Served) -> None:
        self._served = served
        self._received = b""
        self._transport: asyncio.WriteTransport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are not subclasses of asyncio's.
        self._transport = cast("asyncio.WriteTransport", transport)

    def data_received(self, data: bytes) -> None:
        self._received += data
        while (end := self._received.find(b"\r\n\r\n")) >= 0:
            request, self._received = self._received[:end], self._received[end + 4 :]
            self._answer(request.split(b" ", 2)[1].decode())

    def _answer(self, target: str) -> None:
        path, _, query_text = target.partition("?")
        query = dict(parse_qsl(query_text))
        if path == "/stats":
            self._send([self._served.stats(reset="reset" in query)], header="")
            return
        style = STYLES.get(path)
        rows = self._served.sets.get(query.get("set", self._served.default))
        if style is None or rows is None:
            self._transport.write(_NOT_FOUND)
            return
        self._served.count()
        walk = _resolve(rows, query, self._served.address)
        page = style(walk)
        start = min(page.start, walk.end)
        span = rows.span(start, min(start + walk.size, walk.end))
        body: Span = [page.head.encode(), *span, page.tail.encode()]
        latency_ms = float(query.get("latency", 0))
        if latency_ms:
            loop = asyncio.get_running_loop()
            loop.call_later(latency_ms / 1000, lambda: self._send_page(body, header=page.header))
        else:
            self._send_page(body, header=page.header)

    def _send_page(self, body: Span, *, header: str) -> None:
        self._served.bytes_sent += self._send(body, header=header)
        self._served.last_answer_at = time.monotonic()

    def _send(self, body: Span, *, header: str) -> int:
        length = sum(map(len, body))
        head = (
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
            f"Content-Length: {length}\r\n{header}\r\n"
        )
        if not self._transport.is_closing():
            self._transport.writelines([head.encode(), *body])
        return length


def _resolve(rows: Rows, query: dict[str, str], address: str) -> Walk:
    end = rows.cap(int(query["rows"]) if "rows" in query else None)
    since = query.get("after") or query.get("since")
    first = rows.find_since(since, end, strictly="after" in query) if since else 0
    size = max(1, int(query.get("limit") or query.get("per_page") or 100))
    return Walk(rows, first, end, size, query, address)


async def serve(sets: dict[str, Rows], host: str, port: int) -> None:
    """Serves until standard input closes, so that no server outlives what started it."""
    loop = asyncio.get_running_loop()
    served = Served(sets)
    server = await loop.create_server(lambda: Connection(served), host, port, backlog=1024)
    served.address = "http://{}:{}".format(*server.sockets[0].getsockname()[:2])
    print(served.address, flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()


def main() -> None:
    """`python -m benchmarks.server orders=FILE [NAME=FILE ...]`."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("sets", nargs="+", metavar="NAME=FILE", help="a data set as NDJSON")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0: any free one")
    arguments = parser.parse_args()
    pairs = (item.partition("=") for item in arguments.sets)
    sets = {name: Rows(Path(path)) for name, _, path in pairs}
    uvloop.run(serve(sets, arguments.host, arguments.port))


if __name__ == "__main__":
    main()
