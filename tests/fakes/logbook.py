"""A kind of source for tests, a database with a log: a folder whose catalogue lists tables and
keys, and whose log holds what happened in them, in order.

Entries that were confirmed are gone for good. A logbook that is told too early, when the log of one
of the tables has no commit that holds an entry, fails.
"""

import json
from collections.abc import Collection, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
from external_data_operator.api.base import SpecModel
from external_data_operator.api.conditions import Reason
from external_data_operator.api.cursors import CursorType
from external_data_operator.api.plan import Plan

from sync_runner.errors import RetryableError
from sync_runner.lake.delta.commits import parse_commit
from sync_runner.protocols import Batch, FeedBatch, FeedRequest, Position, ReadRequest, Token
from sync_runner.records.sample import Sample
from sync_runner.sources import Kind
from tests.fakes import kinds
from tests.fakes.kinds import FakeKind

Row = dict[str, Any]


class LogbookSource(SpecModel):
    """A database that keeps a log."""

    path: str
    page: int = 3
    """Entries of a batch, at most."""


@dataclass(frozen=True)
class Logbook:
    """The folder."""

    folder: Path
    page: int = 3

    def create(self, **keys: list[str]) -> None:
        """An empty log; the tables, and the key of each."""
        self.folder.mkdir(parents=True)
        (self.folder / "catalogue.json").write_text(json.dumps(keys))
        (self.folder / "log.jsonl").write_text("")

    def append(self, table: str, *rows: Row, deleted: bool = False) -> None:
        """Something happened: rows are new or changed, or gone."""
        with (self.folder / "log.jsonl").open("a") as log:
            for row in rows:
                log.write(json.dumps({"table": table, "row": row, "deleted": deleted}) + "\n")

    def break_after(self, entry: int | None) -> None:
        """The database answers no more behind an entry."""
        (self.folder / "broken.json").write_text(json.dumps(entry))

    @property
    def keys(self) -> dict[str, list[str]]:
        """The catalogue."""
        found: dict[str, list[str]] = json.loads((self.folder / "catalogue.json").read_text())
        return found

    @property
    def confirmed(self) -> int:
        """The last entry that is gone."""
        file = self.folder / "confirmed"
        return int(file.read_text()) if file.exists() else 0

    @property
    def walks(self) -> list[int]:
        """After which entry each walk began."""
        file = self.folder / "walks"
        return [int(line) for line in file.read_text().split()] if file.exists() else []

    def read_all(self) -> list[dict[str, Any]]:
        """All that ever happened."""
        return [json.loads(line) for line in (self.folder / "log.jsonl").read_text().splitlines()]

    def read_pages(self, after: int, cuts: Collection[int] = ()) -> Iterator[tuple[int, list[Any]]]:
        """Entries in order, page by page, each with the number of its last one."""
        assert after >= self.confirmed, "those entries are gone"
        with (self.folder / "walks").open("a") as walks:
            walks.write(f"{after}\n")
        entries, at = self.read_all(), after
        broken = json.loads((self.folder / "broken.json").read_text()) if self._is_broken else None
        while at < len(entries):
            last = min([at + self.page, len(entries), *(cut for cut in cuts if cut > at)])
            if broken is not None and last > broken:
                raise RetryableError(Reason.SOURCE_UNAVAILABLE, f"No entry after {at} is readable.")
            yield last, entries[at:last]
            at = last

    @property
    def _is_broken(self) -> bool:
        return (self.folder / "broken.json").exists()

    def confirm(self, entry: int, plan: Plan) -> None:
        """Forgets entries, if all tables were read; fails where one of them lacks an entry."""
        entries = self.read_all()
        for one in plan.tables:
            stream = one.sync.stream
            own = [n for n, found in enumerate(entries[:entry], 1) if found["table"] == stream]
            committed = _find_committed(Path(one.target.uri.removeprefix("file://")))
            assert not own or committed >= own[-1], f"{stream}: told before the commit"
        # A run of one table alone says nothing of what the others have.
        if {one.sync.stream for one in plan.tables} == set(self.keys):
            (self.folder / "confirmed").write_text(str(max(entry, self.confirmed)))


