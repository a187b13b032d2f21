"""Positions in a stream: how cursor values are read, compared, shifted and written. Pure.

A position keeps the text that the source wrote, because a source understands its own spelling best.
Moments (`DateTime` and `Timestamp` alike) are either ISO 8601, taken as UTC where no zone is given,
or numbers since the epoch whose unit (seconds, milli-, micro- or nanoseconds) their magnitude says.
A `Date` is compared and sent as a whole day, so that what is read again always includes the day of
the position.
"""

import math
import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation

from external_data_operator.api.sources.rest import CursorType

from sync_runner.protocols import Position

Key = Decimal | date | str
"""What positions of one type are compared by."""

_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?")
_OBJECT_ID = re.compile(r"[0-9a-f]{24}")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_UNITS_ABOVE = ((10**17, 10**9), (10**14, 10**6), (10**11, 10**3))
"""Numbers from the first on are counted in this many parts of a second."""
_FRACTION = re.compile(r"\.(\d+)")


def parse_key(position: Position) -> Key:
    """What it is compared by; ValueError where the text is none of its type."""
    match position.type:
        case CursorType.INTEGER | CursorType.NUMERIC:
            return _parse_decimal(position.value)
        case CursorType.DATE:
            return parse_date(position.value)
        case CursorType.OBJECT_ID:
            return parse_object_id(position.value)
        case CursorType.DATE_TIME | CursorType.TIMESTAMP:
            return _count_seconds(position.value)


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
    found = Position(position.value, kind)
    try:
        parse_key(found)
    except (ValueError, OverflowError):
        return None
    return found


def shift_back(position: Position, seconds: int) -> Position:
    """So many seconds earlier, in the same form; numbers that do not count time stay."""
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
            text = str(parse_date(text) - timedelta(days=math.ceil(seconds / 86_400)))
        case CursorType.DATE_TIME | CursorType.TIMESTAMP:
            text = write_moment(parse_moment(text) - timedelta(seconds=seconds), like=text)
    return Position(text, position.type)


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


def parse_moment(text: str) -> datetime:
    """A moment in UTC, cut to microseconds; ValueError where the text is none."""
    text = text.strip()
    if _NUMBER.fullmatch(text):
        return _EPOCH + timedelta(microseconds=int(_count_seconds(text) * 1_000_000))
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def write_moment(moment: datetime, *, like: str) -> str:
    """A moment in the form of another one's text: number and unit, zone or none, digits."""
    like = like.strip()
    if _NUMBER.fullmatch(like):
        parts = _parts_of_second(Decimal(like))
        count = Decimal((moment - _EPOCH) // timedelta(microseconds=1)) * parts / 1_000_000
        return str(count.quantize(Decimal(like))) if "." in like else str(int(count))
    sample = datetime.fromisoformat(like)
    fraction = _FRACTION.search(like)
    spec = "seconds" if fraction is None else "milliseconds"
    if moment.microsecond % 1000 or (fraction and len(fraction[1]) > 3):
        spec = "microseconds"
    elif moment.microsecond and fraction is None:
        spec = "milliseconds"
    separator = " " if " " in like[:11] else "T"
    text = moment.replace(tzinfo=None).isoformat(separator, spec)
    return text if sample.tzinfo is None else f"{text}Z"


def parse_date(text: str) -> date:
    """The day of a date or a moment, as written; ValueError where the text is neither."""
    try:
        return date.fromisoformat(text.strip()[:10])
    except ValueError:
        return parse_moment(text).date()


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


def _count_seconds(text: str) -> Decimal:
    """Seconds since the epoch."""
    if _NUMBER.fullmatch(text.strip()):
        number = Decimal(text.strip())
        return number / _parts_of_second(number)
    return Decimal((parse_moment(text) - _EPOCH) // timedelta(microseconds=1)) / 1_000_000


def _parts_of_second(number: Decimal) -> int:
    return next((parts for least, parts in _UNITS_ABOVE if abs(number) >= least), 1)
