"""Opens a table for a run: reads where it stands and prepares to write it."""

import hashlib
import secrets
from dataclasses import replace
from functools import partial

from external_data_operator.api.conditions import Reason
from external_data_operator.api.cursor import DEFAULT_TYPE
from external_data_operator.api.plan import Plan, SyncOptions
from external_data_operator.api.schema import SyncType

from sync_runner.errors import ConfigurationError
from sync_runner.lake.delta.log import DeltaLog
from sync_runner.lake.division import Division
from sync_runner.lake.journal import JournalFile
from sync_runner.lake.parquet.parts import PartStore
from sync_runner.lake.parquet.stage import Bounds, Stage
from sync_runner.lake.policy import Actor, Policy
from sync_runner.lake.publish import Publisher, Rules
from sync_runner.lake.rows.known import Boundary, find_boundary
from sync_runner.lake.session import Session
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
    """The table of a Sync's plan that has one. Nothing is asked of the store yet."""
    options = plan.only.sync
    return LakeTable(store, plan, options, Actor(run_id, clock, steps, policy or Policy()))


class LakeTable:
    """Implements `protocols.Destination`; what a begun run does is its session's."""

    def __init__(self, store: ObjectStore, plan: Plan, options: SyncOptions, actor: Actor) -> None:
        """See `open_table`."""
        self._store = store
        self._plan = plan
        self._options = options
        self._actor = actor
        self._session: Session | None = None

    def begin(self, *, fresh: bool = False) -> Start:
        """Reads where table and journal stand; `fresh` throws the journal away."""
        self._check_options()
        journal = JournalFile(self._store)
        log = DeltaLog(
            self._store,
            self._actor.clock,
            _notable_fields(self._options),
            stream=f"{self._plan.namespace}/{self._plan.source}/{self._options.stream}",
            sync_type=self._options.sync_type,
        )
        asker = Asker(
            self._actor.run,
            _fingerprint(self._plan),
            self._options,
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
        """Whether so much is staged that publishing in the middle of the run is worth its cost."""
        return self._begun.is_due()

    def publish(self) -> bool:
        """Makes everything written so far visible in one commit, in the middle of the run; returns
        whether it is in the table now."""
        return self._begun.publish(final=False)

    def finish(self) -> Published:
        """Makes the rest visible, closes the journal, and looks after the table."""
        return self._begun.finish()

    @property
    def _begun(self) -> Session:
        assert self._session is not None, "begin comes first"
        return self._session

    def _check_options(self) -> None:
        options = self._options
        if options.sync_type is SyncType.INCREMENTAL and not options.primary_key_columns:
            message = "an incremental sync needs primaryKeyColumns; without a key, use Append"
            raise ConfigurationError(Reason.PRIMARY_KEY_MISSING, message)

    def _open_session(
        self, standing: Standing, journal: JournalFile, log: DeltaLog, asker: Asker
    ) -> Session:
        attempt = f"{_digest(self._actor.run)}-{secrets.token_hex(4)}"
        options, bounds = self._options, self._bounds()
        columns = Columns(_known_names(standing), _kept(options), keys=self._keys())
        keys = [columns.name_of(source) for source in self._keys()]
        cursor = options.incremental_field
        always = [] if cursor is None else [columns.name_of(cursor)]
        notable = frozenset([*keys, *always])
        parts = PartStore(self._actor, self._store, attempt, notable)
        holds = self._merges and standing.snapshot is not None
        stage = Stage(parts, bounds, self._actor.policy, keys=keys, holds=holds)
        if not _reopen(standing, parts, stage, columns):
            standing = replace(standing, journal=None)
        division = self._open_division(standing, asker)
        if always:
            division.note_parts(stage.parts, always[0])
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
                    replaces=options.sync_type is SyncType.FULL_REFRESH,
                    boundary=_find_boundary(standing, options, always),
                ),
            ),
            upkeep=Upkeep(
                self._actor, log, parts, bounds, order_by=keys[0] if self._merges else None
            ),
        )
        return Session(self._actor, asker, standing, tools)

    def _open_division(self, standing: Standing, asker: Asker) -> Division:
        snapshot = standing.snapshot
        return Division(
            self._options,
            has_table=snapshot is not None,
            since=standing.since,
            find_top=partial(find_top, self._store, snapshot, asker),
        )

    @property
    def _merges(self) -> bool:
        return self._options.sync_type is SyncType.INCREMENTAL

    def _keys(self) -> list[str]:
        """Fields by which rows collapse."""
        is_append = self._options.sync_type is SyncType.APPEND
        return [] if is_append else self._options.primary_key_columns

    def _bounds(self) -> Bounds:
        """Small files where rows are merged into them: what a merge touches is written anew as a
        whole.
        """
        rows = self._actor.policy.group_rows if self._merges else _ROWS_UNBOUNDED
        return Bounds(rows, self._plan.limits.part_bytes)


def _reopen(standing: Standing, parts: PartStore, stage: Stage, columns: Columns) -> bool:
    """Takes over an earlier pod's parts; False where one of them is gone, and the run begins
    anew.
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
        columns.learn({source_of(field): field.name for field in part.schema})
    return True


def _find_boundary(standing: Standing, options: SyncOptions, cursor: list[str]) -> Boundary | None:
    """Up to where the rows of an append may be the table's own; None where none can be: in a first
    load that has published before.
    """
    snapshot, journal = standing.snapshot, standing.journal
    if options.sync_type is not SyncType.APPEND or not cursor or snapshot is None:
        return None
    has_published = journal is not None and journal.since != standing.position
    if has_published and standing.since is None:
        return None
    found = find_boundary(snapshot.files, cursor[0], options.incremental_field_type or DEFAULT_TYPE)
    # The walk is above every cursor that the table had; rows without one may still come again.
    return replace(found, is_passed=has_published)


def _known_names(standing: Standing) -> dict[str, str]:
    snapshot = standing.snapshot
    return {} if snapshot is None else {source_of(f): f.name for f in snapshot.schema}


def _notable_fields(options: SyncOptions) -> set[str]:
    """Fields whose ranges tell which files matter."""
    cursor = [] if options.incremental_field is None else [options.incremental_field]
    return {*options.primary_key_columns, *cursor}


def _kept(options: SyncOptions) -> set[str] | None:
    """Fields to keep; keys and cursor always are."""
    if options.enabled_columns is None:
        return None
    return {*options.enabled_columns, *_notable_fields(options)}


def _fingerprint(plan: Plan) -> str:
    """What must be the same for one pod to go on where another stopped."""
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
