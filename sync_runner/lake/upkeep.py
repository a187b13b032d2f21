"""Keeps a table small: few files, a short log, no files without a reference.

The run that made upkeep necessary does it after its publication, within a time limit; the next run
does the rest. Files and entries of the log are deleted only after the table's own retention:
readers of an older version, and those that follow its changes, rely on it.
"""

from collections.abc import Iterator, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from sync_runner.lake.delta.entry import Change, Operation
from sync_runner.lake.delta.features import find_protected
from sync_runner.lake.delta.head import is_next
from sync_runner.lake.delta.log import (
    LOG_FOLDER,
    DeltaLog,
    HeadMovedError,
    Snapshot,
    read_last_checkpoint,
)
from sync_runner.lake.delta.retention import CLEANUP, FILES, LOG, find_hours
from sync_runner.lake.delta.tombstones import entry_version_of, read_tombstones
from sync_runner.lake.parquet.files import DataFile, open_file, read_groups
from sync_runner.lake.parquet.parts import PartStore
from sync_runner.lake.parquet.stage import PartLimits
from sync_runner.lake.policy import Actor, Policy
from sync_runner.lake.rows.shape import align_table
from sync_runner.protocols import Step
from sync_runner.storage import ObjectInfo

_HOUR_S = 3600.0


def choose_groups(
    files: Sequence[DataFile], bounds: PartLimits, policy: Policy
) -> list[list[DataFile]]:
    """Groups of small files, each to be compacted into one file, smallest files first. Pure."""
    tiers: dict[int, list[DataFile]] = {}
    for file in files:
        if 0 <= file.rows < bounds.rows // 2 and file.size < bounds.bytes // 2:
            tiers.setdefault(_tier(file, policy), []).append(file)
    groups = []
    for _, tier in sorted(tiers.items()):
        if len(tier) >= policy.tier_files:
            groups += _fill(tier, bounds)
    return groups


def _tier(file: DataFile, policy: Policy) -> int:
    tier, size = 0, max(1, file.rows)
    while size >= policy.tier_factor:
        tier, size = tier + 1, size // policy.tier_factor
    return tier


def _fill(tier: Sequence[DataFile], bounds: PartLimits) -> list[list[DataFile]]:
    groups: list[list[DataFile]] = [[]]
    rows = size = 0
    for file in tier:
        if groups[-1] and (rows + file.rows > bounds.rows or size + file.size > bounds.bytes):
            groups.append([])
            rows = size = 0
        groups[-1].append(file)
        rows, size = rows + file.rows, size + file.size
    return [group for group in groups if len(group) > 1]


def choose_old_log(
    entries: Sequence[ObjectInfo], now: float, *, keep_s: float, entries_max: int, whole: int = 0
) -> list[str]:
    """Entries below the newest checkpoint that is older than the log is to be kept: versions that
    are younger stay readable, from that checkpoint on. Pure. The last but one checkpoint stays, for
    readers that are about to use it. Entries below the version `whole` go together or not at all.
    """
    checkpoints = {entry_version_of(e): e for e in entries if ".checkpoint" in e.path}
    checkpoints.pop(-1, None)
    for version in sorted(checkpoints)[:-1][::-1]:
        is_aged = now - checkpoints[version].modified > keep_s
        above = sum(entry_version_of(entry) >= version for entry in entries)
        if is_aged or above >= entries_max:
            if version < whole:
                return []
            return sorted(e.path for e in entries if 0 <= entry_version_of(e) < version)
    return []


