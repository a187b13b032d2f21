"""An append in whose middle a run publishes counts equal rows once for each time that the source
has them, and its position never passes the present, wherever it publishes.
"""

import datetime as dt
import itertools
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from external_data_operator.api.conditions import Reason
from external_data_operator.api.cursors import CursorType
from external_data_operator.api.plan import Limits
from external_data_operator.api.schema import SyncType

from sync_runner.errors import ConfigurationError
from sync_runner.lake.policy import Policy
from sync_runner.protocols import Batch, ReadRequest, Step, Token
from sync_runner.sources.cursor_tracker import CursorTracker, Seen
from sync_runner.transport.clock import SystemClock
from tests.contract.lake_pod import SMALL, folder_place
from tests.contract.lake_reading import read_polars, replay_log
from tests.contract.lake_rows import DieAt, Died, Row, Syncs, options, rows_of

EAGER = replace(SMALL, due_seconds=0.0)
BY_ROW = replace(EAGER, group_rows=1)
"""Each row is a part of its own, so that the journal holds it."""
ZERO = "0000-00-00"
NOW = dt.datetime(2024, 9, 1, tzinfo=dt.UTC)


@dataclass(frozen=True)
class Clock(SystemClock):
    """The present of these tests."""

    def now(self) -> float:
        return NOW.timestamp()


@dataclass
class Walk:
    """A row on each page, in this order, whose cursor is tracked as sources do; a run publishes
    behind these pages.
    """

    rows: Sequence[Row]
    kind: CursorType
    places: frozenset[int] = frozenset()

    def read(self, request: ReadRequest) -> Iterator[Batch]:
        """See `protocols.Source`; rows below the position are not sent again."""
        since = None if request.since is None else request.since.value
        tracker = CursorTracker("at", self.kind, now=NOW.timestamp(), seen=Seen())
        last = len(self.rows) - 1
        for number in range(int(request.resume or 0), len(self.rows)):
            row = self.rows[number]
            records = rows_of([row])[0]
            is_told = row["at"] not in (None, ZERO)
            if since is not None and is_told and self._key(row["at"]) < self._key(since):
                records = records.slice(0, 0)
            tracker.observe(records)
            position = tracker.highest if number == last else tracker.complete
            following = None if number == last else str(number + 1)
            yield Batch(records, following, position, number in self.places, pages=1)

    def _key(self, value: str) -> Any:
        return int(value) if self.kind is CursorType.INTEGER else value

    def confirm(self, token: Token) -> None:
        """It forgets nothing."""


def open_sync(folder: Path, kind: CursorType, policy: Policy = EAGER) -> Syncs:
    """Appends by `at`."""
    how = options(SyncType.APPEND, cursor="at").model_copy(update={"incremental_field_type": kind})
    return Syncs(folder_place(folder / secrets.token_hex(4)), how, policy, Clock())


def count(sync: Syncs) -> list[tuple[str, str]]:
    """The table's rows."""
    return sorted((row["at"] or "", row["v"]) for row in read_polars(sync.place.open().uri))


def event(at: str | None, v: str = "x") -> Row:
    return {"at": at, "v": v}


OLD, MAY, JUNE, JULY = (f"2024-0{month}-01T00:00:00Z" for month in (1, 5, 6, 7))
FAR = "2999-01-01T00:00:00Z"
WALKS = {
    "rows from the future": (
        CursorType.DATE_TIME,
        [event(OLD), event(FAR), event(FAR)],
        [event(OLD), *[event(MAY)] * 2, *[event(JUNE)] * 2, event(JULY), *[event(FAR)] * 3],
    ),
    "rows without a cursor": (
        CursorType.DATE_TIME,
        [event(OLD), event(None)],
        [*[event(None)] * 2, event(OLD), *[event(MAY)] * 2, *[event(JUNE)] * 2, event(None)],
    ),
    "rows without a cursor, new": (
        CursorType.DATE_TIME,
        [event(OLD)],
        [event(OLD), event(MAY), event(None), event(JUNE), event(JULY), *[event(None)] * 2],
    ),
    "rows without a cursor, known, at the end": (
        CursorType.DATE_TIME,
        [event(OLD), event(None)],
        [event(OLD), event(MAY), event(JUNE), event(JULY), *[event(None)] * 2],
    ),
    "zero dates at the end": (
        CursorType.DATE_TIME,
        [event(OLD), event(ZERO)],
        [event(OLD), event(MAY), event(JUNE), event(JULY), *[event(ZERO)] * 2],
    ),
    "numbers that are text": (
        CursorType.INTEGER,
        [event("9"), event("9")],
        [*[event("9")] * 3, *[event("10")] * 2, *[event("11")] * 3, event("12")],
    ),
}


