"""The database: a folder, or the same folder behind a server.

Each table has a slot, as a database's log has: how far its reader has confirmed. Entries that all
tables have confirmed are gone for good. A slot that moves too early, when the table has no commit
that holds an entry, is an error.
"""

import json
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from external_data_operator.api.conditions import Reason

from sync_runner.errors import RetryableError
from sync_runner.transport.client import Client
from sync_runner.transport.messages import Request, Response

Row = dict[str, Any]
Entries = list[dict[str, Any]]


class ToldTooEarlyError(AssertionError):
    """A table lacks entries that its slot was to pass."""


class Book(Protocol):
    """What a run asks of a database."""

    @property
    def keys(self) -> dict[str, list[str]]:
        """The catalogue: tables, and the key of each."""

    @property
    def confirmed(self) -> int:
        """The last entry that is gone."""

    def read_all(self) -> Entries:
        """All that ever happened."""

    def begin(self, after: int) -> None:
        """A walk begins after this entry."""

    def find_break(self) -> int | None:
        """The last entry that is readable, where one is not."""

    def confirm(self, entry: int, tables: Mapping[str, str]) -> None:
        """Moves the slots of these tables, each with the address of its Delta table."""


@dataclass(frozen=True)
class Logbook:
    """The folder."""

    folder: Path

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

    def find_break(self) -> int | None:
        """The entry."""
        file = self.folder / "broken.json"
        found: int | None = json.loads(file.read_text()) if file.exists() else None
        return found

    @property
    def keys(self) -> dict[str, list[str]]:
        """The catalogue."""
        found: dict[str, list[str]] = json.loads((self.folder / "catalogue.json").read_text())
        return found

    @property
    def slots(self) -> dict[str, int]:
        """How far each table is confirmed."""
        file = self.folder / "slots.json"
        found = json.loads(file.read_text()) if file.exists() else {}
        return {table: found.get(table, 0) for table in self.keys}

    @property
    def confirmed(self) -> int:
        """The last entry that is gone."""
        return min(self.slots.values())

    def begin(self, after: int) -> None:
        """Notes the walk."""
        with (self.folder / "walks").open("a") as walks:
            walks.write(f"{after}\n")

    @property
    def walks(self) -> list[int]:
        """After which entry each walk began."""
        file = self.folder / "walks"
        return [int(line) for line in file.read_text().split()] if file.exists() else []

    def read_all(self) -> Entries:
        """All that ever happened."""
        return [json.loads(line) for line in (self.folder / "log.jsonl").read_text().splitlines()]

    def confirm(self, entry: int, tables: Mapping[str, str]) -> None:
        """See `Book`."""
        self.move(entry, tables, find_committed_in_folder)

    def move(
        self, entry: int, tables: Mapping[str, str], find_committed: Callable[[str], int]
    ) -> None:
        """Moves slots; ToldTooEarlyError if a table's newest commit does not go so far."""
        entries = self.read_all()
        for table, uri in tables.items():
            own = [n for n, found in enumerate(entries[:entry], 1) if found["table"] == table]
            if own and find_committed(uri) < own[-1]:
                raise ToldTooEarlyError(f"{table}: told before the commit")
        moved = {table: max(entry, self.slots[table]) for table in tables}
        (self.folder / "slots.json").write_text(json.dumps({**self.slots, **moved}))


@dataclass(frozen=True)
class RemoteBook:
    """A server of a folder; `url` has no slash at its end."""

    client: Client
    url: str

    @property
    def keys(self) -> dict[str, list[str]]:
        """See `Book`."""
        found: dict[str, list[str]] = self._ask("GET", "catalogue")
        return found

    @property
    def confirmed(self) -> int:
        """See `Book`."""
        return int(self._ask("GET", "confirmed"))

    def read_all(self) -> Entries:
        """See `Book`."""
        entries: Entries = self._ask("GET", "log")
        return entries

    def begin(self, after: int) -> None:
        """See `Book`."""
        self._ask("POST", "walks", after)

    def find_break(self) -> int | None:
        """A server that breaks does not answer."""

    def confirm(self, entry: int, tables: Mapping[str, str]) -> None:
        """See `Book`."""
        self._ask("POST", "slots", {"entry": entry, "tables": dict(tables)})

    def _ask(self, method: str, what: str, body: object = None) -> Any:
        sent = b"" if body is None else json.dumps(body).encode()
        return self.client.fetch(Request(method, f"{self.url}/{what}", body=sent), _read_json)


def _read_json(response: Response) -> Any:
    return json.loads(response.body)


def read_pages(
    book: Book, after: int, page: int, cuts: Collection[int] = ()
) -> Iterator[tuple[int, Entries]]:
    """Entries in order, page by page, each with the number of its last one."""
    assert after >= book.confirmed, "those entries are gone"
    book.begin(after)
    entries, broken, at = book.read_all(), book.find_break(), after
    while at < len(entries):
        last = min([at + page, len(entries), *(cut for cut in cuts if cut > at)])
        if broken is not None and last > broken:
            raise RetryableError(Reason.SOURCE_UNAVAILABLE, f"No entry after {at} is readable.")
        yield last, entries[at:last]
        at = last


def find_committed_in_folder(uri: str) -> int:
    """How far the newest commit of a table says that its rows go."""
    log = Path(uri.removeprefix("file://")) / "_delta_log"
    files = sorted(log.glob("*.json"), reverse=True)
    return find_committed(file.read_text() for file in files)


def find_committed(newest_first: Iterator[str]) -> int:
    """The same, of the texts of commits. The source knows nothing of the lake's own code."""
    infos = (
        json.loads(line).get("commitInfo", {})
        for text in newest_first
        for line in text.split("\n")
        if '"externalData"' in line
    )
    states = (json.loads(info["externalData"]) for info in infos)
    return next((int(one["position"]["value"]) for one in states if one["position"]), 0)
