"""The reconcile of an ExternalDataSource: its credentials, its check, a schema for each stream, and
the status."""

from datetime import datetime

from external_data_operator.api.conditions import STALLING, ConditionType, Reason
from external_data_operator.api.plan import Task
from external_data_operator.api.source import SourceSpec
from external_data_operator.errors import SpecError
from external_data_operator.reconcile.base.actions import find_token
from external_data_operator.reconcile.base.parsing import parse_spec, say_refused
from external_data_operator.reconcile.base.status import (
    Verdict,
    find_condition,
)
from external_data_operator.reconcile.base.world import (
    Decision,
    Intent,
    Note,
    is_going,
    name_of,
    parse_time,
)
from external_data_operator.reconcile.plans.plan import (
    build_check_plan,
    fingerprint_of,
    plan_text,
    runtime_text,
)
from external_data_operator.reconcile.plans.streams import list_streams
from external_data_operator.reconcile.runs.backoff import wait_s
from external_data_operator.reconcile.sources.checks import (
    Answer,
    Question,
    answer,
)
from external_data_operator.reconcile.sources.conclude import conclude
from external_data_operator.reconcile.sources.credentials import (
    copy_default,
    find_missing_credentials,
    forgotten_secrets,
    move_inline,
    versions,
)
from external_data_operator.reconcile.sources.kept import forgotten
from external_data_operator.reconcile.sources.look import SourceLook, look_at_source
from external_data_operator.reconcile.sources.observed import ObservedSource
from external_data_operator.reconcile.sources.offspring import decide_schemas
from external_data_operator.settings import Settings

_SOON_S = 1.0


def decide_source(observed: ObservedSource, settings: Settings, now: datetime) -> Decision:
    """One reconcile of a source."""
    source = observed.source
    if is_going(source):
        return Decision()
    look = look_at_source(observed, settings, now)
    try:
        return _decide(look, parse_spec(SourceSpec, source))
    except SpecError as error:
        return _refuse(look, error.reason, say_refused(error))


def refuse_source(
    observed: ObservedSource, settings: Settings, reason: Reason, message: str, now: datetime
) -> Decision:
    """Only writes the status, with the message that a person must follow."""
    return _refuse(look_at_source(observed, settings, now), reason, message)


def _refuse(look: SourceLook, reason: Reason, message: str) -> Decision:
    stalled = reason in STALLING
    again = None if stalled else "The operator retries."
    verdict = Verdict("False", reason, message, stalled=stalled, reconciling=again)
    return conclude(look, Answer(verdict))


def _decide(look: SourceLook, spec: SourceSpec) -> Decision:
    observed, settings = look.observed, look.place.settings
    move = move_inline(observed, spec)
    # An administrator who forbids credentials in specs wants them out of etcd and of Git: moving
    # them would hide that they were there.
    if move is not None and settings.reject_inline_credentials:
        keys = ", ".join(f"{key}.value" for key in move.values)
        raise SpecError(
            f"The spec contains a credential in {keys}, and this operator refuses credentials in a "
            "spec. Put it into a Secret, and refer to the Secret with secretKeyRef.",
            Reason.INLINE_CREDENTIALS_REFUSED,
        )
    # The move changes the spec, so this look ends here: the event of the change starts the next.
    if move is not None:
        said = f"Moved the credentials of the spec into Secret {name_of(move.secret)}."
        note = Note("Normal", "CredentialsMoved", said)
        return Decision(intents=(move,), notes=(note,), look_again_s=_SOON_S)
    plan = plan_text(build_check_plan(spec, look.place))
    missing = find_missing_credentials(observed, spec, look.place)
    # A check would fail for the same reason a minute later, and count as a failure of the source.
    if missing is not None:
        return _wait_for(look, missing)
    copy = copy_default(observed, spec, look.place)
    # Pods mount the copy, and its version is part of the fingerprint: it comes first.
    if copy:
        return Decision(intents=tuple(copy), look_again_s=_SOON_S)
    token = find_token(observed.source, Task.CHECK)
    fingerprint = fingerprint_of(plan, runtime_text(spec), versions(observed, spec, look.place))
    question = Question(observed, spec, look.status, look.place, plan, fingerprint, token)
    return _with_answer(look, question, answer(question, look.now))


def _wait_for(look: SourceLook, missing: str) -> Decision:
    """The operator continues as soon as the object exists. Active runs are not ended."""
    wait = "Waiting for the Secrets and ConfigMaps that the spec refers to."
    verdict = Verdict("False", Reason.SECRET_NOT_FOUND, missing, reconciling=wait)
    before = find_condition(look.status.conditions, ConditionType.READY)
    known = before is not None and before.reason == Reason.SECRET_NOT_FOUND
    since = parse_time(before.last_transition_time) if known and before else None
    found = Answer(verdict, look_again_s=wait_s(since or look.now, look.now))
    return conclude(look, found)


def _with_answer(look: SourceLook, question: Question, found: Answer) -> Decision:
    observed, spec = look.observed, question.spec
    intents: list[Intent] = [
        *found.intents,
        *forgotten(observed, found.intents),
        *forgotten_secrets(observed, spec, look.place),
    ]
    notes: list[Note] = []
    streams = None if found.catalogue is None else list_streams(spec, found.catalogue)
    # Without an answer the streams are unknown, so the schemas do not change.
    if streams is not None:
        made, said = decide_schemas(observed, spec, streams)
        intents.extend(made)
        notes.extend(said)
    concluded = conclude(look, found, question)
    return Decision(
        intents=tuple(intents),
        status=concluded.status,
        notes=(*concluded.notes, *notes),
        look_again_s=found.look_again_s,
    )
