"""The reconcile of an ExternalDataSchema: a plan, a schedule, the next run, and the status."""

from dataclasses import replace
from datetime import datetime

from external_data_operator.api.conditions import STALLING, ConditionType, Reason
from external_data_operator.api.schema import SchemaSpec
from external_data_operator.api.source import SourceSpec, SourceStatus
from external_data_operator.errors import SpecError
from external_data_operator.reconcile.base.parsing import (
    parse_spec,
    read_status,
    say_refused,
)
from external_data_operator.reconcile.base.status import (
    Verdict,
    find_condition,
)
from external_data_operator.reconcile.base.world import (
    Decision,
    Delete,
    Intent,
    Suspend,
    is_going,
    namespace_of,
    parse_time,
)
from external_data_operator.reconcile.plans.catalogue import read_catalogue
from external_data_operator.reconcile.plans.plan import (
    SourcePlace,
    build_sync_plan,
    fingerprint_of,
    plan_text,
    runtime_text,
)
from external_data_operator.reconcile.plans.streams import find_stream, list_streams, pick_options
from external_data_operator.reconcile.runs.verdicts import judge_runs
from external_data_operator.reconcile.schemas.conclude import conclude
from external_data_operator.reconcile.schemas.look import SchemaFinding, SchemaLook, look_at_schema
from external_data_operator.reconcile.schemas.observed import ObservedSchema
from external_data_operator.reconcile.schemas.rivals import say_taken
from external_data_operator.reconcile.schemas.scheduling import build_situation, schedule_runs
from external_data_operator.settings import Settings


def decide_schema(observed: ObservedSchema, settings: Settings, now: datetime) -> Decision:
    """One reconcile of a schema."""
    if is_going(observed.schema):
        return Decision()
    look = look_at_schema(observed, settings, now)
    try:
        finding = _find(look)
    except SpecError as error:
        finding = _stop(look, error.reason, say_refused(error))
    return conclude(look, finding)


def refuse_schema(
    observed: ObservedSchema, settings: Settings, reason: Reason, message: str, now: datetime
) -> Decision:
    """Only writes the status, with the message that a person must follow."""
    look = look_at_schema(observed, settings, now)
    stalled = reason in STALLING
    again = None if stalled else "The operator retries."
    verdict = Verdict("False", reason, message, stalled=stalled, reconciling=again)
    return conclude(look, SchemaFinding(verdict))


def _find(look: SchemaLook) -> SchemaFinding:
    observed = look.observed
    spec = parse_spec(SchemaSpec, observed.schema)
    source = observed.source
    # A schedule would only start pods that find no source.
    if source is None or is_going(source):
        return _without_source(look, spec)
    status = read_status(SourceStatus, source)
    ready = find_condition(status.conditions, ConditionType.READY)
    current = status.observed_generation == source["metadata"].get("generation")
    # The source is being checked, and its result decides, so nothing is stopped or started.
    if ready is None or not current or ready.status == "Unknown":
        return _hold(look, spec)
    # Every run would fail in the same way as the check.
    if ready.status == "False":
        message = f"{_say_source(spec)} is not ready ({ready.reason}): {ready.message}"
        return _stop(look, Reason.SOURCE_NOT_READY, message)
    return _with_source(
        look, spec, parse_spec(SourceSpec, source), status.checked_fingerprint or ""
    )


def _say_source(spec: SchemaSpec) -> str:
    return f"ExternalDataSource {spec.source_ref.name}"


def _without_source(look: SchemaLook, spec: SchemaSpec) -> SchemaFinding:
    """Nothing may run for a source that was deleted."""
    namespace = namespace_of(look.observed.schema)
    children = look.observed.children
    intents: list[Intent] = [
        Delete("batch/v1", "CronJob", one.namespace, one.name, one.uid)
        for one in children.cron_jobs
    ]
    intents.extend(
        Delete("batch/v1", "Job", namespace, run.job, run.uid) for run in look.runs if run.active
    )
    message = (
        f"{_say_source(spec)} does not exist in this namespace. "
        "Create it, or delete this ExternalDataSchema."
    )
    wait = "Waiting for the ExternalDataSource."
    verdict = Verdict("False", Reason.SOURCE_NOT_FOUND, message, reconciling=wait)
    return SchemaFinding(verdict, tuple(intents))


def _hold(look: SchemaLook, spec: SchemaSpec) -> SchemaFinding:
    """While the source is being checked, nothing changes."""
    wait = f"Waiting for the check of {_say_source(spec)}."
    verdict = judge_runs(look.runs, look.status) or Verdict(
        "Unknown", Reason.PROGRESSING, wait, reconciling=wait
    )
    if verdict.ready != "True" and not verdict.stalled:
        verdict = replace(verdict, reconciling=verdict.reconciling or wait)
    return SchemaFinding(
        verdict, paused=not spec.should_sync, next_sync=parse_time(look.status.next_sync_at)
    )


def _stop(look: SchemaLook, reason: Reason, message: str) -> SchemaFinding:
    """The schedule stops; active runs continue."""
    children = look.observed.children
    intents = tuple(
        Suspend(one.namespace, one.name) for one in children.cron_jobs if not one.suspended
    )
    return SchemaFinding(Verdict("False", reason, message, stalled=reason in STALLING), intents)


def _with_source(
    look: SchemaLook, spec: SchemaSpec, source: SourceSpec, fingerprint: str
) -> SchemaFinding:
    observed = look.observed
    catalogue = read_catalogue(observed.discovery, observed.discovery_parts)
    names = list_streams(source, catalogue)
    # Only a check can list the streams, and its result is gone.
    if names is None:
        return _hold(look, spec)
    # A stream that disappeared may return, so its table and its history stay.
    if spec.stream not in names:
        message = (
            f"{_say_source(spec)} has no stream {spec.stream}. The table was not changed. "
            "Add the stream to the source, or delete this ExternalDataSchema."
        )
        return _stop(look, Reason.STREAM_NOT_FOUND, message)
    # Two writers of one table would overwrite each other; the older schema keeps the table.
    if observed.rivals:
        message = say_taken(spec, source, names, observed.rivals[0])
        return _stop(look, Reason.TABLE_TAKEN, message)
    stream = find_stream(source, catalogue, spec.stream)
    # A part of the catalogue is gone; without the declared key the sync type would change.
    if stream is None:
        return _hold(look, spec)
    options = pick_options(spec, stream)
    place = SourcePlace(look.settings, namespace_of(observed.schema), spec.source_ref.name)
    plan = plan_text(build_sync_plan(source, place, options))
    inputs = fingerprint_of(plan, runtime_text(source), fingerprint)
    situation = build_situation(look, spec, source, place, inputs=inputs)
    found = schedule_runs(look, situation, plan)
    return replace(found, stream=stream, spec=spec, options=options)
