"""Comparisons of a column with one value: which rows must pass, and each reader's spelling."""

import datetime as dt
import operator
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from math import isnan
from typing import Any

Row = dict[str, Any]

COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
COMPARISONS = tuple(COMPARE)
NULL_TESTS = ("is null", "is not null")


@dataclass(frozen=True)
class Where:
    """One condition; `type` is Delta's word for the column's type."""

    column: str
    op: str
    value: Any = None
    type: str = "string"

    def keeps(self, row: Row, *, nan_is_highest: bool = True) -> bool:
        """Whether a row passes; NaN is above every number, or compares with none."""
        have = row.get(self.column)
        if not nan_is_highest and have is not None and self.op not in NULL_TESTS:
            return COMPARE[self.op](have, self.value)
        if self.op in NULL_TESTS:
            return (have is None) == (self.op == "is null")
        return have is not None and COMPARE[self.op](_order(have), _order(self.value))

    def sql(self, dialect: "Dialect") -> str:
        """The condition in a reader's SQL."""
        name = f"{dialect.quote}{self.column}{dialect.quote}"
        if self.op in NULL_TESTS:
            return f"{name} {self.op.upper()}"
        return f"{name} {self.op} {dialect.spell(self.value, self.type)}"

    def __str__(self) -> str:
        return f"{self.column} {self.op} {self.value!r:.80}"


def _order(value: Any) -> Any:
    if isinstance(value, float):
        return (isnan(value), 0.0 if isnan(value) else value)
    return value


def build_conditions(column: str, type_: str, values: list[Any]) -> Iterator[Where]:
    """Conditions at every value of a column, which takes in the bounds of every file; nulls too."""
    for op in NULL_TESTS:
        yield Where(column, op, type=type_)
    for value in dict.fromkeys(value for value in values if value is not None):
        for op in COMPARISONS:
            yield Where(column, op, value, type_)


@dataclass(frozen=True)
class Dialect:
    """How a reader's SQL spells literals: a template for each kind of value."""

    quote: str = '"'
    """Around names."""
    fraction: str = "CAST('{!r}' AS DOUBLE)"
    zoned: str = "TIMESTAMPTZ '{:%Y-%m-%d %H:%M:%S.%f}+00'"
    naive: str = "TIMESTAMP '{:%Y-%m-%d %H:%M:%S.%f}'"
    day: str = "DATE '{}'"
    raw: str = "X'{}'"
    has_escapes: bool = False
    """Whether a backslash in text is one of its own."""

    def spell(self, value: Any, type_: str) -> str:
        """A literal; `type_` is Delta's word."""
        if isinstance(value, str):
            return self._spell_text(value)
        if isinstance(value, bytes):
            return self.raw.format(value.hex())
        if isinstance(value, Decimal):
            return f"CAST('{value:f}' AS {type_.title()})"
        if isinstance(value, float):
            return self.fraction.format(value)
        return self._spell_time(value) if isinstance(value, dt.date) else str(value).lower()

    def _spell_text(self, text: str) -> str:
        if self.has_escapes:
            return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
        return "'" + text.replace("'", "''") + "'"

    def _spell_time(self, value: dt.date) -> str:
        if not isinstance(value, dt.datetime):
            return self.day.format(value)
        template = self.zoned if value.tzinfo else self.naive
        # strftime leaves the zeros of early years out.
        return re.sub(r"'(\d{1,3})-", lambda m: f"'{m[1]:0>4}-", template.format(value))


DUCKDB = Dialect(raw="from_hex('{}')")
CLICKHOUSE = Dialect(
    quote="`",
    fraction="CAST('{!r}' AS Float64)",
    zoned="toDateTime64('{:%Y-%m-%d %H:%M:%S.%f}', 6, 'UTC')",
    naive="toDateTime64('{:%Y-%m-%d %H:%M:%S.%f}', 6, 'UTC')",
    day="toDate32('{}')",
    raw="unhex('{}')",
    has_escapes=True,
)
DATAFUSION = Dialect(
    zoned="arrow_cast('{:%Y-%m-%dT%H:%M:%S.%f}Z', 'Timestamp(Microsecond, Some(\"UTC\"))')",
    naive="arrow_cast('{:%Y-%m-%dT%H:%M:%S.%f}', 'Timestamp(Microsecond, None)')",
)
SPARK = Dialect(
    quote="`",
    zoned="TIMESTAMP_LTZ '{:%Y-%m-%d %H:%M:%S.%f}Z'",
    naive="TIMESTAMP_NTZ '{:%Y-%m-%d %H:%M:%S.%f}'",
    has_escapes=True,
)
