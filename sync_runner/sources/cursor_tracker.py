"""Tracks the cursor position of a run, batch by batch.

In an ascending stream all rows up to the last cursor value *but one* have been read: rows with the
last value may continue on the next page. A run whose rows do not ascend cannot publish before its
end, whatever the spec declares.

Rows with a cursor value in the future are kept, but do not advance the cursor, so that they are
read again until that time has passed: others may still appear before them.
"""

from dataclasses import dataclass, replace

import pyarrow as pa
import pyarrow.compute as pc
from external_data_operator.api.conditions import Reason
from external_data_operator.api.cursors import CursorType

from sync_runner.errors import ConfigurationError
from sync_runner.protocols import Position
from sync_runner.records.cursor import is_above, later
from sync_runner.records.cursor_column import (
    fail_unreadable,
    find_ahead,
    find_highest,
    find_second_highest,
    is_ascending,
    read_values,
)


@dataclass(frozen=True)
class Seen:
    """The facts about a walk's cursor, over all its pods."""

    highest: str | None = None
    """The highest value that is not in the future."""
    ascending: bool = True
    """Whether no row so far was below the one before it."""
    rows: int = 0
    ahead: int = 0
    """Rows in the future."""
    unreadable: int = 0
    """Rows whose value is not of the type."""
    has_field: bool = False
    """Whether any row had the field, with or without a value."""


class CursorTracker:
    """The cursor of one run, batch by batch."""

    def __init__(
        self,
        name: str,
        kind: CursorType,
        *,
        now: float,
        seen: Seen,
        is_continued: bool = False,
    ) -> None:
        """`seen`: the facts of earlier attempts; `is_continued`: whether an earlier run stored a
        position.
        """
        self._name = name
        self._kind = kind
        self._now = now
        self._seen = seen
        self._is_continued = is_continued
        self._last: pa.Scalar | None = None
        highest = seen.highest
        self.highest = None if highest is None else Position(highest, kind, name)
        self.complete: Position | None = None
        """All rows up to this position have been read, if the rows ascend."""
        self.ascending = seen.ascending

    @property
    def seen(self) -> Seen:
        """The facts that a later attempt needs."""
        highest = None if self.highest is None else self.highest.value
        return replace(self._seen, highest=highest, ascending=self.ascending)

    def observe(self, records: pa.RecordBatch) -> None:
        """Adds the next batch."""
        if not records.num_rows:
            return
        index = records.schema.get_field_index(self._name)
        seen = self._seen
        self._seen = replace(
            seen, rows=seen.rows + records.num_rows, has_field=seen.has_field or index >= 0
        )
        if index >= 0:
            self._observe_column(records.column(index))

    def check_end(self) -> None:
        """At the stream's end: ConfigurationError if there are rows, but no position of an earlier
        run, and no row has the field or a value of its type.

        Rows without a value (null, empty, a zero date) do not change the position.
        """
        seen = self._seen
        if not seen.rows or self.is_known or seen.ahead:
            return
        if not seen.has_field:
            message = (
                f"None of {_count(seen.rows)} has the field {self._name}. Choose another "
                "incrementalField, or correct the stream's cursorPath."
            )
            raise ConfigurationError(Reason.CURSOR_FIELD_MISSING, message)
        if seen.unreadable:
            rows = _count(seen.rows)
            what = f"of {rows}, {seen.unreadable:,} have another type and the others no value"
            raise fail_unreadable(self._name, self._kind, what)

    @property
    def is_known(self) -> bool:
        """Whether there is a position, of this run or of one before it."""
        return self.highest is not None or self._is_continued

    def describe(self) -> tuple[str, ...]:
        """Notes on rows that did not advance the cursor."""
        notes, seen = [], self._seen
        if seen.ahead:
            have, they = ("has", "It") if seen.ahead == 1 else ("have", "They")
            are = "is" if seen.ahead == 1 else "are"
            notes.append(
                f"{_count(seen.ahead)} {have} a time in the future in {self._name}. "
                f"{they} did not advance the cursor and {are} read again."
            )
        if seen.unreadable:
            have = "has" if seen.unreadable == 1 else "have"
            notes.append(
                f"{_count(seen.unreadable)} {have} no {self._kind} value in {self._name} and did "
                "not advance the cursor."
            )
        return tuple(notes)

    def _observe_column(self, column: pa.Array) -> None:
        found = read_values(column, self._kind)
        values = found.values
        ahead = find_ahead(column, values, self._kind, self._now)
        self._count(found.unreadable, 0 if ahead is None else pc.sum(ahead).as_py())
        held = values
        if ahead is not None:
            held = pc.if_else(ahead, pa.scalar(None, values.type), values)
        self._check_order(column, values, held)
        highest = find_highest(column, held, self._kind)
        if highest is None:
            return
        highest = replace(highest, field=self._name)
        second = find_second_highest(column, held, self._kind)
        if second is not None:
            self.complete = later(self.complete, replace(second, field=self._name))
        elif self.highest is not None and is_above(highest, self.highest):
            self.complete = self.highest
        self.highest = later(self.highest, highest)

    def _count(self, unreadable: int, ahead: int) -> None:
        seen = self._seen
        self._seen = replace(
            seen, unreadable=seen.unreadable + unreadable, ahead=seen.ahead + ahead
        )

    def _check_order(self, column: pa.Array, values: pa.Array, held: pa.Array) -> None:
        """Updates whether the rows ascend. After a row in the future, the order of the rows no
        longer bounds what is still to come.
        """
        if not self.ascending or values.null_count == len(values):
            return
        if self._last is None and self.highest is not None:
            self.ascending = not self._begins_below(column, values, self.highest)
        self.ascending = self.ascending and is_ascending(values, above=self._last)
        self.ascending = self.ascending and held is values
        self._last = values.drop_null()[-1]

    def _begins_below(self, column: pa.Array, values: pa.Array, reached: Position) -> bool:
        """Whether the first row is below the position of an earlier attempt."""
        at = pc.index(values.is_valid(), True).as_py()
        first = find_highest(column.slice(at, 1), values.slice(at, 1), self._kind)
        return first is not None and is_above(reached, first)


def _count(rows: int) -> str:
    return "1 row" if rows == 1 else f"{rows:,} rows"
