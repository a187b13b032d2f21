"""What a tracker calls read has been read, however rows and batches fall."""

import itertools

import pyarrow as pa
import pytest
from external_data_operator.api.conditions import Reason
from external_data_operator.api.cursors import CursorType
from hypothesis import given, settings
from hypothesis import strategies as st

from sync_runner.errors import ConfigurationError
from sync_runner.protocols import Position
from sync_runner.sources.cursor_tracker import CursorTracker, Seen

NOW = 1_770_000_000.0  # 2026-02-02T02:40:00Z
VALUES = st.lists(st.integers(0, 12) | st.none(), min_size=1, max_size=40)


def _tracker() -> CursorTracker:
    return CursorTracker("x", CursorType.INTEGER, now=NOW, seen=Seen())


def _batches(values: list[int | None], cuts: list[int]) -> list[list[int | None]]:
    edges = sorted({0, len(values), *(cut % (len(values) + 1) for cut in cuts)})
    return [values[a:b] for a, b in itertools.pairwise(edges)]


def _record(values: list[int | None]) -> pa.RecordBatch:
    return pa.record_batch({"x": pa.array(values, pa.int64())})


@settings(max_examples=300)
@given(values=VALUES, cuts=st.lists(st.integers(0, 40), max_size=6))
def test_no_row_behind_a_batch_is_as_low_as_what_was_called_complete(
    values: list[int | None], cuts: list[int]
) -> None:
    present = iter(sorted(value for value in values if value is not None))
    ascending = [0, *(None if value is None else next(present) for value in values)]
    tracker, rest = _tracker(), list(ascending)
    for batch in _batches(ascending, cuts):
        tracker.observe(_record(batch))
        rest = rest[len(batch) :]
        assert tracker.ascending
        if tracker.complete is not None:
            assert all(int(tracker.complete.value) < value for value in rest if value is not None)


@settings(max_examples=300)
@given(values=VALUES, cuts=st.lists(st.integers(0, 40), max_size=6))
def test_a_tracker_notices_every_row_that_descends(
    values: list[int | None], cuts: list[int]
) -> None:
    given_values = [0, *values]
    tracker = _tracker()
    for batch in _batches(given_values, cuts):
        tracker.observe(_record(batch))
    present = [value for value in given_values if value is not None]
    assert tracker.ascending is (present == sorted(present))
    assert tracker.highest == Position(str(max(present)), CursorType.INTEGER, "x")


def test_a_resumed_tracker_holds_its_first_row_against_the_attempt_before() -> None:
    for first, ascending in ((5, True), (6, True), (4, False)):
        tracker = CursorTracker("x", CursorType.INTEGER, now=NOW, seen=Seen(highest="5"))
        tracker.observe(_record([None, first, 9]))
        assert tracker.ascending is ascending


MOMENT, DATE, STAMP = CursorType.DATE_TIME, CursorType.DATE, CursorType.TIMESTAMP
FUTURE = [
    (["2026-01-01T00:00:00Z", "2999-12-31T00:00:00Z"], MOMENT, "2026-01-01T00:00:00Z"),
    (["2026-02-03T02:00:00", "2026-02-03T03:00:00"], MOMENT, "2026-02-03T02:00:00"),
    ([1_760_000_000, 1_870_000_000], STAMP, "1760000000"),
    ([1_760_000_000_000, 1_870_000_000_000], MOMENT, "1760000000000"),
    ([1.76e9 + 0.5, 1.87e18], STAMP, "1760000000.5"),
    (["1760000000", "1870000000000000"], STAMP, "1760000000"),
    (["2026-02-03", "2026-02-04"], DATE, "2026-02-03"),
    (
        ["690a1f2b0000000000000000", "f90a1f2b0000000000000000"],
        CursorType.OBJECT_ID,
        "690a1f2b0000000000000000",
    ),
    (["2026-02-02T03:30:00Z", "2026-02-02T03:50:00Z"], MOMENT, "2026-02-02T03:30:00Z"),
    (["2026-02-02T05:30:00+02:00", "2026-02-02 17:50:00+14"], MOMENT, "2026-02-02T05:30:00+02:00"),
    (["1770003000", "1770003700"], STAMP, "1770003000"),
    (["2026-02-03T02:00:00", "2026-02-02T03:50:00Z"], MOMENT, "2026-02-03T02:00:00"),
    (["2026-01-01T00:00:00Z", "9999-12-31T23:59:59-05:00"], MOMENT, "2026-01-01T00:00:00Z"),
    (["2026-01-01T00:00:00Z", "+012026-01-01T00:00:00Z"], MOMENT, "2026-01-01T00:00:00Z"),
]


