"""The cursor's column of a batch: its highest values, and whether it ascends.

Arrow compares whole columns; a Python object is made for one row only, the one that holds the
highest value. Where a column mixes spellings that Arrow does not read, its distinct values are read
one by one.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_FLOOR, Context, Decimal, InvalidOperation
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from external_data_operator.api.conditions import Reason
from external_data_operator.api.cursors import CursorType

from sync_runner.errors import ConfigurationError
from sync_runner.protocols import Position
from sync_runner.records.cursor import CLOCKS_S, find_limit
from sync_runner.records.moments import UNITS_ABOVE, ZONE, parse_date, parse_moment

_MOMENT = pa.timestamp("us")
"""Of UTC."""
_ZONED, _NANO, _ZONED_NANO = (
    pa.timestamp("us", "UTC"),
    pa.timestamp("ns"),
    pa.timestamp("ns", "UTC"),
)
_OBJECT_ID = r"(?P<id>[0-9a-fA-F]{24})"
_BIG = pa.decimal128(38, 0)
_EXACT = pa.decimal256(76, 30)
"""Numbers that are text, compared digit by digit."""
_MAGNITUDE_MAX = 400
"""Of a number's exponent; more than a float has."""
_EMPTY = r"^\s*(-?0{4,6}-?00-?00.*|0+)?\s*$"
"""Text for no value: nothing, zeros, or a zero date as databases write it."""
_NO_OBJECT_ID = "0" * 24
_FIRST = date(1, 1, 3)
"""What is before it is a zero date, too: .NET and Go write 0001-01-01 for never."""
_FIRST_S = -62_135_424_000.0
_MOMENT_TYPES = (CursorType.DATE_TIME, CursorType.TIMESTAMP)


@dataclass(frozen=True)
class CursorValues:
    """A cursor's column as values that Arrow can compare; null where a row has none."""

    values: pa.Array
    unreadable: int = 0
    """Values that are none of the type. Empty text and zero dates are no values."""


def read_values(column: pa.Array, kind: CursorType) -> CursorValues:
    """The column's values; those that are none of the type are null, and counted."""
    if column.null_count == len(column):
        return CursorValues(pa.nulls(len(column), pa.int64()))
    values = _convert(column, kind)
    if values is None:
        return CursorValues(
            pa.nulls(len(column), pa.int64()),
            len(column) - column.null_count - _count_empty(column),
        )
    unreadable = values.null_count - column.null_count
    if unreadable:
        is_text = pa.types.is_string(column.type)
        unreadable -= _count_empty(column) if is_text else unreadable
    return CursorValues(_without_zeros(values, kind), max(0, unreadable))


def order_values(column: pa.Array, kind: CursorType, *, name: str) -> pa.Array:
    """The column's values. ConfigurationError where there are some, and none is of this type."""
    found = read_values(column, kind)
    if found.unreadable and found.values.null_count == len(found.values):
        raise fail_unreadable(name, kind, f"its type is {column.type}")
    return found.values


def fail_unreadable(name: str, kind: CursorType, what: str) -> ConfigurationError:
    """The error for a field whose values are all of another type."""
    message = (
        f"Field {name} does not contain {kind} values: {what}. Choose another incrementalField, or "
        "set its type (incrementalFieldType, or cursorType of the stream)."
    )
    return ConfigurationError(Reason.INVALID_SPEC, message)


