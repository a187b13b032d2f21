"""Tells the person at the terminal what takes so long; on stderr, so that stdout stays data."""

import sys
import time


def announce(text: str) -> None:
    """One line about what happens now."""
    sys.stderr.write(f"localcluster: {text}\n")
    sys.stderr.flush()


class Heartbeat:
    """Says every half minute that a long step still goes on; `beat` is called while waiting."""

    def __init__(self, what: str, *, every_s: float = 30.0) -> None:
        self._what = what
        self._every_s = every_s
        self._began = self._last = time.monotonic()

    def beat(self) -> None:
        now = time.monotonic()
        if now - self._last >= self._every_s:
            self._last = now
            announce(f"still {self._what} ({now - self._began:.0f} s)")
