"""What an ExternalDataSource comes to: credentials in place, the source checked, a schema for each
stream, a status."""

from dataclasses import dataclass
from datetime import datetime

from external_data_operator.api.conditions import STALLING, ConditionType, Reason
from external_data_operator.api.source import SourceSpec, SourceStatus
from external_data_operator.api.sources import SOURCES
from external_data_operator.errors import SpecError
from external_data_operator.reconcile.base import marks
from external_data_operator.reconcile.base.actions import REFRESH, RELOAD, SOURCE_RELOAD
from external_data_operator.reconcile.base.notes import note_change
from external_data_operator.reconcile.base.parsing import (
    parse_source_spec,
    read_discovery,
    read_source_status,
)
from external_data_operator.reconcile.base.status import (
    Claim,
    Truth,
    Verdict,
    build_conditions,
    count_schemas,
    dump,
    find_condition,
    is_enabled,
    ready_claims,
    source_phase,
)
from external_data_operator.reconcile.base.world import (
    Decision,
    Intent,
    Note,
    Object,
    ObservedSource,
    annotations_of,
    is_going,
    name_of,
    namespace_of,
    parse_time,
)
from external_data_operator.reconcile.plans.plan import (
    Place,
    build_check_plan,
    fingerprint_of,
    plan_text,
    runtime_text,
)
from external_data_operator.reconcile.plans.streams import read_streams
from external_data_operator.reconcile.runs.backoff import wait_s
from external_data_operator.reconcile.sources.checks import (
    Answer,
    Question,
    answer,
    find_discovery_map,
    forgotten,
)
from external_data_operator.reconcile.sources.credentials import (
    copy_default,
    find_missing,
    forgotten_secrets,
    move_inline,
    versions,
)
from external_data_operator.reconcile.sources.offspring import decide_schemas
from external_data_operator.settings import Settings

_SOON_S = 1.0
_INVALID_CREDENTIALS = frozenset(
    {Reason.CREDENTIALS_REJECTED, Reason.SECRET_NOT_FOUND, Reason.INLINE_CREDENTIALS_REFUSED}
)


@dataclass(frozen=True)
class _Look:
    """One look at a source."""

    observed: ObservedSource
    status: SourceStatus
    place: Place
    now: datetime


def decide_source(observed: ObservedSource, settings: Settings, now: datetime) -> Decision:
    """What one look at a source comes to."""
    source = observed.source
    if is_going(source):
        return Decision()
    place = Place(settings, namespace_of(source), name_of(source))
    look = _Look(observed, read_source_status(source), place, now)
    try:
        spec = parse_source_spec(source)
        return _decide(look, spec)
    except SpecError as error:
        return refuse_source(observed, error.reason, str(error), now)


def refuse_source(
    observed: ObservedSource, reason: Reason, message: str, now: datetime
) -> Decision:
    """Says what a person must change, and does nothing else."""
    status = read_source_status(observed.source)
    stalled = reason in STALLING
    again = None if stalled else "The operator tries again."
    verdict = Verdict("False", reason, message, stalled=stalled, reconciling=again)
    return _conclude(observed, status, Answer(verdict), now)


def _decide(look: _Look, spec: SourceSpec) -> Decision:
    observed, settings = look.observed, look.place.settings
    move = move_inline(observed, spec)
    if move is not None and settings.reject_inline_credentials:
        keys = ", ".join(f"{key}.value" for key in move.values)
        raise SpecError(
            f"{keys}: this operator refuses credentials in a spec; use secretKeyRef",
            Reason.INLINE_CREDENTIALS_REFUSED,
        )
    if move is not None:
        note = Note("Normal", "CredentialsMoved", f"Moved into Secret {name_of(move.secret)}.")
        return Decision(intents=(move,), notes=(note,), look_again_s=_SOON_S)
    plan = plan_text(build_check_plan(spec, look.place))
    missing = find_missing(observed, spec, look.place)
    if missing is not None:
        return _wait_for(look, missing)
    copy = copy_default(observed, spec, look.place)
    if copy:
        return Decision(intents=tuple(copy), look_again_s=_SOON_S)
    token = annotations_of(observed.source).get(marks.REFRESH_SCHEMAS, "")
    fingerprint = fingerprint_of(plan, runtime_text(spec), versions(observed, spec, look.place))
    question = Question(observed, spec, look.status, look.place, plan, fingerprint, token)
    return _with_answer(look, question, answer(question, look.now))


def _wait_for(look: _Look, missing: str) -> Decision:
    """Goes on by itself once it is there; what already runs is left alone."""
    wait = "Waiting for what the spec refers to."
    verdict = Verdict("False", Reason.SECRET_NOT_FOUND, missing, reconciling=wait)
    before = find_condition(look.status.conditions, ConditionType.READY)
    known = before is not None and before.reason == Reason.SECRET_NOT_FOUND
    since = parse_time(before.last_transition_time) if known and before else None
    found = Answer(verdict, look_again_s=wait_s(since or look.now, look.now))
    return _conclude(look.observed, look.status, found, look.now)


