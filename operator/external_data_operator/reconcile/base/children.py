"""Jobs, pods and CronJobs as far as a decision reads them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True)
class JobEnd:
    """The condition that ends a Job."""

    type: str
    """Complete or Failed."""
    reason: str
    at: datetime | None


@dataclass(frozen=True)
class Job:
    """A Job, without what it is made of."""

    namespace: str
    name: str
    uid: str
    task: str
    created: datetime
    notes: Mapping[str, str] = field(default_factory=dict)
    """Its annotations."""
    started: datetime | None = None
    end: JobEnd | None = None


@dataclass(frozen=True)
class ContainerEnd:
    """How a container ended."""

    exit_code: int
    reason: str
    message: str
    """The termination message: the runner's report, or the end of its log."""


@dataclass(frozen=True)
class ContainerWait:
    """Why a container does not start."""

    reason: str
    message: str
    image: str


@dataclass(frozen=True)
class Pod:
    """The parts of a pod that show the state of a run."""

    name: str
    job: str
    job_uid: str
    created: str
    phase: str = ""
    reason: str = ""
    """Of the whole pod, such as Evicted."""
    message: str = ""
    unschedulable: str | None = None
    """The message of the scheduler, if no node can run the pod."""
    end: ContainerEnd | None = None
    waits: tuple[ContainerWait, ...] = ()


@dataclass(frozen=True)
class CronJob:
    """A CronJob, as far as we ask for it again."""

    namespace: str
    name: str
    uid: str
    suspended: bool
