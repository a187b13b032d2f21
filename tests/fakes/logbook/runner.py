"""Reads a database with a log: one table of it, or all at once."""

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
from external_data_operator.api.cursors import CursorType
from external_data_operator.api.plan import Plan

from sync_runner.network.hosts import build_rules
from sync_runner.protocols import (
    Batch,
    Clock,
    FeedBatch,
    FeedRequest,
    Position,
    ReadRequest,
    Token,
)
from sync_runner.records.sample import Sample
from sync_runner.sources import SourceKind
from sync_runner.transport.client import Client, ClientSettings
from sync_runner.transport.origin import parse_origin
from tests.fakes.logbook.book import Book, Logbook, RemoteBook, read_pages
from tests.fakes.logbook.spec import LogbookSource


class _Session:
    """A plan, and the database that it names."""

    def __init__(
        self, plan: Plan, *, clock: Clock, is_stopped: Callable[[], bool], **_: Any
    ) -> None:
        spec = plan.of_kind(LogbookSource)
        assert spec is not None
        self.plan, self.spec = plan, spec
        self.book: Book = Logbook(Path(spec.path))
        if spec.path.startswith("http"):
            rules = build_rules(plan.network.private_cidrs)
            client = Client(
                ClientSettings(parse_origin(spec.path), rules), clock=clock, is_stopped=is_stopped
            )
            self.book = RemoteBook(client, spec.path)

    def confirm(self, token: Token) -> None:
        """What the tables of this run have."""
        tables = {one.sync.stream: one.target.uri for one in self.plan.tables}
        self.book.confirm(int(token), tables)


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


class _Probe(_Session):
    def read_samples(self) -> Iterator[Sample]:
        entries = self.book.read_all()
        for table, key in self.book.keys.items():
            batch = _build_batch(entries[: self.spec.page], table)
            records = None if batch is None else batch.records
            yield Sample(name=table, primary_key=key, records=records, has_log=True)


class _Stream(_Session):
    """One table, read alone; a token is the number of an entry."""

    def read(self, request: ReadRequest) -> Iterator[Batch]:
        since = self.book.confirmed if request.since is None else int(request.since.value)
        after = since if request.resume is None else int(request.resume)
        count = len(self.book.read_all())
        for last, entries in read_pages(self.book, after, self.spec.page):
            following = None if last == count else str(last)
            place = {"position": _place(last), "settled": True, "confirms": str(last)}
            batch = _build_batch(entries, self.plan.only.sync.stream, next=following, **place)
            assert batch is not None
            yield batch


class _Feed(_Session):
    """All tables at once."""

    def read(self, request: FeedRequest) -> Iterator[FeedBatch]:
        cuts = [int(since.value) for since in request.since.values() if since is not None]
        pages = read_pages(self.book, self.book.confirmed, self.spec.page, cuts)
        for last, entries in pages:
            found = {stream: _build_batch(entries, stream) for stream in request.since}
            tables = {stream: batch for stream, batch in found.items() if batch is not None}
            yield FeedBatch(tables, _place(last), confirms=str(last))


def _open_feed(plan: Plan, **given: Any) -> _Feed | None:
    """A plan of one table reads it alone, and continues where a pod died."""
    return _Feed(plan, **given) if len(plan.tables) > 1 else None


KIND = SourceKind(_Stream, _Probe, _open_feed)
