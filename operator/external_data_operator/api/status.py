"""The parts of a status that all kinds of resource share, and those of kinds that have runs."""

from enum import StrEnum
from typing import Any, Literal

from pydantic import Field, field_validator

from external_data_operator.api.base import ApiModel, PrinterColumn
from external_data_operator.api.meta import Timestamp


class Condition(ApiModel):
    """One observation in the form that kstatus, Flux and Argo CD read."""

    type: str
    """Type of the condition."""
    status: Literal["True", "False", "Unknown"]
    """True, False or Unknown."""
    reason: str
    """Reason in one CamelCase word; docs/reference/conditions.md lists all."""
    message: str = Field(default="", max_length=4096)
    """Explanation for people."""
    last_transition_time: Timestamp
    """Time at which `status` last changed."""
    observed_generation: int = 0
    """Generation of the spec that this condition describes."""


class Phase(StrEnum):
    """A summary for people; conditions are the contract."""

    RUNNING = "Running"
    PAUSED = "Paused"
    FAILED = "Failed"
    COMPLETED = "Completed"


class ObjectStatus(ApiModel):
    """The status fields of every kind."""

    observed_generation: int = -1
    """Generation of the spec that this status describes."""
    conditions: list[Condition] = Field(
        default_factory=list, json_schema_extra={"listMapKeys": ["type"]}
    )
    """Ready, and Reconciling and Stalled while they are true. A source also has CredentialsValid
    and Discovered."""
    phase: Phase | None = None
    """Summary for people: Running, Paused, Failed or Completed. That of a source is derived from
    its schemas."""
    latest_error: str | None = None
    """Newest error. Unset after a success. A source also shows the errors of its schemas."""
    handled_requests: dict[str, str] = Field(default_factory=dict)
    """Last value of each action annotation that the operator has handled: it ran the action, or
    wrote a warning event for an action that it does not support."""

    @field_validator("handled_requests", mode="before")
    @classmethod
    def _null_is_empty(cls, value: Any) -> Any:
        return {} if value is None else value


class RunRecord(ApiModel):
    """One run of the history."""

    job: str
    """Name of the Job."""
    trigger: str
    """Cause of the run: Schedule, Initial, Retry or Request."""
    started_at: Timestamp | None = None
    """Time at which the Job started."""
    finished_at: Timestamp | None = None
    """Time at which the Job ended."""
    result: str
    """Succeeded or Failed."""
    reason: str | None = None
    """Reason of the failure, in one word."""
    rows: int = 0
    """Number of rows read."""
    bytes: int = 0
    """Number of bytes received from the source."""
    error: str | None = None
    """Message of the failure."""


class RunsStatus(ObjectStatus):
    """The status of a kind that has runs. It outlives the Jobs, which are deleted after a day.

    The history is in a subclass, so that a summary of a thousand objects does not parse ten runs
    of each.
    """

    active_job: str | None = None
    """Name of the active Job."""
    blocked_inputs: str | None = None
    """Hash of the inputs (plan, runtime, credentials) of the last run, if it failed for good. No
    run starts by itself until the hash changes."""
    reported_until: Timestamp | None = None
    """End of the newest run that was recorded in the history and reported as an event."""


class RunHistoryStatus(RunsStatus):
    """The status of a kind that has runs, with their history."""

    history: list[RunRecord] = Field(default_factory=list, max_length=10)
    """The last runs, newest first."""


def build_condition_column(
    name: str, field: str, description: str, *, priority: int = 0
) -> PrinterColumn:
    """A column that shows one field of the condition Ready."""
    path = f'.status.conditions[?(@.type=="Ready")].{field}'
    return PrinterColumn(name, path, priority=priority, description=description)
