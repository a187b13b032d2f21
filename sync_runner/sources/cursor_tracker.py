"""How far the batches of a run have come.

In an ascending stream everything up to the last cursor value *but one* has been read, and no more:
rows that share the last value may be on the next page. A run whose rows turn out not to ascend
loses that privilege, whatever the spec says.

Nobody has read the future: rows after the present are kept, and move no cursor. So they are read
again until their time has come.
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
    """What a walk has seen of its cursor, over all its pods."""

    highest: str | None = None
    """The highest value that is not after the present."""
    ascending: bool = True
    """Whether no row so far was below the one before it."""
    rows: int = 0
    ahead: int = 0
    """Rows after the present."""
    unreadable: int = 0
    """Rows whose value is none of the type."""
    has_field: bool = False
    """Whether any row had the field, be it without a value."""


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
        """`seen` is what earlier attempts saw, `is_continued` whether an earlier run has left a
        position to read from.
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
        """Everything up to here has been read, as far as ascending rows can tell."""
        self.ascending = seen.ascending

    @property
    def seen(self) -> Seen:
        """What a later attempt needs to know."""
        highest = None if self.highest is None else self.highest.value
        return replace(self._seen, highest=highest, ascending=self.ascending)

    def observe(self, records: pa.RecordBatch) -> None:
        """Takes the next batch."""
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
        """At the stream's end: ConfigurationError where rows came, no earlier run has left a
        position, and no row has the field, or only values of another type.

        Rows without a value (null, empty, a zero date) leave the position as it is.
        """
        seen = self._seen
        if not seen.rows or self.is_known or seen.ahead:
            return
        if not seen.has_field:
            message = (
                f"None of {_count(seen.rows)} has the field {self._name}. Choose another "
                "incrementalField, or correct cursorPath of the stream."
            )
            raise ConfigurationError(Reason.CURSOR_FIELD_MISSING, message)
        if seen.unreadable:
            rows = _count(seen.rows)
            what = f"of {rows}, {seen.unreadable:,} hold something else and the others nothing"
            raise fail_unreadable(self._name, self._kind, what)

    @property
    def is_known(self) -> bool:
        """Whether there is a position, of this run or of one before it."""
        return self.highest is not None or self._is_continued

    def describe(self) -> tuple[str, ...]:
        """Sentences on rows that did not move the cursor."""
        notes, seen = [], self._seen
        if seen.ahead:
            were, their = ("was", "it") if seen.ahead == 1 else ("were", "they")
            notes.append(
                f"{_count(seen.ahead)} {were} after the present in {self._name}. The cursor stays "
                f"before {'it' if seen.ahead == 1 else 'them'}, so that {their} will be read again."
            )
        if seen.unreadable:
            have = "has" if seen.unreadable == 1 else "have"
            notes.append(
                f"{_count(seen.unreadable)} {have} no {self._kind} value in {self._name} and did "
                "not move the cursor."
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
        """Whether the rows still ascend. What follows a row after the present has no order that a
        position could tell.
        """
        if not self.ascending or values.null_count == len(values):
            return
        if self._last is None and self.highest is not None:
            self.ascending = not self._begins_below(column, values, self.highest)
        self.ascending = self.ascending and is_ascending(values, above=self._last)
        self.ascending = self.ascending and held is values
        self._last = values.drop_null()[-1]

    def _begins_below(self, column: pa.Array, values: pa.Array, reached: Position) -> bool:
        """Whether the first row is below what an earlier attempt came to."""
        at = pc.index(values.is_valid(), True).as_py()
        first = find_highest(column.slice(at, 1), values.slice(at, 1), self._kind)
        return first is not None and is_above(reached, first)


def _count(rows: int) -> str:
    return "1 row" if rows == 1 else f"{rows:,} rows"
