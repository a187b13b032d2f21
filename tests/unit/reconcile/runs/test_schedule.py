"""Frequencies become five cron fields that fire as often as they say, and cron fields a next
time.
"""

import re
from datetime import UTC, datetime, timedelta

import pytest
from external_data_operator.api.source import SyncFrequency
from external_data_operator.errors import SpecError
from external_data_operator.reconcile.runs.schedule import (
    Schedule,
    Wish,
    find_schedule,
    jobs_a_day,
    next_time,
    start_deadline_s,
)
from hypothesis import given
from hypothesis import strategies as st

START = datetime(2026, 3, 4, 10, 0, tzinfo=UTC)
PERIODS = {
    SyncFrequency.MIN_5: timedelta(minutes=5),
    SyncFrequency.MIN_15: timedelta(minutes=15),
    SyncFrequency.MIN_30: timedelta(minutes=30),
    SyncFrequency.HOUR_1: timedelta(hours=1),
    SyncFrequency.HOUR_6: timedelta(hours=6),
    SyncFrequency.HOUR_12: timedelta(hours=12),
    SyncFrequency.HOUR_24: timedelta(days=1),
    SyncFrequency.DAY_7: timedelta(days=7),
}
uids = st.uuids().map(str)
times = st.times().map(lambda moment: moment.strftime("%H:%M:%S"))


def schedule_of(**wish: object) -> Schedule:
    found = find_schedule(Wish(**wish), "uid-1")  # type: ignore[arg-type]
    assert found is not None
    return found


@pytest.mark.parametrize("frequency", PERIODS, ids=str)
@given(uid=uids, time=st.none() | times)
def test_a_frequency_fires_once_in_each_of_its_periods(frequency, uid, time):
    schedule = find_schedule(Wish(frequency, time), uid)
    moment, gaps = START, []
    for _ in range(5):
        following = next_time(schedule, moment)
        gaps.append(following - moment)
        moment = following
    assert gaps[0] <= PERIODS[frequency]
    assert gaps[1:] == [PERIODS[frequency]] * 4


@given(uid=uids, time=times)
def test_a_stated_time_of_day_is_one_of_the_times_that_the_schedule_fires(uid, time):
    hour, minute = map(int, time.split(":")[:2])
    for frequency, period in PERIODS.items():
        schedule = find_schedule(Wish(frequency, time), uid)
        fired = next_time(schedule, START)
        phase = timedelta(hours=hour, minutes=minute) % min(period, timedelta(days=1))
        since_midnight = timedelta(hours=fired.hour, minutes=fired.minute)
        assert since_midnight % min(period, timedelta(days=1)) == phase


@given(uid=uids)
def test_a_month_of_thirty_days_fires_in_every_month(uid):
    schedule = find_schedule(Wish(SyncFrequency.DAY_30), uid)
    moment, months = START, []
    for _ in range(12):
        moment = next_time(schedule, moment)
        months.append(moment.month)
    assert sorted(months) == list(range(1, 13))


@given(uid=uids, frequency=st.sampled_from(sorted(set(SyncFrequency) - {SyncFrequency.NEVER})))
def test_the_same_object_always_gets_the_same_schedule_of_five_plain_fields(uid, frequency):
    schedule = find_schedule(Wish(frequency), uid)
    assert schedule == find_schedule(Wish(frequency), uid)
    assert re.fullmatch(r"(\d+|\*|\d+-\d+/\d+)( (\d+|\*|\d+-\d+/\d+)){4}", schedule.cron)
    assert schedule.time_zone == "Etc/UTC"


def test_a_thousand_tables_are_spread_over_the_hour():
    minutes = {
        find_schedule(Wish(SyncFrequency.HOUR_1), str(n)).cron.split()[0] for n in range(1000)
    }
    assert len(minutes) == 60


def test_never_has_no_schedule():
    assert find_schedule(Wish(SyncFrequency.NEVER), "uid") is None


def test_without_a_word_a_table_is_synced_every_six_hours():
    schedule = find_schedule(Wish(), "uid")
    first = next_time(schedule, START)
    assert next_time(schedule, first) - first == timedelta(hours=6)


@pytest.mark.parametrize(
    ("cron", "zone", "expected"),
    [
        ("30 2 * * *", None, "2026-03-05T02:30:00+00:00"),
        ("30 2 * * *", "Europe/Berlin", "2026-03-05T01:30:00+00:00"),
        ("0 9 * * MON-FRI", "America/New_York", "2026-03-04T14:00:00+00:00"),
        ("*/20 * * * *", "Asia/Kolkata", "2026-03-04T10:10:00+00:00"),
        ("0 0 1 jan *", None, "2027-01-01T00:00:00+00:00"),
    ],
)
def test_the_next_time_of_cron_fields_is_read_in_their_zone(cron, zone, expected):
    schedule = schedule_of(cron=cron, time_zone=zone)
    assert next_time(schedule, START).isoformat() == expected


@pytest.mark.parametrize(
    ("cron", "zone", "said"),
    [
        ("0 0 * * * *", None, "cron: must have five fields"),
        ("60 * * * *", None, "cron: bad minute"),
        ("* * L * *", None, "cron: the day of month field"),
        ("* * * * 7", None, "cron: the day of week field"),
        ("* * * * 1#2", None, "cron: the day of week field"),
        ("0 0 31 2 *", None, "cron: bad day-of-month"),
        ("*/0 * * * *", None, "cron: bad minute"),
        ("5-1 * * * *", None, "cron: bad minute"),
        ("@hourly x x x x", None, "cron: the minute field"),
        ("0 0 * * *", "Europe/Atlantis", "timeZone: is not an IANA"),
        ("0 0 * * *", "../etc/passwd", "timeZone: is not an IANA"),
    ],
)
def test_what_kubernetes_would_not_understand_is_refused_by_field(cron, zone, said):
    with pytest.raises(SpecError, match=re.escape(said)):
        schedule_of(cron=cron, time_zone=zone)


@pytest.mark.parametrize(
    ("cron", "deadline_s", "kept"),
    [
        ("*/5 * * * *", 150, 10),
        ("* * * * *", 120, 10),
        ("0 * * * *", 1800, 10),
        ("0 0 * * *", 21600, 3),
    ],
)
def test_a_late_run_may_still_start_within_half_of_the_gap(cron, deadline_s, kept):
    schedule = schedule_of(cron=cron)
    assert start_deadline_s(schedule, START) == deadline_s
    assert jobs_a_day(schedule, START) == kept
