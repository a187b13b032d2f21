"""What an ExternalDataSchema comes to: a plan, a schedule, the run that is wanted now, and a
status that tells of both."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from external_data_operator.api.conditions import STALLING, ConditionType, Reason
from external_data_operator.api.plan import SyncOptions
from external_data_operator.api.schema import SchemaSpec, SchemaStatus
from external_data_operator.api.source import SourceSpec
from external_data_operator.api.status import Phase
from external_data_operator.errors import SpecError
from external_data_operator.reconcile.base import marks
from external_data_operator.reconcile.base.actions import ALLOW_SHRINK, RELOAD, SOURCE_RELOAD
from external_data_operator.reconcile.base.naming import table_name
from external_data_operator.reconcile.base.notes import note_change
from external_data_operator.reconcile.base.parsing import (
    parse_schema_spec,
    parse_source_spec,
    read_discovery,
    read_schema_status,
    read_source_status,
)
from external_data_operator.reconcile.base.status import (
    Verdict,
    build_conditions,
    dump,
    find_condition,
    ready_claims,
    schema_phase,
)
from external_data_operator.reconcile.base.world import (
    Apply,
    Create,
    Decision,
    Delete,
    Intent,
    Note,
    Object,
    ObservedSchema,
    Suspend,
    annotations_of,
    format_time,
    is_going,
    name_of,
    namespace_of,
    parse_time,
    uid_of,
)
from external_data_operator.reconcile.plans.plan import (
    Place,
    all_needs,
    build_sync_plan,
    find_target,
    fingerprint_of,
    plan_text,
    runtime_text,
)
from external_data_operator.reconcile.plans.stream import Stream
from external_data_operator.reconcile.plans.streams import pick_options, read_streams
from external_data_operator.reconcile.render.config import render_plan
from external_data_operator.reconcile.render.metadata import Owner
from external_data_operator.reconcile.runs.history import (
    last_success,
    merge_history,
    note_runs,
    read_columns,
    read_known_runs,
)
from external_data_operator.reconcile.runs.run import Run, find_active, find_last
from external_data_operator.reconcile.runs.schedule import Wish, find_schedule, next_time
from external_data_operator.reconcile.runs.verdicts import judge_before, judge_runs
from external_data_operator.reconcile.schemas.candidates import find_candidates
from external_data_operator.reconcile.schemas.jobs import (
    DORMANT,
    SYNC,
    NextRun,
    Situation,
    blocked_by_failure,
    build_cron_job,
    decide_next_run,
    forgotten_plans,
    plan_name,
)
from external_data_operator.reconcile.schemas.rivals import say_taken
from external_data_operator.settings import Settings

_POD_WAIT_S = 8.0
_AFTER_FIRE_S = 5.0


@dataclass(frozen=True)
class _Look:
    """One look at a schema."""

    observed: ObservedSchema
    status: SchemaStatus
    settings: Settings
    now: datetime
    runs: tuple[Run, ...]

    @property
    def active(self) -> Run | None:
        return find_active(self.runs)

    @property
    def last(self) -> Run | None:
        return find_last(self.runs)


@dataclass(frozen=True)
class _Finding:
    """What is known beside the runs; fields that are not known stay as they were."""

    verdict: Verdict
    intents: tuple[Intent, ...] = ()
    paused: bool = False
    stream: Stream | None = None
    spec: SchemaSpec | None = None
    options: SyncOptions | None = None
    next_sync: datetime | None = None
    requests: dict[str, str] | None = None
    look_again_s: float | None = None


def decide_schema(observed: ObservedSchema, settings: Settings, now: datetime) -> Decision:
    """What one look at a schema comes to."""
    if is_going(observed.schema):
        return Decision()
    look = _look_at(observed, settings, now)
    try:
        finding = _find(look)
    except SpecError as error:
        finding = _stop(look, error.reason, str(error))
    return _conclude(look, finding)


def refuse_schema(
    observed: ObservedSchema, settings: Settings, reason: Reason, message: str, now: datetime
) -> Decision:
    """Says what a person must change, and does nothing else."""
    look = _look_at(observed, settings, now)
    stalled = reason in STALLING
    again = None if stalled else "The operator tries again."
    verdict = Verdict("False", reason, message, stalled=stalled, reconciling=again)
    return _conclude(look, _Finding(verdict))


def _look_at(observed: ObservedSchema, settings: Settings, now: datetime) -> _Look:
    status = read_schema_status(observed.schema)
    runs = tuple(read_known_runs(observed.children, SYNC, status))
    return _Look(observed, status, settings, now, runs)


def table_claim(source: Object, schema: Object, settings: Settings) -> str | None:
    """The address that this schema would write to; None where that cannot be said."""
    try:
        spec = parse_source_spec(source)
        place = Place(settings, namespace_of(source), name_of(source))
        stream = str(schema["spec"]["stream"])
        target = find_target(spec, place, table_name(spec.table_prefix, stream))
    except (SpecError, KeyError):
        return None
    endpoint = target.s3.endpoint if target.s3 is not None else ""
    return f"{endpoint.rstrip('/')} {target.uri}"


def _find(look: _Look) -> _Finding:
    observed = look.observed
    spec = parse_schema_spec(observed.schema)
    source = observed.source
    if source is None or is_going(source):
        return _without_source(look, spec)
    status = read_source_status(source)
    ready = find_condition(status.conditions, ConditionType.READY)
    current = status.observed_generation == source["metadata"].get("generation")
    if ready is None or not current or ready.status == "Unknown":
        return _hold(look, spec)
    if ready.status == "False":
        message = f"Source {spec.source_ref.name}: {ready.reason}: {ready.message}"
        return _stop(look, Reason.SOURCE_NOT_READY, message)
    return _with_source(look, spec, parse_source_spec(source), status.checked_fingerprint or "")


def _without_source(look: _Look, spec: SchemaSpec) -> _Finding:
    """Nothing may run for a source that is gone."""
    namespace = namespace_of(look.observed.schema)
    children = look.observed.children
    intents: list[Intent] = [
        Delete("batch/v1", "CronJob", namespace, name_of(one), uid_of(one))
        for one in children.cron_jobs
    ]
    intents.extend(
        Delete("batch/v1", "Job", namespace, run.job, run.uid) for run in look.runs if run.active
    )
    message = f"No ExternalDataSource {spec.source_ref.name} is in this namespace."
    verdict = Verdict("False", Reason.SOURCE_NOT_FOUND, message, reconciling="Waiting for it.")
    return _Finding(verdict, tuple(intents))


def _hold(look: _Look, spec: SchemaSpec) -> _Finding:
    """While the source is being checked everything stays as it is."""
    wait = f"Waiting until source {spec.source_ref.name} has been checked."
    verdict = judge_runs(look.runs, look.status) or Verdict(
        "Unknown", Reason.PROGRESSING, wait, reconciling=wait
    )
    if verdict.ready != "True" and not verdict.stalled:
        verdict = replace(verdict, reconciling=verdict.reconciling or wait)
    return _Finding(
        verdict, paused=not spec.should_sync, next_sync=parse_time(look.status.next_sync_at)
    )


def _stop(look: _Look, reason: Reason, message: str) -> _Finding:
    """The schedule stops; what runs goes on."""
    children = look.observed.children
    intents = tuple(
        Suspend(namespace_of(one), name_of(one))
        for one in children.cron_jobs
        if not one["spec"].get("suspend")
    )
    return _Finding(Verdict("False", reason, message, stalled=reason in STALLING), intents)


def _with_source(look: _Look, spec: SchemaSpec, source: SourceSpec, fingerprint: str) -> _Finding:
    observed = look.observed
    stream = read_streams(source, read_discovery(observed.discovery)).get(spec.stream)
    if stream is None:
        message = (
            f"Source {spec.source_ref.name} has no stream {spec.stream}; its table stays as it is."
        )
        return _stop(look, Reason.STREAM_NOT_FOUND, message)
    if observed.rivals:
        return _stop(look, Reason.TABLE_TAKEN, say_taken(spec, source, observed.rivals[0]))
    options = pick_options(spec, stream)
    place = Place(look.settings, namespace_of(observed.schema), spec.source_ref.name)
    plan = plan_text(build_sync_plan(source, place, options))
    inputs = fingerprint_of(plan, runtime_text(source), fingerprint)
    situation = _situation(look, spec, source, place, inputs=inputs)
    found = _scheduled(look, situation, plan)
    return replace(found, stream=stream, spec=spec, options=options)


def _situation(
    look: _Look, spec: SchemaSpec, source: SourceSpec, place: Place, *, inputs: str
) -> Situation:
    schema = look.observed.schema
    frequency = spec.sync_frequency or source.schemas.defaults.sync_frequency
    wish = Wish(frequency, spec.sync_time_of_day, spec.cron, spec.time_zone)
    schedule = find_schedule(wish, uid_of(schema))
    enabled = spec.should_sync and not source.suspend
    return Situation(
        schema=schema,
        source=place.source,
        settings=look.settings,
        runtime=source.runtime,
        needs=tuple(all_needs(source, place)),
        inputs=inputs,
        schedule=schedule,
        scheduling=enabled and schedule is not None,
        runs=look.runs,
        history=tuple(merge_history(look.runs, look.status)),
        requests=_open_requests(look, enabled=spec.should_sync),
    )


def _open_requests(look: _Look, *, enabled: bool) -> dict[str, str]:
    """Tokens that ask for a run and have had none; a source's request passes by what is not
    synced."""
    notes = annotations_of(look.observed.schema)
    asked = {RELOAD: notes.get(marks.RELOAD), ALLOW_SHRINK: notes.get(marks.ALLOW_SHRINK)}
    if enabled and look.observed.source is not None:
        asked[SOURCE_RELOAD] = annotations_of(look.observed.source).get(marks.RELOAD)
    handled = look.status.handled_requests
    return {key: token for key, token in asked.items() if token and handled.get(key) != token}


def _scheduled(look: _Look, situation: Situation, plan: str) -> _Finding:
    schema, now = look.observed.schema, look.now
    blocked = blocked_by_failure(situation) or _was_blocked(look, situation)
    suspend = blocked or not situation.scheduling
    owner = Owner(schema, "ExternalDataSchema", situation.source)
    plan_map = render_plan(owner, plan_name(schema, situation.inputs), plan, task=SYNC)
    idle = blocked and not situation.requests and situation.active is None
    upcoming = NextRun() if idle else decide_next_run(situation, now)
    intents: list[Intent] = [
        Apply(plan_map),
        Apply(build_cron_job(situation, suspend=suspend, now=now)),
        *upcoming.intents,
        *forgotten_plans(situation, look.observed.children),
    ]
    running = situation.active is not None or bool(upcoming.intents)
    next_sync = None
    if not suspend and situation.schedule is not None:
        next_sync = next_time(situation.schedule, now)
    over = blocked or not (situation.scheduling or running)
    verdict = judge_runs(look.runs, look.status, over=over) or judge_before(
        running=running, scheduling=situation.scheduling
    )
    return _Finding(
        verdict=verdict,
        intents=tuple(intents),
        paused=not situation.scheduling
        and (situation.schedule is not None or not look.status.history),
        next_sync=next_sync,
        requests=_carried_out(look, situation, upcoming),
        look_again_s=upcoming.due_in_s,
    )


def _was_blocked(look: _Look, situation: Situation) -> bool:
    """The Job of a failure for good is gone after a day; the plan that it failed with is still
    there. What had no schedule stalled for that reason alone."""
    stalled = find_condition(look.status.conditions, ConditionType.STALLED)
    if look.last is not None or stalled is None or not look.status.history:
        return False
    name = plan_name(situation.schema, situation.inputs)
    children = look.observed.children
    same_plan = any(name_of(one) == name for one in children.config_maps)
    dormant = any(one["spec"]["schedule"] == DORMANT.cron for one in children.cron_jobs)
    if dormant or look.status.phase is Phase.PAUSED:
        return False
    return same_plan and look.status.history[0].reason == stalled.reason


def _carried_out(look: _Look, situation: Situation, upcoming: NextRun) -> dict[str, str]:
    handled = dict(look.status.handled_requests)
    if upcoming.job is not None:
        handled.update(situation.requests)
    return handled


def _conclude(look: _Look, finding: _Finding) -> Decision:
    observed, status, verdict = look.observed, look.status, finding.verdict
    generation = int(observed.schema["metadata"].get("generation", 0))
    history = merge_history(look.runs, status)
    success, active, stream = last_success(look.runs), look.active, finding.stream
    report = None if success is None else success.report
    started = _started(finding)
    conditions = build_conditions(
        status.conditions, ready_claims(verdict), generation=generation, now=look.now
    )
    seen = stream.columns if stream is not None else ()
    built = SchemaStatus(
        observed_generation=generation,
        conditions=conditions,
        phase=schema_phase(
            running=active is not None or started is not None,
            paused=finding.paused,
            failed=verdict.ready == "False" and verdict.reason is not Reason.SOURCE_NOT_READY,
            verdict=verdict,
        ),
        sync_type=finding.options.sync_type if finding.options else status.sync_type,
        label=stream.label if stream else status.label,
        description=stream.description if stream else status.description,
        last_synced_at=status.last_synced_at if success is None else format_time(success.ended),
        latest_error=_latest_error(look, verdict),
        next_sync_at=None if finding.next_sync is None else format_time(finding.next_sync),
        active_job=started if active is None else active.job,
        table=report.table if report and report.table else status.table,
        available_columns=read_columns(look.runs, observed.logs, seen, status),
        incremental_fields=list(stream.incremental_fields) if stream else status.incremental_fields,
        candidates=find_candidates(stream, finding.spec) if stream else status.candidates,
        cursor=report.cursor if report and report.cursor else status.cursor,
        history=history,
        handled_requests=finding.requests
        if finding.requests is not None
        else status.handled_requests,
    )
    return Decision(
        intents=finding.intents,
        status=dump(built),
        notes=_notes(look, verdict, started),
        look_again_s=_look_again(look, finding),
    )


def _started(finding: _Finding) -> str | None:
    """The Job that this look creates."""
    created = (one.manifest for one in finding.intents if isinstance(one, Create))
    return next((name_of(manifest) for manifest in created), None)


def _latest_error(look: _Look, verdict: Verdict) -> str | None:
    if verdict.ready == "False":
        return verdict.message
    return None if verdict.ready == "True" else look.status.latest_error


def _notes(look: _Look, verdict: Verdict, started: str | None) -> tuple[Note, ...]:
    said = note_runs(look.runs, look.status)
    if started is not None:
        said.append(Note("Normal", "SyncStarted", f"Job {started} was made."))
    changed = note_change(look.status.conditions, verdict)
    before = find_condition(look.status.conditions, ConditionType.READY)
    if before is not None and before.status == "False":
        said = [note for note in said if not note.message.endswith(before.message)]
    reasons = {note.reason for note in said}
    return (*said, *(note for note in changed if note.reason not in reasons))


def _look_again(look: _Look, finding: _Finding) -> float | None:
    """When something is due that no event will tell of."""
    times = [] if finding.look_again_s is None else [finding.look_again_s]
    podless = look.active is not None and not look.active.has_pod
    if podless or _started(finding) is not None:
        times.append(_POD_WAIT_S)
    if finding.next_sync is not None:
        until = (finding.next_sync - look.now) / timedelta(seconds=1)
        times.append(max(until, 0) + _AFTER_FIRE_S)
    return min(times, default=None)
