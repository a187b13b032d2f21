"""A Job and its pods, read as one run: how it stands, what it reported, and why it does not go
on.

A runner that ends in order leaves a report in its pod's termination message. What never reached
the runner (no node, no image, no memory, a deadline, a refused pod) is read from the pod and the
Job; such words never come from the source.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic import ValidationError

from external_data_operator.api.conditions import Reason
from external_data_operator.api.plan import ExitCode, Failure, FailureClass, Report
from external_data_operator.reconcile.base import marks
from external_data_operator.reconcile.base.world import (
    Children,
    Object,
    Refusal,
    Trouble,
    annotations_of,
    labels_of,
    name_of,
    parse_time,
    uid_of,
)

_IMAGE_REASONS = frozenset(
    {
        "ErrImagePull",
        "ImagePullBackOff",
        "InvalidImageName",
        "ErrImageNeverPull",
        "ImageInspectError",
    }
)
STUCK = frozenset({Reason.IMAGE_PULL_FAILED, Reason.POD_REFUSED, Reason.UNSCHEDULABLE})
"""Troubles of a pod that has not begun."""
_DISK_WORDS = ("ephemeral", "emptydir", "disk")


class RunState(StrEnum):
    """How a run stands."""

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
    """Set where the run failed."""
    trouble: Trouble | None = None
    """Set where an active run does not get on."""
    witnessed: bool = False
    """Whether its pods or its Job still say how it ended; a pod may be gone long before the Job."""
    has_pod: bool = False
    """Whether a pod of it was seen; without one nothing tells that the cluster refuses it."""

    @property
    def active(self) -> bool:
        """Whether it may still write."""
        return self.state is RunState.ACTIVE

    @property
    def stuck(self) -> bool:
        """Whether it has not begun, and cannot."""
        return self.active and self.trouble is not None and self.trouble.reason in STUCK

    @property
    def ended(self) -> datetime:
        """When it ended, or at least began."""
        return self.finished or self.started or self.created


def read_runs(children: Children, task: str) -> list[Run]:
    """The owner's runs of this task, oldest first."""
    jobs = [job for job in children.jobs if labels_of(job).get(marks.TASK_LABEL) == task]
    runs = [_read_run(job, children) for job in jobs]
    return sorted(runs, key=lambda run: (run.created, run.active, run.ended, run.job))


def find_active(runs: Sequence[Run]) -> Run | None:
    """The run under way."""
    return next((run for run in reversed(runs) if run.active), None)


def find_last(runs: Sequence[Run]) -> Run | None:
    """The newest run that ended."""
    return next((run for run in reversed(runs) if not run.active), None)


def _read_run(job: Object, children: Children) -> Run:
    uid = uid_of(job)
    pods = sorted(
        (pod for pod in children.pods if labels_of(pod).get(marks.RUN_UID_LABEL) == uid),
        key=lambda pod: str(pod["metadata"]["creationTimestamp"]),
    )
    refusal = next((one for one in children.refusals if one.job == name_of(job)), None)
    notes, status = annotations_of(job), job.get("status", {})
    ended = _terminal_condition(status)
    state = RunState.ACTIVE if ended is None else _STATES[str(ended["type"])]
    report = _latest_report(pods, uid)
    failure = _find_failure(ended, pods, report) if state is RunState.FAILED else None
    created = parse_time(job["metadata"]["creationTimestamp"])
    assert created is not None, "the API server dates every object"
    return Run(
        job=name_of(job),
        uid=uid,
        state=state,
        trigger=notes.get(marks.TRIGGER, "Schedule"),
        inputs=notes.get(marks.INPUTS, ""),
        request=notes.get(marks.REQUEST, ""),
        fingerprint=notes.get(marks.FINGERPRINT, ""),
        recipe=notes.get(marks.RECIPE, ""),
        attempt=_number(notes.get(marks.ATTEMPT)),
        created=created,
        allows_shrink=marks.ALLOW_SHRINK in notes,
        started=parse_time(status.get("startTime")),
        finished=None if ended is None else parse_time(ended.get("lastTransitionTime")),
        report=report,
        failure=failure or (_presumed(ended) if state is RunState.FAILED else None),
        trouble=_trouble(pods, refusal, report) if state is RunState.ACTIVE else None,
        witnessed=failure is not None or (state is RunState.SUCCEEDED and report is not None),
        has_pod=bool(pods),
    )


_STATES = {"Complete": RunState.SUCCEEDED, "Failed": RunState.FAILED}


def _number(text: str | None) -> int:
    return int(text) if text and text.isdigit() else 1


def _terminal_condition(status: dict[str, Any]) -> dict[str, Any] | None:
    conditions = status.get("conditions") or []
    return next((c for c in conditions if c["type"] in _STATES and c["status"] == "True"), None)


def _terminated(pod: Object) -> dict[str, Any] | None:
    for container in pod.get("status", {}).get("containerStatuses") or []:
        ended: dict[str, Any] | None = (container.get("state") or {}).get("terminated")
        if ended is not None:
            return ended
    return None


