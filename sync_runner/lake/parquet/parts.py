"""Writes Parquet parts: row groups are encoded as they come, and the whole part is uploaded in one
request.

A part is uploaded to its final path; only the log makes it part of the table. Its name contains the
process that wrote it, so that two processes never write the same object, not even two pods of one
run.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import count
from math import isnan

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from sync_runner.lake.parquet.files import DataFile, Held, find_file_numbers, open_file
from sync_runner.lake.parquet.stats import read_ranges, read_stats
from sync_runner.lake.policy import Actor
from sync_runner.protocols import Step
from sync_runner.records.dedupe import Order
from sync_runner.storage import ObjectStore

DATA_FOLDER = "data"
_SAMPLE_ROWS = 8_192
_DISTINCT_SHARE_MAX = 0.4


@dataclass(frozen=True)
class Part(DataFile):
    """A part in the store, with its own schema and the log's statistics of it."""

    schema: pa.Schema = field(default_factory=lambda: pa.schema([]))
    stats: str = "{}"
    order: Order = Order.NONE
    """How the rows follow each other by key."""


class _Chunks:
    """The output of the encoder: a list of pieces, so that nothing grows by copying."""

    closed = False

    def __init__(self) -> None:
        self.pieces: list[bytes] = []
        self.size = 0

    def write(self, data: bytes) -> int:
        piece = bytes(data)
        self.pieces.append(piece)
        self.size += len(piece)
        return len(piece)

    def tell(self) -> int:
        return self.size

    def flush(self) -> None:
        """Does nothing: no data is buffered."""

    def close(self) -> None:
        """Does nothing: the pieces stay."""


class PartEncoder:
    """One part that is being encoded, in memory.

    Columns with NaN get no statistics: Spark, DuckDB and Polars order it above every number, and
    the encoder leaves it out of the highest value, by which they would skip its row group.
    """

    def __init__(self, first: pa.Table) -> None:
        """The first row group decides on schema and encodings; it still has to be written."""
        self.schema: pa.Schema = first.schema
        self.rows = 0
        self._paths = list(dict.fromkeys(path for path, _ in _leaves_of(first)))
        self._dictionaries = _pick_dictionaries(first)
        self._nan: set[str] = set()
        self._open()

    def _open(self) -> None:
        self._chunks = _Chunks()
        self._footers: list[pq.FileMetaData] = []
        self._writer = pq.ParquetWriter(
            self._chunks,
            self.schema,
            compression="zstd",
            compression_level=1,
            use_dictionary=self._dictionaries,
            write_statistics=[p for p in self._paths if p not in self._nan] if self._nan else True,
            metadata_collector=self._footers,
        )

    @property
    def size(self) -> int:
        """Bytes so far."""
        return self._chunks.size

    def write(self, group: pa.Table) -> None:
        """Adds one row group."""
        nan = _find_nan(group)
        if not nan <= self._nan:
            self._reopen(nan)
        self._writer.write_table(group, row_group_size=max(1, group.num_rows))
        self.rows += group.num_rows

    def _reopen(self, nan: set[str]) -> None:
        """Encodes the row groups so far again, without statistics of these columns."""
        pieces, _ = self.close()
        written = pq.ParquetFile(pa.BufferReader(b"".join(pieces)))
        self._nan |= nan
        self._open()
        for number in range(written.num_row_groups):
            group = written.read_row_group(number).cast(self.schema)
            self._writer.write_table(group, row_group_size=max(1, group.num_rows))

    def close(self) -> tuple[list[bytes], pq.FileMetaData]:
        """The part's bytes, and its footer."""
        self._writer.close()
        return self._chunks.pieces, self._footers[0]


