"""Positions of every type: read, compared, shifted, written."""

from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

import pyarrow as pa
import pytest
from external_data_operator.api.conditions import Reason
from external_data_operator.api.cursors import CursorType
from external_data_operator.api.sources.rest import RestIncremental
from hypothesis import given, settings
from hypothesis import strategies as st

from sync_runner.errors import ConfigurationError
from sync_runner.protocols import Position
from sync_runner.records.cursor import (
    is_above,
    is_ahead,
    later,
    parse_key,
    render,
    shift_back,
)
from sync_runner.records.cursor_column import (
    find_highest,
    find_second_highest,
    is_ascending,
    order_values,
)
from sync_runner.sources.cursor_tracker import CursorTracker, Seen
from sync_runner.sources.rest.bounds import CursorBounds, Window

INTEGER, NUMERIC = CursorType.INTEGER, CursorType.NUMERIC
MOMENT, DATE, STAMP = CursorType.DATE_TIME, CursorType.DATE, CursorType.TIMESTAMP
OBJECT_ID = CursorType.OBJECT_ID
OID = "507f1f77bcf86cd7994390"
BIG = 10**25

ORDERED = [
    ("9", "10", INTEGER),
    ("-10", "-9", INTEGER),
    (str(BIG), str(BIG + 1), INTEGER),
    ("4.3", "4.25e1", NUMERIC),
    ("2024-01-01T00:00:00Z", "2024-01-01T00:00:00.001Z", MOMENT),
    ("2024-01-01T02:00:00+02:00", "2024-01-01T00:30:00Z", MOMENT),
    ("2024-01-01T00:00:00", "2024-01-01T00:30:00+00:00", MOMENT),
    ("2024-01-01 00:00:00", "1704067201", MOMENT),
    ("1704067200", "1704067200001", STAMP),
    ("1704067200.25", "1704067200.5", STAMP),
    ("2024-01-31", "2024-02-01", DATE),
    ("2024-01-31T23:00:00Z", "2024-02-01", DATE),
    (f"{OID}1F", f"{OID}20", OBJECT_ID),
]


@pytest.mark.parametrize(("low", "high", "kind"), ORDERED, ids=str)
def test_positions_are_ordered_by_value_not_by_spelling(
    low: str, high: str, kind: CursorType
) -> None:
    a, b = Position(low, kind), Position(high, kind)
    assert later(a, b) == later(b, a) == b
    assert later(a, None) == later(None, a) == a


@pytest.mark.parametrize(
    ("text", "kind"),
    [("x", INTEGER), ("NaN", NUMERIC), ("soon", MOMENT), ("31.01.2024", DATE), ("zz", OBJECT_ID)],
)
def test_text_of_another_type_is_refused(text: str, kind: CursorType) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the library's own words differ
        parse_key(Position(text, kind))


