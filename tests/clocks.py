"""A clock that sleeps without waiting, and remembers for how long it was asked to."""

import threading


class JumpingClock:
    """Its sleepers are let go at once, and find that the time has passed."""

    def __init__(self, now: float = 1_800_000_000.0) -> None:
        """`now` is where it begins, in seconds since the epoch."""
        self.time = now
        self.slept: list[float] = []
        self._lock = threading.Lock()

    def now(self) -> float:
        """Seconds since the epoch."""
        return self.time

    def monotonic(self) -> float:
        """The same seconds."""
        return self.time

    def sleep(self, seconds: float) -> None:
        """Takes no time."""
        with self._lock:
            self.time += seconds
            self.slept.append(seconds)

    @property
    def slept_s(self) -> float:
        """All sleeps together."""
        return sum(self.slept)