@pytest.mark.parametrize(("values", "kind", "highest"), FUTURE, ids=str)
@pytest.mark.parametrize("turned", [False, True], ids=["last", "first"])
def test_a_row_after_the_present_moves_no_cursor_and_is_counted(
    values: list[object], kind: CursorType, highest: str, *, turned: bool
) -> None:
    tracker = CursorTracker("x", kind, now=NOW, seen=Seen())
    for value in reversed(values) if turned else values:
        tracker.observe(pa.record_batch({"x": pa.array([value])}))
    assert tracker.highest == Position(highest, kind, "x")
    assert not tracker.ascending, "what follows the row has no order"
    (note,) = tracker.describe()
    assert note.startswith("1 row has a time in the future in x.")
    tracker.check_end()


def test_numbers_that_count_no_time_have_no_present() -> None:
    tracker = CursorTracker("x", CursorType.INTEGER, now=NOW, seen=Seen())
    tracker.observe(_record([5, 10**18]))
    assert tracker.highest == Position(str(10**18), CursorType.INTEGER, "x")
    assert tracker.describe() == ()


def test_a_row_of_the_future_moves_the_cursor_once_its_time_has_come() -> None:
    for day, highest in ((0, "2026-02-01T00:00:00Z"), (30, "2026-03-01T00:00:00Z")):
        tracker = CursorTracker("x", MOMENT, now=NOW + day * 86_400, seen=Seen())
        batch = {"x": ["2026-02-01T00:00:00Z", "2026-03-01T00:00:00Z"]}
        tracker.observe(pa.record_batch(batch))
        assert tracker.highest == Position(highest, MOMENT, "x")


EMPTY = ["", " ", "0000-00-00", "0000-00-00 00:00:00", "0000-00-00T00:00:00Z", None]
EMPTY += ["0001-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "-0001-11-30T00:00:00+00:00"]


@pytest.mark.parametrize("empty", EMPTY, ids=repr)
@pytest.mark.parametrize("kind", [MOMENT, STAMP, DATE], ids=str)
@pytest.mark.parametrize("is_continued", [True, False], ids=["continued", "first"])
def test_rows_whose_cursor_is_empty_or_a_zero_date_are_no_mistake(
    empty: str | None, kind: CursorType, *, is_continued: bool
) -> None:
    tracker = CursorTracker("x", kind, now=NOW, seen=Seen(), is_continued=is_continued)
    tracker.observe(pa.record_batch({"x": pa.array([empty, empty], pa.string())}))
    tracker.check_end()
    assert tracker.highest is None
    assert tracker.is_known is is_continued
    assert tracker.describe() == ()
    tracker.observe(pa.record_batch({"x": ["2025-05-05", str(empty)]}))
    assert tracker.highest == Position("2025-05-05", kind, "x")


def test_a_first_run_without_the_field_or_with_another_type_is_a_mistake() -> None:
    for columns, reason in (
        ({"y": [1, 2]}, Reason.CURSOR_FIELD_MISSING),
        ({"x": ["soon", ""]}, Reason.INVALID_SPEC),
        ({"x": [True, False]}, Reason.INVALID_SPEC),
    ):
        tracker = CursorTracker("x", MOMENT, now=NOW, seen=Seen())
        tracker.observe(pa.record_batch(columns))
        with pytest.raises(ConfigurationError, match="ield x") as caught:
            tracker.check_end()
        assert caught.value.reason is reason


def test_a_value_of_another_type_among_others_is_counted_wherever_batches_are_cut() -> None:
    for cuts in ([3], [1, 2], [2, 1], [1, 1, 1]):
        values, tracker = ["soon", "2025-05-05T00:00:00Z", "later"], _moments()
        for size in cuts:
            tracker.observe(pa.record_batch({"x": values[:size]}))
            values = values[size:]
        tracker.check_end()
        (note,) = tracker.describe()
        assert note == "2 rows have no DateTime value in x and did not advance the cursor."


def _moments() -> CursorTracker:
    return CursorTracker("x", MOMENT, now=NOW, seen=Seen())


def test_what_an_earlier_attempt_saw_counts() -> None:
    first = _moments()
    first.observe(pa.record_batch({"x": ["2999-01-01T00:00:00Z", "2025-01-01T00:00:00Z"]}))
    second = CursorTracker("x", MOMENT, now=NOW, seen=first.seen)
    second.observe(pa.record_batch({"x": ["2999-01-01T00:00:00Z"], "y": [1]}))
    second.observe(pa.record_batch({"y": [1]}))
    second.check_end()
    assert second.highest == Position("2025-01-01T00:00:00Z", MOMENT, "x")
    assert second.describe()[0].startswith("2 rows have a time in the future in x.")
