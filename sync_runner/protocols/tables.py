"""The protocol of the table that a run writes."""

from dataclasses import dataclass, field
from typing import Protocol

from external_data_operator.api.schema import Column, TableStatus

from sync_runner.protocols.sources import Batch, Position, Token
from sync_runner.protocols.surroundings import Counts


@dataclass(frozen=True)
class Start:
    """The state from which a run starts."""

    since: Position | None = None
    """The position to read from, with look-back subtracted. None if the run reads everything: the
    table does not exist, is replaced, or has no known position."""
    replaces: bool = False
    """Whether the run's rows replace all rows of the table, so that it must read everything."""
    unconfirmed: Token | None = None
    """The token of the table's last commit, which may not have been confirmed to the source."""
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
    """The result of a run. A stream that never had a row has no table."""

    table: TableStatus | None = None
    position: Position | None = None
    columns: tuple[Column, ...] = ()
    notes: tuple[str, ...] = ()
    """Sentences on the table that a person may want to know."""
    confirms: Token | None = None
    """The token to confirm to the source: everything up to it is in the table."""


class DestinationTable(Protocol):
    """One table that a run writes. Every method raises RunError."""

    def begin(self, *, fresh: bool = False) -> Start:
        """Reads the state of table and journal; `fresh` discards the journal."""

    def write(self, batch: Batch, *, seconds: float) -> int:
        """Takes the next batch; `seconds` is the duration of the run so far. Returns its
        parts so far.
        """

    def is_due(self) -> bool:
        """Whether enough is staged to publish before the end of the run."""

    def publish(self) -> bool:
        """Makes everything written so far visible in one commit, in the middle of the run; returns
        whether it is in the table now. A part of some runs must not be seen before the rest.
        """

    def finish(self) -> Published:
        """Publishes the rest, closes the journal, and does the table's upkeep."""
