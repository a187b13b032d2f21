"""Where a table stands when a run begins, and whether that can be trusted.

Log, journal and files were written in a known order; what is missing of them tells whether somebody
took something away. A table that the run replaces anyway, or that it can read anew from the source,
heals by that; where rows could be lost for good, the run ends with a sentence instead.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import pyarrow as pa
import pyarrow.compute as pc
from external_data_operator.api.conditions import Reason

from sync_runner.errors import ConfigurationError
from sync_runner.lake.delta.log import DeltaLog, Snapshot
from sync_runner.lake.journal import Journal, JournalFile, is_continued
from sync_runner.lake.mode import WriteMode
from sync_runner.lake.parquet.files import DataFile, damaged, open_file, read_groups
from sync_runner.lake.parquet.parts import DATA_FOLDER
from sync_runner.protocols import Position
from sync_runner.records.columns import source_of
from sync_runner.records.cursor import find_as, is_ahead, later
from sync_runner.records.cursor_column import (
    find_ahead,
    find_highest,
    order_values,
    read_values,
)
from sync_runner.storage import ObjectInfo, ObjectStore

_LOOKED_UP_MAX = 10
_READS_MAX = 3


@dataclass(frozen=True)
class Standing:
    """What a run found before it wrote anything."""

    snapshot: Snapshot | None
    listing: Sequence[ObjectInfo]
    """All objects of the data folder."""
    journal: Journal | None
    """The journal that this run goes on from."""
    left_open: bool
    """Whether a journal says that a run is under way: this one, a dead one, or a rival."""
    is_own_left_open: bool
    """Whether it is this run's own."""
    position: Position | None
    """How far the table's rows go, where the run continues it."""

    @property
    def since(self) -> Position | None:
        """What the whole run reads from, wherever it publishes in between."""
        return self.position if self.journal is None else self.journal.since

    @property
    def edits(self) -> tuple[str, ...]:
        """Operations by which others changed rows that the run does not read again."""
        snapshot = self.snapshot
        return () if snapshot is None or self.position is None else snapshot.edits


@dataclass(frozen=True)
class Asker:
    """Who asks, and what for."""

    run: str
    fingerprint: str
    mode: WriteMode
    now: float
    fresh: bool = False


def read_standing(
    store: ObjectStore, log: DeltaLog, journal_file: JournalFile, asker: Asker
) -> Standing:
    """Reads log, journal and listing; RunError where they cannot go together."""
    snapshot, listing = _read_table(store, log, asker.mode)
    found = journal_file.load()
    left_open = found is not None and found.open
    seq = 0 if snapshot is None else snapshot.content_seq
    continued = not asker.fresh and is_continued(
        found, run=asker.run, seq=seq, fingerprint=asker.fingerprint, now=asker.now
    )
    # A table that is replaced heals by that, whatever is missing of it.
    if asker.mode.keeps_rows:
        # Rows that stay are only as good as their files, and as what is known of them.
        if snapshot is not None:
            _check_files(store, snapshot, listing)
            _check_own(snapshot, asker.mode)
        # Files without a log are explained by a first load that is under way, or by nothing.
        elif listing and not (left_open and found is not None and found.seq == 0):
            _check_lost_log(asker.mode)
    position = _find_position(store, snapshot, asker)
    return Standing(
        snapshot=snapshot,
        listing=listing,
        journal=found if continued else None,
        left_open=left_open,
        is_own_left_open=left_open and found is not None and found.run == asker.run,
        position=position,
    )


def _read_table(
    store: ObjectStore, log: DeltaLog, mode: WriteMode
) -> tuple[Snapshot | None, Sequence[ObjectInfo]]:
    """Log and listing. Files may leave between the two, where another run is at work: then once
    more.
    """
    for attempt in range(_READS_MAX):
        snapshot = log.load()
        listing = store.list(DATA_FOLDER)
        if snapshot is None or not mode.keeps_rows:
            break
        try:
            _check_files(store, snapshot, listing)
        except ConfigurationError:
            if attempt == _READS_MAX - 1:
                raise
        else:
            break
    return snapshot, listing


def _check_files(store: ObjectStore, snapshot: Snapshot, listing: Sequence[ObjectInfo]) -> None:
    """A listing may lag; files that it lacks are looked up one by one."""
    there = {info.path for info in listing}
    ours = [file.key for file in snapshot.files if file.key.startswith(f"{DATA_FOLDER}/")]
    lacking = [path for path in ours if path not in there]
    gone = [path for path in lacking[:_LOOKED_UP_MAX] if not store.exists(path)]
    if gone:
        raise damaged(f"{len(lacking)} of its {len(ours)} files are missing, {gone[0]} among them")


