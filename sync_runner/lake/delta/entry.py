"""Builds an entry of the log: the operation, its author, and the table's metadata. Pure.

The library commits only under the operation WRITE and its own, and drops metadata that people put
on columns. An entry from here has the operation MERGE, OPTIMIZE or WRITE with its metrics, and
keeps name, description, comments and properties of the table (docs/adr/0012).
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import pyarrow as pa

from sync_runner.lake.delta.schema import find_marks, has_local_time, marks_of, render_table_schema
from sync_runner.lake.delta.state import APP_ID, COMMIT_KEY, State, render_state
from sync_runner.lake.parquet.files import DataFile
from sync_runner.lake.parquet.parts import Part

_LOCAL_TIME = "timestampNtz"
_LISTED = (3, 7)
"""Versions of protocols that list their features."""
_IMPLIED = {
    2: ("appendOnly", "invariants"),
    3: ("checkConstraints",),
    4: ("changeDataFeed", "generatedColumns"),
    5: ("columnMapping",),
    6: ("identityColumns",),
}
"""Features that each earlier writer version includes."""
_BREAKS = tuple((mark, f"\\u{ord(mark):04x}") for mark in "\x85\u2028\u2029")


class Operation(StrEnum):
    """The operation of a commit, as Delta names it."""

    WRITE = "WRITE"
    MERGE = "MERGE"
    OPTIMIZE = "OPTIMIZE"


@dataclass(frozen=True)
class Metadata:
    """The table's own metadata, including values that others have set."""

    id: str
    name: str | None
    description: str | None
    created_ms: int | None
    properties: Mapping[str, str]
    schema: str
    """The schema as JSON."""


@dataclass(frozen=True)
class Protocol:
    """Versions and features that readers and writers of the table must support."""

    reader_version: int = 1
    writer_version: int = 2
    reader_features: frozenset[str] = frozenset()
    writer_features: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Base:
    """The version that an entry follows."""

    metadata: Metadata
    protocol: Protocol
    files: Sequence[DataFile]


@dataclass(frozen=True)
class Change:
    """The change that a commit makes to the table."""

    adds: Sequence[Part]
    removes: Sequence[DataFile]
    schema: pa.Schema
    state: State
    replaces: bool = False
    """Every file of the table is removed, and the schema is the new one."""
    operation: Operation = Operation.WRITE
    properties: Mapping[str, str] = field(default_factory=dict)
    """Properties to add to those of the table."""

    @property
    def is_upkeep(self) -> bool:
        """Whether the commit changes no rows."""
        return self.operation is Operation.OPTIMIZE


@dataclass(frozen=True)
class Author:
    """The author and the time of a commit."""

    stream: str
    """Namespace, source and stream, for people who read the table's history."""
    now_ms: int


def build_entry(base: Base, change: Change, author: Author) -> bytes:
    """The entry that makes the change."""
    removes = base.files if change.replaces else change.removes
    protocol = change_protocol(base.protocol, change.schema)
    metadata = change_metadata(base.metadata, change)
    said: list[dict[str, Any]] = []
    if protocol != base.protocol:
        said.append({"protocol": _render_protocol(protocol)})
    if metadata != base.metadata:
        said.append({"metaData": _render_metadata(metadata)})
    return _render_entry(said, change, removes, author)


def build_first_entry(table_id: str, change: Change, author: Author) -> bytes:
    """The entry that makes the table, which has a protocol and metadata in any case."""
    schema = render_table_schema(change.schema)
    metadata = Metadata(table_id, None, None, author.now_ms, change.properties, schema)
    protocol = change_protocol(Protocol(), change.schema)
    said = [{"protocol": _render_protocol(protocol)}, {"metaData": _render_metadata(metadata)}]
    return _render_entry(said, change, (), author)


def _render_entry(
    said: Sequence[dict[str, Any]], change: Change, removes: Sequence[DataFile], author: Author
) -> bytes:
    """The lines of an entry; `said` is what it says of the table itself."""
    actions: list[dict[str, Any]] = [{"commitInfo": _build_info(change, removes, author)}, *said]
    actions += [{"add": _render_add(part, change, author)} for part in change.adds]
    actions += [{"remove": _render_remove(file, change, author)} for file in removes]
    txn = {"appId": APP_ID, "version": change.state.seq, "lastUpdated": author.now_ms}
    actions.append({"txn": txn})
    return "\n".join(map(_render_action, actions)).encode()


def _render_action(action: dict[str, Any]) -> str:
    """One line of the entry. Characters are not escaped, since deltalake misreads escapes of those
    above U+1FFFF, so that bounds and names would be wrong. Line breaks of Unicode are escaped,
    since some readers end a line at each of them.
    """
    text = json.dumps(action, ensure_ascii=False)
    for mark, escape in _BREAKS:
        text = text.replace(mark, escape)
    return text