class Upkeep:
    """Does the upkeep of one table."""

    def __init__(
        self,
        actor: Actor,
        log: DeltaLog,
        parts: PartStore,
        bounds: PartLimits,
        *,
        order_by: str | None,
    ) -> None:
        """`order_by`: the column by whose ranges merges skip files."""
        self._store = parts.store
        self._log = log
        self._parts = parts
        self._bounds = bounds
        self._clock = actor.clock
        self._steps = actor.steps
        self._policy = actor.policy
        self._order_by = order_by
        self._ends = 0.0

    def run(
        self, snapshot: Snapshot, before: Sequence[ObjectInfo], *, has_published: bool
    ) -> Snapshot:
        """Compacts, sweeps and cleans the log after a publication.

        `before` are the objects in the data folder when the run began. Once this run has published,
        those that are not in the log can no longer be published; before, a rival may publish them.
        """
        self._ends = self._clock.monotonic() + self._policy.upkeep_seconds
        snapshot = self._compact(snapshot)
        is_due = self._is_checkpoint_due(snapshot)
        self._sweep(self._find_doomed(snapshot, before, is_due=is_due, has_published=has_published))
        if is_due and not self._is_over():
            self._tidy_log(snapshot)
        return snapshot

    def _is_over(self) -> bool:
        return self._clock.monotonic() >= self._ends

    def _compact(self, snapshot: Snapshot) -> Snapshot:
        for group in choose_groups(snapshot.files, self._bounds, self._policy):
            if self._is_over() or snapshot.state is None:
                break
            bounds = self._bounds
            new = self._parts.write_all(
                self._read(group, snapshot.schema),
                rows_max=bounds.rows * 2,
                bytes_max=bounds.bytes * 2,
            )
            self._steps(Step.COMPACTING)
            change = Change(
                new, group, snapshot.schema, snapshot.state, operation=Operation.OPTIMIZE
            )
            try:
                found = self._log.commit(snapshot, change)
            except HeadMovedError:
                break
            self._steps(Step.COMPACTED)
            if not is_next(found, snapshot):
                return found
            snapshot = found
        return snapshot

    def _read(self, group: Sequence[DataFile], schema: pa.Schema) -> Iterator[pa.Table]:
        """The files' rows; sorted by key if merges skip files by it."""
        tables = (
            align_table(table, schema, schema)
            for file in group
            for _, table in read_groups(open_file(self._store, file), schema.names)
        )
        if self._order_by is None:
            yield from tables
            return
        whole = pa.concat_tables(tables)
        yield whole.take(pc.sort_indices(whole.column(self._order_by)))

    def _sweep(self, doomed: Sequence[str]) -> None:
        for first in range(0, len(doomed), 200):
            if self._is_over():
                return
            self._store.delete(doomed[first : first + 200])
            self._steps(Step.SWEEPING)
        self._store.delete_torn(before=self._clock.now() - self._policy.torn_seconds)

    def _find_doomed(
        self,
        snapshot: Snapshot,
        before: Sequence[ObjectInfo],
        *,
        is_due: bool,
        has_published: bool,
    ) -> list[str]:
        """Removed files whose retention is over, and files of some age that are not in the log. The
        log has an entry for each removed file, so that a run reads them only while they are few.
        """
        live = {file.key for file in snapshot.files}
        left = [info for info in before if info.path not in live]
        hours = find_hours(snapshot.metadata.properties, FILES)
        keep_s = (self._policy.keep_hours if hours is None else hours) * _HOUR_S
        grace_s = self._policy.grace_hours * _HOUR_S
        now = self._clock.now()
        aged = {info.path for info in left if now - info.modified > min(keep_s, grace_s)}
        if not aged or (len(left) > self._policy.sweep_files and not is_due):
            return []
        removed = read_tombstones(self._store)
        orphaned = {info.path for info in left if now - info.modified > grace_s}
        doomed = {path for path in aged & removed.keys() if now - removed[path] >= keep_s}
        # The parts of a rival are not in the log either, and only a publication stops the rival.
        if has_published:
            doomed |= orphaned - removed.keys()
        return sorted(doomed)

    def _is_checkpoint_due(self, snapshot: Snapshot) -> bool:
        last = read_last_checkpoint(self._store)
        return snapshot.version - last >= self._policy.checkpoint_versions

    def _tidy_log(self, snapshot: Snapshot) -> None:
        self._log.checkpoint(snapshot)
        self._steps(Step.CHECKPOINTED)
        # A table on which this is switched off must keep every version.
        if snapshot.metadata.properties.get(CLEANUP, "").lower() == "false":
            return
        hours = find_hours(snapshot.metadata.properties, LOG)
        keep_s = (self._policy.log_hours if hours is None else hours) * _HOUR_S
        old = choose_old_log(
            self._store.list(LOG_FOLDER),
            self._clock.now(),
            keep_s=keep_s,
            entries_max=self._policy.log_entries,
            whole=find_protected(snapshot.demands),
        )
        self._store.delete(old)
