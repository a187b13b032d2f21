"""Decides whether a part of a run may be published before the rest.

A run that appends compares rows that may be in the table already with the rows that the table had
when the run began. After a publication the table also has rows of the run itself, which would count
as read before. So an append publishes early only after its cursor has passed every row that the
table had, including rows with a cursor in the future, and only while each of its rows has a cursor
value: the source may return rows without one again at any time.
"""

from collections.abc import Callable
from functools import cached_property

import pyarrow as pa

from sync_runner.lake.mode import WriteMode
from sync_runner.lake.parquet.parts import Part
from sync_runner.protocols import Position
from sync_runner.records.cursor import find_as, is_above
from sync_runner.records.cursor_column import read_values


class Division:
    """Decides which rows of one run may be published early."""

    def __init__(
        self,
        mode: WriteMode,
        *,
        has_table: bool,
        since: Position | None,
        find_top: Callable[[], Position | None],
    ) -> None:
        """`has_table`: whether the table existed when the pod began; `since`: the position that the
        run reads from; `find_top`: the table's highest cursor at that time, even a future one.
        """
        self._mode = mode
        self._has_table = has_table
        self._since = since
        self._find_top = find_top
        self._compares = mode.counts_equal_rows and since is not None
        self._has_gaps = False

    def note_parts(self, parts: list[Part], name: str) -> None:
        """Parts of an earlier pod; the range of a column with nulls is not known."""
        if self._compares:
            self._has_gaps = any(part.ranges.get(name) is None for part in parts)

    def note_rows(self, rows: pa.RecordBatch, name: str) -> None:
        """The next rows; `name` is the cursor's column."""
        if self._compares and not self._has_gaps:
            index = rows.schema.get_field_index(name)
            self._has_gaps = index < 0 or self._lacks_cursor(rows.column(index))

    def allows(self, reached: Position | None) -> bool:
        """Whether the rows up to this position may be published now."""
        # Readers must never see half of a table that the run replaces.
        if not self._mode.keeps_rows:
            return False
        # Rows are identified by their key, in whichever commit they are merged.
        if not self._mode.counts_equal_rows:
            return True
        # A table without a position is read from the beginning, and compared with all of it.
        if self._since is None:
            return not self._has_table
        if reached is None or self._has_gaps:
            return False
        return all(_is_passed(known, reached) for known in (self._since, self._top))

    @cached_property
    def _top(self) -> Position | None:
        return self._find_top()

    def _lacks_cursor(self, column: pa.Array) -> bool:
        """Whether a row has null, empty text, a zero date, or text that is no such value."""
        if column.null_count or not pa.types.is_string(column.type):
            return bool(column.null_count)
        return bool(read_values(column, self._mode.field_type).values.null_count)


def _is_passed(known: Position | None, reached: Position) -> bool:
    same = None if known is None else find_as(known, reached.type)
    return same is None or is_above(reached, same)
