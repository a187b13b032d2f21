"""The status and the events of one look at a source."""

from external_data_operator.api.conditions import ConditionType, Reason
from external_data_operator.api.plan import Task
from external_data_operator.api.source import SourceStatus
from external_data_operator.api.sources import SOURCES
from external_data_operator.reconcile.base import marks
from external_data_operator.reconcile.base.actions import (
    answer_unsupported,
    read_own,
    read_passed_on,
)
from external_data_operator.reconcile.base.notes import note_change
from external_data_operator.reconcile.base.status import (
    Claim,
    Truth,
    Verdict,
    build_conditions,
    dump,
    find_condition,
    ready_claims,
)
from external_data_operator.reconcile.base.world import Decision, Object
from external_data_operator.reconcile.sources.checks import (
    Answer,
    Question,
)
from external_data_operator.reconcile.sources.kept import find_catalogue
from external_data_operator.reconcile.sources.look import SourceLook
from external_data_operator.reconcile.sources.observed import ObservedSource
from external_data_operator.reconcile.sources.summary import (
    count_schemas,
    find_newest_error,
    find_source_phase,
    have_carried_out,
)

_INVALID_CREDENTIALS = frozenset(
    {Reason.CREDENTIALS_REJECTED, Reason.SECRET_NOT_FOUND, Reason.INLINE_CREDENTIALS_REFUSED}
)


def conclude(look: SourceLook, found: Answer, question: Question | None = None) -> Decision:
    """From the answer to the decision. Unknown fields of the status keep their value."""
    observed, status, verdict = look.observed, look.status, found.verdict
    generation = int(observed.source["metadata"].get("generation", 0))
    claims = ready_claims(verdict)
    claims[1:1] = [_claim_credentials(status, verdict), _claim_discovered(observed, verdict)]
    handled, warnings = answer_unsupported(observed.source, _find_handled(look, found, question))
    built = SourceStatus(
        observed_generation=generation,
        conditions=build_conditions(status.conditions, claims, generation=generation, now=look.now),
        phase=find_source_phase(look.schemas),
        latest_error=_find_error(look, verdict),
        handled_requests=handled,
        kind=_find_kind(observed.source),
        schemas=count_schemas(look.schemas),
        last_discovered_at=found.discovered_at or status.last_discovered_at,
        checked_fingerprint=_find_settled(look, found, question),
    )
    return Decision(
        status=dump(built),
        notes=(*note_change(status.conditions, verdict), *warnings),
        look_again_s=found.look_again_s,
    )


def _find_settled(look: SourceLook, found: Answer, question: Question | None) -> str | None:
    """A fingerprint counts as checked once the question about it has its answer."""
    if question is not None and found.settled:
        return question.fingerprint
    return look.status.checked_fingerprint


def _find_error(look: SourceLook, verdict: Verdict) -> str | None:
    """The source's own error, else that of the schema whose run failed last."""
    return verdict.message if verdict.ready == "False" else find_newest_error(look.schemas)


def _find_kind(source: Object) -> str | None:
    """The key of the kind of source, also in a spec that does not parse."""
    spec = source.get("spec") or {}
    return next((kind for kind in SOURCES if kind in spec), None)


def _claim_credentials(status: SourceStatus, verdict: Verdict) -> Claim:
    type_ = ConditionType.CREDENTIALS_VALID
    if verdict.reason in _INVALID_CREDENTIALS:
        return Claim(type_, "False", verdict.reason, verdict.message)
    if verdict.ready == "True":
        return Claim(type_, "True", Reason.READY, "The source accepted the credentials.")
    before = find_condition(status.conditions, type_)
    if before is not None and before.status == "True" and verdict.ready == "Unknown":
        return Claim(type_, "True", Reason(before.reason), before.message)
    # The source may have answered, with rows that the spec does not describe.
    return Claim(type_, "Unknown", verdict.reason, "No check has proved the credentials yet.")


def _claim_discovered(observed: ObservedSource, verdict: Verdict) -> Claim:
    type_ = ConditionType.DISCOVERED
    known = find_catalogue(observed) is not None
    if known or verdict.ready == "True":
        return Claim(type_, "True", Reason.READY, "The streams of the source are known.")
    status: Truth = "Unknown" if verdict.ready == "Unknown" else "False"
    return Claim(type_, status, verdict.reason, "The streams of the source are not known yet.")


def _find_handled(look: SourceLook, found: Answer, question: Question | None) -> dict[str, str]:
    """A check is handled once it is answered, and what is passed on once every schema that is
    synced has carried it out."""
    source, handled = look.observed.source, dict(look.status.handled_requests)
    if question is not None and found.settled:
        handled |= {one.word: one.token for one in read_own(source, Task.CHECK)}
    for one in read_passed_on(source, word=marks.SOURCE_OWNER):
        if have_carried_out(look.schemas, one):
            handled[one.action.name] = one.token
    return handled
