"""Windows of any length touch, go on, and end at the present."""

import itertools
from datetime import UTC, datetime

from external_data_operator.api.cursors import CursorType
from external_data_operator.api.sources.rest import RestIncremental
from hypothesis import given, settings
from hypothesis import strategies as st

from sync_runner.records.moments import parse_date, parse_moment
from sync_runner.sources.rest.bounds import WINDOWS_MAX, CursorBounds, Window

BEGIN = datetime(2024, 1, 1, tzinfo=UTC).timestamp()
FORMS = {
    CursorType.DATE_TIME: "2024-01-01T00:00:00Z",
    CursorType.TIMESTAMP: "1704067200",
    CursorType.DATE: "2024-01-01",
}


def _walk(bounds: CursorBounds, now: float) -> list[Window]:
    windows: list[Window] = []
    window: Window | None = bounds.find_first(None, now=now)
    while window is not None and len(windows) < 1000:
        windows.append(window)
        window = bounds.find_next(window)
    return windows


@settings(max_examples=200)
@given(
    kind=st.sampled_from(list(FORMS)),
    window_s=st.integers(3600, 30 * 86_400),
    span_s=st.integers(0, 20 * 86_400),
)
def test_windows_cover_the_stretch_without_a_gap(
    kind: CursorType, window_s: int, span_s: int
) -> None:
    spec = RestIncremental(
        cursor_path="x",
        start_param="since",
        end_param="until",
        cursor_type=kind,
        initial_value=FORMS[kind],
        window_seconds=window_s,
    )
    windows = _walk(CursorBounds(spec, kind), BEGIN + span_s)
    assert windows[0].lower == FORMS[kind]
    for window, following in itertools.pairwise(windows):
        assert window.upper == following.lower
        assert window.upper != window.lower
    end = windows[-1].upper
    assert end is not None
    if kind is CursorType.DATE:
        assert parse_date(end).toordinal() > datetime.fromtimestamp(BEGIN + span_s, UTC).toordinal()
    else:
        assert parse_moment(end).timestamp() >= BEGIN + span_s


def test_a_stretch_of_centuries_has_a_bounded_number_of_windows() -> None:
    spec = RestIncremental(
        cursor_path="x", start_param="a", end_param="b", initial_value="1602-03-20T00:00:00Z",
        window_seconds=3600,
    )  # fmt: skip
    bounds = CursorBounds(spec, CursorType.DATE_TIME)
    window: Window | None = bounds.find_first(None, now=BEGIN)
    count = 0
    while window is not None:
        count += 1
        assert count <= WINDOWS_MAX
        window = bounds.find_next(window)
    assert count > WINDOWS_MAX - 2, "only the first window is longer"
