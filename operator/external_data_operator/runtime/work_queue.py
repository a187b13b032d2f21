"""The queue of objects to look at: each key once, never two looks at one key at a time, failures
with growing pauses.

A key that is added during its look gets another look. Keys may be added for
later; the earliest time counts. All of it lives in memory: after a restart everything is looked
at anyway.
"""

import asyncio
import heapq
from collections import deque
from collections.abc import Callable, Iterable
from time import monotonic

from external_data_operator.reconcile.base.world import ResourceKey

FAILURE_FIRST_S, FAILURE_MAX_S = 1.0, 300.0


class WorkQueue:
    """Keys, now and later; belongs to one event loop."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        """`clock` returns seconds that never go backwards."""
        self._clock = clock
        self._ready: deque[ResourceKey] = deque()
        self._waiting: set[ResourceKey] = set()
        self._busy: set[ResourceKey] = set()
        self._again: set[ResourceKey] = set()
        self._due: dict[ResourceKey, float] = {}
        self._heap: list[tuple[float, int, ResourceKey]] = []
        self._count = 0
        self._failures: dict[ResourceKey, int] = {}
        self._changed = asyncio.Event()

    def __len__(self) -> int:
        """Keys that wait for a worker now."""
        return len(self._ready)

    def add(self, key: ResourceKey) -> None:
        """Look at it as soon as a worker is free."""
        if key in self._busy:
            self._again.add(key)
        elif key not in self._waiting:
            self._waiting.add(key)
            self._ready.append(key)
            self._changed.set()

    def add_all(self, keys: Iterable[ResourceKey]) -> None:
        """Look at all of these."""
        for key in keys:
            self.add(key)

    def add_later(self, key: ResourceKey, seconds: float) -> None:
        """Look at it after these seconds, or at an earlier time that was set before."""
        when = self._clock() + seconds
        if when < self._due.get(key, float("inf")):
            self._due[key] = when
            self._count += 1
            heapq.heappush(self._heap, (when, self._count, key))
            self._changed.set()

    async def take(self) -> ResourceKey:
        """The next key; it is busy until `done` or `failed`."""
        while True:
            pause = self._wake()
            if self._ready:
                key = self._ready.popleft()
                self._waiting.discard(key)
                self._busy.add(key)
                return key
            self._changed.clear()
            try:
                await asyncio.wait_for(self._changed.wait(), pause)
            except TimeoutError:
                continue

    def done(self, key: ResourceKey, look_again_s: float | None = None) -> None:
        """The look came to an end; the next one after so long, if any."""
        self._failures.pop(key, None)
        self._due.pop(key, None)
        if look_again_s is not None:
            self.add_later(key, look_again_s)
        self._release(key)

    def failed(self, key: ResourceKey) -> float:
        """The look failed. Returns the seconds until the next one."""
        count = self._failures.get(key, 0)
        self._failures[key] = count + 1
        pause = min(FAILURE_FIRST_S * (1 << min(count, 16)), FAILURE_MAX_S)
        self._due.pop(key, None)
        self._again.discard(key)
        self.add_later(key, pause)
        self._release(key)
        return pause

    def _release(self, key: ResourceKey) -> None:
        self._busy.discard(key)
        if key in self._again:
            self._again.discard(key)
            self.add(key)

    def _wake(self) -> float | None:
        """Moves the keys that are due. Returns the seconds until the next one."""
        now = self._clock()
        while self._heap:
            when, _, key = self._heap[0]
            if self._due.get(key) != when:
                heapq.heappop(self._heap)
            elif when <= now:
                heapq.heappop(self._heap)
                del self._due[key]
                self.add(key)
            else:
                return when - now
        return None
