"""Opens a table for a run: reads its state and prepares to write it."""

import hashlib
import secrets
from dataclasses import replace
from functools import partial

from external_data_operator.api.plan import Plan, SyncOptions

from sync_runner.errors import ConfigurationError
from sync_runner.lake.delta.log import DeltaLog
from sync_runner.lake.division import Division
from sync_runner.lake.journal import JournalFile
from sync_runner.lake.mode import WriteMode, decide_mode
from sync_runner.lake.parquet.parts import PartStore
from sync_runner.lake.parquet.stage import PartLimits, Stage
from sync_runner.lake.policy import Actor, Policy
from sync_runner.lake.publish import Publisher, Rules
from sync_runner.lake.rows.deletes import MARK
from sync_runner.lake.rows.known import Boundary, find_boundary
from sync_runner.lake.session import TableSession
from sync_runner.lake.standing import Asker, Standing, find_top, read_standing
from sync_runner.lake.tools import Tools
from sync_runner.lake.upkeep import Upkeep
from sync_runner.protocols import Batch, Clock, Published, Start, Step, Steps, no_steps
from sync_runner.records.columns import Columns, source_of
from sync_runner.storage import ObjectStore

_ROWS_UNBOUNDED = 1 << 40
"""Only bytes bound the parts of a table that is not merged into."""


def open_table(
    store: ObjectStore,
    plan: Plan,
    run_id: str,
    clock: Clock,
    *,
    steps: Steps = no_steps,
    policy: Policy | None = None,
) -> "LakeTable":
    """The table of a sync's plan. Sends no request to the store yet."""
    options = plan.only.sync
    return LakeTable(store, plan, options, Actor(run_id, clock, steps, policy or Policy()))


class LakeTable:
    """Implements `protocols.DestinationTable`; the work of a run is in its session."""

    def __init__(self, store: ObjectStore, plan: Plan, options: SyncOptions, actor: Actor) -> None:
        """See `open_table`."""
        self._store = store
        self._plan = plan
        self._options = options
        self._mode = decide_mode(options)
        self._actor = actor
        self._session: TableSession | None = None

    def begin(self, *, fresh: bool = False) -> Start:
        """Reads the state of table and journal; `fresh` discards the journal."""
        journal = JournalFile(self._store)
        log = DeltaLog(
            self._store,
            self._actor.clock,
            self._mode.fields,
            stream=f"{self._plan.namespace}/{self._plan.source}/{self._options.stream}",
            mode=self._mode,
        )
        asker = Asker(
            self._actor.run,
            _fingerprint(self._plan),
            self._mode,
            self._actor.clock.now(),
            fresh=fresh,
        )
        standing = read_standing(self._store, log, journal, asker)
        self._session = self._open_session(standing, journal, log, asker)
        self._actor.steps(Step.BEGUN)
        return self._session.start

    def write(self, batch: Batch, *, seconds: float) -> int:
        """Takes the next batch."""
        return self._begun.write(batch, seconds=seconds)

    def is_due(self) -> bool:
        """Whether enough is staged to publish before the end of the run."""
        return self._begun.is_due()

    def publish(self) -> bool:
        """Makes everything written so far visible in one commit, in the middle of the run; returns
        whether it is in the table now."""
        return self._begun.publish(final=False)

    def finish(self) -> Published:
        """Publishes the rest, closes the journal, and does the table's upkeep."""
        return self._begun.finish()

    @property
    def _begun(self) -> TableSession:
        assert self._session is not None, "begin comes first"
        return self._session

    def _open_session(
        self, standing: Standing, journal: JournalFile, log: DeltaLog, asker: Asker
    ) -> TableSession:
        attempt = f"{_digest(self._actor.run)}-{secrets.token_hex(4)}"
        mode, bounds = self._mode, self._bounds()
        columns = Columns(_known_names(standing), _kept(self._options, mode), keys=mode.keys)
        keys = [columns.name_of(source) for source in mode.keys]
        cursor = None if mode.field is None else columns.name_of(mode.field)
        notable = frozenset(map(columns.name_of, mode.fields))
        parts = PartStore(self._actor, self._store, attempt, notable)
        holds = mode.merges and standing.snapshot is not None
        stage = Stage(parts, bounds, self._actor.policy, keys=keys, holds=holds)
        if not _reopen(standing, parts, stage, columns):
            standing = replace(standing, journal=None)
        division = self._open_division(standing, asker)
        if cursor is not None:
            division.note_parts(stage.parts, cursor)
        tools = Tools(
            attempt=attempt,
            uri=self._store.uri,
            part_bytes=self._plan.limits.part_bytes,
            log=log,
            journal=journal,
            columns=columns,
            stage=stage,
            division=division,
            publisher=Publisher(
                parts,
                bounds,
                self._actor.policy,
                Rules(
                    keys=keys,
                    replaces=not mode.keeps_rows,
                    boundary=_find_boundary(standing, mode, cursor),
                ),
            ),
            upkeep=Upkeep(
                self._actor, log, parts, bounds, order_by=keys[0] if mode.merges else None
            ),
        )
        return TableSession(self._actor, asker, standing, tools, options=self._options)

    def _open_division(self, standing: Standing, asker: Asker) -> Division:
        snapshot = standing.snapshot
        return Division(
            self._mode,
            has_table=snapshot is not None,
            since=standing.since,
            find_top=partial(find_top, self._store, snapshot, asker),
        )

    def _bounds(self) -> PartLimits:
        """The limits of a part. Files are small if rows are merged into them: a merge rewrites each
        file that it changes as a whole.
        """
        rows = self._actor.policy.group_rows if self._mode.merges else _ROWS_UNBOUNDED
        return PartLimits(rows, self._plan.limits.part_bytes)


