"""The table's own log, and the only importer of deltalake.

Every commit is a compare-and-swap on the version that it was planned for: no retry inside, one file
name that only one writer can create. A commit whose response was lost is recognised by the state
that it contains.
"""

import json
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pyarrow as pa
from deltalake import DeltaTable
from deltalake.exceptions import CommitFailedError, DeltaError, TableNotFoundError
from external_data_operator.api.conditions import Reason

from sync_runner.errors import ConfigurationError, RetryableError, RunError
from sync_runner.lake.delta.commits import Commit, parse_commit
from sync_runner.lake.delta.entry import (
    Author,
    Base,
    Change,
    Metadata,
    Protocol,
    build_entry,
    build_first_entry,
)
from sync_runner.lake.delta.features import (
    CLUSTERING,
    VECTORS,
    Demands,
    check_demands,
    check_removal,
)
from sync_runner.lake.delta.rawlog import find_demands, is_clustered
from sync_runner.lake.delta.schema import parse_schema
from sync_runner.lake.delta.state import APP_ID, State
from sync_runner.lake.mode import WriteMode
from sync_runner.lake.parquet.files import DataFile, Range
from sync_runner.lake.parquet.stats import TEXT_MAX
from sync_runner.protocols import Clock
from sync_runner.records.columns import source_of
from sync_runner.storage import ObjectStore
from sync_runner.storage.failures import explain

LOG_FOLDER = "_delta_log"
LOG_FAILURES = (DeltaError, OSError, ValueError)
_LOOK_BACK_MAX = 200
_LOOKS = 3
"""A store may lag behind its own writes."""
_MOMENT_SLACK = timedelta(milliseconds=1)
"""Other writers truncate timestamps in their statistics to milliseconds."""
_PLANE_0_MAX = "\uffff"


@dataclass(frozen=True)
class Snapshot:
    """One version of the table."""

    version: int
    schema: pa.Schema
    state: State | None
    """The state of the last publication; None if the log no longer contains it."""
    files: tuple[DataFile, ...]
    metadata: Metadata
    demands: Demands
    handle: DeltaTable = field(repr=False, compare=False)
    seq: int = 0
    """Number of the last publication, which the log has even if it lacks the state."""
    edits: tuple[str, ...] = ()
    """Operations by which others changed or deleted rows since then, oldest first."""

    @property
    def base(self) -> Base:
        """The version that the next entry follows."""
        demands = self.demands
        protocol = Protocol(
            demands.reader_version,
            demands.writer_version,
            demands.reader_features,
            demands.writer_features,
        )
        return Base(self.metadata, protocol, self.files)

    @property
    def origin(self) -> pa.Schema:
        """The columns that readers rely on: those of the table before the current run, or before a
        run that never ended.
        """
        state = self.state
        return self.schema if state is None or state.origin is None else parse_schema(state.origin)

    @property
    def content_seq(self) -> int:
        """Number of the publication whose rows these are: an older one after a RESTORE."""
        return self.seq if self.state is None else self.state.seq

    @property
    def bytes(self) -> int:
        """Size of its files."""
        return sum(file.size for file in self.files)

    @property
    def rows(self) -> int:
        """Rows in its files, as far as their writers counted them."""
        return sum(max(0, file.rows) for file in self.files)


class HeadMovedError(Exception):
    """Another commit was first. Never raised outside the lake."""


