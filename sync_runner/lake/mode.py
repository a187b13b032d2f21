"""What a run does to the rows that its table has, decided once.

A sync type is the word of the API. What follows from it is decided here, together with the keys and
the cursor, and nothing else in the lake or the pipeline asks for the sync type again: a mode
answers one question for each of its readers.
"""

from dataclasses import dataclass
from enum import StrEnum

from external_data_operator.api.conditions import Reason
from external_data_operator.api.cursors import DEFAULT_TYPE, CursorType
from external_data_operator.api.plan import SyncOptions
from external_data_operator.api.schema import SyncType

from sync_runner.errors import ConfigurationError
from sync_runner.protocols import Position
from sync_runner.records.cursor import later


class Existing(StrEnum):
    """What becomes of the rows that the table has when a run begins."""

    REPLACE = "replace"
    """All of them leave: the run's rows are all that the table is to have."""
    MERGE = "merge"
    """Those leave whose key comes again."""
    CHANGE = "change"
    """Those leave whose key comes again, or is gone from the source."""
    APPEND = "append"
    """All of them stay."""


@dataclass(frozen=True)
class WriteMode:
    """What becomes of a table's rows, by which keys, and how far the commits say that they go."""

    existing: Existing
    keys: tuple[str, ...] = ()
    """Fields by which rows collapse to the last one, in the source's spelling."""
    field: str | None = None
    """The field whose highest value is the position. None: the position is a place in the source's
    log, if there is any."""
    declared_type: CursorType | None = None
    """How the field's values compare, where the plan says so."""

    @property
    def keeps_rows(self) -> bool:
        """Whether rows of the table stay that the run does not bring. Then the run continues from
        the table's position, and a part of it may be published before the rest."""
        return self.existing is not Existing.REPLACE

    @property
    def merges(self) -> bool:
        """Whether rows take the place of those in the table that have the same key."""
        return self.existing in (Existing.MERGE, Existing.CHANGE)

    @property
    def applies_changes(self) -> bool:
        """Whether a batch may mark rows whose key is gone from the source."""
        return self.existing is Existing.CHANGE

    @property
    def counts_equal_rows(self) -> bool:
        """Whether rows are told apart by their values and number alone."""
        return self.existing is Existing.APPEND

    @property
    def removes_rows(self) -> bool:
        """Whether a commit may take rows out of the table."""
        return self.existing is not Existing.APPEND

    @property
    def can_reread(self) -> bool:
        """Whether rows that are read a second time do no harm, so that a table whose position or
        log is lost heals by reading everything again."""
        return self.existing is not Existing.APPEND

    @property
    def needs_own_rows(self) -> bool:
        """Whether all rows of the table must be this mode's own. What is read by a field's values
        finds or compares the rows of others; a log tells each change once."""
        return self.applies_changes or (self.counts_equal_rows and self.field is None)

    @property
    def field_type(self) -> CursorType:
        """How the field's values compare."""
        return self.declared_type or DEFAULT_TYPE

    @property
    def fields(self) -> tuple[str, ...]:
        """Fields that the table cannot do without: the keys, and that of the position."""
        return self.keys if self.field is None else (*self.keys, self.field)

    def position_of(self, before: Position | None, reached: Position | None) -> Position | None:
        """What a commit says of how far the rows go: the position moves with the data, and never
        backwards. None for rows that replace all others: the next run reads everything."""
        return later(before, reached) if self.keeps_rows else None


def decide_mode(options: SyncOptions) -> WriteMode:
    """The mode of a sync. Pure. ConfigurationError(PrimaryKeyMissing) where rows must be told apart
    by a key and there is none."""
    keys = tuple(options.primary_key_columns)
    position = (options.incremental_field, options.incremental_field_type)
    # A table that is replaced is read from the beginning: it has no position.
    if options.sync_type is SyncType.FULL_REFRESH:
        return WriteMode(Existing.REPLACE, keys)
    # Each row is an event of its own, whatever it has in common with others.
    if options.sync_type is SyncType.APPEND:
        return WriteMode(Existing.APPEND, (), *position)
    if not keys:
        message = (
            "An incremental sync requires primaryKeyColumns. Set them, or use syncType: Append for "
            "rows without a key."
        )
        raise ConfigurationError(Reason.PRIMARY_KEY_MISSING, message)
    # A stream of changes tells which keys are gone; any other leaves such rows in the table.
    existing = Existing.CHANGE if options.applies_changes else Existing.MERGE
    return WriteMode(existing, keys, *position)
