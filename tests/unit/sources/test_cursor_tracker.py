"""What a tracker calls read has been read, however rows and batches fall."""

import itertools

import pyarrow as pa
from external_data_operator.api.sources.rest import CursorType
from hypothesis import given, settings
from hypothesis import strategies as st

from sync_runner.protocols import Position
from sync_runner.sources.cursor_tracker import CursorTracker

VALUES = st.lists(st.integers(0, 12) | st.none(), min_size=1, max_size=40)


def _tracker() -> CursorTracker:
    return CursorTracker("x", CursorType.INTEGER, highest=None, ascending=True)


def _batches(values: list[int | None], cuts: list[int]) -> list[list[int | None]]:
    edges = sorted({0, len(values), *(cut % (len(values) + 1) for cut in cuts)})
    return [values[a:b] for a, b in itertools.pairwise(edges)]


def _record(values: list[int | None]) -> pa.RecordBatch:
    return pa.record_batch({"x": pa.array(values, pa.int64())})


@settings(max_examples=300, deadline=None)
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


@settings(max_examples=300, deadline=None)
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
    assert tracker.highest == Position(str(max(present)), CursorType.INTEGER)


def test_a_resumed_tracker_holds_its_first_row_against_the_attempt_before() -> None:
    for first, ascending in ((5, True), (6, True), (4, False)):
        highest = Position("5", CursorType.INTEGER)
        tracker = CursorTracker("x", CursorType.INTEGER, highest=highest, ascending=True)
        tracker.observe(_record([None, first, 9]))
        assert tracker.ascending is ascending