class DeltaLog:
    """Reads and writes the log of one table."""

    def __init__(
        self,
        store: ObjectStore,
        clock: Clock,
        keys: Collection[str],
        *,
        stream: str,
        mode: WriteMode,
    ) -> None:
        """`keys`: fields, in the source's spelling, whose ranges merges need; `stream`: the
        origin of the rows in the table's history; `mode`: how the run changes the table's rows.
        """
        self._mode = mode
        self._store = store
        self._clock = clock
        self._keys = frozenset(keys)
        self._stream = stream

    def load(self) -> Snapshot | None:
        """The newest version, or None if there is no table. A log that cannot be read is read
        again.
        """
        for _ in range(_LOOKS):
            with suppress(ConfigurationError):
                return self._load()
        return self._load()

    def _load(self) -> Snapshot | None:
        with self._mapped("read the table's log"):
            try:
                handle = DeltaTable(self._store.uri, storage_options=dict(self._store.options))
            except TableNotFoundError:
                return None
            except DeltaError:
                self._check_unread()
                raise
            return self._read(handle)

    def _check_unread(self) -> None:
        """Checks the demands of a log that the library cannot read: they may be the cause."""
        demands = find_demands(self._store, LOG_FOLDER)
        if demands is not None:
            check_demands(demands, self._mode)

    def _read(self, handle: DeltaTable) -> Snapshot:
        """The version that the handle has loaded."""
        with self._mapped("read the table's log"):
            metadata = _read_metadata(handle)
            demands = _read_demands(handle, metadata)
            if CLUSTERING in demands.writer_features:
                found = is_clustered(self._store, LOG_FOLDER)
                demands = replace(demands, is_clustered=found)
            if VECTORS in demands.reader_features:
                vectors = pa.table(handle.deletion_vectors())
                demands = replace(demands, has_vectors=vectors.num_rows > 0)
            check_demands(demands, self._mode)
            schema = parse_schema(metadata.schema)
            keys = [field.name for field in schema if source_of(field) in self._keys]
            files = _read_files(handle, keys)
            seq = handle.transaction_version(APP_ID)
        state, edits = (None, ()) if seq is None else self._find_state(handle.version())
        if edits and not files:
            state = None  # a person who deletes all rows wants them read again, or none
        return Snapshot(
            handle.version(), schema, state, files, metadata, demands, handle, seq or 0, edits
        )

    def commit(self, base: Snapshot | None, change: Change) -> Snapshot:
        """Makes the change on top of `base`; HeadMovedError if another commit was first."""
        if base is None:
            self._create(change)
        else:
            self._append(base, change)
        return self._reload(base)

    def _append(self, base: Snapshot, change: Change) -> None:
        """The next entry, whose name only one writer can create."""
        if change.replaces or (change.removes and not change.is_upkeep):
            check_removal(base.demands)
        data = build_entry(base.base, change, self._author)
        error: Exception | None = None
        try:
            if self._store.create(_path_of(base.version + 1), data) is not None:
                self._check_end(base, change)
                return
        except RunError as failure:
            error = failure
        self._raise_unless_done(base, change, error)

    def _check_end(self, base: Snapshot, change: Change) -> None:
        """A name that is free at the end of the log is also free before the oldest entry, where an
        entry belongs to no version. If the entry before is missing, the newest version decides.
        """
        if not self._store.exists(_path_of(base.version)):
            self._check_newest(change)

    def checkpoint(self, snapshot: Snapshot) -> None:
        """Writes a checkpoint of this version."""
        with self._mapped("write a checkpoint"):
            snapshot.handle.create_checkpoint()

    def _create(self, change: Change) -> None:
        """The table's first version."""
        data = build_first_entry(str(uuid4()), change, self._author)
        error: Exception | None = None
        try:
            if self._store.create(_path_of(0), data) is not None:
                # Free as well where another run's table has a log that was cut.
                self._check_newest(change)
                return
        except RunError as failure:
            error = failure
        self._raise_unless_done(None, change, error)

    def _check_newest(self, change: Change) -> None:
        """Whether the newest version of the table is, or follows, the one just made."""
        found = self.load()
        state = None if found is None else found.state
        if state is None or not state.is_publication_of(change.state):
            raise HeadMovedError

    @property
    def _author(self) -> Author:
        return Author(self._stream, int(self._clock.now() * 1000))

    def _raise_unless_done(
        self, base: Snapshot | None, change: Change, error: Exception | None
    ) -> None:
        """Looks in the log for our own commit, whose response may have been lost."""
        found = self.load()
        first = 0 if base is None else base.version + 1
        for version in range(first, 0 if found is None else found.version + 1):
            state = self._read_state(version)
            if state is not None and state.is_publication_of(change.state) and not change.is_upkeep:
                return
        self._raise_unless_moved(base, found, error)

    def _raise_unless_moved(
        self, base: Snapshot | None, found: Snapshot | None, error: Exception | None
    ) -> None:
        if found is not None and found.version > (-1 if base is None else base.version):
            raise HeadMovedError from error
        # The error of the store names the cause.
        if isinstance(error, RunError):
            raise error
        raise self._explain(error or CommitFailedError(), "commit") from error

    def _reload(self, base: Snapshot | None) -> Snapshot:
        """The table after our own commit; a store that still returns the version before is asked
        again. Usually only the new entry has to be read; `base` must not be used afterwards.
        """
        if base is not None:
            with suppress(*LOG_FAILURES, RunError):
                base.handle.update_incremental()
                if base.handle.version() > base.version:
                    return self._read(base.handle)
        for _ in range(5):
            found = self.load()
            if found is not None and (base is None or found.version > base.version):
                return found
        message = (
            f"The {self._store.place} does not return the version of the table that this run "
            "committed. If this persists, check the object store."
        )
        raise RetryableError(Reason.STORAGE_UNAVAILABLE, message)

    def _find_state(self, newest: int) -> tuple[State | None, tuple[str, ...]]:
        """The state of our last publication that still holds, and the edits of others since."""
        version, edits = newest, list[str]()
        for _ in range(_LOOK_BACK_MAX):
            if version < 0:
                break
            commit = self._read_commit(version) or Commit()
            if commit.state is not None:
                return commit.state, tuple(reversed(edits))
            # The rows are those of an older version, and so is their state.
            if commit.restored is not None and commit.restored < version:
                version = commit.restored
                continue
            # Another writer replaced the rows: no commit of ours contains their position.
            if commit.voids:
                break
            if commit.is_edit:
                edits.append(commit.operation)
            version -= 1
        return None, ()

    def _read_state(self, version: int) -> State | None:
        commit = self._read_commit(version)
        return None if commit is None else commit.state

    def _read_commit(self, version: int) -> Commit | None:
        stored = self._store.find(_path_of(version))
        return None if stored is None else parse_commit(stored.data.decode())

    @contextmanager
    def _mapped(self, doing: str) -> Iterator[None]:
        try:
            yield
        except LOG_FAILURES as error:
            raise self._explain(error, doing) from error

    def _explain(self, error: Exception, doing: str) -> Exception:
        """A connection's failure, or a log that cannot be read."""
        text = str(error)
        if isinstance(error, CommitFailedError):
            message = (
                f"The {self._store.place} refused the commit, although no other run has committed. "
                "If this persists, check the object store."
            )
            return RetryableError(Reason.STORAGE_UNAVAILABLE, message)
        if isinstance(error, OSError) or "Error performing" in text or "ObjectStore" in text:
            return explain(error, self._store.place, doing)
        message = (
            f"The table's log cannot be read ({type(error).__name__}). Restore it, or delete the "
            "table's folder to import everything again."
        )
        return ConfigurationError(Reason.TABLE_DAMAGED, message)