class PartStore:
    """Names and uploads the parts of one process."""

    def __init__(
        self, actor: Actor, store: ObjectStore, attempt: str, notable: frozenset[str]
    ) -> None:
        """`attempt` names this process, and so its parts; of `notable` columns the ranges are
        kept.
        """
        self.store = store
        self.attempt = attempt
        self._steps = actor.steps
        self._group_rows = actor.policy.group_rows
        self._notable = notable
        self._count = count(1)

    def upload(self, encoder: PartEncoder, order: Order = Order.NONE) -> Part:
        """Closes the part and puts it into the store."""
        pieces, footer = encoder.close()
        path = f"{DATA_FOLDER}/{self.attempt}-{next(self._count):05d}.parquet"
        self._steps(Step.WRITING)
        self.store.put(path, pieces)
        self._steps(Step.UPLOADED)
        return self._describe(path, sum(map(len, pieces)), footer, encoder.schema, order)

    def hold(self, part: Part) -> Held:
        """A part's rows, as far as a table's shape depends on them."""
        return Held(part.schema, lambda name: find_file_numbers(self.store, part, name))

    def reopen(self, path: str, *, size: int, rows: int, order: Order) -> Part:
        """A part of an earlier pod, with its footer's metadata; TABLE_DAMAGED if it is missing."""
        parquet = open_file(self.store, DataFile(path, size, rows))
        return self._describe(path, size, parquet.metadata, parquet.schema_arrow, order)

    def write_all(self, tables: Iterable[pa.Table], *, rows_max: int, bytes_max: int) -> list[Part]:
        """Encodes tables of one schema as row groups of as few parts as the bounds allow."""
        encoders = self.encode_all(tables, rows_max=rows_max, bytes_max=bytes_max)
        return [self.upload(encoder) for encoder in encoders]

    def encode_all(
        self, tables: Iterable[pa.Table], *, rows_max: int, bytes_max: int
    ) -> Iterator[PartEncoder]:
        """The same parts, each as soon as it is complete, and not yet uploaded."""
        encoder: PartEncoder | None = None
        for table in tables:
            for group in cut_groups(table, self._group_rows):
                encoder = encoder or PartEncoder(group)
                encoder.write(group)
                if encoder.rows >= rows_max or encoder.size >= bytes_max:
                    yield encoder
                    encoder = None
        if encoder is not None:
            yield encoder

    def _describe(
        self, path: str, size: int, footer: pq.FileMetaData, schema: pa.Schema, order: Order
    ) -> Part:
        return Part(
            path=path,
            size=size,
            rows=footer.num_rows,
            ranges=read_ranges(footer, schema, self._notable),
            schema=schema,
            stats=read_stats(footer, schema, self._notable),
            order=order,
        )


def cut_groups(table: pa.Table, rows: int) -> Iterator[pa.Table]:
    """Row groups of about `rows` rows each; a few rows more do not start another one."""
    pieces = max(1, round(table.num_rows / rows))
    size = -(-table.num_rows // pieces)
    for first in range(0, table.num_rows, max(1, size)):
        yield table.slice(first, size)


def _pick_dictionaries(sample: pa.Table) -> list[str] | bool:
    """Columns whose values repeat; trying a dictionary for the others costs time and memory, and
    the encoder gives it up.
    """
    head = sample.slice(0, min(sample.num_rows, _SAMPLE_ROWS)).combine_chunks()
    return [path for path, values in _leaves_of(head) if _repeats(values)] or False


def _find_nan(group: pa.Table) -> set[str]:
    """Columns with NaN, by their paths in Parquet."""
    fractions = [field.name for field in group.schema if _has_fractions(field.type)]
    leaves = _leaves_of(group.select(fractions)) if fractions else ()
    return {
        path for path, values in leaves if pa.types.is_floating(values.type) and _has_nan(values)
    }


def _has_nan(values: pa.Array) -> bool:
    """A sum is NaN if a value is, or if both infinities are in it. It costs less than a
    test of each value.
    """
    total = pc.sum(values).as_py()
    return total is not None and isnan(total) and bool(pc.any(pc.is_nan(values)).as_py())


def _has_fractions(type_: pa.DataType) -> bool:
    if pa.types.is_floating(type_):
        return True
    return any(_has_fractions(type_.field(i).type) for i in range(type_.num_fields))


def _leaves_of(table: pa.Table) -> Iterator[tuple[str, pa.Array]]:
    for name in table.schema.names:
        for chunk in table.column(name).chunks:
            yield from _find_leaves(name, chunk)


def _find_leaves(path: str, values: pa.Array) -> Iterator[tuple[str, pa.Array]]:
    """The columns that a column is made of in Parquet, by the paths that they have there."""
    if pa.types.is_struct(values.type):
        for member, inner in zip(values.type, values.flatten(), strict=True):
            yield from _find_leaves(f"{path}.{member.name}", inner)
    elif pa.types.is_list(values.type):
        yield from _find_leaves(f"{path}.list.element", values.flatten())
    elif not pa.types.is_map(values.type):
        yield path, values


def _repeats(values: pa.Array) -> bool:
    """Whether a dictionary is worth its cost; booleans gain nothing, and nulls have none."""
    if pa.types.is_boolean(values.type) or pa.types.is_null(values.type):
        return False
    return bool(pc.count_distinct(values).as_py() <= max(1, len(values) * _DISTINCT_SHARE_MAX))
