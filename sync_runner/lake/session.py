"""The work of a run on its table: takes batches and publishes them.

A run continues from one publication of the table, and each of its commits contains which one. If
only upkeep has changed the table since, the run plans its commit again; if another run has
published, the run stops.
"""

import logging

import pyarrow as pa
from external_data_operator.api.conditions import Reason
from external_data_operator.api.plan import SyncOptions
from external_data_operator.api.schema import TableStatus

from sync_runner.errors import ConfigurationError, RunError, SupersededError
from sync_runner.lake.delta.commits import describe_edits
from sync_runner.lake.delta.entry import Change
from sync_runner.lake.delta.head import is_same_publication
from sync_runner.lake.delta.log import LOG_FAILURES, HeadMovedError, Snapshot
from sync_runner.lake.delta.schema import describe
from sync_runner.lake.delta.state import State
from sync_runner.lake.intake import Intake
from sync_runner.lake.policy import Actor
from sync_runner.lake.publication import (
    find_operation,
    find_properties,
    has_news,
    render_origin,
)
from sync_runner.lake.publish import Prepared
from sync_runner.lake.shrink import check_shrink
from sync_runner.lake.standing import Asker, Standing
from sync_runner.lake.tools import Tools
from sync_runner.protocols import Batch, Position, Published, Start, Step
from sync_runner.records.cursor import shift_back
from sync_runner.records.keyless import describe_keyless

_PLANS_MAX = 4
_NO_ROWS = (
    "The stream has had no rows yet, so the table does not exist. If it should have rows, check "
    "path, params and the permissions of the credentials."
)
_UPKEEP_FAILURES = (
    *LOG_FAILURES,
    RunError,
    HeadMovedError,
    pa.ArrowException,
    LookupError,
    TypeError,
    MemoryError,
)
"""Failures of upkeep by a log that others have written, or by too little memory."""
_log = logging.getLogger(__name__)


