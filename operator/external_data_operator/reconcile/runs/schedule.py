"""The schedule of a table: from syncFrequency and syncTimeOfDay to five cron fields, and from cron
fields to the next time.

Kubernetes starts the Jobs; this module only computes the times. The minute (and the hour, and the
day) of a frequency comes from a hash of the object's uid, so that a thousand tables do not start at
the same time; a time of day in the spec replaces that hash. Not every month has a thirtieth day, so
`30day` is monthly, on one of the first 28 days.
"""

import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError

from external_data_operator.api.source import SyncFrequency
from external_data_operator.errors import SpecError

UTC_NAME = "Etc/UTC"
DAY_MIN = 24 * 60
_PERIOD_MIN = {
    SyncFrequency.MIN_5: 5,
    SyncFrequency.MIN_15: 15,
    SyncFrequency.MIN_30: 30,
    SyncFrequency.HOUR_1: 60,
    SyncFrequency.HOUR_6: 6 * 60,
    SyncFrequency.HOUR_12: 12 * 60,
    SyncFrequency.HOUR_24: DAY_MIN,
    SyncFrequency.DAY_7: 7 * DAY_MIN,
    SyncFrequency.DAY_30: 30 * DAY_MIN,
}
_MONTHS = "(JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC)"
_DAYS = "(SUN|MON|TUE|WED|THU|FRI|SAT)"
_NAMES = (r"\d+", r"\d+", r"\d+", rf"(\d+|{_MONTHS})", rf"([0-6]|{_DAYS})")
_FIELD_WORDS = ("minute", "hour", "day of month", "month", "day of week")
_DEADLINE_MIN_S, _DEADLINE_MAX_S = 120, 6 * 3600


@dataclass(frozen=True)
class Schedule:
    """Five cron fields and the IANA zone that they are read in."""

    cron: str
    time_zone: str = UTC_NAME


@dataclass(frozen=True)
class Wish:
    """The fields of a schema's spec that decide its schedule."""

    frequency: SyncFrequency | None = None
    time_of_day: str | None = None
    cron: str | None = None
    time_zone: str | None = None


def find_schedule(wish: Wish, uid: str) -> Schedule | None:
    """The schedule that a spec asks for; None for `never`. Raises SpecError naming the field."""
    if wish.cron is not None:
        schedule = Schedule(wish.cron, wish.time_zone or UTC_NAME)
        _check(schedule)
        return schedule
    frequency = wish.frequency or SyncFrequency.HOUR_6
    if frequency is SyncFrequency.NEVER:
        return None
    period = _PERIOD_MIN[frequency]
    phase = _hash(uid, "minute") % min(period, DAY_MIN)
    if wish.time_of_day is not None:
        hour, minute = wish.time_of_day.split(":")[:2]
        phase = (int(hour) * 60 + int(minute)) % min(period, DAY_MIN)
    return Schedule(_fields(period, phase, day=_hash(uid, "day")))


def next_time(schedule: Schedule, after: datetime) -> datetime | None:
    """The next time after `after`, in UTC; None if it never fires."""
    local = after.astimezone(ZoneInfo(schedule.time_zone))
    try:
        found = next(CronSim(schedule.cron, local), None)
    except CronSimError:
        return None
    return None if found is None else found.astimezone(UTC)


def start_deadline_s(schedule: Schedule, after: datetime) -> int:
    """Seconds by which a run may start late: half of the interval, between two minutes and six
    hours."""
    first = next_time(schedule, after)
    second = None if first is None else next_time(schedule, first)
    if first is None or second is None:
        return _DEADLINE_MAX_S
    gap = (second - first) / timedelta(seconds=1)
    return int(min(max(gap / 2, _DEADLINE_MIN_S), _DEADLINE_MAX_S))


def jobs_a_day(schedule: Schedule, after: datetime) -> int:
    """The number of finished Jobs to keep: about one day of runs, between 3 and 10."""
    first = next_time(schedule, after)
    second = None if first is None else next_time(schedule, first)
    if first is None or second is None:
        return 3
    return int(min(max(timedelta(days=1) / (second - first), 3), 10))


def _hash(uid: str, word: str) -> int:
    return int.from_bytes(hashlib.sha256(f"{uid}/{word}".encode()).digest()[:8])


def _fields(period_min: int, phase_min: int, *, day: int) -> str:
    if period_min <= 60:
        return f"{_every(phase_min, period_min, 60)} * * * *"
    minute, hour = phase_min % 60, phase_min // 60
    if period_min <= DAY_MIN:
        return f"{minute} {_every(hour, period_min // 60, 24)} * * *"
    if period_min == _PERIOD_MIN[SyncFrequency.DAY_7]:
        return f"{minute} {hour} * * {day % 7}"
    return f"{minute} {hour} {day % 28 + 1} * *"


def _every(first: int, step: int, end: int) -> str:
    return str(first) if step == end else f"{first}-{end - 1}/{step}"


def _check(schedule: Schedule) -> None:
    """Accepts only the syntax of Kubernetes: no seconds, no L, W or #, no zone in the fields."""
    fields = schedule.cron.upper().split(" ")
    if len(fields) != len(_NAMES):
        raise SpecError("cron: must have five fields (minute hour day month weekday)")
    for field, name, word in zip(fields, _NAMES, _FIELD_WORDS, strict=True):
        one = rf"(\*|{name}(-{name})?)(/\d+)?"
        if not re.fullmatch(rf"{one}(,{one})*", field):
            raise SpecError(f"cron: the {word} field is not valid")
    try:
        zone = ZoneInfo(schedule.time_zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise SpecError("timeZone: is not an IANA time zone") from None
    try:
        CronSim(schedule.cron, datetime(2026, 1, 1, tzinfo=zone))
    except CronSimError as error:
        raise SpecError(f"cron: {str(error).lower()}") from None