@pytest.mark.parametrize(
    ("text", "kind", "seconds", "shifted"),
    [
        ("2024-01-01T00:00:00Z", MOMENT, 90, "2023-12-31T23:58:30Z"),
        ("2024-01-01T02:00:00+02:00", MOMENT, 90, "2023-12-31T23:58:30Z"),
        ("2024-01-01 00:00:00.500", MOMENT, 90, "2023-12-31 23:58:30.500"),
        ("2024-01-01T00:00:00.1234567Z", MOMENT, 1, "2023-12-31T23:59:59.123456Z"),
        ("1704067200", STAMP, 90, "1704067110"),
        ("1704067200123", STAMP, 90, "1704067110123"),
        ("1704067200.25", STAMP, 90, "1704067110.25"),
        ("2024-01-10", DATE, 1, "2024-01-09"),
        ("2024-01-10", DATE, 86_400, "2024-01-09"),
        ("2024-01-10", DATE, 86_401, "2024-01-08"),
        ("507f1f77bcf86cd799439011", OBJECT_ID, 1, "507f1f760000000000000000"),
        ("17", INTEGER, 90, "17"),
        ("2024-01-01T00:00:00Z", MOMENT, 0, "2024-01-01T00:00:00Z"),
        ("0001-01-01T00:00:00Z", MOMENT, 3600, "0001-01-01T00:00:00Z"),
        ("0001-01-01T00:30:00+05:00", MOMENT, 3600, "0001-01-01T00:00:00Z"),
        ("9999-12-31T23:59:59-05:00", MOMENT, 1, "9999-12-31T23:59:58.999999Z"),
        ("2016-12-31T23:59:60Z", MOMENT, 1, "2016-12-31T23:59:59Z"),
        ("2016-12-31T23:59:60+01:00", MOMENT, 0, "2016-12-31T23:59:60+01:00"),
        ("2024-01-01T24:00:00Z", MOMENT, 60, "2024-01-01T23:59:00Z"),
        ("2024-01-01 24:00", MOMENT, 60, "2024-01-01 23:59:00"),
        ("0001-01-01", DATE, 86_400, "0001-01-01"),
        ("100000000000", STAMP, 3600, "100000000000"),
        ("-99999999999999", STAMP, 1, "-62135596800000"),
        ("00000001ffffffffffffffff", OBJECT_ID, 5, "000000000000000000000000"),
    ],
)
def test_a_look_back_keeps_the_form(
    text: str, kind: CursorType, seconds: int, shifted: str
) -> None:
    assert shift_back(Position(text, kind), seconds) == Position(shifted, kind)


@given(st.datetimes(min_value=datetime(1971, 1, 1, tzinfo=None)), st.integers(1, 10**7))  # noqa: DTZ001
def test_a_look_back_is_exact(moment: datetime, seconds: int) -> None:
    position = Position(moment.isoformat(), MOMENT)
    before = shift_back(position, seconds)
    assert parse_key(position) - parse_key(before) == seconds  # type: ignore[operator]


@pytest.mark.parametrize(
    ("text", "kind", "pattern", "sent"),
    [
        ("2024-01-01T02:00:00+02:00", MOMENT, None, "2024-01-01T02:00:00+02:00"),
        ("2024-01-01T02:00:00+02:00", MOMENT, "%Y/%m/%d %H:%M", "2024/01/01 00:00"),
        ("2024-01-01T00:00:00Z", MOMENT, "%s", "1704067200"),
        ("1704067200123", STAMP, "%Y-%m-%d", "2024-01-01"),
        ("1704067200123", STAMP, None, "1704067200123"),
        ("2024-01-31", DATE, "%d.%m.%Y", "31.01.2024"),
        ("42", INTEGER, "%Y", "42"),
    ],
)
def test_a_bound_is_sent_as_the_spec_wants_it(
    text: str, kind: CursorType, pattern: str | None, sent: str
) -> None:
    assert render(Position(text, kind), pattern) == sent


COLUMNS = [
    ([3, None, 1], INTEGER, "3"),
    (["9", "10", None], INTEGER, "10"),
    ([str(BIG), "7"], INTEGER, str(BIG)),
    ([1.5, 2.25], NUMERIC, "2.25"),
    (["9007199254740993", "9007199254740992"], NUMERIC, "9007199254740993"),
    (["12345678901234567890.2", "12345678901234567890.15"], NUMERIC, "12345678901234567890.2"),
    (["1e60", "2.5", None], NUMERIC, "1e60"),
    ([Decimal("9007199254740993.0"), Decimal("0.5")], NUMERIC, "9007199254740993"),
    ([Decimal("12345678901234567890.10"), None], NUMERIC, "12345678901234567890.1"),
    ([7.0, 6.5], INTEGER, "7"),
    ([1.5, float("nan"), float("inf")], NUMERIC, "1.5"),
    (["4.25", "10.5"], NUMERIC, "10.5"),
    ([1e16, 1.0], NUMERIC, "10000000000000000"),
    (
        ["2024-01-01T00:00:00Z", "2024-01-01T02:00:00.5+02:00"],
        MOMENT,
        "2024-01-01T02:00:00.5+02:00",
    ),
    (["2024-01-01T00:00:00", "2024-01-01T03:00:00+02:00"], MOMENT, "2024-01-01T03:00:00+02:00"),
    (["2024-01-02", "2024-01-01T00:00:00Z", "n/a"], MOMENT, "2024-01-02"),
    (["2024-01-01T00:00:00.1234567Z"], MOMENT, "2024-01-01T00:00:00.1234567Z"),
    ([1704067200, 1704067201], MOMENT, "1704067201"),
    ([1704067200.5], STAMP, "1704067200.5"),
    (["2024-01-31", "2024-02-01T10:00:00Z"], DATE, "2024-02-01"),
    ([f"{OID}1F", f'{{"$oid": "{OID}2F"}}'], OBJECT_ID, f"{OID}2f"),
]


