"""The state of a table when a run begins, and whether it is complete.

Log, journal and files are written in a known order, so that a missing one shows whether something
was removed. A run that replaces the table, or can read everything again from the source, repairs
it; if rows could be lost for good, the run ends with an error that names the missing part.
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
    """The state of a table before the run writes anything."""

    snapshot: Snapshot | None
    listing: Sequence[ObjectInfo]
    """All objects of the data folder."""
    journal: Journal | None
    """The journal from which this run resumes."""
    left_open: bool
    """Whether the journal is open: it belongs to this run, a dead one, or a rival."""
    is_own_left_open: bool
    """Whether the open journal belongs to this run."""
    position: Position | None
    """The position of the table's rows, if the run continues from it."""

    @property
    def since(self) -> Position | None:
        """The position that the whole run reads from, whatever it publishes in between."""
        return self.position if self.journal is None else self.journal.since

    @property
    def edits(self) -> tuple[str, ...]:
        """Operations by which others changed rows that the run does not read again."""
        snapshot = self.snapshot
        return () if snapshot is None or self.position is None else snapshot.edits


@dataclass(frozen=True)
class Asker:
    """The run that reads the state, and its plan."""

    run: str
    fingerprint: str
    mode: WriteMode
    now: float
    fresh: bool = False


def read_standing(
    store: ObjectStore, log: DeltaLog, journal_file: JournalFile, asker: Asker
) -> Standing:
    """Reads log, journal and listing; RunError if they contradict each other."""
    snapshot, listing = _read_table(store, log, asker.mode)
    found = journal_file.load()
    left_open = found is not None and found.open
    seq = 0 if snapshot is None else snapshot.content_seq
    continued = not asker.fresh and is_continued(
        found, run=asker.run, seq=seq, fingerprint=asker.fingerprint, now=asker.now
    )
    # Replacing a table repairs it, whatever is missing.
    if asker.mode.keeps_rows:
        # Rows that stay need their files, and a known position.
        if snapshot is not None:
            _check_files(store, snapshot, listing)
            _check_own(snapshot, asker.mode)
        # Only an unfinished first load explains files without a log.
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
    """Log and listing. Another run may remove files between the two; then both are read again."""
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
    """The source may no longer have the rows of a stream that is only appended to."""
    if not mode.can_reread:
        raise damaged("its files exist, but its log (_delta_log) is missing")


def _check_own(snapshot: Snapshot, mode: WriteMode) -> None:
    """ConfigurationError if the rows were not written by this mode, up to a position of its own:
    they would stay beside those that are read again, although the source may have deleted them or
    may send them again.
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
    # The last commit contains it, for a field as for a source's log (which has no field).
    if found is not None and found.field == field:
        kind = mode.declared_type
        read = found if kind is None else find_as(found, kind)
        # An earlier version may have used a row from the future: the other rows show the position.
        if read is not None and is_ahead(read, asker.now):
            return _read_highest(store, snapshot, asker)
        if read is not None:
            return read
    # Everything was read, and no row had a value: values of other rows are not the position.
    if field is not None and state is not None and state.field_without_position == field:
        return None
    # Rows that are read again are merged by their keys.
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
    """The highest cursor in the table that is not in the future, if no commit contains it. Reads
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
    """The highest cursor in the table, even if it is in the future. It is read from the log, and
    from the column of files in which rows lack one.
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
