"""A source that keeps a log of its rows until its reader has told it that they are safe.

It is a folder, so that it survives a reader that dies, and fails where it is told of rows that are
in no commit of the table.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from external_data_operator.api.cursors import CursorType

from sync_runner.lake.delta.commits import parse_commit
from sync_runner.protocols import Batch, Position, ReadRequest
from tests.contract.lake_rows import Row, rows_of


def place(number: int) -> Position:
    """A place in a log."""
    return Position(str(number), CursorType.INTEGER)


def find_committed(table: Path) -> int:
    """How far the newest of our commits in a table's log says that its rows go."""
    commits = sorted((table / "_delta_log").glob("*.json"), reverse=True)
    states = (parse_commit(file.read_text()).state for file in commits)
    positions = (None if state is None else state.position for state in states)
    return next((int(found.value) for found in positions if found is not None), 0)


@dataclass
class KeptLog:
    """Entries `1, 2, …`; those that were confirmed are gone, and cannot be read again."""

    folder: Path
    tables: tuple[Path, ...]
    """Folders of the tables that the entries go to."""
    entries: list[Row]
    page: int = 2
    asked: list[int] = field(default_factory=list)
    """After which entry each walk began."""
    before_confirm: Callable[[], object] = lambda: None

    @property
    def confirmed(self) -> int:
        """The last entry that is gone."""
        path = self.folder / "confirmed.json"
        return int(json.loads(path.read_text())) if path.exists() else 0

    def read(self, request: ReadRequest) -> Iterator[Batch]:
        """See `protocols.Source`."""
        since = 0 if request.since is None else int(request.since.value)
        at = since if request.resume is None else int(request.resume)
        self.asked.append(at)
        assert at >= self.confirmed, "entries are gone that the table has not"
        while True:
            rows = self.entries[at : at + self.page]
            at += len(rows)
            following = str(at) if at < len(self.entries) else None
            yield Batch(
                records=rows_of(rows)[0],
                next=following,
                position=place(at),
                settled=True,
                pages=1,
                bytes=len(rows),
                confirms=str(at),
            )
            if following is None:
                return

    def confirm(self, token: str) -> None:
        """Forgets entries; a source that is told too early loses them for good."""
        self.before_confirm()
        for table in self.tables:
            assert find_committed(table) >= int(token), "told before the commit"
        if int(token) > self.confirmed:
            (self.folder / "confirmed.json").write_text(token)
