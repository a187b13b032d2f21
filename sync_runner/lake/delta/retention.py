"""How long a table keeps entries of its log, and files that were removed from it. Pure.

Both are properties of the table, under Delta's names, so that every tool respects them. A reader
that was away for a shorter time continues; older versions and files are deleted.
"""

import re
from collections.abc import Mapping

from external_data_operator.api.schema import RETENTION_HOURS_MAX, Retention

LOG = "delta.logRetentionDuration"
CLEANUP = "delta.enableExpiredLogCleanup"
FILES = "delta.deletedFileRetentionDuration"
_DELTA_HOURS = {LOG: 30 * 24.0, FILES: 7 * 24.0}
"""Values for a property that cannot be parsed: Delta's own defaults."""
_PAIR = re.compile(r"(\d+)\s+(millisecond|second|minute|hour|day|week)s?")
_HOURS = {
    "millisecond": 1 / 3_600_000,
    "second": 1 / 3600,
    "minute": 1 / 60,
    "hour": 1.0,
    "day": 24.0,
    "week": 168.0,
}


def find_missing_properties(
    properties: Mapping[str, str], wanted: Retention | None, *, default: Retention
) -> dict[str, str]:
    """The properties that a commit has to set: those of the spec, and a default if the table has
    none."""
    found: dict[str, str] = {}
    for key, field in ((LOG, "log_hours"), (FILES, "deleted_file_hours")):
        stated = None if wanted is None else getattr(wanted, field)
        # A value that a person set on the table itself holds unless the spec has one.
        if stated is None and key in properties:
            continue
        hours = getattr(default, field) if stated is None else stated
        if key not in properties or find_hours(properties, key) != hours:
            found[key] = render_hours(hours)
    return found


def find_hours(properties: Mapping[str, str], key: str) -> float | None:
    """Hours of a property; None if the table does not have it."""
    if key not in properties:
        return None
    text = properties[key].lower().strip().removeprefix("interval").strip()
    pairs = _PAIR.findall(text)
    if not pairs or _PAIR.sub("", text).strip():
        return _DELTA_HOURS[key]
    hours = sum(int(count) * _HOURS[unit] for count, unit in pairs)
    return min(hours, RETENTION_HOURS_MAX)  # more is beyond what clocks can count back


def render_hours(hours: int) -> str:
    """An interval in Delta's syntax."""
    if hours and hours % 24 == 0:
        return f"interval {hours // 24} days"
    return f"interval {hours} hours"