def _check_lost_log(mode: WriteMode) -> None:
    """Rows of a stream that is only added to may not be in the source any more."""
    if not mode.can_reread:
        raise damaged("its files exist, but its log (_delta_log) is missing")


def _check_own(snapshot: Snapshot, mode: WriteMode) -> None:
    """Rows that this mode has not written itself, up to a place of its own, would stay beside what
    is read again: among them are some that the source has deleted, or that it sends once more.
    """
    state = snapshot.state
    if not mode.needs_own_rows or not snapshot.files:
        return
    harm = (
        "rows that the source has deleted would stay" if mode.merges else "rows would be duplicated"
    )
    # The log was cut, or others have written over the rows.
    if state is None:
        raise damaged(f"its log no longer contains the position of its rows, so {harm}")
    is_other = state.position is not None and state.position.field != mode.field
    # Another sync type, or another kind of position, has left entries of the log out.
    if is_other or state.existing is not mode.existing:
        message = (
            f"The table was filled by another kind of sync, so {harm}. Set the sync back to what "
            "it was, or delete the table's data to import everything again."
        )
        raise ConfigurationError(Reason.INVALID_SPEC, message)


def _find_position(store: ObjectStore, snapshot: Snapshot | None, asker: Asker) -> Position | None:
    mode, field = asker.mode, asker.mode.field
    # The run reads everything.
    if snapshot is None or not mode.keeps_rows:
        return None
    state = snapshot.state
    found = None if state is None else state.position
    # The last commit tells, for a field as for a source's log (which has no field).
    if found is not None and found.field == field:
        kind = mode.declared_type
        read = found if kind is None else find_as(found, kind)
        # An earlier version may have followed a row from the future: the rows before it tell.
        if read is not None and is_ahead(read, asker.now):
            return _read_highest(store, snapshot, asker)
        if read is not None:
            return read
    # Everything was read, and no row had a value: those that other rows have tell nothing.
    if field is not None and state is not None and state.field_without_position == field:
        return None
    # Rows that are read again find their keys.
    if mode.can_reread or (found is None and field is None):
        return None
    # Events have no key by which those that the table has would be found again.
    if found is not None:
        message = (
            f"The position of the table is {_describe(found)}, but the incremental field of the "
            f"sync is {field} ({mode.declared_type}), so rows would be duplicated. Set the sync "
            "back to what it was, or delete the table's data to import everything again."
        )
        raise ConfigurationError(Reason.INVALID_SPEC, message)
    return _read_highest(store, snapshot, asker)


def _describe(position: Position) -> str:
    field = position.field
    return (
        "a place in the source's log" if field is None else f"a value of {field} ({position.type})"
    )


def _read_highest(store: ObjectStore, snapshot: Snapshot, asker: Asker) -> Position | None:
    """The table's own highest cursor that is not after the present, where no commit tells it. Reads
    one column of the whole table.
    """
    field = _find_field(snapshot.schema, asker.mode.field)
    if field is None or not snapshot.files:
        return None
    type_ = asker.mode.field_type
    found: Position | None = None
    for file in snapshot.files:
        for column in _read_column(store, file, field):
            values = order_values(column, type_, name=source_of(field))
            ahead = find_ahead(column, values, type_, asker.now)
            if ahead is not None:
                values = pc.if_else(ahead, pa.scalar(None, values.type), values)
            found = later(found, find_highest(column, values, type_))
    return None if found is None else replace(found, field=asker.mode.field)


def find_top(store: ObjectStore, snapshot: Snapshot | None, asker: Asker) -> Position | None:
    """The table's highest cursor, be it after the present. The log tells it, but for files in which
    rows lack one: their column is read.
    """
    field = None if snapshot is None else _find_field(snapshot.schema, asker.mode.field)
    if snapshot is None or field is None:
        return None
    kind = asker.mode.field_type
    found: Position | None = None
    for file in snapshot.files:
        known = file.ranges.get(field.name)
        column = pa.array([] if known is None else [known[1]])
        top = find_highest(column, read_values(column, kind).values, kind)
        if top is None:
            for column in _read_column(store, file, field):
                found = later(found, find_highest(column, read_values(column, kind).values, kind))
        found = later(found, top)
    return found


def _read_column(store: ObjectStore, file: DataFile, field: pa.Field) -> Iterator[pa.Array]:
    for _, table in read_groups(open_file(store, file), [field.name]):
        if table.num_columns:
            yield table.column(field.name).combine_chunks()


def _find_field(schema: pa.Schema, source: str | None) -> pa.Field | None:
    return next((field for field in schema if source_of(field) == source), None)