@pytest.mark.parametrize(("values", "kind", "highest"), COLUMNS, ids=str)
def test_the_highest_value_of_a_column_keeps_its_spelling(
    values: list[object], kind: CursorType, highest: str
) -> None:
    column = pa.array(values)
    ordered = order_values(column, kind, name="x")
    assert find_highest(column, ordered, kind) == Position(highest, kind)


def test_a_column_without_values_has_no_highest_one() -> None:
    for column in (pa.nulls(3), pa.array([None, None], pa.string()), pa.array([], pa.string())):
        ordered = order_values(column, MOMENT, name="x")
        assert find_highest(column, ordered, MOMENT) is None
        assert find_second_highest(column, ordered, MOMENT) is None
        assert is_ascending(ordered, above=None)


def test_the_second_highest_value_is_below_all_that_share_the_highest() -> None:
    column = pa.array([1, 5, 3, 5])
    ordered = order_values(column, INTEGER, name="x")
    assert find_second_highest(column, ordered, INTEGER) == Position("3", INTEGER)
    same = pa.array([5, 5])
    assert find_second_highest(same, same, INTEGER) is None


@pytest.mark.parametrize(
    ("values", "kind"),
    [(["x"], MOMENT), ([True], INTEGER), ([5], DATE), (["[1]"], NUMERIC), ([1], OBJECT_ID)],
)
def test_a_column_of_another_type_is_said_by_name(values: list[object], kind: CursorType) -> None:
    with pytest.raises(
        ConfigurationError, match=f"Field changed does not contain {kind}"
    ) as caught:
        order_values(pa.array(values), kind, name="changed")
    assert caught.value.reason is Reason.INVALID_SPEC


@pytest.mark.parametrize(
    ("values", "ascending"),
    [([1, 1, 2], True), ([2, 1], False), ([1, None, 2], True), ([2, None, 1], False), ([], True)],
)
def test_rows_ascend_or_not(values: list[int | None], ascending: bool) -> None:
    assert is_ascending(pa.array(values, pa.int64()), above=None) is ascending


def test_rows_ascend_above_the_batch_before() -> None:
    assert is_ascending(pa.array([5, 6]), above=pa.scalar(5))
    assert not is_ascending(pa.array([5, 6]), above=pa.scalar(7))
    assert not is_ascending(pa.array([5, 6]), above=pa.scalar("5")), (
        "another type compares with nothing"
    )


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (Position("2024-01-01", CursorType.DATE), Position("2024-02-01T00:00:00Z", MOMENT)),
        (Position("2024-02-01T00:00:00Z", MOMENT), Position("5", CursorType.INTEGER)),
        (Position("1700000000000", CursorType.INTEGER), Position("2026-01-01T00:00:00Z", MOMENT)),
    ],
    ids=["date-to-moment", "moment-to-number", "number-to-moment"],
)
def test_a_position_of_another_type_does_not_hold_a_newer_one_back(
    old: Position, new: Position
) -> None:
    assert later(old, new) == new


def test_a_higher_position_is_read_as_the_other_ones_type() -> None:
    old = Position("2024-03-01T12:00:00Z", MOMENT)
    assert later(old, Position("2024-02-01", CursorType.DATE)) == replace(old, type=CursorType.DATE)


