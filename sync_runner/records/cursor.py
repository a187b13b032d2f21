"""Positions in a stream: how cursor values are read, compared, shifted and written. Pure.

A position keeps the text that the source wrote, because a source understands its own spelling best.
A `Date` is compared and sent as a whole day, so that what is read again always includes the day of
the position. No position is in the future, whose rows are not known.
"""

import math
import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation

from external_data_operator.api.cursors import CursorType

from sync_runner.protocols import Position
from sync_runner.records.moments import (
    count_seconds,
    is_local,
    parse_date,
    parse_moment,
    shift,
    shift_date,
    write_moment,
)

CursorKey = Decimal | date | str
"""The key by which positions of one type are compared."""

_OBJECT_ID = re.compile(r"[0-9a-f]{24}")
CLOCKS_S = 3_600
"""How far a timestamp may be in the future: clocks differ."""
LOCAL_S = 86_400
"""The same of a day, or of a time without a zone: local ones are up to 14 hours ahead of UTC."""


def find_limit(now: float, *, is_local: bool) -> datetime:
    """The last time that a position may have."""
    return datetime.fromtimestamp(now + (LOCAL_S if is_local else CLOCKS_S), UTC)


def is_ahead(position: Position, now: float) -> bool:
    """Whether a position is after the present. Those that count no time never are."""
    text = position.value
    match position.type:
        case CursorType.INTEGER | CursorType.NUMERIC:
            return False
        case CursorType.OBJECT_ID:
            return int(parse_object_id(text)[:8], 16) > now + CLOCKS_S
        case CursorType.DATE:
            return parse_date(text) > find_limit(now, is_local=True).date()
        case CursorType.DATE_TIME | CursorType.TIMESTAMP:
            return parse_moment(text) > find_limit(now, is_local=is_local(text))


def parse_key(position: Position) -> CursorKey:
    """The key for comparisons; ValueError if the text is not of its type."""
    match position.type:
        case CursorType.INTEGER | CursorType.NUMERIC:
            return _parse_decimal(position.value)
        case CursorType.DATE:
            return parse_date(position.value)
        case CursorType.OBJECT_ID:
            return parse_object_id(position.value)
        case CursorType.DATE_TIME | CursorType.TIMESTAMP:
            return count_seconds(position.value)


def is_above(a: Position, b: Position) -> bool:
    """Whether the first of two positions of one type is the higher one."""
    return parse_key(a) > parse_key(b)  # type: ignore[operator] # one type, one kind of key


def later(a: Position | None, b: Position | None) -> Position | None:
    """The higher of two positions; the second of two equal ones, and where the first cannot be
    read as the second's type.
    """
    if b is None:
        return a
    known = None if a is None else find_as(a, b.type)
    return known if known is not None and is_above(known, b) else b


def find_as(position: Position, kind: CursorType) -> Position | None:
    """The same text as a position of another type; None where it is none of that type."""
    found = replace(position, type=kind)
    try:
        parse_key(found)
    except (ValueError, OverflowError):
        return None
    return found


def shift_back(position: Position, seconds: int) -> Position:
    """The position `seconds` earlier, in the same form, within the range of timestamps; numbers
    that do not count time stay.
    """
    if seconds == 0:
        return position
    text = position.value
    match position.type:
        case CursorType.INTEGER | CursorType.NUMERIC:
            return position
        case CursorType.OBJECT_ID:
            stamp = max(0, int(parse_object_id(text)[:8], 16) - seconds)
            text = f"{stamp:08x}{'0' * 16}"
        case CursorType.DATE:
            text = str(shift_date(parse_date(text), -math.ceil(seconds / 86_400)))
        case CursorType.DATE_TIME | CursorType.TIMESTAMP:
            text = write_moment(shift(parse_moment(text), timedelta(seconds=-seconds)), like=text)
    return replace(position, value=text)


def render(position: Position, pattern: str | None) -> str:
    """What is sent as a bound: the text itself, or in a strftime pattern (`%s`: epoch seconds)."""
    if pattern is None:
        return position.value
    if position.type is CursorType.DATE:
        return parse_date(position.value).strftime(pattern)
    if position.type in (CursorType.DATE_TIME, CursorType.TIMESTAMP):
        moment = parse_moment(position.value)
        return moment.strftime(pattern.replace("%s", str(int(moment.timestamp()))))
    return position.value


def parse_object_id(text: str) -> str:
    """24 hexadecimal digits in small letters; ValueError for all else."""
    found = text.strip().lower()
    if not _OBJECT_ID.fullmatch(found):
        raise ValueError("not an ObjectId")
    return found


def _parse_decimal(text: str) -> Decimal:
    try:
        number = Decimal(text.strip())
    except InvalidOperation as error:
        raise ValueError("not a number") from error
    if not number.is_finite():
        raise ValueError("not a number")
    return number
