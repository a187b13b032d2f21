"""A source whose data is known at every moment, and which changes while it is read.

It is a list of events, each the new version of one row; a clock in a file says how many have
happened, and goes on with every page that is read, over processes that die. All of it follows from
a seed, so that a test can say what a table must hold.
"""

import fcntl
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import Any

import pyarrow as pa
from external_data_operator.api.cursors import CursorType

from sync_runner.protocols import Batch, Position, ReadRequest, Token

Row = dict[str, Any]

TEXT_FROM = 60
"""Events from here on carry text where there were whole numbers; every first load comes past it."""
LATE_FROM = 150
"""Events from here on carry a column that earlier ones lack."""
WIDE_FROM = 260
"""Events from here on carry fractions where there were whole numbers."""


GONE_SHARE = 0.3
"""Events that delete their row, in a log of changes."""


class Kind(StrEnum):
    """How the source shows its rows."""

    EVENTS = "events"
    """Every event, in the order in which they happened."""
    CHANGES = "changes"
    """The same as a log of changes: some events delete their row."""
    ASCENDING = "ascending"
    """The newest version of each row, those that changed last at the end; they move while one
    reads.
    """
    SNAPSHOT = "snapshot"
    """The newest version of each row as of the first page, in the order of their keys."""


@dataclass(frozen=True)
class World:
    """Events that follow from a seed, and the file that says how many there are."""

    folder: Path
    seed: int
    keys: int = 120

    def event(self, number: int) -> Row:
        """The new version of a row; numbers start at 1."""
        return _build_event(self.seed, self.keys, number)

    def now(self) -> int:
        """How many events have happened."""
        path = self.folder / "now"
        return int(path.read_text()) if path.exists() else 0

    def advance(self, events: int) -> int:
        """Lets more events happen; says how many there are then."""
        with (self.folder / "now.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            now = self.now() + events
            draft = self.folder / "now.draft"
            draft.write_text(str(now))
            draft.replace(self.folder / "now")
        return now

    def state(self, now: int) -> dict[int, Row]:
        """The newest version of each row at a moment."""
        return {row["id"]: row for row in map(self.event, range(1, now + 1))}

    def is_gone(self, row: Row) -> bool:
        """Whether an event deletes its row, to those who read events as changes."""
        return random.Random(f"{self.seed}/{row['seq']}/gone").random() < GONE_SHARE


@lru_cache(maxsize=100_000)
def _build_event(seed: int, keys: int, number: int) -> Row:
    dice = random.Random(f"{seed}/{number}")
    row: Row = {
        "id": dice.randrange(keys),
        "seq": number,
        "Name": dice.choice(["ada", "Bö", "渡辺", "", None, "x" * 40]),
        "amount": dice.randrange(1000) + (0.5 if number >= WIDE_FROM else 0),
        "meta": json.dumps({"n": number % 7}),
        "mixed": f"t{number}" if number >= TEXT_FROM else number,
    }
    if number >= LATE_FROM:
        row["late column"] = number * 2
    return row


@dataclass(frozen=True)
class WorldSource:
    """Reads a world page by page. `growth` events happen with each page."""

    world: World
    kind: Kind
    page_rows: int = 10
    growth: int = 0

    def read(self, request: ReadRequest) -> Iterator[Batch]:
        """See `protocols.Source`."""
        since = 0 if request.since is None else int(request.since.value)
        token = request.resume or self._first_token(since)
        highest = since
        while True:
            self.world.advance(self.growth)
            rows, following = self._page(token, since)
            highest = max([highest, *(row["seq"] for row in rows)])
            field = None if self.kind is Kind.CHANGES else "seq"
            position = Position(str(highest), CursorType.INTEGER, field) if highest else None
            gone = [self.kind is Kind.CHANGES and self.world.is_gone(row) for row in rows]
            yield Batch(
                build_batch([_key_of(row) if gone[n] else row for n, row in enumerate(rows)]),
                following,
                position,
                settled=self.kind is not Kind.SNAPSHOT,
                pages=1,
                bytes=len(rows) * 80,
                deleted=pa.array(gone) if any(gone) else None,
            )
            if following is None:
                return
            token = following

    def confirm(self, token: Token) -> None:
        """It forgets nothing."""

    def _first_token(self, since: int) -> str:
        if self.kind is Kind.CHANGES:
            return str(since)
        return f"{self.world.now()}:-1" if self.kind is Kind.SNAPSHOT else str(since - 1)

    def _page(self, token: str, since: int) -> tuple[list[Row], str | None]:
        if self.kind is Kind.SNAPSHOT:
            return self._snapshot_page(token, since)
        last = int(token)
        now = self.world.now()
        if self.kind in (Kind.EVENTS, Kind.CHANGES):
            rows = [self.world.event(number) for number in range(max(1, last + 1), now + 1)]
        else:
            rows = [row for row in self.world.state(now).values() if row["seq"] > last]
            rows.sort(key=lambda row: row["seq"])
        page = rows[: self.page_rows]
        return page, str(page[-1]["seq"]) if len(rows) > len(page) else None

    def _snapshot_page(self, token: str, since: int) -> tuple[list[Row], str | None]:
        now, last = (int(part) for part in token.split(":"))
        state = self.world.state(now)
        rows = [state[key] for key in sorted(state) if key > last and state[key]["seq"] >= since]
        page = rows[: self.page_rows]
        return page, f"{now}:{page[-1]['id']}" if len(rows) > len(page) else None


def _key_of(row: Row) -> Row:
    return {"id": row["id"]}


def build_batch(rows: list[Row]) -> pa.RecordBatch:
    """Columns in the order of their appearance; text of JSON is marked."""
    names = dict.fromkeys(name for row in rows for name in row)
    arrays = [_build_column([row.get(name) for row in rows]) for name in names]
    fields = [
        pa.field(name, array.type, metadata={"json": "1"} if name == "meta" else None)
        for name, array in zip(names, arrays, strict=True)
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=pa.schema(fields))


def _build_column(values: list[Any]) -> pa.Array:
    """Of one kind, or text, as a decoder does it."""
    is_mixed = {type(value) for value in values} >= {int, str}
    return pa.array([str(value) for value in values] if is_mixed else values)
