"""Computes the range of the cursor that is requested: from a lower bound, or window by window up to
the present. Pure.

Windows touch: each begins at the value at which the one before it ends. A source with inclusive
bounds sends the rows at the border twice, one with an exclusive upper bound once, and no row is
lost. Therefore only tables with a key are read in windows. Their number is bounded: in a longer
range, the first window is longer.
"""

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from external_data_operator.api.conditions import Reason
from external_data_operator.api.cursors import CursorType
from external_data_operator.api.sources.rest import RestIncremental

from sync_runner.errors import ConfigurationError
from sync_runner.protocols import Position
from sync_runner.records.cursor import render
from sync_runner.records.moments import parse_date, parse_moment, shift, write_moment

_DAY_S = 86_400
WINDOWS_MAX = 100_000
"""Of one run: hours of eleven years."""


@dataclass(frozen=True)
class Window:
    """A range of the cursor, as texts of positions. Without `until`, the only one, without an upper
    bound."""

    lower: str | None = None
    upper: str | None = None
    until: str | None = None
    """The end of the last window."""
    verbatim: bool = False
    """`lower` is sent as the spec contains it."""


@dataclass(frozen=True)
class CursorBounds:
    """The bounds that a stream's spec declares."""

    spec: RestIncremental | None
    kind: CursorType
    in_windows: bool = True
    """Whether rows that are sent twice count once, so that declared windows may be used."""

    def find_first(self, since: Position | None, *, now: float) -> Window:
        """The first window of a run. ConfigurationError(InvalidSpec) if `initialValue` cannot be
        read."""
        if self.spec is None:
            return Window()
        if self.spec.window_seconds is None or not self.in_windows:
            if since is not None:
                return Window(since.value)
            return Window(self.spec.initial_value, verbatim=True)
        lower = since.value if since is not None else self._parse_initial(self.spec)
        until = self._write(datetime.fromtimestamp(now, UTC) + self._day, like=lower)
        return self._cut(lower, until, is_first=True)

    def find_next(self, window: Window) -> Window | None:
        """The window after this one; None after the last."""
        if window.upper is None or window.until is None or window.upper == window.until:
            return None
        if self._moment(window.upper) >= self._moment(window.until):
            return None
        return self._cut(window.upper, window.until)

    def build_params(self, window: Window) -> list[tuple[str, str]]:
        """The query parameters of a window."""
        spec = self.spec
        if spec is None or spec.start_param is None or window.lower is None:
            return []
        pattern = None if window.verbatim else spec.format
        params = [(spec.start_param, self._render(window.lower, pattern))]
        if spec.end_param is not None and window.upper is not None:
            params.append((spec.end_param, self._render(window.upper, pattern)))
        return params

    def _cut(self, lower: str, until: str, *, is_first: bool = False) -> Window:
        begin, last = self._moment(lower), self._moment(until)
        length = self._length
        if is_first:
            length = max(length, last - begin - (WINDOWS_MAX - 1) * length)
        upper = self._write(shift(begin, length), like=lower)
        # If the text is too coarse to advance, the walk would not end.
        is_last = begin < last and not begin < self._moment(upper) < last
        return Window(lower, until if is_last else upper, until)

    @property
    def _length(self) -> timedelta:
        seconds = self.spec.window_seconds if self.spec is not None else None
        assert seconds is not None, "windows are declared"
        if self.kind is CursorType.DATE:
            seconds = math.ceil(seconds / _DAY_S) * _DAY_S
        return timedelta(seconds=seconds)

    @property
    def _day(self) -> timedelta:
        """The current day is read to its end."""
        return timedelta(days=1 if self.kind is CursorType.DATE else 0)

    def _moment(self, text: str) -> datetime:
        if self.kind is CursorType.DATE:
            return datetime.combine(parse_date(text), datetime.min.time(), UTC)
        return parse_moment(text)

    def _write(self, moment: datetime, *, like: str) -> str:
        if self.kind is CursorType.DATE:
            return str(moment.date())
        return write_moment(moment, like=like)

    def _render(self, text: str, pattern: str | None) -> str:
        return render(Position(text, self.kind), pattern)

    def _parse_initial(self, spec: RestIncremental) -> str:
        """`initialValue` as a position's text: ISO 8601, a number, or in the spec's own format."""
        text = spec.initial_value or ""
        try:
            self._moment(text)
        except ValueError:
            return self._parse_formatted(text, spec.format)
        return text

    def _parse_formatted(self, text: str, pattern: str | None) -> str:
        try:
            moment = datetime.strptime(text, pattern or "%Y-%m-%d")  # noqa: DTZ007 (a zone follows)
        except ValueError as error:
            message = (
                "incremental.initialValue is neither ISO 8601 nor in incremental.format, so that "
                "windowSeconds cannot be used. Correct one of them."
            )
            raise ConfigurationError(Reason.INVALID_SPEC, message) from error
        if self.kind is CursorType.DATE:
            return str(moment.date())
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).isoformat()