class TableSession:
    """One pod's work on a table."""

    def __init__(
        self,
        actor: Actor,
        asker: Asker,
        standing: Standing,
        tools: Tools,
        *,
        options: SyncOptions,
    ) -> None:
        """Resumes from the journal if the run can continue it."""
        self._actor = actor
        self._asker = asker
        self._options = options
        self._mode = asker.mode
        self._standing = standing
        self._tools = tools
        self._base = standing.snapshot
        self._intake = Intake(actor, asker, standing, tools)
        self._published_at = actor.clock.monotonic()
        self._parts_published = 0
        self._has_committed = False
        self._edits = standing.edits
        """Operations by which others changed rows that the run does not read again."""

    @property
    def start(self) -> Start:
        """The state from which the run starts."""
        journal, state = self._standing.journal, self._state
        finished = state is not None and state.run == self._actor.run and state.final
        since = self._standing.since
        return Start(
            since=None if since is None else shift_back(since, self._options.lookback_seconds),
            replaces=not self._mode.keeps_rows,
            unconfirmed=None if state is None else state.confirms,
            fields=self._fields,
            resume=None if journal is None else journal.token,
            extracted=journal is not None and journal.ended,
            resumed=journal is not None or (state is not None and state.run == self._actor.run),
            finished=finished and not self._asker.fresh,
            counts=state.counts if finished and state is not None else self._intake.reached.counts,
        )

    def write(self, batch: Batch, *, seconds: float) -> int:
        """Takes the next batch, and saves the journal if that completes a part."""
        self._intake.take(batch, seconds=seconds)
        return self._parts_published + len(self._tools.stage.parts)

    def is_due(self) -> bool:
        """Whether enough is staged to publish before the end of the run."""
        stage, policy = self._tools.stage, self._actor.policy
        if not stage.rows or not self._mode.keeps_rows:
            return False
        if self._actor.clock.monotonic() - self._published_at >= policy.due_seconds:
            return True
        table_bytes = 0 if self._base is None else self._base.bytes
        due_bytes = policy.due_parts * self._tools.part_bytes
        return stage.bytes >= max(due_bytes, table_bytes // policy.due_share)

    def publish(self, *, final: bool) -> bool:
        """Makes everything written so far visible in one commit, if there is anything; returns
        whether it is in the table now.
        """
        # Readers must not see half of a replaced table, or rows that the source may return again.
        if not final and not self._tools.division.allows(self._intake.reached.position):
            return False
        # A part of the rows must have a position; all rows together may have no value at all.
        if not self._has_position():
            # A later row may have one.
            if not final:
                return False
            self._check_field()
        for _ in range(_PLANS_MAX):
            try:
                prepared = self._prepare()
                self._check_shrink(prepared)
                # A version without changes would be of no use to readers.
                if prepared.is_nothing and not self._has_news(final=final):
                    break
                self._actor.steps(Step.PREPARED)
                self._base = self._commit(prepared, final=final)
            # The commit was planned with files that another commit may have removed.
            except HeadMovedError:
                self._base = self._find_rebased()
                continue
            self._has_committed = True
            self._actor.steps(Step.COMMITTED)
            break
        else:
            raise SupersededError(
                f"Upkeep changed the table {_PLANS_MAX} times while this run prepared its commit, "
                "which was not made. The next run starts from the newest version."
            )
        self._parts_published += len(self._tools.stage.parts)
        self._tools.stage.clear()
        self._tools.publisher.note_published()
        self._published_at = self._actor.clock.monotonic()
        seq = None if self._base is None else self._base.content_seq
        self._intake.note_published(seq, final=final)
        return True

    def _check_shrink(self, prepared: Prepared) -> None:
        """Counts rows as readers see them: those with one key are one."""
        if self._mode.keeps_rows:
            return
        if self._base is not None and not self._actor.policy.may_shrink:
            after = sum(part.rows for part in prepared.adds)
            percent = self._options.shrink_guard_percent
            check_shrink(self._base.rows, after, percent=percent)

    def _prepare(self) -> Prepared:
        """Prepares the commit. Files may be missing because upkeep has removed them meanwhile."""
        base, tools = self._base, self._tools
        try:
            return tools.publisher.prepare(base, tools.stage, tools.columns.keeps)
        except ConfigurationError as error:
            if error.reason is Reason.TABLE_DAMAGED and base is not None:
                found = tools.log.load()
                if found is not None and found.version > base.version:
                    raise HeadMovedError from error
            raise

    def finish(self) -> Published:
        """Publishes the rest, closes the journal, and does the table's upkeep."""
        self._actor.steps(Step.STAGED)
        self._intake.cut_rest()
        if not self.start.finished:
            self.publish(final=True)
        self._intake.close(has_committed=self._has_committed)
        if self._base is not None and (self._has_committed or self._standing.is_own_left_open):
            self._tidy(self._base)
        return self._published()

    @property
    def _fields(self) -> frozenset[str]:
        """Fields of rows that were read by the same plan: an edited one may lead to other rows."""
        state = self._state
        is_same = state is not None and state.plan == self._asker.fingerprint
        known = is_same or self._standing.journal is not None
        return self._tools.columns.sources if known else frozenset()

    @property
    def _state(self) -> State | None:
        return None if self._base is None else self._base.state

    def _has_position(self) -> bool:
        """Whether the position of the rows is known, if the mode requires one."""
        if self._mode.field is None:
            return True
        return not self._tools.stage.rows or self._position() is not None

    def _check_field(self) -> None:
        if not self._intake.has_field:
            message = f"No row has the field {self._mode.field}. Choose another incrementalField."
            raise ConfigurationError(Reason.CURSOR_FIELD_MISSING, message)

    def _has_news(self, *, final: bool) -> bool:
        """Whether a commit without rows would record something new."""
        state, position = self._state, self._position()
        is_news = has_news(state, position, run=self._actor.run, final=final)
        return self._base is not None and is_news

    def _commit(self, prepared: Prepared, *, final: bool) -> Snapshot:
        base, log, shape = self._base, self._tools.log, prepared.shape
        position = self._position()
        state = State(
            run=self._actor.run,
            attempt=self._tools.attempt,
            seq=(0 if base is None else base.seq) + 1,
            final=final,
            position=position,
            field_without_position=self._mode.field if position is None else None,
            counts=self._intake.reached.counts,
            plan=self._asker.fingerprint,
            origin=None if final else render_origin(base),
            confirms=self._intake.reached.confirms,
            existing=self._mode.existing,
        )
        change = Change(
            prepared.adds,
            prepared.removes,
            shape.schema,
            state,
            replaces=prepared.replaces,
            operation=find_operation(base, self._mode),
            properties=find_properties(base, self._options, self._actor.policy),
        )
        found = log.commit(base, change)
        # A run must continue from its own publication.
        if not final and not is_same_publication(state, found.state):
            message = (
                f"Another run published version {found.version} after this run's commit, so this "
                "run stopped. The next run starts from the newest version."
            )
            raise SupersededError(message)
        return found

    def _position(self) -> Position | None:
        """The position that a commit would publish now."""
        return self._mode.position_of(self._standing.position, self._intake.reached.position)

    def _find_rebased(self) -> Snapshot:
        """The table's new head if only upkeep made it; SupersededError if another run was first."""
        found = self._tools.log.load()
        if found is None:
            raise SupersededError(
                "The table was removed during this run, which stopped. If that was not intended, "
                "restore the table."
            )
        if not is_same_publication(self._state, found.state):
            message = (
                f"Another run or tool wrote version {found.version} before this run's commit, "
                "which was not made. The next run starts from the newest version."
            )
            raise SupersededError(message)
        self._edits = found.edits or self._edits
        return found

    def _tidy(self, base: Snapshot) -> None:
        """Does the table's upkeep. Its failure does not fail the run: the rows are published, and
        the next run does the rest.
        """
        try:
            self._base = self._tools.upkeep.run(
                base, self._standing.listing, has_published=self._has_committed
            )
        except _UPKEEP_FAILURES as error:
            _log.warning(
                "The rows were published, but the table's upkeep failed (%s: %s). The next run "
                "repeats it.",
                type(error).__name__,
                error,
            )

    def _published(self) -> Published:
        base = self._base
        confirms = self._intake.reached.confirms
        if base is None:
            return Published(position=self._position(), notes=(_NO_ROWS,), confirms=confirms)
        status = TableStatus(
            uri=self._tools.uri,
            version=base.version,
            rows=base.rows,
            bytes=base.bytes,
            files=len(base.files),
        )
        state = base.state
        position = self._position() or (None if state is None else state.position)
        notes = (
            *describe_edits(self._edits),
            *describe_keyless(self._tools.stage.keyless),
            *self._tools.columns.describe_twins(),
        )
        return Published(status, position, describe(base.schema), notes, confirms)
