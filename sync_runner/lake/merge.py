"""Merges rows that fit into memory into a table's files.

Files are skipped by the ranges of their keys, then by their keys themselves. A file that holds some
of them is written anew with the new rows in the place of the old, so that its range stays what it
was and the next merge can skip it as well; rows of new keys become a part of their own. A file
whose rows would not change is left alone.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Lock

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from sync_runner.lake.files import DataFile, open_file, read_groups
from sync_runner.lake.keys import Key, overlap
from sync_runner.lake.parts import Part, PartStore
from sync_runner.lake.shape import align_table
from sync_runner.lake.stage import Bounds

WORKERS = 2
_GLANCE_ROWS = 16
"""Most files that change show it here; comparing them whole would cost as much as it may save."""


@dataclass(frozen=True)
class Merged:
    """What a merge does to the table."""

    adds: tuple[Part, ...]
    removes: tuple[DataFile, ...]


@dataclass(frozen=True)
class _Hits:
    """Where a file holds wanted keys: for each row group, the number of the incoming row, or
    null.
    """

    groups: dict[int, pa.Array]
    rows: list[int]
    """Incoming rows whose keys this file holds, each once."""

    @property
    def count(self) -> int:
        return sum(len(numbers) - numbers.null_count for numbers in self.groups.values())


class Merge:
    """One merge of incoming rows, whose keys differ from each other."""

    def __init__(
        self, parts: PartStore, key: Key, bounds: Bounds, *, have: pa.Schema, incoming: pa.Table
    ) -> None:
        """`have`: the table's schema so far; `incoming` has the one that it is going to have."""
        self._parts = parts
        self._key = key
        self._bounds = bounds
        self._have = have
        self._incoming = incoming
        self._schema: pa.Schema = incoming.schema
        self._keys = key.of(incoming)
        self._placed: set[int] = set()
        self._lock = Lock()

    def run(self, files: Sequence[DataFile]) -> Merged:
        """Writes what changes; the files that it returns are in the store, and in no commit yet."""
        within = self._key.ranges_of(self._incoming)
        near = [file for file in files if overlap(file.ranges, within, self._key.names)]
        with ThreadPoolExecutor(WORKERS) as pool:
            written = list(pool.map(self._merge_file, near))
        adds = [part for parts in written if parts is not None for part in parts]
        removes = [file for file, parts in zip(near, written, strict=True) if parts is not None]
        adds += self._write([self._take_new()])
        return Merged(tuple(adds), tuple(removes))

    def _merge_file(self, file: DataFile) -> list[Part] | None:
        """The files that take its place; None where it stays."""
        parquet = open_file(self._parts.store, file)
        hits = self._find_hits(parquet)
        if not hits.rows:
            return None
        mine = self._claim(hits)
        old = _OldRows(parquet, self._have, self._schema)
        if len(mine) == len(hits.rows) == hits.count and self._is_unchanged(old, hits):
            return None
        return self._write(self._replace(old, hits, mine))

    def _find_hits(self, parquet: pq.ParquetFile) -> _Hits:
        groups: dict[int, pa.Array] = {}
        for first, table in read_groups(parquet, self._key.names):
            keys = self._key.of(align_table(table, self._have, self._key.schema))
            numbers = pc.index_in(keys, value_set=self._keys)
            if numbers.null_count < len(numbers):
                groups[first] = numbers
        rows = pa.chunked_array(list(groups.values()), pa.int32()).drop_null().unique()
        return _Hits(groups, rows.to_pylist())

    def _claim(self, hits: _Hits) -> list[int]:
        """The incoming rows that this file is to hold: each goes to one file only."""
        with self._lock:
            mine = sorted(row for row in hits.rows if row not in self._placed)
            self._placed.update(mine)
        return mine

    def _is_unchanged(self, old: "_OldRows", hits: _Hits) -> bool:
        for first, table in old.read():
            numbers = hits.groups.get(first)
            if numbers is not None:
                rows = pc.indices_nonzero(numbers.is_valid())
                for some in (rows.slice(0, _GLANCE_ROWS), rows):
                    if not table.take(some).equals(self._incoming.take(numbers.take(some))):
                        return False
        return True

    def _replace(self, old: "_OldRows", hits: _Hits, mine: list[int]) -> Iterator[pa.Table]:
        """The file's other rows, and the new ones beside the last of them."""
        new = self._incoming.take(pa.array(mine, pa.int64()))
        for first, table in old.read():
            found = hits.groups.get(first)
            kept = table if found is None else table.filter(found.is_null())
            is_last = first + table.num_rows == old.rows
            yield pa.concat_tables([kept, new]) if is_last else kept

    def _take_new(self) -> pa.Table:
        if not self._placed:
            return self._incoming
        placed = pa.array(sorted(self._placed), pa.int64())
        known = pc.is_in(pa.arange(0, self._incoming.num_rows), value_set=placed)
        return self._incoming.filter(pc.invert(known))

    def _write(self, tables: Iterator[pa.Table] | list[pa.Table]) -> list[Part]:
        filled = (table for table in tables if table.num_rows)
        return self._parts.write_all(
            filled, rows_max=self._bounds.rows, bytes_max=self._bounds.bytes
        )


class _OldRows:
    """The rows of a file, read once where they are a single row group, else anew at each
    reading.
    """

    def __init__(self, parquet: pq.ParquetFile, have: pa.Schema, want: pa.Schema) -> None:
        self.rows: int = parquet.metadata.num_rows
        self._parquet = parquet
        self._have = have
        self._want = want
        self._kept: list[tuple[int, pa.Table]] = []

    def read(self) -> Iterator[tuple[int, pa.Table]]:
        """Row groups, each with the number of its first row."""
        if self._kept:
            yield from self._kept
            return
        for first, table in read_groups(self._parquet, self._want.names):
            group = (first, align_table(table, self._have, self._want))
            if table.num_rows == self.rows:
                self._kept = [group]
            yield group
