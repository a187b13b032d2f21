"""What the commits since our last publication did to the rows. Pure.

Other tools may compact, vacuum and alter a table as they like. A commit of theirs that takes rows
away matters: a position must not say that rows were read which are not there any more.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sync_runner.lake.delta.state import COMMIT_KEY, State, parse_state

_EDITS = frozenset({"DELETE", "UPDATE", "MERGE"})
"""Operations by which people change single rows on purpose."""


@dataclass(frozen=True)
class Commit:
    """One entry of the log."""

    operation: str = ""
    """In Delta's words; empty where the writer did not say."""
    state: State | None = None
    """What it says of our publication, if it is ours."""
    restored: int | None = None
    """Version that a RESTORE led back to, where it says so."""
    removes_rows: bool = False
    """Whether files leave the table, and their rows with them or to other files."""

    @property
    def is_edit(self) -> bool:
        """Whether rows were changed or deleted on purpose: they are not to come back."""
        return self.removes_rows and self.operation in _EDITS

    @property
    def voids(self) -> bool:
        """Whether nothing is known any more about the rows that were there before."""
        return self.removes_rows and not self.is_edit


def parse_commit(text: str) -> Commit:
    """Reads an entry; one of ours only as far as its first line that says so."""
    info: dict[str, Any] = {}
    removes_rows = False
    for line in text.split("\n"):  # JSON leaves other line breaks of Unicode as they are
        action = json.loads(line) if line.strip() else {}
        info = action.get("commitInfo") or info
        if isinstance(info.get(COMMIT_KEY), str):
            return Commit(str(info.get("operation", "")), parse_state(info[COMMIT_KEY]))
        removes_rows |= bool((action.get("remove") or {}).get("dataChange"))
    operation = str(info.get("operation", ""))
    restored = _find_restored(info) if operation == "RESTORE" else None
    return Commit(operation, None, restored, removes_rows or operation == "RESTORE")


def describe_edits(operations: Sequence[str]) -> tuple[str, ...]:
    """What a run says that leaves such rows as others made them."""
    return tuple(
        f"Another tool ran {operation} on the table. Rows that it changed are read again only from "
        "the cursor's last value on (less lookbackSeconds)."
        for operation in sorted(set(operations))
    )


def _find_restored(info: dict[str, Any]) -> int | None:
    parameters = info.get("operationParameters")
    version = parameters.get("version") if isinstance(parameters, dict) else None
    text = str(version).strip('"')
    return int(text) if text.isascii() and text.isdigit() else None
