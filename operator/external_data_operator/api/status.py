"""What both kinds' statuses share: conditions and the phase."""

from enum import StrEnum
from typing import Literal

from pydantic import Field

from external_data_operator.api.base import ApiModel


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
    last_transition_time: str
    """When `status` last changed."""
    observed_generation: int = 0
    """Generation of the spec that this condition speaks of."""


class Phase(StrEnum):
    """A summary for people; conditions are the contract."""

    RUNNING = "Running"
    PAUSED = "Paused"
    FAILED = "Failed"
    COMPLETED = "Completed"
