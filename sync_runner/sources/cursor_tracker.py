"""How far the batches of a run have come.

In an ascending stream everything up to the last cursor value *but one* has been read, and no more:
rows that share the last value may be on the next page. A run whose rows turn out not to ascend
loses that privilege, whatever the spec says.
"""

import pyarrow as pa
import pyarrow.compute as pc
from external_data_operator.api.conditions import Reason
from external_data_operator.api.sources.rest import CursorType

from sync_runner.errors import ConfigurationError
from sync_runner.protocols import Position
from sync_runner.records.cursor import is_above, later
from sync_runner.records.cursor_column import (
    find_highest,
    find_second_highest,
    is_ascending,
    order_values,
)


class CursorTracker:
    """The cursor of one run, batch by batch."""

    def __init__(
        self,
        name: str,
        kind: CursorType,
        *,
        highest: Position | None,
        ascending: bool,
        is_continued: bool = False,
    ) -> None:
        """`highest` is what an earlier attempt came to, `ascending` whether rows have ascended so
        far, `is_continued` whether an earlier run has left a position to read from.
        """
        self._rows = 0
        self._is_continued = is_continued
        self._name = name
        self._kind = kind
        self._last: pa.Scalar | None = None
        self.highest = highest
        self.complete: Position | None = None
        """Everything up to here has been read, as far as ascending rows can tell."""
        self.ascending = ascending

    def observe(self, records: pa.RecordBatch) -> None:
        """Takes the next batch."""
        self._rows += records.num_rows
        index = records.schema.get_field_index(self._name)
        if index >= 0 and records.num_rows:
            self._observe_column(records.column(index))

    def check_end(self) -> None:
        """At the stream's end: ConfigurationError where rows came, and neither they nor an
        earlier run say how far the stream goes. A row without a value may be among others.
        """
        if self._rows and not self.is_known:
            message = f"none of {self._rows} rows has a value in field {self._name}"
            raise ConfigurationError(Reason.CURSOR_FIELD_MISSING, message)

    @property
    def is_known(self) -> bool:
        """Whether there is a position, of this run or of one before it."""
        return self.highest is not None or self._is_continued

    def _observe_column(self, column: pa.Array) -> None:
        values = order_values(column, self._kind, name=self._name)
        highest = find_highest(column, values, self._kind)
        if highest is None:
            return
        if self._last is None and self.highest is not None:
            below = self._begins_below(column, values, self.highest)
            self.ascending = self.ascending and not below
        self.ascending = self.ascending and is_ascending(values, above=self._last)
        second = find_second_highest(column, values, self._kind)
        if second is not None:
            self.complete = later(self.complete, second)
        elif self.highest is not None and is_above(highest, self.highest):
            self.complete = self.highest
        self.highest = later(self.highest, highest)
        if self.ascending:
            self._last = values.drop_null()[-1]

    def _begins_below(self, column: pa.Array, values: pa.Array, reached: Position) -> bool:
        """Whether the first row is below what an earlier attempt came to."""
        at = pc.index(values.is_valid(), True).as_py()
        first = find_highest(column.slice(at, 1), values.slice(at, 1), self._kind)
        return first is not None and is_above(reached, first)
