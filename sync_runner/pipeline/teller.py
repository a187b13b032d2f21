"""The counters of a running sync, and their way to the listener."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace

from sync_runner.protocols import Batch, Clock, Counts, Progress, ProgressListener

_NOTES_MAX = 5
_NAME_CHARS_MAX = 64


@dataclass
class Teller:
    """Keeps the counters, and reports them."""

    clock: Clock
    progress: Progress
    listener: ProgressListener

    def __post_init__(self) -> None:
        self._began = self.clock.monotonic()
        self._seconds_before = 0.0
        self.replaced: Counter[str] = Counter()

    def reset(self, counts: Counts) -> None:
        """Continues from the counts of earlier pods."""
        self._seconds_before = counts.seconds
        self.progress.counts = counts
        self.replaced.clear()

    @property
    def seconds(self) -> float:
        """Seconds that the run has worked, over all its pods."""
        return self._seconds_before + self.clock.monotonic() - self._began

    @property
    def counts(self) -> Counts:
        """The counters as of now."""
        return replace(self.progress.counts, seconds=self.seconds)

    def add(self, batch: Batch) -> None:
        """Counts a batch of a single stream, and reports the counts."""
        self.count(batch)
        self.replaced.update(batch.replaced)
        self.progress.notes += batch.notes
        self.tell("reading")

    def count(self, batch: Batch) -> None:
        """Counts a batch."""
        before = self.progress.counts
        self.progress.counts = replace(
            before,
            pages=before.pages + batch.pages,
            rows=before.rows + batch.records.num_rows,
            bytes=before.bytes + batch.bytes,
        )

    def count_parts(self, parts: int) -> None:
        """Sets the number of staged parts."""
        self.progress.counts = replace(self.progress.counts, parts=parts)

    def tell(self, phase: str) -> None:
        """Reports the phase and the counts."""
        self.progress.phase = phase
        self.listener(self.progress)


def describe_replaced(replaced: Mapping[str, int]) -> list[str]:
    """Notes on characters that were replaced, by field; never a value."""
    notes = []
    for name, count in sorted(replaced.items())[:_NOTES_MAX]:
        where = f"in column {name[:_NAME_CHARS_MAX]}" if name else "of the responses"
        what = "character" if name else "byte"
        were = f"{what} {where} was" if count == 1 else f"{what}s {where} were"
        notes.append(f"{count} {were} not valid Unicode and became U+FFFD.")
    if len(replaced) > _NOTES_MAX:
        more = len(replaced) - _NOTES_MAX
        columns = "column has" if more == 1 else "columns have"
        notes.append(f"{more} more {columns} characters that became U+FFFD.")
    return notes
