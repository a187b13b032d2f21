"""Which rows a newer row of the same key replaces, among more rows than memory holds.

The range of keys is cut into pieces of a bounded number of staged rows; each piece's keys wait in a
file on the scratch disk (with where they came from) and are compared on their own. Memory holds one
piece, and four bytes for each replaced row. Where keys only ascend or descend from part to part,
nothing needs to be compared.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from external_data_operator.api.conditions import Reason

from sync_runner.errors import RetryableError
from sync_runner.lake.parquet.files import DataFile
from sync_runner.lake.parquet.parts import Part
from sync_runner.lake.rows.keys import PrimaryKey, Ranges, is_comparable, overlap
from sync_runner.records.dedupe import Order, find_last_of_keys, find_pieces, match, pick_bounds
from sync_runner.storage import ObjectStore

_PIECES_MAX = 400
_SAMPLE_KEYS = 100_000

Replaced = dict[str, pa.Array]
"""For each file the numbers of its replaced rows, ascending."""


@dataclass(frozen=True)
class KeyedFiles:
    """A table's files, and the parts that come after them, in the order of arrival."""

    store: ObjectStore
    key: PrimaryKey
    table: Sequence[DataFile]
    table_schema: pa.Schema
    staged: Sequence[Part]


def are_distinct(parts: Sequence[Part], key: PrimaryKey) -> bool:
    """Whether the parts' own order proves that no key comes twice."""
    if any(part.order is Order.NONE for part in parts):
        return False
    ranges: list[tuple[Any, Any]] = []
    for part in parts:
        known = part.ranges.get(key.names[0])
        if known is None:
            return False
        ranges.append(known)
    if not is_comparable(bound for known in ranges for bound in known):
        return False
    ranges.sort()
    return all(before[1] < after[0] for before, after in pairwise(ranges))


def find_replaced(files: KeyedFiles, *, piece_rows: int) -> Replaced:
    """Rows of the table and of the staged parts that a later staged row replaces."""
    near = [
        file
        for file in files.table
        if any(overlap(file.ranges, part.ranges, files.key.names) for part in files.staged)
    ]
    if not near and are_distinct(files.staged, files.key):
        return {}
    found: dict[str, list[pa.Array]] = defaultdict(list)
    for piece in _cut_pieces(files, piece_rows):
        _compare(piece, files, near, found)
    return {path: _sorted(pa.chunked_array(rows).combine_chunks()) for path, rows in found.items()}


def _compare(
    piece: pa.Table, files: KeyedFiles, near: Iterable[DataFile], found: dict[str, list[pa.Array]]
) -> None:
    """Adds what the rows of one piece replace."""
    keys = piece.column("key").combine_chunks()
    last = find_last_of_keys(keys)
    if last is not None:
        is_last = match(pa.arange(0, len(keys)), last)
        _add_staged(piece.filter(pc.invert(is_last)), files, found)
        keys = keys.take(last)
    within = _ranges_of(keys, files.key)
    for file in near:
        if overlap(file.ranges, within, files.key.names):
            for first, column in files.key.read(files.store, file, files.table_schema, within):
                hits = pc.indices_nonzero(match(column, keys)).cast(pa.int32())
                if len(hits):
                    found[file.path].append(pc.add(hits, pa.scalar(first, pa.int32())))


def _add_staged(lost: pa.Table, files: KeyedFiles, found: dict[str, list[pa.Array]]) -> None:
    for number in pc.unique(lost.column("part")).to_pylist():
        rows = lost.filter(pc.equal(lost.column("part"), number)).column("row")
        found[files.staged[number].path].append(rows.combine_chunks())


def _ranges_of(keys: pa.Array, key: PrimaryKey) -> Ranges:
    """A composite key has no range here: its pieces are cut by its bytes."""
    if len(key.names) > 1:
        return {}
    return key.ranges_of(pa.table([keys], names=key.names))


def _cut_pieces(files: KeyedFiles, piece_rows: int) -> Iterator[pa.Table]:
    """The staged rows' keys with part and row, in pieces that share no key, each in the order of
    arrival.
    """
    rows = sum(part.rows for part in files.staged)
    pieces = min(_PIECES_MAX, -(-rows // piece_rows))
    if pieces <= 1:
        yield pa.concat_tables(_read_located(files))
        return
    bounds = pick_bounds(_sample(files, rows), pieces)
    with TemporaryDirectory(prefix="keys-") as folder:
        yield from _spill(files, bounds, Path(folder))


def _sample(files: KeyedFiles, rows: int) -> pa.Array:
    """A sample of the keys of all parts, at equal distances."""
    step = max(1, rows // _SAMPLE_KEYS)
    picked = [
        table.column("key").combine_chunks().take(pa.arange(0, table.num_rows, step))
        for table in _read_located(files)
    ]
    return pa.chunked_array(picked).combine_chunks()


def _spill(files: KeyedFiles, bounds: pa.Array, folder: Path) -> Iterator[pa.Table]:
    try:
        paths = _write_pieces(files, bounds, folder)
        for path in paths:
            with pa.OSFile(str(path)) as source, pa.ipc.open_stream(source) as reader:
                piece = reader.read_all()
            path.unlink()
            if piece.num_rows:
                yield piece
    except OSError as error:
        message = (
            "The scratch disk is full, so that keys could not be compared. Raise runner.scratch in "
            "the chart's values."
        )
        raise RetryableError(Reason.DISK_FULL, message) from error


def _write_pieces(files: KeyedFiles, bounds: pa.Array, folder: Path) -> list[Path]:
    schema = _located_schema(files.key)
    paths = [folder / f"{piece}.arrow" for piece in range(len(bounds) + 1)]
    with ExitStack() as stack:
        sinks = [stack.enter_context(pa.OSFile(str(path), "w")) for path in paths]
        writers = [stack.enter_context(pa.ipc.new_stream(sink, schema)) for sink in sinks]
        for table in _read_located(files):
            pieces = find_pieces(table.column("key"), bounds)
            for number in pc.unique(pieces).to_pylist():
                writers[number].write_table(table.filter(pc.equal(pieces, number)))
    return paths


def _read_located(files: KeyedFiles) -> Iterator[pa.Table]:
    """The staged rows' keys, each with the number of its part and its row in it."""
    schema = _located_schema(files.key)
    for number, part in enumerate(files.staged):
        for first, keys in files.key.read(files.store, part, part.schema, {}):
            parts = pa.repeat(pa.scalar(number, pa.int32()), len(keys))
            rows = pa.arange(first, first + len(keys)).cast(pa.int32())
            yield pa.table([keys, parts, rows], schema=schema)


def _located_schema(key: PrimaryKey) -> pa.Schema:
    type_ = key.schema.field(0).type if len(key.names) == 1 else pa.binary()
    return pa.schema([("key", type_), ("part", pa.int32()), ("row", pa.int32())])


def _sorted(rows: pa.Array) -> pa.Array:
    return rows.take(pc.sort_indices(rows))
