"""Protocol and metadata of a table as its log spells them, where the library does not read it.

Only such a log is read here: the newest entries first, then the newest checkpoint.
"""

import json
from typing import Any

from sync_runner.lake.features import Demands
from sync_runner.lake.files import DataFile, open_file
from sync_runner.storage import ObjectStore

_ENTRIES_MAX = 200
_KINDS = ("protocol", "metaData")


def find_demands(store: ObjectStore, folder: str) -> Demands | None:
    """What the newest version asks of its writers; None where the log does not say."""
    found: dict[str, Any] = {}
    infos = sorted(store.list(folder), key=lambda info: info.path, reverse=True)
    entries = [
        info for info in infos if info.path.endswith(".json") and "." not in _stem(info.path)
    ]
    for info in entries[:_ENTRIES_MAX]:
        stored = store.find(info.path)
        _collect(found, [] if stored is None else _parse_lines(stored.data))
        if found.keys() >= set(_KINDS):
            break
    checkpoints = [info for info in infos if info.path.endswith(".checkpoint.parquet")]
    if found.keys() < set(_KINDS) and checkpoints:
        newest = checkpoints[0]
        parquet = open_file(store, DataFile(newest.path, newest.size, -1))
        kinds = [kind for kind in _KINDS if kind in parquet.schema_arrow.names]
        _collect(found, parquet.read(columns=kinds).to_pylist())
    if "protocol" not in found:
        return None
    return _build_demands(found["protocol"], found.get("metaData") or {})


def _stem(path: str) -> str:
    return path.rsplit("/", 1)[-1].removesuffix(".json")


def _parse_lines(data: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in data.splitlines() if line.strip()]


def _collect(found: dict[str, Any], actions: list[dict[str, Any]]) -> None:
    for action in actions:
        for kind in _KINDS:
            if action.get(kind):
                found.setdefault(kind, action[kind])


def _build_demands(protocol: dict[str, Any], metadata: dict[str, Any]) -> Demands:
    known = {"schema": metadata["schemaString"]} if metadata.get("schemaString") else {}
    return Demands(
        protocol["minReaderVersion"],
        protocol["minWriterVersion"],
        frozenset(protocol.get("readerFeatures") or ()),
        frozenset(protocol.get("writerFeatures") or ()),
        dict(metadata.get("configuration") or {}),
        tuple(metadata.get("partitionColumns") or ()),
        **known,
    )
