"""Jobs, pods and CronJobs as the API server sends them, read once into what a decision needs of
them. Everything that Kubernetes may leave out is optional here."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from external_data_operator.reconcile.base import marks
from external_data_operator.reconcile.base.children import (
    ContainerEnd,
    ContainerWait,
    CronJob,
    Job,
    JobEnd,
    Pod,
)
from external_data_operator.reconcile.base.world import (
    Children,
    Object,
    annotations_of,
    labels_of,
    name_of,
    namespace_of,
    parse_time,
    uid_of,
)

COMPLETE, FAILED = "Complete", "Failed"


def parse_children(
    *,
    jobs: Iterable[Object] = (),
    pods: Iterable[Object] = (),
    cron_jobs: Iterable[Object] = (),
    config_maps: Iterable[Object] = (),
) -> Children:
    """The children of one owner, as the watches hold them."""
    return Children(
        jobs=tuple(map(parse_job, jobs)),
        pods=tuple(map(parse_pod, pods)),
        cron_jobs=tuple(map(parse_cron_job, cron_jobs)),
        config_maps=tuple(config_maps),
    )


def parse_job(item: Object) -> Job:
    """A Job of the watches."""
    status = item.get("status") or {}
    created = parse_time(item["metadata"]["creationTimestamp"])
    assert created is not None, "the API server dates every object"
    return Job(
        namespace=namespace_of(item),
        name=name_of(item),
        uid=uid_of(item),
        task=labels_of(item).get(marks.TASK_LABEL, ""),
        created=created,
        notes=annotations_of(item),
        started=parse_time(status.get("startTime")),
        end=_find_end(status),
    )


def _find_end(status: Mapping[str, Any]) -> JobEnd | None:
    for one in status.get("conditions") or []:
        if one["type"] in (COMPLETE, FAILED) and one["status"] == "True":
            at = parse_time(one.get("lastTransitionTime"))
            return JobEnd(str(one["type"]), str(one.get("reason") or ""), at)
    return None


def parse_pod(item: Object) -> Pod:
    """A pod of the watches."""
    status = item.get("status") or {}
    containers = status.get("containerStatuses") or []
    labels = labels_of(item)
    return Pod(
        name=name_of(item),
        job=labels.get(marks.JOB_NAME_LABEL, ""),
        job_uid=labels.get(marks.RUN_UID_LABEL, ""),
        created=str(item["metadata"]["creationTimestamp"]),
        phase=str(status.get("phase") or ""),
        reason=str(status.get("reason") or ""),
        message=str(status.get("message") or ""),
        unschedulable=_find_unschedulable(status),
        end=next(_find_ends(containers), None),
        waits=tuple(_find_waits(containers)),
    )


def _find_unschedulable(status: Mapping[str, Any]) -> str | None:
    for one in status.get("conditions") or []:
        if one["type"] == "PodScheduled" and one.get("reason") == "Unschedulable":
            return str(one.get("message") or "")
    return None


def _find_ends(containers: list[Object]) -> Iterator[ContainerEnd]:
    for container in containers:
        ended = (container.get("state") or {}).get("terminated")
        if ended is not None:
            yield ContainerEnd(
                exit_code=int(ended.get("exitCode") or 0),
                reason=str(ended.get("reason") or ""),
                message=str(ended.get("message") or ""),
            )


def _find_waits(containers: list[Object]) -> Iterator[ContainerWait]:
    for container in containers:
        waiting = (container.get("state") or {}).get("waiting")
        if waiting is not None:
            yield ContainerWait(
                reason=str(waiting.get("reason") or ""),
                message=str(waiting.get("message") or ""),
                image=str(container.get("image") or ""),
            )


def parse_cron_job(item: Object) -> CronJob:
    """A CronJob of the watches."""
    suspended = bool((item.get("spec") or {}).get("suspend"))
    return CronJob(namespace_of(item), name_of(item), uid_of(item), suspended)
