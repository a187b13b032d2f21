"""Facts of a log that the library does not return: the protocol of a table that it cannot read,
and the clustering columns of a table.

The log is read here only for such tables: the newest entries first, then the newest checkpoint.
"""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from sync_runner.lake.delta.features import Demands
from sync_runner.lake.parquet.files import DataFile, open_file
from sync_runner.storage import ObjectStore

_ENTRIES_MAX = 200
_KINDS = ("protocol", "metaData")
_CLUSTERING = "delta.clustering"


def find_demands(store: ObjectStore, folder: str) -> Demands | None:
    """The demands of the newest version on writers; None if the log does not contain them."""
    found: dict[str, Any] = {}
    for action in _read_newest(store, folder, _KINDS):
        for kind in _KINDS:
            if action.get(kind):
                found.setdefault(kind, action[kind])
        if found.keys() >= set(_KINDS):
            break
    if "protocol" not in found:
        return None
    return _build_demands(found["protocol"], found.get("metaData") or {})


def is_clustered(store: ObjectStore, folder: str) -> bool:
    """Whether a table with the feature clustering has clustering columns: CLUSTER BY NONE keeps the
    feature, which no statement drops.
    """
    for action in _read_newest(store, folder, ("domainMetadata",)):
        domain = action.get("domainMetadata") or {}
        if domain.get("domain") == _CLUSTERING:
            columns = json.loads(domain.get("configuration") or "{}").get("clusteringColumns")
            return bool(columns) and not domain.get("removed")
    return True


def _read_newest(store: ObjectStore, folder: str, kinds: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Actions of the newest entries, then of the newest checkpoint."""
    infos = sorted(store.list(folder), key=lambda info: info.path, reverse=True)
    entries = [info for info in infos if info.path.endswith(".json") and _stem(info.path).isdigit()]
    for info in entries[:_ENTRIES_MAX]:
        stored = store.find(info.path)
        yield from [] if stored is None else _parse_lines(stored.data)
    checkpoints = [info for info in infos if info.path.endswith(".checkpoint.parquet")]
    for info in checkpoints[:1]:
        parquet = open_file(store, DataFile(info.path, info.size, -1))
        columns = [kind for kind in kinds if kind in parquet.schema_arrow.names]
        yield from parquet.read(columns=columns).to_pylist()


def _stem(path: str) -> str:
    return path.rsplit("/", 1)[-1].removesuffix(".json")


def _parse_lines(data: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in data.splitlines() if line.strip()]


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
