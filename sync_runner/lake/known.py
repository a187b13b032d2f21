"""Which rows of an append the table has already.

A source that answers "from this moment on" hands out the last rows again at each run, and so does
look-back. A row that the table holds value for value is taken for the same row. Only rows up to the
table's highest cursor can be such, so that usually a handful is compared with the end of the newest
file. JSON counts by what it says: a server may name an object's members in another order each time,
and a stream that has turned to structs spells them in one of its own.
"""

import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal
from functools import partial
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from sync_runner.lake.files import DataFile, open_file, read_groups
from sync_runner.lake.keys import Key, overlap
from sync_runner.lake.shape import align_table
from sync_runner.records.dedupe import build_keys, match
from sync_runner.records.widen import as_json_text, is_json
from sync_runner.storage import ObjectStore

_EXACT = Context(prec=1_000_000, Emax=MAX_EMAX, Emin=MIN_EMIN)


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

    def find(self, rows: pa.Table, came: pa.Schema) -> pa.Array:
        """Numbers of the rows that the table has already, ascending. `came`: the schema in which
        the source gave them.
        """
        near = self._near(rows)
        asked = pc.indices_nonzero(near).cast(pa.int64())
        if not len(asked):
            return asked
        candidates = rows.take(asked)
        known = list(self._read_alike(candidates))
        if not known:
            return asked.slice(0, 0)
        same = match(_as_text(candidates), _join(map(_as_text, known)))
        others = pc.indices_nonzero(pc.invert(same)).cast(pa.int64())
        if len(others) and any(map(is_json, rows.schema)):
            alike = _find_alike(candidates.take(others), known, _find_structs(came))
            same = pc.or_(same, match(pa.arange(0, len(same)), others.filter(alike)))
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


def _find_structs(schema: pa.Schema) -> set[str]:
    """Columns that came as structs and lists, whatever the table has them as."""
    return {field.name for field in schema if pa.types.is_nested(field.type)}


def _find_alike(rows: pa.Table, known: Sequence[pa.Table], structs: Collection[str]) -> pa.Array:
    """For each row whether a known one says the same. JSON is only read where all else is alike."""
    plain = [field.name for field in rows.schema if not is_json(field)]
    wanted = _as_text(rows.select(plain))
    near = [table.filter(match(_as_text(table.select(plain)), wanted)) for table in known]
    texts = _join(_as_text(_respell(table, structs)) for table in near)
    return match(_as_text(_respell(rows, structs)), texts)


def _join(texts: Iterable[pa.Array]) -> pa.Array:
    return pa.chunked_array(list(texts)).combine_chunks()


def _as_text(table: pa.Table) -> pa.Array:
    """Each row as bytes that no two different rows share."""
    columns = [
        as_json_text(column) if pa.types.is_nested(column.type) else column
        for column in table.columns
    ]
    return build_keys(pa.table(columns, names=table.schema.names), table.schema.names)


def _respell(table: pa.Table, structs: Collection[str]) -> pa.Table:
    """JSON spelled in one way only."""
    columns = []
    for field, column in zip(table.schema, table.columns, strict=True):
        if is_json(field):
            spell = partial(_spell, is_struct=field.name in structs)
            columns.append(pa.array(map(spell, column.to_pylist()), pa.string()))
        else:
            columns.append(column)
    return pa.table(columns, names=table.schema.names)


def _spell(text: str | None, *, is_struct: bool) -> str | None:
    """Members in order, and numbers by their value; where one side was a struct, without what
    structs do not tell apart. What cannot be read so is its own spelling.
    """
    if text is None:
        return None
    try:
        value = json.loads(text, parse_int=_mark, parse_float=_mark)
        return json.dumps(_without_nulls(value) if is_struct else value, sort_keys=True)
    except (ValueError, ArithmeticError, RecursionError):
        return text


def _mark(number: str) -> str:
    """A number's value as text that no string of JSON is likely to be."""
    return f"\0{Decimal(number).normalize(_EXACT)}"


def _without_nulls(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_nulls(item) for item in value]
    if not isinstance(value, dict):
        return value
    members = {key: _without_nulls(member) for key, member in value.items()}
    return {key: member for key, member in members.items() if member is not None} or None