def _path_of(version: int) -> str:
    return f"{LOG_FOLDER}/{version:020}.json"


def _read_metadata(handle: DeltaTable) -> Metadata:
    found = handle.metadata()
    return Metadata(
        str(found.id),
        found.name,
        found.description,
        found.created_time,
        dict(found.configuration),
        handle.schema().to_json(),
    )


def _read_demands(handle: DeltaTable, metadata: Metadata) -> Demands:
    protocol = handle.protocol()
    return Demands(
        protocol.min_reader_version,
        protocol.min_writer_version,
        frozenset(protocol.reader_features or ()),
        frozenset(protocol.writer_features or ()),
        metadata.properties,
        handle.metadata().partition_columns,
        metadata.schema,
    )


def _read_files(handle: DeltaTable, keys: Sequence[str]) -> tuple[DataFile, ...]:
    actions = pa.table(handle.get_add_actions(flatten=True))
    names = set(actions.schema.names)
    known = [key for key in keys if {f"min.{key}", f"max.{key}", f"null_count.{key}"} <= names]
    columns = ["path", "size_bytes", "num_records"]
    columns += [f"{what}.{key}" for key in known for what in ("min", "max", "null_count")]
    return tuple(_build_file(row, known) for row in actions.select(columns).to_pylist())


def _build_file(row: dict[str, Any], keys: Sequence[str]) -> DataFile:
    rows = -1 if row["num_records"] is None else row["num_records"]
    ranges = {key: _build_range(row, key) for key in keys}
    return DataFile(row["path"], row["size_bytes"], rows, ranges)


def _build_range(row: dict[str, Any], key: str) -> Range:
    low, high = row[f"min.{key}"], row[f"max.{key}"]
    if low is None or high is None or row[f"null_count.{key}"] != 0:
        return None
    # deltalake reads the escape of such a character as a lower one.
    if isinstance(high, str) and max(high[:TEXT_MAX], default="") > _PLANE_0_MAX:
        return None
    return (low, high + _MOMENT_SLACK) if isinstance(high, datetime) else (low, high)


def read_last_checkpoint(store: ObjectStore) -> int:
    """The version of the newest checkpoint; -1 if there is none."""
    stored = store.find(f"{LOG_FOLDER}/_last_checkpoint")
    return -1 if stored is None else int(json.loads(stored.data)["version"])
