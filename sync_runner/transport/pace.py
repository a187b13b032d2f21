"""Decides when the next request may be sent: by the declared rate, and by a wait that the server
asked for, shared by the threads of a run."""

import threading
from collections.abc import Callable

from sync_runner.protocols import Clock

_SLICE_S = 0.5


class Pace:
    """Spaces requests evenly, so that no second has more requests than the rate."""

    def __init__(
        self, clock: Clock, *, per_second: float | None, raise_if_stopped: Callable[[], None]
    ) -> None:
        """`per_second`: requests; None: no limit."""
        self._clock = clock
        self._gap_s = 1 / per_second if per_second else 0.0
        self._raise_if_stopped = raise_if_stopped
        self._lock = threading.Lock()
        self._free_at = 0.0
        self._rest_until = 0.0

    def wait_turn(self) -> None:
        """Returns when a request may be sent."""
        if not self._gap_s and not self._rest_until:
            return
        with self._lock:
            now = self._clock.monotonic()
            turn = max(now, self._free_at, self._rest_until)
            self._free_at = turn + self._gap_s
        self.wait(turn - now)

    def rest(self, seconds: float) -> None:
        """No thread sends a request for this long."""
        with self._lock:
            self._rest_until = max(self._rest_until, self._clock.monotonic() + seconds)

    def wait(self, seconds: float) -> None:
        """Sleeps in slices, so that a stop is noticed."""
        while seconds > 0:
            self._raise_if_stopped()
            self._clock.sleep(min(seconds, _SLICE_S))
            seconds -= _SLICE_S
