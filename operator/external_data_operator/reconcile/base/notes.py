"""Events for changes of Ready, which `kubectl describe` shows. Each is written once."""

from collections.abc import Sequence

from external_data_operator.api.conditions import ConditionType
from external_data_operator.api.status import Condition
from external_data_operator.reconcile.base.status import Verdict, find_condition, shorten
from external_data_operator.reconcile.base.world import Note


def note_change(previous: Sequence[Condition], verdict: Verdict) -> tuple[Note, ...]:
    """An event where Ready turned, or turned out to be false for another reason."""
    before = find_condition(previous, ConditionType.READY)
    message = shorten(verdict.message)
    if verdict.ready == "Unknown":
        return ()
    known = {(before.status, before.reason)} if before is not None else set()
    turned = before is None or before.status != verdict.ready
    if not turned and (verdict.ready == "True" or (verdict.ready, verdict.reason) in known):
        return ()
    if verdict.ready == "True":
        return (Note("Normal", verdict.reason, message),)
    return (Note("Warning", verdict.reason, message),)
