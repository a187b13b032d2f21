"""The only writer of conditions, and the phases that are derived from them.

The contract is kstatus': `Ready` speaks of the last run; `Reconciling` and `Stalled` are present
only while true, and never both; a transition time changes only with its status; nothing changes
when nothing happened.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from external_data_operator.api.conditions import ConditionType, Reason
from external_data_operator.api.schema import SchemaStatus
from external_data_operator.api.source import SchemaCounts, SourceStatus
from external_data_operator.api.status import Condition, Phase
from external_data_operator.reconcile.base.world import Object, format_time

Truth = Literal["True", "False", "Unknown"]
MESSAGE_MAX = 1000
HISTORY_MAX = 10


@dataclass(frozen=True)
class Verdict:
    """What is to be said of an object: ready or not, why, and whether it goes on by itself."""

    ready: Truth
    reason: Reason
    message: str
    stalled: bool = False
    reconciling: str | None = None
    """What is under way, while the object is not yet what its spec says."""


@dataclass(frozen=True)
class Claim:
    """One condition to be written."""

    type: ConditionType
    status: Truth
    reason: Reason
    message: str


def ready_claims(verdict: Verdict) -> list[Claim]:
    """Ready, and Stalled or Reconciling where they hold; a person who must act outweighs work
    under way."""
    claims = [Claim(ConditionType.READY, verdict.ready, verdict.reason, verdict.message)]
    if verdict.stalled:
        claims.append(Claim(ConditionType.STALLED, "True", verdict.reason, verdict.message))
    elif verdict.reconciling is not None:
        under_way = verdict.reconciling
        claims.append(Claim(ConditionType.RECONCILING, "True", Reason.PROGRESSING, under_way))
    return claims


def build_conditions(
    previous: Sequence[Condition], claims: Iterable[Claim], *, generation: int, now: datetime
) -> list[Condition]:
    """The claims as conditions; those that keep their status keep their transition time."""
    before = {condition.type: condition for condition in previous}
    built = []
    for claim in claims:
        old = before.get(claim.type)
        same = old is not None and old.status == claim.status
        built.append(
            Condition(
                type=claim.type,
                status=claim.status,
                reason=claim.reason,
                message=shorten(claim.message),
                last_transition_time=old.last_transition_time if old and same else format_time(now),
                observed_generation=generation,
            )
        )
    return built


def find_condition(conditions: Sequence[Condition], type_: ConditionType) -> Condition | None:
    """The condition of this type."""
    return next((one for one in conditions if one.type == type_), None)


def shorten(message: str, length_max: int = MESSAGE_MAX) -> str:
    """The message on one line, and no longer than a status should hold."""
    line = " ".join(message.split())
    return line if len(line) <= length_max else line[: length_max - 1] + "…"


def source_phase(schemas: Sequence[Object]) -> Phase | None:
    """First match over the schemas that are synced: Failed, Paused, Running, Completed; Paused
    where none is."""
    if not schemas:
        return None
    phases = {phase_of(schema) for schema in schemas if is_enabled(schema)}
    if not phases:
        return Phase.PAUSED
    order = (Phase.FAILED, Phase.PAUSED, Phase.RUNNING, Phase.COMPLETED)
    return next((phase for phase in order if phase in phases), None)


def count_schemas(schemas: Sequence[Object]) -> SchemaCounts:
    """How many schemas there are, and how they stand."""
    return SchemaCounts(
        total=len(schemas),
        enabled=sum(map(is_enabled, schemas)),
        running=sum(phase_of(schema) == Phase.RUNNING for schema in schemas),
        failed=sum(phase_of(schema) == Phase.FAILED for schema in schemas),
    )


def is_enabled(schema: Object) -> bool:
    """Whether the schema asks to be synced."""
    return bool(schema.get("spec", {}).get("shouldSync", True))


def phase_of(schema: Object) -> str | None:
    """The phase that the schema's own status says."""
    phase = schema.get("status", {}).get("phase")
    return None if phase is None else str(phase)


def schema_phase(*, running: bool, paused: bool, failed: bool, verdict: Verdict) -> Phase | None:
    """Running, else Paused, else by the last run; None before there was one."""
    if running:
        return Phase.RUNNING
    if paused:
        return Phase.PAUSED
    if verdict.ready == "True":
        return Phase.COMPLETED
    return Phase.FAILED if failed else None


def dump(status: SourceStatus | SchemaStatus) -> Object:
    """The status as the API server keeps it."""
    dumped: Object = status.model_dump(mode="json", by_alias=True, exclude_none=True)
    return {key: value for key, value in dumped.items() if value not in ({}, [])}
