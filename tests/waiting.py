"""Waits for what happens outside this process: the one place in the tests that sleeps.

A wait asks until the answer is yes, or its time is over. That nothing happens is shown by something
else that must come after it, never by a pause.
"""

import time
from collections.abc import Callable
from typing import TypeVar

Found = TypeVar("Found")


def wait_for(
    find: Callable[[], Found],
    *,
    timeout_s: float = 60,
    every_s: float = 0.1,
    told: Callable[[], object] = lambda: "",
) -> Found:
    """What `find` returns once that is no empty or false value; `told` explains a failure."""
    deadline = time.monotonic() + timeout_s
    while not (found := find()):
        assert time.monotonic() < deadline, f"not within {timeout_s:.0f} s: {told()}"
        time.sleep(every_s)  # noqa: TID251 - the one sleeper of the tests
    return found
