"""What is known of a source's streams, and how one of them is synced.

A REST source names its streams in the spec, and a check adds what it saw; other kinds know only
what a check found. Where a schema's spec is silent, the stream's own words count, and the sync
type is picked as a careful person would: incremental where a cursor and a key exist, else append
where only a cursor exists, else full refresh.
"""

import fnmatch
from dataclasses import dataclass, replace

from external_data_operator.api.plan import DiscoveredStream, Discovery, SyncOptions
from external_data_operator.api.schema import Column, IncrementalField, SchemaSpec, SyncType
from external_data_operator.api.source import SchemaPolicy, SourceSpec
from external_data_operator.api.sources.rest import CursorType, RestStream
from external_data_operator.errors import SpecError


@dataclass(frozen=True)
class Stream:
    """One stream as spec and check together know it."""

    name: str
    label: str | None = None
    description: str | None = None
    primary_key: tuple[str, ...] = ()
    cursor: str | None = None
    cursor_type: CursorType | None = None
    columns: tuple[Column, ...] = ()
    incremental_fields: tuple[IncrementalField, ...] = ()


def read_streams(spec: SourceSpec, discovery: Discovery | None) -> dict[str, Stream]:
    """Every stream by its name, in the source's order."""
    found = {one.name: _from_discovery(one) for one in (discovery.streams if discovery else [])}
    if spec.rest is None:
        return found
    return {one.name: _merge(one, found.get(one.name)) for one in spec.rest.streams}


def _from_discovery(one: DiscoveredStream) -> Stream:
    types = {field.name: field.type for field in one.incremental_fields}
    return Stream(
        name=one.name,
        label=one.label,
        description=one.description,
        primary_key=tuple(one.primary_key),
        cursor=one.incremental_field,
        cursor_type=types.get(one.incremental_field or ""),
        columns=tuple(one.columns),
        incremental_fields=tuple(one.incremental_fields),
    )


def _merge(declared: RestStream, found: Stream | None) -> Stream:
    """The spec's word wins; a REST stream that cannot be asked for changes has no cursor."""
    seen = found or Stream(name=declared.name)
    incremental = declared.incremental
    own = replace(
        seen,
        description=declared.description or seen.description,
        primary_key=tuple(declared.primary_key) or seen.primary_key,
        cursor=None,
        cursor_type=None,
    )
    if incremental is None:
        return own
    field = IncrementalField(name=incremental.cursor_path, type=incremental.cursor_type)
    return replace(
        own,
        cursor=field.name,
        cursor_type=field.type,
        incremental_fields=seen.incremental_fields or (field,),
    )


def is_wanted(policy: SchemaPolicy, stream: str) -> bool:
    """Whether the source's policy gives this stream a schema of its own."""
    included = any(fnmatch.fnmatchcase(stream, pattern) for pattern in policy.include)
    return included and not any(fnmatch.fnmatchcase(stream, pattern) for pattern in policy.exclude)


def pick_options(spec: SchemaSpec, stream: Stream) -> SyncOptions:
    """How the stream is read and published. Raises SpecError where the spec asks for what cannot
    be."""
    keys = stream.primary_key if spec.primary_key_columns is None else spec.primary_key_columns
    cursor = spec.incremental_field or stream.cursor
    sync_type = spec.sync_type or _pick_type(stream.cursor and cursor, has_key=bool(keys))
    if sync_type is not SyncType.FULL_REFRESH and cursor is None:
        raise SpecError(
            f"syncType: {sync_type} needs a cursor; "
            "set incrementalField, or incremental in the source's stream"
        )
    if sync_type is SyncType.INCREMENTAL and not keys:
        raise SpecError("syncType: Incremental needs a primary key; set primaryKeyColumns")
    moving = sync_type is not SyncType.FULL_REFRESH
    return SyncOptions(
        stream=stream.name,
        sync_type=sync_type,
        incremental_field=cursor if moving else None,
        incremental_field_type=(spec.incremental_field_type or stream.cursor_type)
        if moving
        else None,
        lookback_seconds=spec.lookback_seconds if moving else 0,
        primary_key_columns=list(keys),
        enabled_columns=spec.enabled_columns,
    )


def _pick_type(cursor: str | None, *, has_key: bool) -> SyncType:
    if not cursor:
        return SyncType.FULL_REFRESH
    return SyncType.INCREMENTAL if has_key else SyncType.APPEND
