"""What the pipeline asks of the table that a run writes."""

from dataclasses import dataclass, field
from typing import Protocol

from external_data_operator.api.schema import Column, TableStatus

from sync_runner.protocols.sources import Batch, Position, Token
from sync_runner.protocols.surroundings import Counts


@dataclass(frozen=True)
class Start:
    """Where a run stands when it begins."""

    since: Position | None = None
    """What to read from, look-back taken off. None where the run reads everything: there is no
    table, it is replaced, or no position is known."""
    replaces: bool = False
    """Whether the run's rows replace all that the table has, so that it must read everything."""
    unconfirmed: Token | None = None
    """What the table's last commit covers; whether the source was told is not known."""
    fields: frozenset[str] = frozenset()
    """Fields of the table's rows, as the source spells them."""
    resume: Token | None = None
    """Where an earlier pod of this run stopped."""
    extracted: bool = False
    """An earlier pod of this run has read the source to its end."""
    resumed: bool = False
    finished: bool = False
    """An earlier pod of this run has published everything; there is nothing to read."""
    counts: Counts = field(default_factory=Counts)


@dataclass(frozen=True)
class Published:
    """What a run leaves behind. No table is made of a stream that never had a row."""

    table: TableStatus | None = None
    position: Position | None = None
    columns: tuple[Column, ...] = ()
    notes: tuple[str, ...] = ()
    """Sentences on the table that a person may want to know."""
    confirms: Token | None = None
    """What the source may be told: everything up to there is in the table."""


class DestinationTable(Protocol):
    """One table that a run writes. Every method raises RunError."""

    def begin(self, *, fresh: bool = False) -> Start:
        """Reads where table and journal stand; `fresh` throws the journal away."""

    def write(self, batch: Batch, *, seconds: float) -> int:
        """Takes the next batch; `seconds` is how long the run has been at work. Returns its
        parts so far.
        """

    def is_due(self) -> bool:
        """Whether enough is staged to publish before the end of the run."""

    def publish(self) -> bool:
        """Makes everything written so far visible in one commit, in the middle of the run; returns
        whether it is in the table now. A part of some runs must not be seen before the rest.
        """

    def finish(self) -> Published:
        """Makes the rest visible, closes the journal, and looks after the table."""
