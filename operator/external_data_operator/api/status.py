"""What the statuses of all kinds of resource share, and what those that have runs share."""

from enum import StrEnum
from typing import Any, Literal

from pydantic import Field, field_validator

from external_data_operator.api.base import ApiModel, PrinterColumn
from external_data_operator.api.meta import Timestamp


class Condition(ApiModel):
    """One observation in the form that kstatus, Flux and Argo CD read."""

    type: str
    """What it speaks of."""
    status: Literal["True", "False", "Unknown"]
    """Whether it holds."""
    reason: str
    """One CamelCase word from the list of reasons."""
    message: str = Field(default="", max_length=4096)
    """A sentence for people."""
    last_transition_time: Timestamp
    """When `status` last changed."""
    observed_generation: int = 0
    """Generation of the spec that this condition speaks of."""


class Phase(StrEnum):
    """A summary for people; conditions are the contract."""

    RUNNING = "Running"
    PAUSED = "Paused"
    FAILED = "Failed"
    COMPLETED = "Completed"


class ObjectStatus(ApiModel):
    """What every kind's status holds."""

    observed_generation: int = -1
    """Generation of the spec that this status describes."""
    conditions: list[Condition] = Field(
        default_factory=list, json_schema_extra={"listMapKeys": ["type"]}
    )
    """Ready, and Reconciling and Stalled while true; a source also has CredentialsValid and
    Discovered."""
    phase: Phase | None = None
    """Summary for people; that of a source is derived from its schemas."""
    latest_error: str | None = None
    """The newest error; empty after a success. A source also shows those of its schemas."""
    handled_requests: dict[str, str] = Field(default_factory=dict)
    """The last token of each action annotation that was carried out."""

    @field_validator("handled_requests", mode="before")
    @classmethod
    def _null_is_empty(cls, value: Any) -> Any:
        return {} if value is None else value


class RunRecord(ApiModel):
    """One run, for the history."""

    job: str
    """Name of the Job."""
    trigger: str
    """Schedule, Initial or Request."""
    started_at: Timestamp | None = None
    """When the Job started."""
    finished_at: Timestamp | None = None
    """When it ended."""
    result: str
    """Succeeded or Failed."""
    reason: str | None = None
    """Why it failed, in one word."""
    rows: int = 0
    """Rows read."""
    bytes: int = 0
    """Bytes received from the source."""
    error: str | None = None
    """Why it failed, in a sentence."""


class RunsStatus(ObjectStatus):
    """What the status of a kind that has runs holds: the Jobs are gone after a day.

    The history is apart, so that a summary of a thousand objects does not parse ten runs of each.
    """

    active_job: str | None = None
    """The Job under way."""
    blocked_inputs: str | None = None
    """Hash of what the last run worked from, if it failed for good: the plan, the runtime and the
    credentials. No run starts by itself until the hash changes."""
    reported_until: Timestamp | None = None
    """When the newest run ended that was recorded and reported as an event."""


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
