"""Timestamps and days as text: parsed, shifted and written. Pure, and total: a time before the
first one that Python can represent, or after the last one, becomes that one.

A timestamp is ISO 8601, in UTC if it has no zone, or a number since the epoch whose unit (seconds,
milli-, micro- or nanoseconds) follows from its magnitude.
"""

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Context, Decimal

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FIRST, LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
UNITS_ABOVE = ((10**17, 10**9), (10**14, 10**6), (10**11, 10**3))
"""Numbers from the first on are counted in this many parts of a second."""
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?")
_DIGITS_MAX = 400
"""More digits than any number that a source could mean."""
_EXACT = Context(prec=2 * _DIGITS_MAX)
_MICRO = timedelta(microseconds=1)
_FIRST_S, _LAST_S = (Decimal((bound - EPOCH) // _MICRO) / 10**6 for bound in (FIRST, LAST))
_FRACTION = re.compile(r"\.(\d+)")
ZONE = r"[Tt ].*([Zz]|[+-]\d\d(:?\d\d){0,2})\s*$"
"""The end of a timestamp that contains its zone."""
_ZONE = re.compile(ZONE)
_FAR = re.compile(r"\+?\d{5,6}-\d\d-\d\d([T ].*)?")
_BEFORE = re.compile(r"-\d{4,6}-\d\d-\d\d([T ].*)?|0000-\d\d-\d\d([T ].*)?")
_REMEDIES = (
    # A leap second is the next second; Python has none.
    (re.compile(r"([T ]\d\d:?\d\d:?)60"), r"\g<1>59", timedelta(seconds=1)),
    # The end of a day is the beginning of the next one.
    (re.compile(r"([T ])24(:?00){1,2}(\.0+)?(?=$|[Zz+-])"), r"\g<1>00:00:00", timedelta(days=1)),
)


def parse_moment(text: str) -> datetime:
    """A timestamp in UTC, cut to microseconds; ValueError if the text is not one."""
    text = text.strip()
    if _NUMBER.fullmatch(text):
        return _at(count_seconds(text))
    if _FAR.fullmatch(text):
        return LAST
    if _BEFORE.fullmatch(text):
        return FIRST
    return _parse_iso(text)


def _parse_iso(text: str) -> datetime:
    try:
        return _in_utc(datetime.fromisoformat(text))
    except ValueError:
        for pattern, instead, more in _REMEDIES:
            mended, count = pattern.subn(instead, text, count=1)
            if count:
                return shift(_in_utc(datetime.fromisoformat(mended)), more)
        raise


def _in_utc(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        return moment.replace(tzinfo=UTC)
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        return FIRST if moment.year == 1 else LAST


def shift(moment: datetime, by: timedelta) -> datetime:
    """Later or earlier, within the range of timestamps."""
    try:
        return moment + by
    except OverflowError:
        return LAST if by > timedelta() else FIRST


def count_seconds(text: str) -> Decimal:
    """Seconds since the epoch; ValueError if the text is not a timestamp."""
    text = text.strip()
    if not _NUMBER.fullmatch(text):
        return Decimal((parse_moment(text) - EPOCH) // _MICRO) / 10**6
    if len(text) > _DIGITS_MAX:
        raise ValueError("not a timestamp")
    number = Decimal(text)
    return _EXACT.divide(number, Decimal(_find_unit(number)))


def write_moment(moment: datetime, *, like: str) -> str:
    """A timestamp in the form of another one's text: number and unit, zone, digits."""
    like = like.strip()
    if _NUMBER.fullmatch(like):
        return _write_number(moment, Decimal(like), has_fraction="." in like)
    fraction = _FRACTION.search(like)
    spec = "seconds" if fraction is None else "milliseconds"
    if moment.microsecond % 1000 or (fraction and len(fraction[1]) > 3):
        spec = "microseconds"
    elif moment.microsecond and fraction is None:
        spec = "milliseconds"
    separator = " " if " " in like[:11] else "T"
    text = moment.replace(tzinfo=None).isoformat(separator, spec)
    return f"{text}Z" if _ZONE.search(like) else text


def _write_number(moment: datetime, like: Decimal, *, has_fraction: bool) -> str:
    """Never across the bound of its unit, where it would be read in another one."""
    parts = _find_unit(like)
    micros = Decimal((moment - EPOCH) // _MICRO)
    count = _EXACT.divide(_EXACT.multiply(micros, Decimal(parts)), Decimal(10**6))
    if _find_unit(count) != parts:
        least = next((least for least, unit in UNITS_ABOVE if unit == parts), 0)
        count = Decimal(least).copy_sign(like)
    return format(count.quantize(like, context=_EXACT), "f") if has_fraction else str(int(count))


def is_local(text: str) -> bool:
    """Whether a timestamp is a local time: neither a number nor a text with a zone."""
    return not (_NUMBER.fullmatch(text.strip()) or _ZONE.search(text))


def parse_date(text: str) -> date:
    """The day of a date or a timestamp, as written; ValueError if the text is neither."""
    try:
        return date.fromisoformat(text.strip()[:10])
    except ValueError:
        return parse_moment(text).date()


def shift_date(day: date, days: int) -> date:
    """Later or earlier, within the range of days."""
    try:
        return day + timedelta(days=days)
    except OverflowError:
        return date.max if days > 0 else date.min


def _at(seconds: Decimal) -> datetime:
    if seconds >= _LAST_S:
        return LAST
    if seconds <= _FIRST_S:
        return FIRST
    return EPOCH + timedelta(microseconds=int(seconds * 10**6))


def _find_unit(number: Decimal) -> int:
    return next((parts for least, parts in UNITS_ABOVE if abs(number) >= least), 1)
