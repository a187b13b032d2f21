"""What is known of a source's streams, and how one of them is synced.

Some kinds of source declare their streams in the spec, and a check adds what it saw; others know
only what a check found in a catalogue. What the schema's spec leaves open is what the stream
declares, and the sync type is picked from declared facts alone: incremental where a cursor and a
key are declared, else append where only a cursor is, else full refresh. What rows suggest never
acts, so that the operator and the command line decide the same from the same manifest.
"""

import fnmatch
from collections.abc import Collection

from external_data_operator.api.cursors import choose_cursor
from external_data_operator.api.plan import SyncOptions
from external_data_operator.api.schema import (
    COUNTING_CURSORS,
    LOOKBACK_MESSAGE,
    SchemaSpec,
    SyncType,
)
from external_data_operator.api.source import SchemaPolicy, SourceSpec
from external_data_operator.errors import SpecError
from external_data_operator.reconcile.plans.catalogue import Findings
from external_data_operator.reconcile.plans.kinds import find_declared_streams
from external_data_operator.reconcile.plans.stream import Stream, from_discovery, merge_streams


def list_streams(spec: SourceSpec, found: Findings | None) -> Collection[str] | None:
    """The source's streams, in its order; None while only a check can list them and there was
    none."""
    declared = find_declared_streams(spec)
    if declared is not None:
        return [one.stream.name for one in declared]
    return None if found is None else found.names


def find_stream(spec: SourceSpec, found: Findings | None, name: str) -> Stream | None:
    """The stream of this name; None if it does not exist, or too little of it is known to sync
    it."""
    seen = None if found is None else found.find(name)
    stream = None if seen is None else from_discovery(seen)
    declared = find_declared_streams(spec)
    if declared is None:
        return stream
    return next(
        (merge_streams(one.stream, stream) for one in declared if one.stream.name == name), None
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
    # A log is read after the place of the last commit, whatever its rows hold.
    elif cursor is None and not stream.has_log:
        raise SpecError(
            f"syncType: {sync_type} requires a cursor; "
            "set incrementalField, or incremental in the source's stream"
        )
    if cursor is not None and spec.lookback_seconds and cursor.type in COUNTING_CURSORS:
        raise SpecError(
            f"lookbackSeconds: {LOOKBACK_MESSAGE} (the cursor {cursor.name} has such a type)"
        )
    if sync_type is SyncType.INCREMENTAL and not keys:
        raise SpecError("syncType: Incremental requires a primary key; set primaryKeyColumns")
    return SyncOptions(
        stream=stream.name,
        sync_type=sync_type,
        incremental_field=None if cursor is None else cursor.name,
        incremental_field_type=None if cursor is None else cursor.type,
        lookback_seconds=0 if cursor is None else spec.lookback_seconds,
        primary_key_columns=list(keys),
        # A log also tells which keys are gone; what is read by a cursor does not.
        applies_changes=True if sync_type is SyncType.INCREMENTAL and cursor is None else None,
        enabled_columns=spec.enabled_columns,
        retention=spec.retention,
        shrink_guard_percent=spec.shrink_guard_percent,
    )


def _pick_type(stream: Stream, *, has_key: bool) -> SyncType:
    """A stream without a cursor or a log is read as a whole."""
    if stream.cursor is None and not stream.has_log:
        return SyncType.FULL_REFRESH
    return SyncType.INCREMENTAL if has_key else SyncType.APPEND
