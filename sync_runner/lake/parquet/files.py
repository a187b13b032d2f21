"""Parquet files in the store: their metadata, and reading them piece by piece."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from io import SEEK_CUR, SEEK_END, SEEK_SET, RawIOBase
from urllib.parse import unquote

import pyarrow as pa
import pyarrow.parquet as pq
from external_data_operator.api.conditions import Reason

from sync_runner.errors import ConfigurationError
from sync_runner.records.numeric import Numbers
from sync_runner.storage import ObjectStore

_TAIL_BYTES = 64 << 10
WHOLE_BYTES = 512 << 10
"""A file of up to this size is fetched in one request, whichever part is needed."""
_FETCHED_BYTES = 8 << 20
_LOOKS = 4
"""A store may lag behind its own writes; a file counts as missing after this number of requests.
"""

Range = tuple[object, object] | None
"""Lowest and highest value of a column; None if that is not known, or some are null."""


@dataclass(frozen=True)
class DataFile:
    """A file of the table, or a part that is to become one. `rows` is -1 if unknown."""

    path: str
    """As the log spells it, which is a URL: a remove has to repeat it exactly."""
    size: int
    rows: int
    ranges: dict[str, Range] = field(default_factory=dict)
    """The ranges of key columns."""

    @property
    def key(self) -> str:
        """The object's path in the store."""
        return unquote(self.path)


@dataclass(frozen=True)
class Held:
    """Rows of one schema, in memory or in a part."""

    schema: pa.Schema
    find_numbers: Callable[[str], Numbers]
    """The values of a column."""


class _RangeFile(RawIOBase):
    """An object as a file that can be read at any offset; its end, which has the footer, is
    fetched once.
    """

    def __init__(self, store: ObjectStore, file: DataFile, *, tail_bytes: int) -> None:
        super().__init__()
        self._store = store
        self._path = file.key
        self._size = file.size
        self._at = 0
        self._tail_start = max(0, file.size - tail_bytes)
        self._tail = self._fetch(self._tail_start, file.size - self._tail_start)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def size(self) -> int:
        return self._size

    def seek(self, offset: int, whence: int = SEEK_SET) -> int:
        self._at = offset + {SEEK_SET: 0, SEEK_CUR: self._at, SEEK_END: self._size}[whence]
        return self._at

    def read(self, size: int = -1) -> memoryview:
        length = self._size - self._at if size < 0 else min(size, self._size - self._at)
        start, self._at = self._at, self._at + length
        if start >= self._tail_start:
            return self._tail[start - self._tail_start :][:length]
        return self._fetch(start, length)

    def _fetch(self, start: int, length: int) -> memoryview:
        if length == 0:
            return memoryview(b"")
        found = None
        for _ in range(_LOOKS):
            found = self._store.read_range(self._path, start=start, length=length)
            if found is not None:
                break
        if found is None or len(found) != length:
            raise damaged(f"its file {self._path} is {'missing' if found is None else 'cut short'}")
        return found


def damaged(what: str) -> ConfigurationError:
    """The error that ends a run whose table lacks files."""
    message = (
        f"The table is damaged: {what}. Restore it, or delete the table's folder to import "
        "everything again."
    )
    return ConfigurationError(Reason.TABLE_DAMAGED, message)


def open_file(store: ObjectStore, file: DataFile) -> pq.ParquetFile:
    """Opens it; TABLE_DAMAGED if it is missing or not a Parquet file."""
    tail_bytes = file.size if file.size <= WHOLE_BYTES else _TAIL_BYTES
    ranges = _RangeFile(store, file, tail_bytes=tail_bytes)
    return _parse(pa.PythonFile(ranges, mode="r"), file)


def fetch_file(store: ObjectStore, file: DataFile) -> pq.ParquetFile:
    """Opens it after fetching all of it at once, if it is small enough for memory."""
    if file.size > _FETCHED_BYTES:
        return open_file(store, file)
    whole = _RangeFile(store, file, tail_bytes=file.size)
    return _parse(pa.BufferReader(pa.py_buffer(whole.read())), file)


def _parse(source: pa.NativeFile, file: DataFile) -> pq.ParquetFile:
    try:
        return pq.ParquetFile(source, pre_buffer=True)
    except pa.ArrowInvalid as error:
        raise damaged(f"its file {file.path} is not a Parquet file") from error


def read_groups(
    parquet: pq.ParquetFile, names: Sequence[str], groups: Sequence[int] | None = None
) -> Iterator[tuple[int, pa.Table]]:
    """Row groups with the named columns as far as the file has them; each with the number of its
    first row.
    """
    wanted = _find_names(parquet, names)
    first = 0
    for group in range(parquet.num_row_groups):
        rows = parquet.metadata.row_group(group).num_rows
        if groups is None or group in groups:
            yield first, parquet.read_row_group(group, columns=wanted, use_threads=False)
        first += rows


def find_file_numbers(store: ObjectStore, file: DataFile, name: str) -> Numbers:
    """A column's values, which are read on demand."""

    def read() -> Iterator[pa.ChunkedArray]:
        for _, table in read_groups(open_file(store, file), [name]):
            if table.num_columns:
                yield table.column(name)

    return Numbers(read)


def read_batches(
    parquet: pq.ParquetFile, names: Sequence[str], *, rows: int
) -> Iterator[tuple[int, pa.Table]]:
    """The named columns in batches of at most `rows` rows, each of one row group."""
    first = 0
    wanted = _find_names(parquet, names)
    for group in range(parquet.num_row_groups):
        for batch in parquet.iter_batches(rows, [group], columns=wanted, use_threads=False):
            yield first, pa.Table.from_batches([batch])
            first += batch.num_rows


def _find_names(parquet: pq.ParquetFile, names: Sequence[str]) -> list[str]:
    has = set(parquet.schema_arrow.names)
    return [name for name in names if name in has]
