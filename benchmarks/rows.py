"""A data set in memory, ready to be served: any span of it is a slice of the file's own bytes,
joined by commas.

Nothing is decoded or encoded per row, so that the server costs little beside the readers under
test. A data set whose size is a power of ten can be repeated: row `n + i` is row `i` with another
`id`, so that ten million rows need the memory of one million and every id is still unique.
"""

import datetime as dt
from pathlib import Path

import numpy as np

Span = list[bytes | memoryview]
_ID = b'{"id":'
_UPDATED = b'"updated_at":"'


class Rows:
    """The rows of one NDJSON file."""

    def __init__(self, path: Path) -> None:
        raw = path.read_bytes()
        newlines = np.flatnonzero(np.frombuffer(raw, dtype=np.uint8) == ord("\n"))
        self._starts = np.concatenate(([0], newlines[:-1] + 1))
        self._ends = newlines
        self._buffer = memoryview(raw.replace(b"\n", b","))
        self.count = len(newlines)
        self._repeatable = set(str(self.count)) <= {"0", "1"} and str(self.count).count("1") == 1

    def cap(self, rows: int | None) -> int:
        """How many rows a request for that many can be served."""
        if rows is None:
            return self.count
        return rows if self._repeatable else min(rows, self.count)

    def span(self, first: int, end: int) -> Span:
        """Rows `first` to `end` (exclusive), with commas between them."""
        spans: Span = []
        while first < end:
            lap, start = divmod(first, self.count)
            stop = min(self.count, start + end - first)
            if spans:
                spans.append(b",")
            spans += [self._slice(start, stop)] if lap == 0 else self._renumbered(lap, start, stop)
            first += stop - start
        return spans

    def _slice(self, start: int, stop: int) -> memoryview:
        return self._buffer[int(self._starts[start]) : int(self._ends[stop - 1])]

    def _renumbered(self, lap: int, start: int, stop: int) -> Span:
        """Puts the lap's digits before each id; ids of the same length take the same digits, so one
        replace does it.
        """
        spans: Span = []
        width = len(str(self.count)) - 1
        while start < stop:
            digits = len(str(start + 1))  # ids count from 1
            cut = min(stop, 10**digits - 1)
            # The lap's last id is a round number: its own one becomes the next lap's count.
            prefix = str(lap) + "0" * (width - digits) if digits <= width else str(lap + 1)
            new = _ID + prefix.encode()
            old = _ID if digits <= width else _ID + b"1"
            body = bytes(self._slice(start, cut))
            body = new + body.removeprefix(old).replace(b"," + old, b"," + new)
            spans += [b",", body] if spans else [body]
            start = cut
        return spans

    def find_since(self, since: str, end: int, *, strictly: bool) -> int:
        """The first row of the first `end` that was updated at (or, strictly, after) that time.

        Updates ascend. The time may be written in any form of ISO 8601; it is compared to the
        millisecond.
        """
        wanted = _normal(since)
        low, high = 0, min(end, self.count)
        while low < high:
            middle = (low + high) // 2
            updated = self._updated(middle)
            if updated < wanted or (strictly and updated == wanted):
                low = middle + 1
            else:
                high = middle
        return low

    def _updated(self, row: int) -> str:
        text = bytes(self._slice(row, row + 1))
        start = text.rfind(_UPDATED) + len(_UPDATED)
        return text[start : text.index(b'"', start)].decode()


def _normal(since: str) -> str:
    moment = dt.datetime.fromisoformat(since.replace(" ", "+"))
    if moment.tzinfo is not None:
        moment = moment.astimezone(dt.UTC).replace(tzinfo=None)
    return moment.isoformat(timespec="milliseconds") + "Z"
