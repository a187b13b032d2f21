"""Whether a part of a run may be published before the rest.

A run that adds rows compares those that may be the table's own with all that the table had when the
run began. Once the run has published, its own rows are in the table too, and would pass for rows
that came again. So an append publishes in its middle only once it has passed every row that the
table had, those from the future among them, and only while each of its rows has a cursor: rows
without one may come again at any time.
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
    """What of one run may be published early."""

    def __init__(
        self,
        mode: WriteMode,
        *,
        has_table: bool,
        since: Position | None,
        find_top: Callable[[], Position | None],
    ) -> None:
        """`has_table`: whether there was one when the pod began; `since`: what the run reads from;
        `find_top`: the table's highest cursor then, also one after the present.
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
        # Half of a table that the run replaces must never be seen.
        if not self._mode.keeps_rows:
            return False
        # Rows with a key are the same rows wherever they are merged.
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
