"""What both kinds' statuses share: conditions and the phase."""

from enum import StrEnum
from typing import Literal

from pydantic import Field

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


def build_condition_column(
    name: str, field: str, description: str, *, priority: int = 0
) -> PrinterColumn:
    """A column that shows one field of the condition Ready."""
    path = f'.status.conditions[?(@.type=="Ready")].{field}'
    return PrinterColumn(name, path, priority=priority, description=description)
