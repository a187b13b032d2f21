"""Which rows of an append the table has already.

A source that answers "from this moment on" hands out the last rows again at each run, and so does
look-back. A row that the table holds value for value is taken for the same row. Only rows up to the
table's highest cursor can be such, so that usually a handful is compared with the end of the newest
file.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from sync_runner.lake.files import DataFile, open_file, read_groups
from sync_runner.lake.keys import Key, overlap
from sync_runner.lake.shape import align_table
from sync_runner.records.dedupe import build_keys, match
from sync_runner.records.widen import JSON_KEY, convert
from sync_runner.storage import ObjectStore


class KnownRows:
    """The rows of a table, to be asked whether some are among them."""

    def __init__(
        self, store: ObjectStore, files: Sequence[DataFile], *, have: pa.Schema, cursor: pa.Field
    ) -> None:
        """`have`: the table's schema; `cursor`: the column that says which rows may come again."""
        self._store = store
        self._files = files
        self._have = have
        self._key = Key(pa.schema([cursor]))
        self._cursor: str = cursor.name

    def find(self, rows: pa.Table) -> pa.Array:
        """Numbers of the rows that the table has already, ascending."""
        near = self._near(rows)
        asked = pc.indices_nonzero(near).cast(pa.int64())
        if not len(asked):
            return asked
        candidates = rows.take(asked)
        texts = list(self._read_alike(candidates))
        if not texts:
            return asked.slice(0, 0)
        known = match(_as_text(candidates), pa.chunked_array(texts).combine_chunks())
        return asked.filter(known)

    def _near(self, rows: pa.Table) -> pa.ChunkedArray:
        """Whether each row's cursor is up to the table's highest, as far as that is known."""
        highest: Any = None
        for file in self._files:
            known = file.ranges.get(self._cursor)
            if known is None:
                return pa.chunked_array([pa.repeat(pa.scalar(value=True), rows.num_rows)])
            highest = known[1] if highest is None else max(highest, known[1])
        column = rows.column(self._cursor)
        if highest is None:
            return pa.chunked_array([pa.repeat(pa.scalar(value=False), rows.num_rows)])
        return pc.fill_null(pc.less_equal(column, pa.scalar(highest, column.type)), fill_value=True)

    def _read_alike(self, rows: pa.Table) -> Iterator[pa.Array]:
        """The table's rows of the same cursor values, as text."""
        within = self._key.ranges_of(rows)
        values = self._key.of(rows)
        for file in self._files:
            if overlap(file.ranges, within, [self._cursor]):
                yield from self._read_file(file, rows.schema, values)

    def _read_file(self, file: DataFile, want: pa.Schema, values: pa.Array) -> Iterator[pa.Array]:
        parquet = open_file(self._store, file)
        for number, (_, keys) in enumerate(read_groups(parquet, [self._cursor])):
            found = match(self._key.of(align_table(keys, self._have, self._key.schema)), values)
            if pc.any(found).as_py():
                for _, table in read_groups(parquet, want.names, [number]):
                    yield _as_text(align_table(table, self._have, want).filter(found))


def _as_text(table: pa.Table) -> pa.Array:
    """Each row as bytes that no two different rows share."""
    columns = []
    for field, column in zip(table.schema, table.columns, strict=True):
        if pa.types.is_nested(field.type):
            text = pa.field(field.name, pa.string(), metadata={JSON_KEY: b"1"})
            columns.append(convert(column, field, text))
        else:
            columns.append(column)
    return build_keys(pa.table(columns, names=table.schema.names), table.schema.names)
