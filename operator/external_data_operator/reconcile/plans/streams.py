"""What is known of a source's streams, and how one of them is synced.

A REST source declares its streams in the spec, and a check adds what it saw; other kinds know only
what a check found in a catalogue. What the schema's spec leaves open is what the stream declares,
and the sync type is picked from declared facts alone: incremental where a cursor and a key are
declared, else append where only a cursor is, else full refresh. What rows suggest never acts, so
that the operator and the command line decide the same from the same manifest.
"""

import fnmatch
from dataclasses import dataclass, replace

from external_data_operator.api.cursor import choose_cursor, find_declared
from external_data_operator.api.plan import DiscoveredStream, Discovery, SyncOptions
from external_data_operator.api.schema import Column, IncrementalField, SchemaSpec, SyncType
from external_data_operator.api.source import SchemaPolicy, SourceSpec
from external_data_operator.api.sources.rest import RestStream
from external_data_operator.errors import SpecError


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


def read_streams(spec: SourceSpec, discovery: Discovery | None) -> dict[str, Stream]:
    """Every stream by its name, in the source's order."""
    found = {one.name: from_discovery(one) for one in (discovery.streams if discovery else [])}
    if spec.rest is None:
        return found
    return {one.name: _merge(one, found.get(one.name)) for one in spec.rest.streams}


def from_discovery(one: DiscoveredStream) -> Stream:
    fields = {field.name: field for field in one.incremental_fields}
    """A stream as a check found it."""
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
    )


def _merge(declared: RestStream, found: Stream | None) -> Stream:
    """Key and cursor are those of the spec; a REST API has no catalogue that could state them."""
    seen = found or Stream(name=declared.name)
    cursor = find_declared(declared.incremental)
    return replace(
        seen,
        description=declared.description or seen.description,
        primary_key=tuple(declared.primary_key),
        cursor=cursor,
        incremental_fields=seen.incremental_fields or (() if cursor is None else (cursor,)),
    )


def is_wanted(policy: SchemaPolicy, stream: str) -> bool:
    """Whether the source's policy gives this stream a schema of its own."""
    included = any(fnmatch.fnmatchcase(stream, pattern) for pattern in policy.include)
    return included and not any(fnmatch.fnmatchcase(stream, pattern) for pattern in policy.exclude)


def pick_options(spec: SchemaSpec, stream: Stream) -> SyncOptions:
    """How the stream is read and published. Raises SpecError where the spec asks for what cannot
    be."""
    keys = stream.primary_key if spec.primary_key_columns is None else spec.primary_key_columns
    cursor = choose_cursor(spec.incremental_field, spec.incremental_field_type, stream.cursor)
    sync_type = spec.sync_type or _pick_type(stream, has_key=bool(keys))
    if sync_type is SyncType.FULL_REFRESH:
        cursor = None
    elif cursor is None:
        raise SpecError(
            f"syncType: {sync_type} needs a cursor; "
            "set incrementalField, or incremental in the source's stream"
        )
    if sync_type is SyncType.INCREMENTAL and not keys:
        raise SpecError("syncType: Incremental needs a primary key; set primaryKeyColumns")
    return SyncOptions(
        stream=stream.name,
        sync_type=sync_type,
        incremental_field=None if cursor is None else cursor.name,
        incremental_field_type=None if cursor is None else cursor.type,
        lookback_seconds=0 if cursor is None else spec.lookback_seconds,
        primary_key_columns=list(keys),
        enabled_columns=spec.enabled_columns,
        retention=spec.retention,
        shrink_guard_percent=spec.shrink_guard_percent,
    )


def _pick_type(stream: Stream, *, has_key: bool) -> SyncType:
    """A stream that cannot be asked for changes is read as a whole, unless the spec says more."""
    if stream.cursor is None:
        return SyncType.FULL_REFRESH
    return SyncType.INCREMENTAL if has_key else SyncType.APPEND