TEXTS = st.one_of(
    st.text(max_size=30),
    st.from_regex(
        r"[+-]?\d{1,8}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d{1,12})?)?(Z|[+-]\d\d:?\d\d)?)?",
        fullmatch=True,
    ),
    st.from_regex(r"[+-]?\d{1,450}(\.\d{1,40})?([eE][+-]?\d{1,9})?", fullmatch=True),
    st.datetimes().map(lambda moment: f"{moment.isoformat()}-23:59"),
    st.datetimes().map(lambda moment: f"{moment.isoformat()}+23:59"),
    st.sampled_from(["0000-00-00", "0001-01-01T00:00:00Z", "9999-12-31T23:59:60Z", "24:00:00"]),
    st.from_regex(r"[0-9a-f]{24}", fullmatch=True),
)
COLUMN = st.one_of(
    st.lists(st.none() | TEXTS, max_size=5).map(lambda v: pa.array(v, pa.string())),
    st.lists(st.none() | st.integers(-(2**63), 2**63 - 1), max_size=5).map(
        lambda v: pa.array(v, pa.int64())
    ),
    st.lists(st.none() | st.integers(0, 2**64 - 1), max_size=5).map(
        lambda v: pa.array(v, pa.uint64())
    ),
    st.lists(st.none() | st.floats(), max_size=5).map(lambda v: pa.array(v, pa.float64())),
    st.lists(st.none() | st.decimals(-(10**20), 10**20, places=9), max_size=5).map(
        lambda v: pa.array(v, pa.decimal128(38, 9))
    ),
    st.lists(st.none() | st.booleans(), max_size=5).map(lambda v: pa.array(v, pa.bool_())),
)


@pytest.mark.parametrize("number", [99_999_999_999_999_992, -99_999_999_999_999_992, -(2**63)])
@pytest.mark.parametrize("kind", [CursorType.DATE_TIME, CursorType.TIMESTAMP])
def test_a_number_has_one_unit_alone_and_in_a_column(number: int, kind: CursorType) -> None:
    now = 1_770_000_000.0
    tracker = CursorTracker("x", kind, now=now, seen=Seen())
    tracker.observe(pa.RecordBatch.from_arrays([pa.array([number], pa.int64())], ["x"]))
    assert tracker.highest is None or not is_ahead(tracker.highest, now)


@settings(max_examples=1500)
@given(
    columns=st.lists(COLUMN, min_size=1, max_size=3),
    kind=st.sampled_from(CursorType),
    seconds=st.integers(0, 60 * 86_400),
    window_s=st.integers(1, 10**7),
    ascending=st.booleans(),
)
def test_any_value_of_a_source_is_a_position_or_none(
    columns: list[pa.Array], kind: CursorType, seconds: int, window_s: int, *, ascending: bool
) -> None:
    now = 1_770_000_000.0
    tracker = CursorTracker("x", kind, now=now, seen=Seen(ascending=ascending))
    for column in columns:
        tracker.observe(pa.RecordBatch.from_arrays([column], ["x"]))
    tracker.describe()
    with suppress(ConfigurationError):
        tracker.check_end()
    position = tracker.highest
    if position is None:
        return
    assert not is_ahead(position, now)
    before = shift_back(position, seconds)
    assert not is_above(before, position)
    for pattern in (None, "%Y-%m-%dT%H:%M:%SZ", "%s", "%d.%m.%Y"):
        render(before, pattern)
    if kind in (MOMENT, STAMP, DATE):
        check_windows(kind, before, window_s, now)


def check_windows(kind: CursorType, since: Position, window_s: int, now: float) -> None:
    """The first windows go on, each from the end of the one before."""
    spec = RestIncremental(
        cursor_path="x", start_param="a", end_param="b", initial_value="2020-01-01",
        window_seconds=max(window_s, 60), cursor_type=kind,
    )  # fmt: skip
    bounds = CursorBounds(spec, kind)
    window: Window | None = bounds.find_first(since, now=now)
    for _ in range(5):
        assert window is not None
        bounds.build_params(window)
        following = bounds.find_next(window)
        if following is None:
            return
        assert following.lower == window.upper
        lower, upper = following.lower, following.upper
        assert lower is not None
        assert upper is not None
        assert is_above(Position(upper, kind), Position(lower, kind))
        window = following