def _reopen(standing: Standing, parts: PartStore, stage: Stage, columns: Columns) -> bool:
    """Takes over an earlier pod's parts; False if one of them is missing, so that the run starts
    again.
    """
    journal = standing.journal
    if journal is None:
        return True
    try:
        stage.parts = [
            parts.reopen(entry.path, size=entry.size, rows=entry.rows, order=entry.order)
            for entry in journal.parts
        ]
    except ConfigurationError:
        return False
    for part in stage.parts:
        columns.learn({source_of(f): f.name for f in part.schema if f.name != MARK})
    return True


def _find_boundary(standing: Standing, mode: WriteMode, cursor: str | None) -> Boundary | None:
    """The boundary up to which the table may have rows of an append already; None if it can have
    none: in a first load that has published before.
    """
    snapshot, journal = standing.snapshot, standing.journal
    if not mode.counts_equal_rows or cursor is None or snapshot is None:
        return None
    has_published = journal is not None and journal.since != standing.position
    if has_published and standing.since is None:
        return None
    found = find_boundary(snapshot.files, cursor, mode.field_type)
    # The walk has passed every cursor that the table had; rows without one may still repeat.
    return replace(found, is_passed=has_published)


def _known_names(standing: Standing) -> dict[str, str]:
    snapshot = standing.snapshot
    return {} if snapshot is None else {source_of(f): f.name for f in snapshot.schema}


def _kept(options: SyncOptions, mode: WriteMode) -> set[str] | None:
    """Fields to keep; keys and cursor always are."""
    if options.enabled_columns is None:
        return None
    return {*options.enabled_columns, *options.primary_key_columns, *mode.fields}


def _fingerprint(plan: Plan) -> str:
    """A digest of the parts of the plan that must be equal for a pod to resume an earlier one."""
    text = plan.model_dump_json(
        exclude={
            "limits": True,
            "network": True,
            "tables": {"__all__": {"sync": {"retention": True}}},
        }
    )
    return hashlib.sha256(text.encode()).hexdigest()


def _digest(run: str) -> str:
    return hashlib.sha256(run.encode()).hexdigest()[:8]
