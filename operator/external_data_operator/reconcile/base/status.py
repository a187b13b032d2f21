"""The only writer of conditions.

The contract is that of kstatus: `Ready` describes the last run; `Reconciling` and `Stalled` are
present only while true, and never both; a transition time changes only with its status; nothing
changes if nothing happened.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from external_data_operator.api.conditions import ConditionType, Reason
from external_data_operator.api.status import Condition, ObjectStatus
from external_data_operator.reconcile.base.world import Object, format_time

Truth = Literal["True", "False", "Unknown"]
MESSAGE_MAX = 1000


@dataclass(frozen=True)
class Verdict:
    """The state of an object: ready or not, the reason, and whether it continues by itself."""

    ready: Truth
    reason: Reason
    message: str
    stalled: bool = False
    reconciling: str | None = None
    """Message of the condition Reconciling, while the object is not yet what its spec describes."""


@dataclass(frozen=True)
class Claim:
    """One condition to be written."""

    type: ConditionType
    status: Truth
    reason: Reason
    message: str


def ready_claims(verdict: Verdict) -> list[Claim]:
    """Ready, and Stalled or Reconciling if true. An object that needs a person is Stalled, even if
    work is in progress."""
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
    """The message on one line, cut to the length that a status allows."""
    line = " ".join(message.split())
    return line if len(line) <= length_max else line[: length_max - 1] + "…"


def end_sentence(text: str) -> str:
    """The text with a full stop at its end."""
    return text if text.endswith((".", "!", "?", "…")) else f"{text}."


def dump(status: ObjectStatus) -> Object:
    """The status as the API server keeps it."""
    dumped: Object = status.model_dump(mode="json", by_alias=True, exclude_none=True)
    return {key: value for key, value in dumped.items() if value not in ({}, [])}
