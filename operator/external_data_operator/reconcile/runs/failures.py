"""The causes of failed and stuck runs.

A runner that ends in order leaves a report in its pod's termination message. What never reached
the runner (no node, no image, no memory, a deadline, a refused pod) is read from the pod and the
Job; such messages never come from the source.
"""

from collections.abc import Iterable, Sequence

from pydantic import ValidationError

from external_data_operator.api.conditions import Reason
from external_data_operator.api.plan import ExitCode, Failure, FailureClass, Report
from external_data_operator.reconcile.base.children import JobEnd, Pod
from external_data_operator.reconcile.base.status import end_sentence
from external_data_operator.reconcile.base.world import Refusal, Trouble

_IMAGE_REASONS = frozenset(
    {
        "ErrImagePull",
        "ImagePullBackOff",
        "InvalidImageName",
        "ErrImageNeverPull",
        "ImageInspectError",
    }
)
_CONTAINER_REASONS = frozenset(
    {"CreateContainerConfigError", "CreateContainerError", "RunContainerError"}
)
_DISK_WORDS = ("ephemeral", "emptydir", "disk")
_REFUSAL_HEAD = "Error creating: "
"""Kubernetes begins the messages of such events with it."""


def parse_report(message: str | None) -> Report | None:
    """The report in a termination message; None if it is empty or the tail of a log."""
    if not message or not message.lstrip().startswith("{"):
        return None
    try:
        return Report.model_validate_json(message)
    except ValidationError:
        return None


def find_newest_report(pods: Iterable[Pod], uid: str) -> Report | None:
    """The newest report of this run."""
    reports = (report for pod in pods if (report := _find_own_report(pod)) is not None)
    mine = [report for report in reports if report.run_id in ("", uid)]
    return mine[-1] if mine else None


def _find_own_report(pod: Pod) -> Report | None:
    return None if pod.end is None else parse_report(pod.end.message)


def find_failure(end: JobEnd, pods: Sequence[Pod], report: Report | None) -> Failure | None:
    """The cause of a failed run, while the Job or a pod still shows it."""
    # The pods were ended by Kubernetes then, and what they report is about that.
    if end.reason == "DeadlineExceeded":
        return build_failure(Reason.DEADLINE_EXCEEDED, "The run exceeded its deadline.")
    last = pods[-1] if pods else None
    own = None if last is None else _find_own_report(last)
    if own is not None and own.failure is not None:
        return own.failure
    # The last pod left no report: another one's is about an earlier attempt.
    killed = None if last is None else _find_kill(last)
    if killed is not None:
        return killed
    return None if report is None or _was_for_good(end) else report.failure


def _was_for_good(end: JobEnd) -> bool:
    """Our pod failure policy ends a Job at one exit code only: that of a wrong configuration."""
    return end.reason == "PodFailurePolicy"


def presume_failure(end: JobEnd) -> Failure:
    """The failure of a Job whose pods are gone."""
    class_ = FailureClass.CONFIGURATION if _was_for_good(end) else FailureClass.BUG
    said = "The runner ended without a report, and its pod was deleted."
    return build_failure(Reason.INTERNAL_ERROR, said, class_)


def _find_kill(pod: Pod) -> Failure | None:
    """The cause of the end of a pod without a report."""
    if pod.reason == "Evicted":
        if any(word in pod.message.lower() for word in _DISK_WORDS):
            said = (
                "The node evicted the pod because its scratch space is full. "
                "Raise runner.scratch in the chart's values."
            )
            return build_failure(Reason.DISK_FULL, said)
        return build_failure(Reason.EVICTED, "The node evicted the pod.")
    if pod.end is None or pod.end.exit_code == ExitCode.OK:
        return None
    if pod.end.reason == "OOMKilled":
        return build_failure(
            Reason.OUT_OF_MEMORY,
            "Kubernetes killed the pod because it exceeded its memory limit. "
            "Raise runtime.resources.limits.memory.",
        )
    code = pod.end.exit_code
    class_ = FailureClass.CONFIGURATION if code == ExitCode.CONFIGURATION else FailureClass.BUG
    return build_failure(
        Reason.INTERNAL_ERROR,
        f"The runner ended with exit code {code} and without a report. "
        f"Read its log with kubectl logs {pod.name}.",
        class_,
    )


def build_failure(
    reason: Reason, message: str, failure_class: FailureClass = FailureClass.RETRYABLE
) -> Failure:
    """A failure in the operator's own words."""
    return Failure(failure_class=failure_class, reason=reason, message=message)


def find_trouble(
    pods: Sequence[Pod], refusal: Refusal | None, report: Report | None
) -> Trouble | None:
    """The cause that keeps an active run from making progress."""
    if not pods:
        return None if refusal is None else _tell_refusal(refusal)
    stuck = _find_obstacle(pods[-1])
    if stuck is not None:
        return stuck
    failure = _find_kill(pods[-1]) if report is None else report.failure
    if failure is None:
        return None
    if failure.failure_class is FailureClass.CONFIGURATION:
        return Trouble(failure.reason, failure.message, stalled=True)
    return Trouble(failure.reason, f"{end_sentence(failure.message)} The Job retries.")


def _tell_refusal(refusal: Refusal) -> Trouble:
    cause = end_sentence(refusal.message.removeprefix(_REFUSAL_HEAD))
    return Trouble(Reason.POD_REFUSED, f"The cluster refused the pod: {cause}")


def _join(said: str, cause: str) -> str:
    """One sentence; Kubernetes may leave the cause out."""
    return f"{said}: {end_sentence(cause)}" if cause else f"{said}."


def _say_pull_failed(image: str) -> str:
    return f"The image {image} cannot be pulled. Check its name and the pull secrets."


def _find_obstacle(pod: Pod) -> Trouble | None:
    """Why a pod does not start."""
    if pod.unschedulable is not None:
        return Trouble(Reason.UNSCHEDULABLE, _join("No node can run the pod", pod.unschedulable))
    for wait in pod.waits:
        if wait.reason in _IMAGE_REASONS:
            return Trouble(Reason.IMAGE_PULL_FAILED, _say_pull_failed(wait.image))
        if wait.reason in _CONTAINER_REASONS:
            said = f"The container does not start: {wait.reason}: {end_sentence(wait.message)}"
            return Trouble(Reason.POD_REFUSED, said)
    return None
