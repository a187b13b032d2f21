"""The progress of a run in its source, over all its pods."""

from dataclasses import dataclass, field, replace

from sync_runner.lake.standing import Standing
from sync_runner.protocols import Batch, Counts, Position, Token
from sync_runner.records.cursor import later


@dataclass(frozen=True)
class Reached:
    """The progress of a run in its source."""

    token: Token | None = None
    ended: bool = False
    position: Position | None = None
    counts: Counts = field(default_factory=Counts)
    confirms: Token | None = None

    def behind(self, batch: Batch, seconds: float) -> "Reached":
        """The progress after one more batch."""
        counts = replace(
            self.counts,
            pages=self.counts.pages + batch.pages,
            rows=self.counts.rows + batch.records.num_rows,
            bytes=self.counts.bytes + batch.bytes,
            seconds=seconds,
        )
        position = later(self.position, batch.position)
        confirms = self.confirms if batch.confirms is None else batch.confirms
        return Reached(batch.next, batch.next is None, position, counts, confirms)


def find_reached(standing: Standing) -> Reached:
    """The progress of an earlier pod, from the journal."""
    journal = standing.journal
    if journal is not None:
        place = (journal.token, journal.ended, journal.position)
        return Reached(*place, journal.counts, journal.confirms)
    return Reached()
