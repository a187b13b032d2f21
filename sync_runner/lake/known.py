"""Which rows of an append the table has already.

A source that answers "from this moment on" hands out the last rows again at each run, and so does
look-back. A row that the table holds value for value is taken for the same row. Only rows up to the
table's highest cursor can be such, so that usually a handful is compared with the end of the newest
file. JSON counts by what it says: a server may name an object's members in another order each time,
and a stream that has turned to structs spells them in one of its own.
"""

import json
from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from sync_runner.lake.files import DataFile, open_file, read_groups
from sync_runner.lake.keys import Key, overlap
from sync_runner.lake.shape import align_table
from sync_runner.records.dedupe import build_keys, match
from sync_runner.records.widen import as_json_text, is_json
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
        known = list(self._read_alike(candidates))
        if not known:
            return asked.slice(0, 0)
        same = _match(candidates, known, exact=True)
        others = pc.indices_nonzero(pc.invert(same))
        if len(others) and any(is_json(field) for field in rows.schema):
            alike = _match(candidates.take(others), known, exact=False)
            same = pc.or_(
                same, match(pa.arange(0, len(same)), others.filter(alike).cast(pa.int64()))
            )
        return asked.filter(same)

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

    def _read_alike(self, rows: pa.Table) -> Iterator[pa.Table]:
        """The table's rows of the same cursor values."""
        within = self._key.ranges_of(rows)
        values = self._key.of(rows)
        for file in self._files:
            if overlap(file.ranges, within, [self._cursor]):
                yield from self._read_file(file, rows.schema, values)

    def _read_file(self, file: DataFile, want: pa.Schema, values: pa.Array) -> Iterator[pa.Table]:
        parquet = open_file(self._store, file)
        for number, (_, keys) in enumerate(read_groups(parquet, [self._cursor])):
            found = match(self._key.of(align_table(keys, self._have, self._key.schema)), values)
            if pc.any(found).as_py():
                for _, table in read_groups(parquet, want.names, [number]):
                    yield align_table(table, self._have, want).filter(found)


def _match(rows: pa.Table, known: Sequence[pa.Table], *, exact: bool) -> pa.Array:
    """For each row whether it is among the known ones."""
    texts = [_as_text(table, exact=exact) for table in known]
    return match(_as_text(rows, exact=exact), pa.chunked_array(texts).combine_chunks())


def _as_text(table: pa.Table, *, exact: bool) -> pa.Array:
    """Each row as bytes that no two different rows share; not `exact`: that differ in more than
    the spelling of JSON.
    """
    columns = []
    for field, column in zip(table.schema, table.columns, strict=True):
        if pa.types.is_nested(field.type):
            columns.append(as_json_text(column))
        elif is_json(field) and not exact:
            columns.append(pa.array(map(_respell, column.to_pylist()), pa.string()))
        else:
            columns.append(column)
    return build_keys(pa.table(columns, names=table.schema.names), table.schema.names)


def _respell(text: str | None) -> str | None:
    """JSON text with its members in order, and without those that are null."""
    return None if text is None else json.dumps(_without_nulls(json.loads(text)), sort_keys=True)


def _without_nulls(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_nulls(item) for item in value]
    if not isinstance(value, dict):
        return value
    members = {key: _without_nulls(member) for key, member in value.items()}
    return {key: member for key, member in members.items() if member is not None} or None