def find_places(length: int) -> list[frozenset[int]]:
    """Every single place, every pair of them, and all."""
    pairs = [frozenset(pair) for pair in itertools.combinations(range(length), 2)]
    return [*(frozenset({place}) for place in range(length)), *pairs, frozenset(range(length))]


@pytest.mark.parametrize(("kind", "before", "walk"), WALKS.values(), ids=list(WALKS))
def test_an_append_has_each_row_of_its_source_wherever_it_publishes(
    tmp_path: Path, kind: CursorType, before: list[Row], walk: list[Row]
) -> None:
    for places in find_places(len(walk) - 1):
        sync = open_sync(tmp_path, kind)
        sync.read(Walk(before, kind))
        cursor = sync.read(Walk(walk, kind, places)).cursor
        assert count(sync) == sorted((row["at"] or "", row["v"]) for row in walk), places
        assert cursor == (
            "12"
            if kind is CursorType.INTEGER
            else max(row["at"] for row in walk if row["at"] and row["at"] != FAR)
        )


@pytest.mark.parametrize(("kind", "before", "walk"), WALKS.values(), ids=list(WALKS))
def test_an_append_has_each_row_of_its_source_wherever_it_publishes_and_dies(
    tmp_path: Path, kind: CursorType, before: list[Row], walk: list[Row]
) -> None:
    for nth, policy in itertools.product(range(1, 7), (EAGER, BY_ROW)):
        for step in (Step.COMMITTED, Step.JOURNALED):
            sync = open_sync(tmp_path, kind, policy)
            sync.read(Walk(before, kind))
            everywhere = Walk(walk, kind, frozenset(range(len(walk))))
            try:
                sync.read(everywhere, "one", DieAt(step, nth))
            except Died:
                sync.read(everywhere, "one")
            assert count(sync) == sorted((row["at"] or "", row["v"]) for row in walk), (
                step,
                nth,
                policy,
            )


def test_an_append_publishes_in_its_middle_where_nothing_speaks_against_it(tmp_path: Path) -> None:
    sync = open_sync(tmp_path, CursorType.DATE_TIME)
    sync.read(Walk([event(OLD)], CursorType.DATE_TIME))
    walk = [event(OLD), *[event(MAY)] * 2, *[event(JUNE)] * 2, event(JULY)]
    sync.read(Walk(walk, CursorType.DATE_TIME, frozenset(range(6))))
    replay = replay_log(Path(sync.place.open().uri.removeprefix("file://")))
    assert replay is not None
    assert replay.version >= 2


def test_an_append_that_passes_its_limit_while_it_may_publish_nothing_says_so(
    tmp_path: Path,
) -> None:
    sync = open_sync(tmp_path, CursorType.DATE_TIME)
    sync.read(Walk([event(OLD), event(FAR)], CursorType.DATE_TIME))
    sync.limits = Limits(pages=3)
    walk = [event(OLD), event(MAY), event(JUNE), event(JULY), event(JULY), event(FAR)]
    everywhere = Walk(walk, CursorType.DATE_TIME, frozenset(range(6)))
    with pytest.raises(ConfigurationError, match="start at the same position") as caught:
        sync.read(everywhere)
    assert caught.value.reason is Reason.LIMIT_EXCEEDED
    assert count(sync) == [(OLD, "x"), (FAR, "x")]
