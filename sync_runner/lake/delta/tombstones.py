"""Files that were removed from a table, from its log.

A tombstone has a time of the clock of the process that wrote it. All of them are read: among the
expired ones alone those of a clock that is ahead are missing, whose files would seem to be in no
log.
"""

import json
from collections.abc import Iterator
from urllib.parse import unquote

import pyarrow.compute as pc

from sync_runner.lake.delta.log import LOG_FOLDER
from sync_runner.lake.parquet.files import DataFile, open_file
from sync_runner.storage import ObjectInfo, ObjectStore

_VERSION_DIGITS = 20
_FIELDS = ("path", "deletionTimestamp")


def read_tombstones(store: ObjectStore) -> dict[str, float]:
    """Paths of all tombstones, each with the time at which its file was removed: those of the
    newest checkpoint, and of the entries since.
    """
    entries = store.list(LOG_FOLDER)
    checkpoints = [entry for entry in entries if _is_checkpoint(entry)]
    newest = max(map(entry_version_of, checkpoints), default=-1)
    found: dict[str, float] = {}
    for entry in entries:
        if _is_checkpoint(entry) and entry_version_of(entry) == newest:
            found.update(_read_checkpoint(store, entry))
        elif entry.path.endswith(".json") and entry_version_of(entry) > newest:
            found.update(_read_entry(store, entry))
    return found


def entry_version_of(entry: ObjectInfo) -> int:
    """The version that an object of the log belongs to; -1 for any other object."""
    digits = entry.path.removeprefix(f"{LOG_FOLDER}/")[:_VERSION_DIGITS]
    return int(digits) if digits.isdigit() and len(digits) == _VERSION_DIGITS else -1


def _is_checkpoint(entry: ObjectInfo) -> bool:
    return ".checkpoint" in entry.path and entry.path.endswith(".parquet")


def _read_checkpoint(store: ObjectStore, entry: ObjectInfo) -> Iterator[tuple[str, float]]:
    parquet = open_file(store, DataFile(entry.path, entry.size, -1))
    if "remove" not in parquet.schema_arrow.names:
        return
    for batch in parquet.iter_batches(columns=["remove.path", "remove.deletionTimestamp"]):
        removes = batch.column("remove").drop_null()
        paths, times = (pc.struct_field(removes, name).to_pylist() for name in _FIELDS)
        for path, ms in zip(paths, times, strict=True):
            if path is not None:
                yield unquote(path), (ms or 0) / 1000


def _read_entry(store: ObjectStore, entry: ObjectInfo) -> Iterator[tuple[str, float]]:
    stored = store.find(entry.path)
    for line in () if stored is None else stored.data.splitlines():
        remove = json.loads(line).get("remove") if b'"remove"' in line else None
        if remove is not None:
            yield unquote(remove["path"]), (remove.get("deletionTimestamp") or 0) / 1000
