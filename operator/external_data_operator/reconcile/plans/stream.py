"""One stream of a source, as spec and check together know it."""

from dataclasses import dataclass, replace

from external_data_operator.api.cursors import IncrementalField
from external_data_operator.api.plan import DiscoveredStream
from external_data_operator.api.schema import Column


@dataclass(frozen=True)
class Stream:
    """One stream as spec and check together know it."""

    name: str
    label: str | None = None
    description: str | None = None
    primary_key: tuple[str, ...] = ()
    cursor: IncrementalField | None = None
    columns: tuple[Column, ...] = ()
    incremental_fields: tuple[IncrementalField, ...] = ()
    """The declared cursor, and fields that could be one."""
    candidate_key: tuple[str, ...] = ()
    """Fields that rows suggest as the key."""
    sampled_rows: int = 0
    has_log: bool = False
    """Whether the source keeps a log of what happens in it, so that no cursor is needed."""


def from_discovery(one: DiscoveredStream) -> Stream:
    """A stream as a check found it."""
    fields = {field.name: field for field in one.incremental_fields}
    return Stream(
        name=one.name,
        label=one.label,
        description=one.description,
        primary_key=tuple(one.primary_key),
        cursor=fields.get(one.incremental_field or ""),
        columns=tuple(one.columns),
        incremental_fields=tuple(one.incremental_fields),
        candidate_key=tuple(one.candidate_key),
        sampled_rows=one.sampled_rows,
        has_log=one.has_log,
    )


def merge_streams(declared: Stream, found: Stream | None) -> Stream:
    """What a check saw of a stream that the spec declares; key and cursor stay those of the
    spec."""
    seen = found or Stream(name=declared.name)
    return replace(
        seen,
        description=declared.description or seen.description,
        primary_key=declared.primary_key,
        cursor=declared.cursor,
        incremental_fields=seen.incremental_fields or declared.incremental_fields,
    )
