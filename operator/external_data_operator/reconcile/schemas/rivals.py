"""Two schemas that write to the same table, and what a person can do about it."""

from external_data_operator.api.schema import SchemaSpec
from external_data_operator.api.source import SourceSpec
from external_data_operator.reconcile.base.naming import table_name
from external_data_operator.reconcile.plans.streams import read_streams


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
