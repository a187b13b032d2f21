"""Events: said once, when something changed, in the words that a person looks for in `kubectl
describe`."""

from collections.abc import Sequence

from external_data_operator.api.conditions import ConditionType
from external_data_operator.api.schema import SchemaSpec
from external_data_operator.api.source import SourceSpec
from external_data_operator.api.status import Condition
from external_data_operator.reconcile.naming import table_name
from external_data_operator.reconcile.status import Verdict, find_condition, shorten
from external_data_operator.reconcile.streams import read_streams
from external_data_operator.reconcile.world import Note


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


def say_taken(spec: SchemaSpec, source: SourceSpec, rival: str) -> str:
    """A prefix parts the tables of two sources, and not those of two streams of one."""
    table = table_name(source.table_prefix, spec.stream)
    others = [name for name in read_streams(source, None) if name != spec.stream]
    twins = [name for name in others if table_name(source.table_prefix, name) == table]
    message = f"ExternalDataSchema {rival} writes to the same table {table}; "
    if twins:
        names = " and ".join([*twins, spec.stream])
        return f"{message}rename one of the streams {names} of source {spec.source_ref.name}."
    return (
        f"{message}give one of the sources a tablePrefix, "
        "or delete one of the schemas if both sync one stream."
    )
