"""A Job and its pods, read as one run: its state, its report, and the cause if it is stuck."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from external_data_operator.api.conditions import Reason
from external_data_operator.api.plan import Failure, FailureClass, Report
from external_data_operator.reconcile.base import marks
from external_data_operator.reconcile.base.children import Job
from external_data_operator.reconcile.base.world import Children, Trouble
from external_data_operator.reconcile.runs.failures import (
    build_failure,
    find_failure,
    find_newest_report,
    find_trouble,
    presume_failure,
)
from external_data_operator.reconcile.runs.objects import COMPLETE, FAILED

STUCK = frozenset({Reason.IMAGE_PULL_FAILED, Reason.POD_REFUSED, Reason.UNSCHEDULABLE})
"""Troubles of a pod that has not started."""


class RunState(StrEnum):
    """State of a run."""

    ACTIVE = "Active"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"


@dataclass(frozen=True)
class Run:
    """One run, from the first pod to the last retry."""

    job: str
    uid: str
    state: RunState
    trigger: str
    inputs: str
    request: str
    fingerprint: str
    recipe: str
    attempt: int
    created: datetime
    allows_shrink: bool = False
    """Whether a person has agreed that it may leave the table with few rows or none."""
    started: datetime | None = None
    finished: datetime | None = None
    report: Report | None = None
    failure: Failure | None = None
    """Set if the run failed."""
    trouble: Trouble | None = None
    """Set if an active run makes no progress."""
    witnessed: bool = False
    """Whether its pods or its Job still show how it ended; a pod may be deleted long before the
    Job."""
    has_pod: bool = False
    """Whether a pod of it exists. If not, only an event shows that the cluster refuses it."""

    @property
    def active(self) -> bool:
        """Whether it may still write."""
        return self.state is RunState.ACTIVE

    @property
    def stuck(self) -> bool:
        """Whether it cannot start."""
        return self.active and self.trouble is not None and self.trouble.reason in STUCK

    @property
    def ended(self) -> datetime:
        """Its end, else its start, else its creation."""
        return self.finished or self.started or self.created


def read_runs(children: Children, task: str) -> list[Run]:
    """The owner's runs of this task, oldest first."""
    runs = [_read_run(job, children) for job in children.jobs if job.task == task]
    return sorted(runs, key=lambda run: (run.created, run.active, run.ended, run.job))


def find_active(runs: Sequence[Run]) -> Run | None:
    """The active run."""
    return next((run for run in reversed(runs) if run.active), None)


def find_last_run(runs: Sequence[Run]) -> Run | None:
    """The newest run that ended."""
    return next((run for run in reversed(runs) if not run.active), None)


def _read_run(job: Job, children: Children) -> Run:
    pods = sorted(
        (pod for pod in children.pods if pod.job_uid == job.uid), key=lambda pod: pod.created
    )
    refusal = next((one for one in children.refusals if one.job == job.name), None)
    state = RunState.ACTIVE if job.end is None else _STATES[job.end.type]
    report = find_newest_report(pods, job.uid)
    failed = job.end if state is RunState.FAILED else None
    failure = None if failed is None else find_failure(failed, pods, report)
    return Run(
        job=job.name,
        uid=job.uid,
        state=state,
        trigger=job.notes.get(marks.TRIGGER, "Schedule"),
        inputs=job.notes.get(marks.INPUTS, ""),
        request=job.notes.get(marks.REQUEST, ""),
        fingerprint=job.notes.get(marks.FINGERPRINT, ""),
        recipe=job.notes.get(marks.RECIPE, ""),
        attempt=_number(job.notes.get(marks.ATTEMPT)),
        created=job.created,
        allows_shrink=marks.SHRINK_ALLOWED in job.notes,
        started=job.started,
        finished=None if job.end is None else job.end.at,
        report=report,
        failure=failure if failure is not None or failed is None else presume_failure(failed),
        trouble=find_trouble(pods, refusal, report) if state is RunState.ACTIVE else None,
        witnessed=failure is not None or (state is RunState.SUCCEEDED and report is not None),
        has_pod=bool(pods),
    )


_STATES = {COMPLETE: RunState.SUCCEEDED, FAILED: RunState.FAILED}


def _number(text: str | None) -> int:
    return int(text) if text and text.isdigit() else 1


def recall(run: Run, reason: str | None, message: str | None) -> Run:
    """The run with the failure that the status recorded while its pod still existed."""
    if run.failure is None or run.witnessed or reason not in set(Reason):
        return run
    known = Reason(reason)
    class_ = run.failure.failure_class
    if class_ is FailureClass.BUG and known is not Reason.INTERNAL_ERROR:
        class_ = FailureClass.RETRYABLE
    return replace(run, failure=build_failure(known, message or "", class_))