def _latest_report(pods: Iterable[Object], uid: str) -> Report | None:
    found = None
    for pod in pods:
        report = parse_report((_terminated(pod) or {}).get("message"))
        if report is not None and report.run_id in ("", uid):
            found = report
    return found


def parse_report(message: str | None) -> Report | None:
    """The report in a termination message; None where it is a log's tail or nothing at all."""
    if not message or not message.lstrip().startswith("{"):
        return None
    try:
        return Report.model_validate_json(message)
    except ValidationError:
        return None


def _find_failure(
    ended: dict[str, Any] | None, pods: list[Object], report: Report | None
) -> Failure | None:
    """Why a run failed, where the Job or a pod still says so."""
    reason = (ended or {}).get("reason")
    if reason == "DeadlineExceeded":
        return _say(Reason.DEADLINE_EXCEEDED, "the run took longer than its deadline")
    last = pods[-1] if pods else None
    own = None if last is None else parse_report((_terminated(last) or {}).get("message"))
    if own is not None and own.failure is not None:
        return own.failure
    killed = None if last is None else _killed(last)
    if killed is not None:
        return killed
    return None if report is None or _was_for_good(ended) else report.failure


def _was_for_good(ended: dict[str, Any] | None) -> bool:
    """Our pod failure policy ends a Job at one exit code only: that of a wrong configuration."""
    return (ended or {}).get("reason") == "PodFailurePolicy"


def _presumed(ended: dict[str, Any] | None) -> Failure:
    """What a Job alone says, once its pods are gone."""
    class_ = FailureClass.CONFIGURATION if _was_for_good(ended) else FailureClass.BUG
    said = "the runner ended without a report, and its pod is gone"
    return _say(Reason.INTERNAL_ERROR, said, class_)


def recall(run: Run, reason: str | None, message: str | None) -> Run:
    """The run, with what was written down of its failure while its pod was still there."""
    if run.failure is None or run.witnessed or reason not in set(Reason):
        return run
    known = Reason(reason)
    class_ = run.failure.failure_class
    if class_ is FailureClass.BUG and known is not Reason.INTERNAL_ERROR:
        class_ = FailureClass.RETRYABLE
    return replace(run, failure=_say(known, message or "", class_))


def _killed(pod: Object) -> Failure | None:
    """Why a pod ended that left no report."""
    status = pod.get("status", {})
    if status.get("reason") == "Evicted":
        full = any(word in str(status.get("message", "")).lower() for word in _DISK_WORDS)
        if full:
            return _say(Reason.DISK_FULL, "the pod was evicted for its use of scratch space")
        return _say(Reason.EVICTED, "the node evicted the pod")
    ended = _terminated(pod)
    if ended is None or ended.get("exitCode") == 0:
        return None
    if ended.get("reason") == "OOMKilled":
        return _say(
            Reason.OUT_OF_MEMORY,
            "the pod was killed for its memory limit; raise runtime.resources.limits.memory",
        )
    code = int(ended.get("exitCode", 0))
    class_ = FailureClass.CONFIGURATION if code == ExitCode.CONFIGURATION else FailureClass.BUG
    name = name_of(pod)
    return _say(
        Reason.INTERNAL_ERROR,
        f"the runner ended with exit code {code} and no report; kubectl logs {name} says more",
        class_,
    )


def _say(
    reason: Reason, message: str, failure_class: FailureClass = FailureClass.RETRYABLE
) -> Failure:
    return Failure(failure_class=failure_class, reason=reason, message=message)


def _trouble(pods: list[Object], refusal: Refusal | None, report: Report | None) -> Trouble | None:
    if refusal is not None and not pods:
        return Trouble(Reason.POD_REFUSED, refusal.message)
    if not pods:
        return None
    stuck = _stuck(pods[-1])
    if stuck is not None:
        return stuck
    failure = _killed(pods[-1]) if report is None else report.failure
    if failure is None:
        return None
    if failure.failure_class is FailureClass.CONFIGURATION:
        return Trouble(failure.reason, failure.message, stalled=True)
    return Trouble(failure.reason, f"{failure.message} (an earlier attempt; it is being retried)")


def _stuck(pod: Object) -> Trouble | None:
    status = pod.get("status", {})
    for condition in status.get("conditions") or []:
        if condition["type"] == "PodScheduled" and condition.get("reason") == "Unschedulable":
            return Trouble(
                Reason.UNSCHEDULABLE, f"no node takes the pod: {condition.get('message', '')}"
            )
    for container in status.get("containerStatuses") or []:
        waiting = (container.get("state") or {}).get("waiting") or {}
        reason = str(waiting.get("reason", ""))
        if reason in _IMAGE_REASONS:
            image = container.get("image", "")
            return Trouble(Reason.IMAGE_PULL_FAILED, f"The image {image} cannot be pulled.")
        if reason in ("CreateContainerConfigError", "CreateContainerError", "RunContainerError"):
            return Trouble(Reason.POD_REFUSED, f"{reason}: {waiting.get('message', '')}")
    return None