def _with_answer(look: _Look, question: Question, found: Answer) -> Decision:
    observed, spec = look.observed, question.spec
    intents: list[Intent] = [
        *found.intents,
        *forgotten(observed, found.intents),
        *forgotten_secrets(observed, spec, look.place),
    ]
    notes: list[Note] = []
    if found.discovery is not None:
        streams = read_streams(spec, found.discovery)
        made, said = decide_schemas(observed, spec, streams)
        intents.extend(made)
        notes.extend(said)
    concluded = _conclude(observed, look.status, found, look.now, question=question)
    return Decision(
        intents=tuple(intents),
        status=concluded.status,
        notes=(*concluded.notes, *notes),
        look_again_s=found.look_again_s,
    )


def _conclude(
    observed: ObservedSource,
    status: SourceStatus,
    found: Answer,
    now: datetime,
    question: Question | None = None,
) -> Decision:
    generation = int(observed.source["metadata"].get("generation", 0))
    verdict = found.verdict
    claims = ready_claims(verdict)
    claims[1:1] = [_credentials_claim(status, verdict), _discovered_claim(observed, verdict)]
    settled = status.checked_fingerprint
    if question is not None and found.settled:
        settled = question.fingerprint
    built = SourceStatus(
        observed_generation=generation,
        kind=_kind(observed.source),
        conditions=build_conditions(status.conditions, claims, generation=generation, now=now),
        phase=source_phase(observed.schemas),
        schemas=count_schemas(observed.schemas),
        last_discovered_at=found.discovered_at or status.last_discovered_at,
        latest_error=_latest_error(observed, verdict),
        checked_fingerprint=settled,
        handled_requests=_handled(observed, status, found, question),
    )
    return Decision(
        status=dump(built),
        notes=note_change(status.conditions, verdict),
        look_again_s=found.look_again_s,
    )


def _kind(source: Object) -> str | None:
    """The key that says what kind of source it is."""
    spec = source.get("spec") or {}
    return next((kind for kind in SOURCES if kind in spec), None)


def _credentials_claim(status: SourceStatus, verdict: Verdict) -> Claim:
    type_ = ConditionType.CREDENTIALS_VALID
    if verdict.reason in _INVALID_CREDENTIALS:
        return Claim(type_, "False", verdict.reason, verdict.message)
    if verdict.ready == "True":
        return Claim(type_, "True", Reason.READY, "The source accepted the credentials.")
    before = find_condition(status.conditions, type_)
    if before is not None and before.status == "True" and verdict.ready == "Unknown":
        return Claim(type_, "True", Reason(before.reason), before.message)
    return Claim(type_, "Unknown", verdict.reason, "The source has not answered yet.")


def _discovered_claim(observed: ObservedSource, verdict: Verdict) -> Claim:
    type_ = ConditionType.DISCOVERED
    known = read_discovery(find_discovery_map(observed)) is not None
    if known or verdict.ready == "True":
        return Claim(type_, "True", Reason.READY, "The source's tables are known.")
    status: Truth = "Unknown" if verdict.ready == "Unknown" else "False"
    return Claim(type_, status, verdict.reason, "The source's tables are not known yet.")


def _latest_error(observed: ObservedSource, verdict: Verdict) -> str | None:
    """The source's own error, else that of the schema whose run failed last."""
    if verdict.ready == "False":
        return verdict.message
    failed = [(_last_end(schema), schema) for schema in observed.schemas if _error(schema)]
    if not failed:
        return None
    _, newest = max(failed, key=lambda pair: pair[0])
    return f"{name_of(newest)}: {_error(newest)}"


def _error(schema: Object) -> str | None:
    error = schema.get("status", {}).get("latestError")
    return None if error is None else str(error)


def _last_end(schema: Object) -> str:
    history = schema.get("status", {}).get("history") or [{}]
    return str(history[0].get("finishedAt", ""))


def _handled(
    observed: ObservedSource, status: SourceStatus, found: Answer, question: Question | None
) -> dict[str, str]:
    """A refresh is handled once it is answered, a reload once every schema that is synced has."""
    handled = dict(status.handled_requests)
    if question is not None and found.settled and question.token:
        handled[REFRESH] = question.token
    token = annotations_of(observed.source).get(marks.RELOAD)
    synced = [schema for schema in observed.schemas if is_enabled(schema)]
    if token and all(_has_reloaded(schema, token) for schema in synced):
        handled[RELOAD] = token
    return handled


def _has_reloaded(schema: Object, token: str) -> bool:
    handled = schema.get("status", {}).get("handledRequests") or {}
    return bool(handled.get(SOURCE_RELOAD) == token)
