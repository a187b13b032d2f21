"""The status and the events of one look at a schema."""

from datetime import timedelta

from external_data_operator.api.conditions import Reason
from external_data_operator.api.schema import SchemaStatus
from external_data_operator.api.status import Phase
from external_data_operator.reconcile.base.actions import answer_unsupported
from external_data_operator.reconcile.base.notes import note_change
from external_data_operator.reconcile.base.status import (
    Verdict,
    build_conditions,
    dump,
    ready_claims,
)
from external_data_operator.reconcile.base.world import (
    Create,
    Decision,
    Note,
    format_time,
    name_of,
    stream_of,
)
from external_data_operator.reconcile.runs.history import (
    find_blocked_inputs,
    find_reported_until,
    last_success,
    merge_history,
    note_runs,
)
from external_data_operator.reconcile.runs.verdicts import find_phase
from external_data_operator.reconcile.schemas.candidates import find_candidates
from external_data_operator.reconcile.schemas.columns import find_table, pick_columns
from external_data_operator.reconcile.schemas.look import SchemaFinding, SchemaLook

_POD_WAIT_S = 8.0
_AFTER_FIRE_S = 5.0


def conclude(look: SchemaLook, finding: SchemaFinding) -> Decision:
    """From the finding to the decision. Unknown fields of the status keep their value."""
    observed, status, verdict = look.observed, look.status, finding.verdict
    generation = int(observed.schema["metadata"].get("generation", 0))
    success, active, stream = last_success(look.runs), look.active, finding.stream
    told = find_table(look.runs, observed.logs, stream_of(observed.schema))
    started = _started(finding)
    conditions = build_conditions(
        status.conditions, ready_claims(verdict), generation=generation, now=look.now
    )
    seen = stream.columns if stream is not None else ()
    handled = status.handled_requests if finding.requests is None else finding.requests
    handled, warnings = answer_unsupported(observed.schema, handled)
    built = SchemaStatus(
        observed_generation=generation,
        conditions=conditions,
        phase=_find_phase(look, finding, started),
        sync_type=finding.options.sync_type if finding.options else status.sync_type,
        label=stream.label if stream else status.label,
        description=stream.description if stream else status.description,
        last_synced_at=status.last_synced_at if success is None else format_time(success.ended),
        latest_error=_latest_error(look, verdict),
        next_sync_at=None if finding.next_sync is None else format_time(finding.next_sync),
        active_job=started if active is None else active.job,
        table=told.table if told and told.table else status.table,
        available_columns=pick_columns(told, seen, status),
        incremental_fields=list(stream.incremental_fields) if stream else status.incremental_fields,
        candidates=find_candidates(stream, finding.spec) if stream else status.candidates,
        cursor=told.cursor if told and told.cursor else status.cursor,
        blocked_inputs=find_blocked_inputs(look.runs, status),
        reported_until=find_reported_until(look.runs, status),
        history=merge_history(look.runs, status),
        handled_requests=handled,
    )
    return Decision(
        intents=finding.intents,
        status=dump(built),
        notes=(*_notes(look, verdict, started), *warnings),
        look_again_s=_look_again(look, finding),
    )


def _find_phase(look: SchemaLook, finding: SchemaFinding, started: str | None) -> Phase | None:
    verdict = finding.verdict
    # A source that is not ready is a failure of the source, not of its schemas.
    failed = verdict.ready == "False" and verdict.reason is not Reason.SOURCE_NOT_READY
    running = look.active is not None or started is not None
    return find_phase(running=running, paused=finding.paused, failed=failed, verdict=verdict)


def _started(finding: SchemaFinding) -> str | None:
    """The Job that this look creates."""
    created = (one.manifest for one in finding.intents if isinstance(one, Create))
    return next((name_of(manifest) for manifest in created), None)


def _latest_error(look: SchemaLook, verdict: Verdict) -> str | None:
    if verdict.ready == "False":
        return verdict.message
    return None if verdict.ready == "True" else look.status.latest_error


def _notes(look: SchemaLook, verdict: Verdict, started: str | None) -> tuple[Note, ...]:
    said = note_runs(look.runs, look.status)
    if started is not None:
        said.append(Note("Normal", "SyncStarted", f"Created Job {started}."))
    changed = note_change(look.status.conditions, verdict)
    # The event of a run has more detail than that of the condition that the run changed.
    reasons = {note.reason for note in said}
    return (*said, *(note for note in changed if note.reason not in reasons))


def _look_again(look: SchemaLook, finding: SchemaFinding) -> float | None:
    """Seconds until something is due that no event announces."""
    times = [] if finding.look_again_s is None else [finding.look_again_s]
    podless = look.active is not None and not look.active.has_pod
    if podless or _started(finding) is not None:
        times.append(_POD_WAIT_S)
    if finding.next_sync is not None:
        until = (finding.next_sync - look.now) / timedelta(seconds=1)
        times.append(max(until, 0) + _AFTER_FIRE_S)
    return min(times, default=None)
