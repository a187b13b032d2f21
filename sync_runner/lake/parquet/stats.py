"""Reads a file's statistics from its Parquet footer for the log, by which readers and merges skip
files.

Long text is cut as the log requires: the lowest value is shortened, the highest one rounded up.
"""

from collections.abc import Collection, Iterable
from datetime import UTC, date, datetime
from decimal import Decimal
from math import isfinite
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from sync_runner.lake.parquet.files import Range

STATISTICS_COLUMNS_MAX = 32
"""Columns with statistics, beside keys and cursor: the number that readers use."""
TEXT_MAX = 64
_HIGHEST = "\U0010ffff"


class _Span:
    """Lowest value, highest value and number of nulls of one column over all row groups."""

    def __init__(self) -> None:
        self.low: Any = None
        self.high: Any = None
        self.nulls = 0
        self.known = True

    def add(self, chunk: Any) -> None:
        stats = chunk.statistics
        if stats is None or not stats.has_null_count:
            self.known = False
            return
        self.nulls += stats.null_count
        if stats.has_min_max:
            self.low = stats.min if self.low is None else min(self.low, stats.min)
            self.high = stats.max if self.high is None else max(self.high, stats.max)
        elif stats.null_count < chunk.num_values:  # nulls are among them
            self.known = False


def read_stats(footer: pq.FileMetaData, schema: pa.Schema, always: Collection[str]) -> str:
    """The statistics as the log contains them; columns of `always` are never left out."""
    spans = _read_spans(footer, schema, always)
    bounded = {name: span for name, span in spans.items() if span.known and span.low is not None}
    lows = dict(_bounds((name, span.low) for name, span in bounded.items()))
    highs = ((name, span.high) for name, span in bounded.items())
    tops = dict(_bounds(highs, upper=True))
    # deltalake's data sets take a column with a null count and no bound for one without values.
    counted = {
        name: span.nulls
        for name, span in spans.items()
        if span.known and (name in lows or name in tops or span.nulls == footer.num_rows)
    }
    stats = {
        "numRecords": footer.num_rows,
        "minValues": lows,
        "maxValues": tops,
        "nullCount": counted,
    }
    return orjson.dumps(stats).decode()


def read_ranges(
    footer: pq.FileMetaData, schema: pa.Schema, names: Collection[str]
) -> dict[str, Range]:
    """The exact ranges of some columns."""
    spans = _read_spans(footer, schema, names, only=True)
    return {
        name: (span.low, span.high)
        if span.known and not span.nulls and span.low is not None
        else None
        for name, span in spans.items()
    }


def _read_spans(
    footer: pq.FileMetaData, schema: pa.Schema, always: Collection[str], *, only: bool = False
) -> dict[str, _Span]:
    """One pass over the footer; nested columns have no statistics of their own here."""
    flat = {field.name for field in schema if not pa.types.is_nested(field.type)}
    spans: dict[str, _Span] = {}
    for index in range(footer.num_columns):
        name = footer.schema.column(index).path
        if name in flat and (name in always or (not only and index < STATISTICS_COLUMNS_MAX)):
            span = spans[name] = _Span()
            for group in range(footer.num_row_groups):
                span.add(footer.row_group(group).column(index))
    return spans


def _bounds(values: Iterable[tuple[str, Any]], *, upper: bool = False) -> Iterable[tuple[str, Any]]:
    for name, value in values:
        rendered = _render(value, upper=upper)
        if rendered is not None:
            yield name, rendered


def _render(value: Any, *, upper: bool) -> Any:
    """A bound in the log's spelling; None for types whose bounds readers do not expect there."""
    match value:
        case bool():
            return value
        case int() | float():
            return value if isfinite(value) else None
        case Decimal():
            return orjson.Fragment(format(value, "f"))  # every digit of it
        case str():
            return _cut(value, upper=upper)
        case date():
            return _render_date(value)
    return None


def _cut(text: str, *, upper: bool) -> str | None:
    if len(text) <= TEXT_MAX:
        return text
    if not upper:
        return text[:TEXT_MAX]
    bound = text[:TEXT_MAX] + _HIGHEST
    return bound if bound >= text else None  # no character is above the highest one


def _render_date(value: date) -> str:
    if not isinstance(value, datetime):
        return value.isoformat()
    naive = value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo else value
    return naive.isoformat(timespec="microseconds") + ("Z" if value.tzinfo else "")
