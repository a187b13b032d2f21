"""The check of a source: its Job, its result, and the time of the next check.

One check belongs to one fingerprint (the plan, and the versions of what it refers to) and one
token of the actions that run a check. A failed check is repeated with growing pauses. Between two
checks the last result is valid.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from external_data_operator.api.conditions import RETRIED, STALLING, ConditionType, Reason
from external_data_operator.api.plan import Discovery, Failure, FailureClass, Task
from external_data_operator.api.source import SourceSpec, SourceStatus
from external_data_operator.reconcile.base import marks
from external_data_operator.reconcile.base.actions import find_handled_token
from external_data_operator.reconcile.base.naming import job_name
from external_data_operator.reconcile.base.status import Verdict, find_condition
from external_data_operator.reconcile.base.world import (
    Apply,
    Create,
    Intent,
    Trouble,
    format_time,
    name_of,
    uid_of,
)
from external_data_operator.reconcile.plans.catalogue import (
    Catalogue,
    discovery_name,
    find_discovery,
    pack_catalogue,
    read_catalogue,
)
from external_data_operator.reconcile.plans.plan import SourcePlace, all_needs
from external_data_operator.reconcile.plans.streams import list_streams
from external_data_operator.reconcile.render.config import (
    render_catalogue_part,
    render_discovery,
    render_plan,
)
from external_data_operator.reconcile.render.jobs import render_job
from external_data_operator.reconcile.render.workloads import CHECK_DEADLINE_S, JobRecipe
from external_data_operator.reconcile.runs.backoff import check_delay
from external_data_operator.reconcile.runs.run import STUCK, Run, read_runs, recall
from external_data_operator.reconcile.sources.kept import CHECK, find_catalogue, find_kept
from external_data_operator.reconcile.sources.observed import ObservedSource
from external_data_operator.reconcile.sources.owner import own

_LOG_WAIT_S = 2.0
_LOG_PATIENCE = timedelta(seconds=30)
_UNREAD = Failure(
    failure_class=FailureClass.BUG,
    reason=Reason.INTERNAL_ERROR,
    message="The check succeeded, but its result could not be read from the log of its pod.",
)
_POD_WAIT_S = 8.0
_REPEATED = "The check will be repeated."


@dataclass(frozen=True)
class Question:
    """What is to be checked."""

    observed: ObservedSource
    spec: SourceSpec
    status: SourceStatus
    place: SourcePlace
    plan: str
    fingerprint: str
    token: str


@dataclass(frozen=True)
class Answer:
    """What is known, and what to do to know more."""

    verdict: Verdict
    catalogue: Catalogue | None = None
    discovered_at: str | None = None
    settled: bool = False
    """Whether this question, token included, has its answer."""
    intents: tuple[Intent, ...] = ()
    look_again_s: float | None = None


def answer(question: Question, now: datetime) -> Answer:
    """The result of the checks so far, and the next check if one is due."""
    runs = [
        _known_run(question, run)
        for run in read_runs(question.observed.children, CHECK)
        if _is_of(run, question)
    ]
    ended = next((run for run in reversed(runs) if not run.active), None)
    # The last result is valid until the active check ends.
    if runs and runs[-1].active:
        return _while_active(question, runs[-1], ended)
    # Jobs go after a day, and what a person deletes is not asked for again without need.
    if ended is None:
        return _without_a_run(question)
    # The cause may be corrected at the source, so even a failure for good is repeated.
    if ended.failure is not None:
        return _after_failure(question, ended, ended.failure, now)
    return _after_success(question, ended, now)


def _is_of(run: Run, question: Question) -> bool:
    return run.fingerprint == question.fingerprint and run.request == question.token


def _is_handled(question: Question) -> bool:
    source, handled = question.observed.source, question.status.handled_requests
    return find_handled_token(source, Task.CHECK, handled) == question.token


def _known_run(question: Question, run: Run) -> Run:
    """A failure whose pod is gone is read from the status, if that is about this question."""
    status = question.status
    ready = find_condition(status.conditions, ConditionType.READY)
    answered = _is_handled(question)
    if ready is None or not answered or status.checked_fingerprint != question.fingerprint:
        return run
    return recall(run, ready.reason, ready.message) if ready.status == "False" else run


def _while_active(question: Question, active: Run, ended: Run | None) -> Answer:
    verdict = _under_way(question)
    failure = None if ended is None else ended.failure or _unread(question, ended)
    # The check that runs repeats one that failed: its verdict holds until the repetition ends.
    if failure is not None:
        verdict = _failed(question, failure)
    # The pod has reported, and the Job's condition follows shortly.
    elif active.report is not None and active.report.failure is not None:
        verdict = _failed(question, active.report.failure)
    # The pod cannot start, and no other condition shows why.
    elif active.trouble is not None and not _bides(active.trouble, verdict):
        trouble = active.trouble
        say = None if trouble.stalled else "The check is in progress."
        verdict = Verdict("False", trouble.reason, trouble.message, trouble.stalled, say)
    return Answer(verdict, look_again_s=None if active.has_pod else _POD_WAIT_S)


def _bides(trouble: Trouble, verdict: Verdict) -> bool:
    """A busy cluster delays the check of a source that was ready; the source stays ready."""
    return verdict.ready == "True" and trouble.reason is Reason.UNSCHEDULABLE


def _without_a_run(question: Question) -> Answer:
    """Nothing was asked, or so long ago that the Job is gone: then the kept answer counts."""
    kept = find_kept(question.observed)
    catalogue = find_catalogue(question.observed)
    ready = find_condition(question.status.conditions, ConditionType.READY)
    answered = (
        kept.get(marks.FINGERPRINT) == question.fingerprint
        and question.status.checked_fingerprint == question.fingerprint
        and _is_handled(question)
        and ready is not None
        and ready.status == "True"
    )
    if answered and catalogue is not None:
        return _known(question, catalogue, kept)
    return _ask(question, attempt=1)


def _after_success(question: Question, ended: Run, now: datetime) -> Answer:
    kept, catalogue = find_kept(question.observed), find_catalogue(question.observed)
    # Once kept, the answer no longer depends on the pod and its log.
    if catalogue is not None and kept.get(marks.RUN) == ended.uid:
        return _known(question, catalogue, kept)
    log = question.observed.logs.get(ended.job)
    discovery = None if log is None else find_discovery(log, ended.uid)
    if discovery is not None:
        return _keep(question, discovery, ended)
    # The kubelet may still be writing the log of a pod that has just ended.
    if now - ended.ended < _LOG_PATIENCE:
        return Answer(_under_way(question), look_again_s=_LOG_WAIT_S)
    return _after_failure(question, ended, _UNREAD, now)


def _keep(question: Question, discovery: Discovery, ended: Run) -> Answer:
    """The parts come before the head, so that the head never names what is not there."""
    source = question.observed.source
    owner = own(source)
    packed = pack_catalogue(name_of(source), discovery)
    notes = {
        marks.FINGERPRINT: question.fingerprint,
        marks.REQUEST: question.token,
        marks.RUN: ended.uid,
        marks.DISCOVERED_AT: format_time(ended.ended),
    }
    parts = [render_catalogue_part(owner, name, keys) for name, keys in packed.others.items()]
    head = render_discovery(owner, discovery_name(name_of(source)), packed.head, notes)
    catalogue = read_catalogue(head, parts)
    assert catalogue is not None, "it was packed just now"
    intents = tuple(Apply(manifest) for manifest in (*parts, head))
    return replace(_known(question, catalogue, notes), intents=intents)


def _unread(question: Question, ended: Run) -> Failure | None:
    """A check that succeeded counts as failed while its result could not be read."""
    return None if find_kept(question.observed).get(marks.RUN) == ended.uid else _UNREAD


def _after_failure(question: Question, ended: Run, failure: Failure, now: datetime) -> Answer:
    due = ended.ended + check_delay(failure, ended.attempt)
    verdict = _failed(question, failure)
    if due <= now:
        return replace(_ask(question, attempt=ended.attempt + 1), verdict=verdict, settled=True)
    wait = (due - now) / timedelta(seconds=1)
    return Answer(verdict, settled=True, look_again_s=wait)


def _known(question: Question, catalogue: Catalogue, kept: Mapping[str, str]) -> Answer:
    count = len(list_streams(question.spec, catalogue) or ())
    tables = "1 stream" if count == 1 else f"{count} streams"
    said = [f"The source was checked; it has {tables}.", *catalogue.notes]
    return Answer(
        Verdict("True", Reason.READY, " ".join(said)),
        catalogue=catalogue,
        discovered_at=kept.get(marks.DISCOVERED_AT),
        settled=True,
    )


def _under_way(question: Question) -> Verdict:
    """A source that was ready stays so while only a credential changed or a person asked again."""
    ready = find_condition(question.status.conditions, ConditionType.READY)
    generation = question.observed.source["metadata"].get("generation")
    say = "The source is being checked."
    if ready is not None and ready.status == "True" and ready.observed_generation == generation:
        return Verdict("True", Reason.READY, ready.message, reconciling=say)
    return Verdict("Unknown", Reason.PROGRESSING, say, reconciling=say)


def _failed(question: Question, failure: Failure) -> Verdict:
    """A pod that was stuck until its deadline keeps the reason for which it was stuck."""
    before = find_condition(question.status.conditions, ConditionType.READY)
    if failure.reason is Reason.DEADLINE_EXCEEDED and before and before.reason in STUCK:
        reason = Reason(before.reason)
        return Verdict("False", reason, before.message, reconciling=_REPEATED)
    for_good = failure.failure_class is FailureClass.CONFIGURATION
    # A host that is away and a Secret that is still missing come without anybody's help.
    stalled = failure.reason in STALLING or (for_good and failure.reason not in RETRIED)
    waiting = None if stalled else _REPEATED
    return Verdict("False", failure.reason, failure.message, stalled=stalled, reconciling=waiting)


def _ask(question: Question, *, attempt: int) -> Answer:
    source = question.observed.source
    owner = own(source)
    name = job_name(
        f"{name_of(source)}-{CHECK}",
        uid_of(source),
        question.fingerprint,
        question.token,
        str(attempt),
    )
    recipe = JobRecipe(
        owner=owner,
        settings=question.place.settings,
        runtime=question.spec.runtime,
        plan_map=name,
        task=CHECK,
        needs=all_needs(question.spec, question.place),
        notes={
            marks.TRIGGER: "Check",
            marks.FINGERPRINT: question.fingerprint,
            marks.REQUEST: question.token,
            marks.ATTEMPT: str(attempt),
        },
        retries=0,
        deadline_s=CHECK_DEADLINE_S,
    )
    plan = render_plan(owner, name, question.plan, task=CHECK)
    intents = (Apply(plan), Create(render_job(recipe, name)))
    return Answer(_under_way(question), intents=intents, look_again_s=_POD_WAIT_S)
