"""Merges rows that fit into memory into a table's files.

Files are skipped by the ranges of their keys, then by their keys themselves. A file that has some
of them is rewritten with the new rows instead of the old, so that its range stays the same and the
next merge can skip it as well; rows of new keys become a part of their own. A file whose rows would
not change is left as it is.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Lock

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from sync_runner.lake.parquet.files import (
    WHOLE_BYTES,
    DataFile,
    fetch_file,
    open_file,
    read_batches,
    read_groups,
)
from sync_runner.lake.parquet.parts import Part, PartEncoder, PartStore
from sync_runner.lake.parquet.stage import PartLimits
from sync_runner.lake.policy import Policy
from sync_runner.lake.rows.keys import PrimaryKey, overlap
from sync_runner.lake.rows.known import says_same
from sync_runner.lake.rows.shape import align_table

_FILES = 4
"""Files at a time; those that are not being rewritten wait for the store."""
_REWRITERS = 2
"""Threads that decode, change and encode; each takes memory, which it uses again."""


@dataclass(frozen=True)
class Merged:
    """The files that a merge adds and removes."""

    adds: tuple[Part, ...]
    removes: tuple[DataFile, ...]


@dataclass(frozen=True)
class _Hits:
    """Where a file holds wanted keys."""

    numbers: pa.Array
    """For each row of the file the number of the incoming row of the same key, or null."""
    rows: list[int]
    """Incoming rows whose keys this file holds, each once."""

    @property
    def count(self) -> int:
        """Rows of the file that are to be replaced."""
        return len(self.numbers) - int(self.numbers.null_count)


class Merge:
    """One merge of incoming rows, whose keys differ from each other."""

    def __init__(
        self,
        parts: PartStore,
        key: PrimaryKey,
        bounds: PartLimits,
        policy: Policy,
        *,
        have: pa.Schema,
        incoming: pa.Table,
    ) -> None:
        """`have`: the table's schema so far; `incoming` has the one that it is going to have."""
        self._parts = parts
        self._key = key
        self._bounds = bounds
        self._policy = policy
        self._have = have
        self._incoming = incoming
        self._schema: pa.Schema = incoming.schema
        self._keys = key.of(incoming)
        self._placed: set[int] = set()
        """Incoming rows that have a place, or need none."""
        self._lock = Lock()
        self._rewriters = ThreadPoolExecutor(_REWRITERS, thread_name_prefix="rewrite")

    def run(self, files: Sequence[DataFile], *, deleted: pa.ChunkedArray | None = None) -> Merged:
        """Writes what changes; the files that it returns are in the store, and in no commit yet.

        `deleted`: incoming rows that take others out of the table and are not written themselves.
        """
        if deleted is not None:
            self._placed.update(pc.indices_nonzero(deleted).to_pylist())
        within = self._key.ranges_of(self._incoming)
        near = [file for file in files if overlap(file.ranges, within, self._key.names)]
        with self._rewriters, ThreadPoolExecutor(_FILES, thread_name_prefix="merge") as pool:
            written = list(pool.map(self._merge_file, near))
        adds = [part for parts in written if parts is not None for part in parts]
        removes = [file for file, parts in zip(near, written, strict=True) if parts is not None]
        adds += [self._parts.upload(encoder) for encoder in self._encode([self._take_new()])]
        return Merged(tuple(adds), tuple(removes))

    def _merge_file(self, file: DataFile) -> list[Part] | None:
        """The files that replace it; None if it stays."""
        wanted = self._find_wanted(file)
        if wanted is not None and not len(wanted):
            return None
        is_likely = wanted is not None and len(wanted) >= self._policy.likely_rows
        is_fetched = is_likely or file.size <= WHOLE_BYTES
        parquet = (fetch_file if is_fetched else open_file)(self._parts.store, file)
        hits = self._find_hits(parquet, wanted)
        if not hits.rows:
            return None
        mine = self._claim(hits)
        parquet = parquet if is_fetched else fetch_file(self._parts.store, file)
        rows = self._policy.batch_rows
        old = _OldRows(parquet, rows, have=self._have, want=self._schema)
        encoders = self._rewriters.submit(self._rewrite, old, hits, mine).result()
        if encoders is None:
            return None
        return [self._parts.upload(encoder) for encoder in encoders]

    def _find_hits(self, parquet: pq.ParquetFile, wanted: pa.Array | None) -> _Hits:
        keys = self._keys if wanted is None else self._keys.take(wanted)
        found = []
        for _, table in read_groups(parquet, self._key.names):
            own = self._key.of(align_table(table, self._have, self._key.schema))
            found.append(pc.index_in(own, value_set=keys))
        numbers = pa.chunked_array(found, pa.int32()).combine_chunks()
        if wanted is not None:
            numbers = wanted.take(numbers)
        return _Hits(numbers, numbers.drop_null().unique().to_pylist())

    def _find_wanted(self, file: DataFile) -> pa.Array | None:
        """Numbers of the incoming rows whose keys the file's range may hold; None where that is
        not known. A lookup among fewer keys is a faster one.
        """
        known = file.ranges.get(self._key.names[0]) if len(self._key.names) == 1 else None
        if known is None or not pa.types.is_integer(self._keys.type) or type(known[0]) is not int:
            return None
        low, high = pc.greater_equal(self._keys, known[0]), pc.less_equal(self._keys, known[1])
        return pc.indices_nonzero(pc.and_(low, high)).cast(pa.int32())

    def _claim(self, hits: _Hits) -> list[int]:
        """The incoming rows that this file is to hold: each goes to one file only."""
        with self._lock:
            mine = sorted(row for row in hits.rows if row not in self._placed)
            self._placed.update(mine)
        return mine

    def _rewrite(self, old: "_OldRows", hits: _Hits, mine: list[int]) -> list[PartEncoder] | None:
        if len(mine) == len(hits.rows) == hits.count and self._is_unchanged(old, hits):
            return None
        return list(self._encode(self._replace(old, hits, mine)))

    def _is_unchanged(self, old: "_OldRows", hits: _Hits) -> bool:
        """Whether the incoming rows equal those of the file. Mostly the first row shows that they
        do not.
        """
        for first, batch in old.peek():
            numbers = hits.numbers.slice(first, batch.num_rows)
            rows = pc.indices_nonzero(numbers.is_valid())
            for some in (rows.slice(0, 1), rows):
                if len(some) and not says_same(batch.take(some), self._take(numbers.take(some))):
                    return False
        return True

    def _replace(self, old: "_OldRows", hits: _Hits, mine: list[int]) -> Iterator[pa.Table]:
        """The file's other rows, and the new ones after them, as row groups."""
        kept: list[pa.Table] = []
        rows = size = 0
        for first, batch in old.read():
            others = batch.filter(hits.numbers.slice(first, batch.num_rows).is_null())
            kept.append(others)
            rows, size = rows + others.num_rows, size + others.nbytes
            if rows >= self._policy.group_rows or size >= self._policy.group_bytes:
                yield pa.concat_tables(kept)
                kept, rows, size = [], 0, 0
        if mine:
            kept.append(self._take(pa.array(mine, pa.int32())))
        if kept:
            yield pa.concat_tables(kept)

    def _take(self, numbers: pa.Array) -> pa.Table:
        """These incoming rows. Arrow copies all of a table in several chunks before it picks
        some. Rows of one file are mostly close together, so that a slice suffices; otherwise the
        chunks of the table are combined, once.
        """
        ends = pc.min_max(numbers)
        first, last = ends["min"].as_py(), ends["max"].as_py()
        if last - first > self._incoming.num_rows // 2:
            self._incoming = self._incoming.combine_chunks()
        stretch = self._incoming.slice(first, last - first + 1)
        return stretch.take(pc.subtract(numbers, pa.scalar(first, numbers.type)))

    def _take_new(self) -> pa.Table:
        if not self._placed:
            return self._incoming
        placed = pa.array(sorted(self._placed), pa.int64())
        known = pc.is_in(pa.arange(0, self._incoming.num_rows), value_set=placed)
        return self._incoming.filter(pc.invert(known))

    def _encode(self, tables: Iterable[pa.Table]) -> Iterator[PartEncoder]:
        filled = (table for table in tables if table.num_rows)
        return self._parts.encode_all(
            filled, rows_max=self._bounds.rows, bytes_max=self._bounds.bytes
        )


class _OldRows:
    """The rows of a file, in batches that stay in the processor's caches, each with the number of
    its first row.

    The first batches of a small file are kept after `peek`; a large file is read again.
    """

    def __init__(
        self, parquet: pq.ParquetFile, rows: int, *, have: pa.Schema, want: pa.Schema
    ) -> None:
        """`rows`: of a batch, at most."""
        self._parquet = parquet
        self._rows = rows
        self._have = have
        self._want = want
        self._is_small = parquet.num_row_groups == 1
        self._seen: deque[tuple[int, pa.Table]] = deque()
        self._rest = self._open()

    def peek(self) -> Iterator[tuple[int, pa.Table]]:
        """All rows, which `read` returns again."""
        for batch in self._rest:
            if self._is_small:
                self._seen.append(batch)
            yield batch

    def read(self) -> Iterator[tuple[int, pa.Table]]:
        """All rows."""
        if not self._is_small:
            self._rest = self._open()
        while self._seen:
            yield self._seen.popleft()
        yield from self._rest

    def _open(self) -> Iterator[tuple[int, pa.Table]]:
        for first, table in read_batches(self._parquet, self._want.names, rows=self._rows):
            yield first, align_table(table, self._have, self._want)
