"""Two schemas that write to the same table, and the remedy."""

from collections.abc import Collection

from external_data_operator.api.schema import SchemaSpec
from external_data_operator.api.source import SourceSpec
from external_data_operator.errors import SpecError
from external_data_operator.reconcile.base.naming import table_name
from external_data_operator.reconcile.base.parsing import parse_spec
from external_data_operator.reconcile.base.world import (
    Object,
    ResourceKey,
    name_of,
    namespace_of,
)
from external_data_operator.reconcile.plans.plan import (
    SourcePlace,
    find_target,
)
from external_data_operator.settings import Settings


def table_claim(source: Object, schema: Object, settings: Settings) -> str | None:
    """The address of the table of this schema; None if it is not known."""
    try:
        spec = parse_spec(SourceSpec, source)
        place = SourcePlace(settings, namespace_of(source), name_of(source))
        stream = str(schema["spec"]["stream"])
        target = find_target(spec, place, table_name(spec.table_prefix, stream))
    except (SpecError, KeyError):
        return None
    endpoint = target.s3.endpoint if target.s3 is not None else ""
    return f"{endpoint.rstrip('/')} {target.uri}"


def say_taken(
    spec: SchemaSpec, source: SourceSpec, names: Collection[str], rival: ResourceKey
) -> str:
    """The message of TableTaken. A prefix separates the tables of two sources, but not those of two
    streams of one source."""
    table = table_name(source.table_prefix, spec.stream)
    others = [name for name in names if name != spec.stream]
    twins = [name for name in others if table_name(source.table_prefix, name) == table]
    message = f"{rival.kind} {rival.name} writes to the same table {table}. "
    if twins:
        both = " and ".join([*twins, spec.stream])
        return f"{message}Rename one of the streams {both} of {spec.source_ref.name}."
    return (
        f"{message}Give one of the sources a tablePrefix, "
        "or delete one of the schemas if both sync the same stream."
    )