def find_ahead(column: pa.Array, values: pa.Array, kind: CursorType, now: float) -> pa.Array | None:
    """Which values are after the present; None where none is, or they count no time."""
    if kind in (CursorType.INTEGER, CursorType.NUMERIC) or values.null_count == len(values):
        return None
    if kind is CursorType.OBJECT_ID:
        limit = pa.scalar(f"{int(now) + CLOCKS_S:08x}{'f' * 16}")
    elif _is_number(values.type):
        values, limit = _count_seconds(values), pa.scalar(now + CLOCKS_S)
    else:
        limit = _limit(now, values.type, is_local=kind is CursorType.DATE)
    ahead = pc.greater(values, limit)
    if not pc.any(ahead).as_py():
        return None
    if pa.types.is_timestamp(values.type):
        later = pc.greater(values, _limit(now, values.type, is_local=True))
        zoned = pc.or_(
            pc.match_substring_regex(column, ZONE),
            pc.match_substring_regex(column, r"^\s*[+-]?\d+(\.\d+)?\s*$"),
        )
        ahead = pc.if_else(zoned, ahead, later)
    return ahead if pc.any(ahead).as_py() else None


def _limit(now: float, type_: pa.DataType, *, is_local: bool) -> pa.Scalar:
    limit = find_limit(now, is_local=is_local).replace(tzinfo=None)
    return pa.scalar(limit, _MOMENT).cast(type_, safe=False)


def find_highest(column: pa.Array, values: pa.Array, kind: CursorType) -> Position | None:
    """The highest value, in the source's spelling; None where every row lacks one."""
    highest = pc.max(values)
    if not highest.is_valid:
        return None
    return _write_position(column, values, highest, kind)


def find_second_highest(column: pa.Array, values: pa.Array, kind: CursorType) -> Position | None:
    """The highest value below the highest one; None where all are equal."""
    highest = pc.max(values)
    if not highest.is_valid:
        return None
    second = pc.max(values.filter(pc.less(values, highest)))
    return _write_position(column, values, second, kind) if second.is_valid else None


def _write_position(
    column: pa.Array, values: pa.Array, value: pa.Scalar, kind: CursorType
) -> Position:
    """A value of `values` as the source spelled it in `column`."""
    if kind is CursorType.OBJECT_ID:
        return Position(value.as_py(), kind)
    return Position(_write(column[pc.index(values, value).as_py()].as_py(), kind), kind)


def is_ascending(values: pa.Array, *, above: pa.Scalar | None) -> bool:
    """Whether no row is below the one before it, nor the first one below `above`.

    Rows without a value do not count.
    """
    present = values.drop_null()
    if len(present) == 0:
        return True
    if above is not None and (above.type != present.type or pc.less(present[0], above).as_py()):
        return False
    return bool(pc.all(pc.greater_equal(present[1:], present[:-1]), min_count=0).as_py())


def _convert(column: pa.Array, kind: CursorType) -> pa.Array | None:
    if _is_number(column.type):
        numbers_fit = kind not in (CursorType.DATE, CursorType.OBJECT_ID)
        return _without_odd(column) if numbers_fit else None
    if not pa.types.is_string(column.type):
        return None
    if kind is CursorType.OBJECT_ID:
        return pc.utf8_lower(pc.struct_field(pc.extract_regex(column, _OBJECT_ID), "id"))
    reading = _READINGS[kind]
    for target in reading.targets:
        try:
            values = pc.cast(reading.prepare(column), target)
        except pa.ArrowInvalid:
            continue
        return values.cast(reading.type, safe=False)
    distinct = column.dictionary_encode()
    found = [_find(reading.parse, text) for text in distinct.dictionary.to_pylist()]
    try:
        return pa.array(found, reading.type).take(distinct.indices)
    except pa.ArrowInvalid:  # numbers beyond any decimal are compared as floats
        return pa.array([_find(float, value) for value in found]).take(distinct.indices)


def _without_odd(column: pa.Array) -> pa.Array:
    """NaN and the infinities say nothing of how far a stream goes."""
    if not pa.types.is_floating(column.type):
        return column
    return pc.if_else(pc.is_finite(column), column, pa.scalar(None, column.type))


