"""Which pods of runs are worth a question to the API server."""

from datetime import datetime, timedelta

from external_data_operator.reconcile.base.children import Job, Pod
from external_data_operator.reconcile.base.world import Children

_PATIENCE = timedelta(seconds=4)
"""A Job without a pod after so long may have been refused one."""


def find_podless_jobs(children: Children, now: datetime) -> list[Job]:
    """Jobs that should have a pod by now and have none."""
    with_pods = {pod.job_uid for pod in children.pods}
    active = (job for job in children.jobs if job.end is None and job.uid not in with_pods)
    return [job for job in active if now - job.created >= _PATIENCE]


def find_finished_pod(children: Children, job: str) -> Pod | None:
    """The newest pod of this Job that succeeded."""
    done = [pod for pod in children.pods if pod.job == job and pod.phase == "Succeeded"]
    return done[-1] if done else None
