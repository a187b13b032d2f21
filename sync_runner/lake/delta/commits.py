"""How the commits since our last publication changed the rows. Pure.

Other tools may compact, vacuum and alter a table. A commit of theirs that removes rows matters: a
position must not cover rows that are no longer in the table.
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
    """As Delta names it; empty if the entry contains none."""
    state: State | None = None
    """The state of our publication, if the commit is ours."""
    restored: int | None = None
    """Version that a RESTORE restored, if the entry contains it."""
    removes_rows: bool = False
    """Whether files are removed from the table, with their rows or after a rewrite of them."""

    @property
    def is_edit(self) -> bool:
        """Whether rows were changed or deleted on purpose: a run must not restore them."""
        return self.removes_rows and self.operation in _EDITS

    @property
    def voids(self) -> bool:
        """Whether the state no longer describes the rows of the table."""
        return self.removes_rows and not self.is_edit


def parse_commit(text: str) -> Commit:
    """Parses an entry; one of ours only up to the line with our state."""
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
    """Notes of a run that does not read rows again that others have changed."""
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