def change_metadata(base: Metadata, change: Change) -> Metadata:
    """The table's metadata after the change; the same object if nothing changes."""
    properties = {**base.properties, **change.properties}
    old = json.loads(base.schema)
    # The kind of a column's text may change without a file: plain text after JSON.
    names = {spec["name"]: find_marks(spec.get("metadata") or {}) for spec in old["fields"]}
    is_told = all(names.get(field.name) == marks_of(field) for field in change.schema)
    if not change.replaces and is_told:
        return replace(base, properties=properties)
    schema = render_table_schema(change.schema, like=base.schema)
    is_same = json.loads(schema) == old
    return replace(base, properties=properties, schema=base.schema if is_same else schema)


def change_protocol(base: Protocol, schema: pa.Schema) -> Protocol:
    """The protocol with the feature that readers need for timestamps without a zone, if the schema
    has some. A protocol that lists features also lists those that its versions included.
    """
    is_known = _LOCAL_TIME in base.reader_features
    if is_known or not any(has_local_time(field.type) for field in schema):
        return base
    implied = [names for version, names in _IMPLIED.items() if version <= base.writer_version]
    is_listed = base.writer_version >= _LISTED[1]
    listed = base.writer_features if is_listed else frozenset().union(*implied)
    mapped = listed & {"columnMapping"}
    return Protocol(
        *_LISTED, base.reader_features | mapped | {_LOCAL_TIME}, frozenset({*listed, _LOCAL_TIME})
    )


def _describe_commit(change: Change, author: Author) -> dict[str, Any]:
    """The metadata of a commit beside its actions: our state, and facts for people."""
    state, counts = change.state, change.state.counts
    facts = {
        "run": state.run,
        "stream": author.stream,
        "rows": counts.rows,
        "cursor": None if state.position is None else state.position.value,
    }
    return {COMMIT_KEY: render_state(state), "userMetadata": json.dumps(facts, ensure_ascii=False)}


@lru_cache(maxsize=1)
def find_writer() -> str:
    """This writer's name and version, for the table's history."""
    try:
        return f"{APP_ID}/{version(APP_ID)}"
    except PackageNotFoundError:
        return APP_ID


def _build_info(change: Change, removes: Sequence[DataFile], author: Author) -> dict[str, Any]:
    mode = "Overwrite" if change.replaces else "Append"
    parameters = {"mode": mode, "partitionBy": "[]"} if change.operation == "WRITE" else {}
    return {
        "timestamp": author.now_ms,
        "operation": str(change.operation),
        "operationParameters": parameters,
        "operationMetrics": _build_metrics(change, removes),
        "isBlindAppend": not removes and change.operation is Operation.WRITE,
        "engineInfo": find_writer(),
        **_describe_commit(change, author),
    }


def _build_metrics(change: Change, removes: Sequence[DataFile]) -> dict[str, str]:
    """The metrics of a commit, which are text in the log."""
    metrics = {
        "numOutputRows": sum(part.rows for part in change.adds),
        "numAddedFiles": len(change.adds),
        "numOutputBytes": sum(part.size for part in change.adds),
        "numRemovedFiles": len(removes),
        "numRemovedBytes": sum(file.size for file in removes),
    }
    return {name: str(count) for name, count in metrics.items()}


def _render_protocol(protocol: Protocol) -> dict[str, Any]:
    versions = {
        "minReaderVersion": protocol.reader_version,
        "minWriterVersion": protocol.writer_version,
    }
    if protocol.writer_version < _LISTED[1]:
        return versions  # a list of features is invalid there
    return versions | {
        "readerFeatures": sorted(protocol.reader_features),
        "writerFeatures": sorted(protocol.writer_features),
    }


def _render_metadata(metadata: Metadata) -> dict[str, Any]:
    return {
        "id": metadata.id,
        "name": metadata.name,
        "description": metadata.description,
        "format": {"provider": "parquet", "options": {}},
        "schemaString": metadata.schema,
        "partitionColumns": [],
        "createdTime": metadata.created_ms,
        "configuration": dict(metadata.properties),
    }


def _render_add(part: Part, change: Change, author: Author) -> dict[str, Any]:
    return {
        "path": part.path,
        "partitionValues": {},
        "size": part.size,
        "modificationTime": author.now_ms,
        "dataChange": not change.is_upkeep,
        "stats": part.stats,
    }


def _render_remove(file: DataFile, change: Change, author: Author) -> dict[str, Any]:
    return {
        "path": file.path,
        "deletionTimestamp": author.now_ms,
        "dataChange": not change.is_upkeep,
        "extendedFileMetadata": True,
        "partitionValues": {},
        "size": file.size,
    }
