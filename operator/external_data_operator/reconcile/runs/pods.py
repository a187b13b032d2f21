"""Which pods of runs are worth a question to the API server."""

from datetime import datetime, timedelta

from external_data_operator.reconcile.base import marks
from external_data_operator.reconcile.base.world import (
    Children,
    Object,
    labels_of,
    parse_time,
    uid_of,
)

_PATIENCE = timedelta(seconds=4)
"""A Job without a pod after so long may have been refused one."""


def find_podless_jobs(children: Children, now: datetime) -> list[Object]:
    """Jobs that should have a pod by now and have none."""
    with_pods = {labels_of(pod).get(marks.RUN_UID_LABEL) for pod in children.pods}
    return [
        job
        for job in children.jobs
        if uid_of(job) not in with_pods and not _has_ended(job) and _is_late(job, now)
    ]


def _has_ended(job: Object) -> bool:
    conditions = (job.get("status") or {}).get("conditions") or []
    return any(one["status"] == "True" for one in conditions)


def _is_late(job: Object, now: datetime) -> bool:
    created = parse_time(job["metadata"]["creationTimestamp"])
    return created is not None and now - created >= _PATIENCE


def find_finished_pod(children: Children, job: str) -> Object | None:
    """The newest pod of this Job that succeeded."""
    pods = (one for one in children.pods if labels_of(one).get(marks.JOB_NAME_LABEL) == job)
    done = [pod for pod in pods if (pod.get("status") or {}).get("phase") == "Succeeded"]
    return done[-1] if done else None