def _without_zeros(values: pa.Array, kind: CursorType) -> pa.Array:
    """Without zero dates, which would be the earliest times of all."""
    if kind is CursorType.OBJECT_ID:
        zeros = pc.equal(values, _NO_OBJECT_ID)
    elif kind is CursorType.DATE:
        zeros = pc.less(values, pa.scalar(_FIRST))
    elif kind not in _MOMENT_TYPES:
        return values
    elif _is_number(values.type):
        if values.null_count == len(values) or pc.min(values).as_py() >= 0:
            return values
        zeros = pc.less(_count_seconds(values), _FIRST_S)
    else:
        zeros = pc.less(values, pa.scalar(_FIRST).cast(_MOMENT))
    if not pc.any(zeros).as_py():
        return values
    return pc.if_else(zeros, pa.scalar(None, values.type), values)


def _count_seconds(numbers: pa.Array) -> pa.Array:
    """Seconds since the epoch, each number in the unit of its magnitude."""
    counts = pc.cast(numbers, pa.float64(), safe=False)
    # Whole numbers are compared as they are: as doubles, some just below a bound are on it.
    is_whole = pa.types.is_signed_integer(numbers.type)
    exact, number = (numbers, int) if is_whole else (counts, float)
    parts = pa.scalar(1.0)
    for least, unit in reversed(UNITS_ABOVE):
        above = pc.greater_equal(exact, number(least))
        below = pc.less_equal(exact, number(-least))
        parts = pc.if_else(pc.or_(above, below), float(unit), parts)
    return pc.divide(counts, parts)


def _count_empty(column: pa.Array) -> int:
    if not pa.types.is_string(column.type):
        return 0
    return int(pc.sum(pc.match_substring_regex(column, _EMPTY)).as_py() or 0)


def _find(parse: Callable[[Any], Any], text: Any) -> Any:
    try:
        return None if text is None else parse(text)
    except (ValueError, OverflowError, InvalidOperation):
        return None


def _write(value: Any, kind: CursorType) -> str:
    if isinstance(value, str):
        return str(parse_date(value)) if kind is CursorType.DATE else value.strip()
    number = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    if isinstance(value, Decimal) or kind is CursorType.INTEGER:
        number = number.normalize(_CUT)  # zeros at the end are the column's
    return format(number, "f")


def _is_number(kind: pa.DataType) -> bool:
    types = pa.types
    return bool(types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind))


def _parse_number(text: str) -> Decimal:
    """Cut after the thirtieth digit of a fraction."""
    number = Decimal(text)
    if not number.is_finite() or abs(number.adjusted()) > _MAGNITUDE_MAX:
        raise ValueError("not a number")
    point = int(number.as_tuple().exponent)
    return number if point >= -_EXACT.scale else number.quantize(_LAST, context=_CUT)


def _parse_naive(text: str) -> datetime:
    return parse_moment(text).replace(tzinfo=None)


@dataclass(frozen=True)
class _Reading:
    """How text is read as one type: by Arrow where its spelling allows, else one by one."""

    type: pa.DataType
    parse: Callable[[str], Any]
    targets: tuple[pa.DataType, ...]
    prepare: Callable[[pa.Array], pa.Array] = lambda column: column


_LAST, _CUT = Decimal(1).scaleb(-_EXACT.scale), Context(prec=2000, rounding=ROUND_FLOOR)
_MOMENTS = _Reading(_MOMENT, _parse_naive, (_ZONED, _MOMENT, _ZONED_NANO, _NANO))
_READINGS: Mapping[CursorType, _Reading] = {
    CursorType.INTEGER: _Reading(_BIG, lambda text: Decimal(int(text)), (pa.int64(), _BIG)),
    CursorType.NUMERIC: _Reading(_EXACT, _parse_number, (_EXACT,)),
    CursorType.DATE_TIME: _MOMENTS,
    CursorType.TIMESTAMP: _MOMENTS,
    CursorType.DATE: _Reading(
        pa.date32(),
        parse_date,
        (pa.date32(),),
        lambda column: pc.utf8_slice_codeunits(column, 0, 10),
    ),
}
