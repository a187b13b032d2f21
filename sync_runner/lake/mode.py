"""How a run changes the rows that its table has, decided once.

The API has sync types. Their consequences are decided here, together with the keys and the cursor,
and no other module of the lake or the pipeline reads the sync type: a mode has one property for
each decision that depends on it.
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
    """How a run treats the rows that the table has when the run begins."""

    REPLACE = "replace"
    """All of them are removed: the table then has only the rows of the run."""
    MERGE = "merge"
    """Rows are replaced by rows of the run with the same key."""
    CHANGE = "change"
    """Rows are replaced by rows with the same key, and removed if the source deleted their key."""
    APPEND = "append"
    """All of them stay."""


@dataclass(frozen=True)
class WriteMode:
    """How a run changes a table's rows, by which keys, and which position its commits contain."""

    existing: Existing
    keys: tuple[str, ...] = ()
    """Fields of the key, as the source spells them. Of rows with one key the last one is kept."""
    field: str | None = None
    """The field whose highest value is the position. None: the position is a place in the source's
    log, if there is any."""
    declared_type: CursorType | None = None
    """How the field's values compare, if the plan declares it."""

    @property
    def keeps_rows(self) -> bool:
        """Whether rows of the table stay that the run does not read. Then the run continues from
        the table's position, and a part of it may be published before the rest."""
        return self.existing is not Existing.REPLACE

    @property
    def merges(self) -> bool:
        """Whether rows replace rows of the table that have the same key."""
        return self.existing in (Existing.MERGE, Existing.CHANGE)

    @property
    def applies_changes(self) -> bool:
        """Whether a batch may mark rows whose key is gone from the source."""
        return self.existing is Existing.CHANGE

    @property
    def counts_equal_rows(self) -> bool:
        """Whether rows are identified by their values and the number of equal rows alone."""
        return self.existing is Existing.APPEND

    @property
    def removes_rows(self) -> bool:
        """Whether a commit may remove rows from the table."""
        return self.existing is not Existing.APPEND

    @property
    def can_reread(self) -> bool:
        """Whether rows may be read a second time, so that a run repairs a table whose position or
        log is lost by reading everything again."""
        return self.existing is not Existing.APPEND

    @property
    def needs_own_rows(self) -> bool:
        """Whether all rows of the table must come from runs of this mode. A run that reads by a
        field's values finds or compares rows of other modes; a log contains each change once."""
        return self.applies_changes or (self.counts_equal_rows and self.field is None)

    @property
    def field_type(self) -> CursorType:
        """How the field's values compare."""
        return self.declared_type or DEFAULT_TYPE

    @property
    def fields(self) -> tuple[str, ...]:
        """Fields that the table must have: those of the key, and that of the position."""
        return self.keys if self.field is None else (*self.keys, self.field)

    def position_of(self, before: Position | None, reached: Position | None) -> Position | None:
        """The position that a commit contains: it moves with the data, and never backwards. None
        for rows that replace all others: the next run reads everything."""
        return later(before, reached) if self.keeps_rows else None


def decide_mode(options: SyncOptions) -> WriteMode:
    """The mode of a sync. Pure. ConfigurationError(PrimaryKeyMissing) if it requires a key and the
    sync has none."""
    keys = tuple(options.primary_key_columns)
    position = (options.incremental_field, options.incremental_field_type)
    # A table that is replaced is read from the beginning: it has no position.
    if options.sync_type is SyncType.FULL_REFRESH:
        return WriteMode(Existing.REPLACE, keys)
    # Each row is an event of its own, even if its values equal those of another row.
    if options.sync_type is SyncType.APPEND:
        return WriteMode(Existing.APPEND, (), *position)
    if not keys:
        message = (
            "An incremental sync requires primaryKeyColumns. Set them, or use syncType: Append for "
            "rows without a key."
        )
        raise ConfigurationError(Reason.PRIMARY_KEY_MISSING, message)
    # A stream of changes marks deleted keys; with any other stream such rows stay in the table.
    existing = Existing.CHANGE if options.applies_changes else Existing.MERGE
    return WriteMode(existing, keys, *position)
