"""Ends a walk that returns to a page that it has requested before.

It stores hashes of requests, in two generations: when the young one is full, the old one is
dropped. So memory is bounded, and a loop is found unless it is longer than a generation; then the
run's limit of pages ends it.
"""

from collections.abc import Hashable

from external_data_operator.api.conditions import Reason

from sync_runner.errors import ConfigurationError

GENERATION = 1 << 18


class LoopGuard:
    """The requests of one walk. A resumed walk begins with an empty guard."""

    def __init__(self, what: str = "the source", generation: int = GENERATION) -> None:
        """`what` leads from page to page, for the message; `generation` is how many requests are
        remembered for certain."""
        self._what = what
        self._generation = generation
        self._young: set[int] = set()
        self._old: set[int] = set()

    def admit(self, request: Hashable) -> None:
        """Remembers a request; ConfigurationError(LoopDetected) if it was there before."""
        key = hash(request)
        if key in self._young or key in self._old:
            message = (
                f"{self._what} led back to a page that this run has read. Check the pagination of "
                "the stream."
            )
            raise ConfigurationError(Reason.LOOP_DETECTED, message)
        if len(self._young) >= self._generation:
            self._old, self._young = self._young, set()
        self._young.add(key)