def _find_committed(table: Path) -> int:
    """How far the newest commit of a table says that its rows go."""
    for file in sorted((table / "_delta_log").glob("*.json"), reverse=True):
        state = parse_commit(file.read_text()).state
        if state is not None and state.position is not None:
            return int(state.position.value)
    return 0


def _find_book(plan: Plan) -> Logbook:
    spec = plan.of_kind(LogbookSource)
    assert spec is not None
    return Logbook(Path(spec.path), spec.page)


def _place(entry: int) -> Position:
    return Position(str(entry), CursorType.INTEGER)


def _build_batch(entries: Sequence[Any], stream: str, **more: Any) -> Batch | None:
    own = [entry for entry in entries if entry["table"] == stream]
    names = dict.fromkeys(name for entry in own for name in entry["row"])
    rows = {name: [entry["row"].get(name) for entry in own] for name in names}
    gone = [entry["deleted"] for entry in own]
    deleted = pa.array(gone) if any(gone) else None
    if not own and "next" not in more:
        return None
    records = pa.RecordBatch.from_pydict(rows)
    size = len(json.dumps(own))
    return Batch(records, **{"next": None, **more}, pages=1, bytes=size, deleted=deleted)


class _Adapter:
    def declare_streams(self, source: LogbookSource) -> None:
        return None

    def narrow(self, source: LogbookSource, streams: Collection[str]) -> LogbookSource:
        return source

    def find_doubts(self, source: LogbookSource) -> tuple[()]:
        return ()

    def has_feed(self, source: LogbookSource) -> bool:
        return True


class _Probe:
    def __init__(self, plan: Plan, **_: Any) -> None:
        self._book = _find_book(plan)

    def read_samples(self) -> Iterator[Sample]:
        entries = self._book.read_all()
        for table, key in self._book.keys.items():
            batch = _build_batch(entries[: self._book.page], table)
            records = None if batch is None else batch.records
            yield Sample(name=table, primary_key=key, records=records, has_log=True)


class _Stream:
    """One table, read alone; a token is the number of an entry."""

    def __init__(self, plan: Plan, **_: Any) -> None:
        self._plan, self._book = plan, _find_book(plan)

    def read(self, request: ReadRequest) -> Iterator[Batch]:
        since = self._book.confirmed if request.since is None else int(request.since.value)
        after = since if request.resume is None else int(request.resume)
        count = len(self._book.read_all())
        for last, entries in self._book.read_pages(after):
            following = None if last == count else str(last)
            place = {"position": _place(last), "settled": True, "confirms": str(last)}
            batch = _build_batch(entries, self._plan.only.sync.stream, next=following, **place)
            assert batch is not None
            yield batch

    def confirm(self, token: Token) -> None:
        self._book.confirm(int(token), self._plan)


class _Feed:
    """All tables at once."""

    def __init__(self, plan: Plan, **_: Any) -> None:
        self._plan, self._book = plan, _find_book(plan)

    def read(self, request: FeedRequest) -> Iterator[FeedBatch]:
        cuts = [int(since.value) for since in request.since.values() if since is not None]
        for last, entries in self._book.read_pages(self._book.confirmed, cuts):
            found = {stream: _build_batch(entries, stream) for stream in request.since}
            tables = {stream: batch for stream, batch in found.items() if batch is not None}
            yield FeedBatch(tables, _place(last), confirms=str(last))

    def confirm(self, token: Token) -> None:
        self._book.confirm(int(token), self._plan)


def _open_feed(plan: Plan, **given: Any) -> _Feed | None:
    """A plan of one table reads it alone, and continues where a pod died."""
    return _Feed(plan, **given) if len(plan.tables) > 1 else None


LOGBOOK = FakeKind("logbook", LogbookSource, _Adapter(), Kind(_Stream, _Probe, _open_feed))


def installed() -> AbstractContextManager[None]:
    """Both processes know the kind."""
    return kinds.installed(LOGBOOK)
