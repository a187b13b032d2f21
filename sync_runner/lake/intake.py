"""Takes the batches that a run reads, cuts them into parts, and keeps the journal."""

from contextlib import suppress
from dataclasses import replace

import pyarrow as pa
from external_data_operator.api.conditions import Reason

from sync_runner.errors import ConfigurationError, RunError
from sync_runner.lake.journal import Entry, Journal
from sync_runner.lake.parquet.parts import Part
from sync_runner.lake.policy import Actor
from sync_runner.lake.reached import Reached, find_reached
from sync_runner.lake.rows.deletes import clear_deleted, mark_deleted
from sync_runner.lake.standing import Asker, Standing
from sync_runner.lake.tools import Tools
from sync_runner.protocols import Batch, Step


class Intake:
    """The batches of one pod."""

    def __init__(self, actor: Actor, asker: Asker, standing: Standing, tools: Tools) -> None:
        """Continues from the journal if there is one."""
        self._actor = actor
        self._asker = asker
        self._mode = asker.mode
        self._standing = standing
        self._tools = tools
        self.reached = self._covered = find_reached(standing)
        self._cut_at = actor.clock.monotonic()
        self.seq = None if standing.snapshot is None else standing.snapshot.content_seq
        """The publication that the run continues from; None if there is no table."""
        self.has_field = standing.journal is not None
        """Whether any row had the cursor's field, as far as this pod knows."""

    def take(self, batch: Batch, *, seconds: float) -> None:
        """Takes the next batch, and saves the journal if that completes a part."""
        self._check_batch(batch)
        self._refuse_deleted(batch)
        stage = self._tools.stage
        if batch.records.num_rows:
            self._announce()
            names = batch.records.schema.names
            self.has_field = self.has_field or self._mode.field in names
            columns, cursor = self._tools.columns, self._mode.field
            records = self._adopt(batch)
            if cursor is not None:
                self._tools.division.note_rows(records, columns.name_of(cursor))
            if not stage.fits(records):
                self._cut()
            stage.add(records)
        self.reached = self.reached.behind(batch, seconds)
        if stage.is_full() or (stage.is_part_open and self._is_old()):
            self._cut()

    def _adopt(self, batch: Batch) -> pa.RecordBatch:
        """The batch's rows under the table's names, with deleted rows marked."""
        columns, records, deleted = self._tools.columns, batch.records, batch.deleted
        if deleted is None or not deleted.true_count:
            return columns.adopt(records)
        deleted = deleted.fill_null(False)  # noqa: FBT003 - a row whose mark is null stays
        records = columns.adopt(clear_deleted(records, deleted, self._mode.keys))
        return mark_deleted(records, deleted)

    def _check_batch(self, batch: Batch) -> None:
        """Asserts what the protocol of sources requires; a violation is a bug."""
        cursor, position = self._mode.field, batch.position
        assert cursor is None or position is None or position.field == cursor, (
            "a position names the field that it is a value of"
        )

    def _refuse_deleted(self, batch: Batch) -> None:
        """ConfigurationError for deleted rows if the sync only adds rows, or if the commits of the
        table do not record that changes were applied."""
        if batch.deleted is None or self._mode.applies_changes or not batch.deleted.true_count:
            return
        message = (
            f"The source's log contains deleted rows, but the sync into {self._tools.uri} cannot "
            "delete rows. The deletions were not published. Set primaryKeyColumns and "
            "syncType: Incremental without incrementalField, or choose a stream without deletions."
        )
        raise ConfigurationError(Reason.INVALID_SPEC, message)

    def note_published(self, seq: int | None, *, final: bool) -> None:
        """Records that all rows so far are in the table, in publication `seq`."""
        self.seq = seq
        if self._tools.journal.held and not final:
            self._save(self.reached)

    def _announce(self) -> None:
        """Saves the journal of a first load before its first part: it explains files without a
        log.
        """
        if self.seq is None and not self._tools.journal.held:
            self._save(self.reached)

    def _cut(self) -> None:
        """Starts the next part. The journal lists a part only after its upload."""
        if self._tools.stage.is_uploading:
            self._tools.stage.settle()
            self._save(self._covered)
        self._tools.stage.cut()
        self._covered = self.reached
        self._cut_at = self._actor.clock.monotonic()

    def cut_rest(self) -> None:
        """Adds the last of several parts to the journal too, so that a later pod reads nothing
        again.
        """
        stage = self._tools.stage
        if stage.parts or stage.is_uploading:
            stage.cut()
            stage.settle()
            self._save(self.reached)

    def _is_old(self) -> bool:
        return self._actor.clock.monotonic() - self._cut_at >= self._actor.policy.part_seconds

    def _save(self, reached: Reached, *, is_open: bool = True) -> None:
        """Saves the journal: its parts contain everything up to `reached`."""
        stage = self._tools.stage
        journal = Journal(
            run=self._actor.run,
            attempt=self._tools.attempt,
            seq=self.seq or 0,
            fingerprint=self._asker.fingerprint,
            updated=self._actor.clock.now(),
            open=is_open,
            token=reached.token if is_open else None,
            ended=reached.ended,
            since=self._standing.since,
            position=reached.position,
            confirms=reached.confirms,
            parts=tuple(_build_entry(part) for part in stage.parts),
            counts=replace(reached.counts, parts=len(stage.parts)),
        )
        self._tools.journal.save(journal, began=self._asker.now)
        self._actor.steps(Step.JOURNALED)

    def close(self, *, has_committed: bool) -> None:
        """Closes the journal. If that fails, later runs recognise it as an old one.

        A journal of a rival stays open, since the rival may be running, unless this run committed.
        """
        standing = self._standing
        is_over = has_committed and standing.left_open
        if self._tools.journal.held or standing.is_own_left_open or is_over:
            with suppress(RunError):
                self._save(self.reached, is_open=False)
        self._actor.steps(Step.CLOSED)


def _build_entry(part: Part) -> Entry:
    return Entry(part.path, part.size, part.rows, part.order)
