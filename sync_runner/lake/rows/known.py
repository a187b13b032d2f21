"""Finds the rows of an append that the table has already.

A source that returns rows "from this time on" returns the last rows again at each run, and so does
look-back. A row whose values equal those of a row of the table counts as that row, once for each
time that the table has it: of three equal events, one of which was read before, two are new. Only
rows up to the highest cursor that the table had when the walk began can repeat, so that usually few
are compared with the end of the newest file. JSON is compared by value: a server may return an
object's members in another order each time, and structs have an order of their own. `voids`
compares values that were not a column yet when they were first read.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc
from external_data_operator.api.cursors import DEFAULT_TYPE, CursorType

from sync_runner.lake.parquet.files import DataFile, open_file, read_groups
from sync_runner.lake.rows.keys import PrimaryKey, overlap
from sync_runner.lake.rows.shape import align_table
from sync_runner.lake.rows.spelling import find_spelled, respell
from sync_runner.lake.rows.voids import can_be_void, find_suspects, pair_rows
from sync_runner.records.cursor_column import read_values
from sync_runner.records.dedupe import build_keys, match
from sync_runner.records.numeric import cast_numbers, is_number
from sync_runner.records.widen import as_json_text, is_json, may_be_structs
from sync_runner.storage import ObjectStore

_Pair: TypeAlias = Callable[[pa.Table, pa.Table, Collection[str]], tuple[pa.Array, pa.Table]]


@dataclass(frozen=True)
class Boundary:
    """The rows that may repeat: those without a cursor, and those up to the highest cursor that the
    table had when the walk began. Rows that the walk itself has published do not repeat.
    """

    cursor: str
    highest: Any
    """None if a file does not contain it."""
    kind: CursorType = DEFAULT_TYPE
    """How values of the cursor compare; other text counts as null."""
    is_passed: bool = False
    """Whether the walk has reached rows above all that the table had."""

    def find_near(self, rows: pa.Table) -> pa.ChunkedArray:
        """Whether each row may be one that the table has."""
        column = rows.column(self.cursor)
        # Equal rows of the same walk are different rows, also before and after a publication.
        if self.is_passed:
            return read_values(column.combine_chunks(), self.kind).values.is_null()
        highest = self._find_highest(column.type)
        if highest is None:
            return pc.or_(column.is_null(), pa.scalar(value=True))
        return pc.fill_null(pc.less_equal(column, highest), fill_value=True)

    def _find_highest(self, type_: pa.DataType) -> pa.Scalar | None:
        """The highest value in the type that the column has now; None if that is text of numbers,
        which has another order.
        """
        if not isinstance(self.highest, int | float | Decimal):
            is_turned = pa.types.is_string(type_) and not isinstance(self.highest, str)
            return None if self.highest is None or is_turned else pa.scalar(self.highest, type_)
        return cast_numbers(pa.array([self.highest]), type_)[0] if is_number(type_) else None


def find_boundary(
    files: Sequence[DataFile], cursor: str, kind: CursorType = DEFAULT_TYPE
) -> Boundary:
    """The boundary of the rows of a table."""
    ranges = [file.ranges.get(cursor) for file in files]
    known = [found[1] for found in ranges if found is not None]
    highest = max(known) if known and len(known) == len(ranges) else None  # type: ignore[type-var] # bounds of one column
    return Boundary(cursor, highest, kind)


@dataclass(frozen=True)
class _Asked:
    """Rows that may come again, and which of them the table has value for value."""

    numbers: pa.Array
    rows: pa.Table
    same: pa.Array
    left: pa.Table
    """The table's rows of the same cursor values that are none of them."""


class KnownRows:
    """The rows of a table, in which rows of an append are looked up."""

    def __init__(
        self,
        store: ObjectStore,
        files: Sequence[DataFile],
        *,
        have: pa.Schema,
        cursor: pa.Field,
        boundary: Boundary,
    ) -> None:
        """`have`: the table's schema; `cursor`: the column that limits the rows that may repeat."""
        self._store = store
        self._files = files
        self._have = have
        self._key = PrimaryKey(pa.schema([cursor]))
        self._cursor: str = cursor.name
        self._boundary = boundary
        self._found: list[pa.Array] = []
        """The table's rows that were found before, as text: each is found once."""

    def find(self, rows: pa.Table, came: pa.Schema) -> pa.Array:
        """Numbers of the rows that the table has already, ascending. `came`: the schema in which
        the source sent them.
        """
        asked = self._ask(rows)
        same, left = asked.same, asked.left
        # Rows with equal text are paired first, then the others by looser comparisons.
        for pair, structs in self._find_likeness(rows.schema, came):
            others = pc.indices_nonzero(pc.invert(same)).cast(pa.int64())
            if not len(others) or not left.num_rows:
                break
            alike, left = pair(asked.rows.take(others), left, structs)
            same = pc.or_(same, match(pa.arange(0, len(same)), others.filter(alike)))
        return asked.numbers.filter(same)

    def find_exact(self, rows: pa.Table) -> tuple[pa.Array, pa.Array]:
        """Numbers of the rows that the table has value for value, and of those that it may have in
        another spelling, both ascending. Rows in several pieces are all asked for like this before
        any is asked for by `find`, which could take what belongs to a later one.
        """
        asked = self._ask(rows)
        others = asked.numbers.filter(pc.invert(asked.same))
        return asked.numbers.filter(asked.same), others if asked.left.num_rows else others[:0]

    def _ask(self, rows: pa.Table) -> _Asked:
        near = self._boundary.find_near(rows)
        asked = pc.indices_nonzero(near).cast(pa.int64())
        candidates = rows.take(asked)
        alike = self._read_alike(candidates) if len(asked) else ()
        known = self._drop_found(_concat(alike, rows.schema))
        if not known.num_rows:
            return _Asked(asked, candidates, _none_of(candidates), known)
        same, left = self._pair(_as_text(candidates), known, _as_text(known))
        return _Asked(asked, candidates, same, left)

    def _find_likeness(self, rows: pa.Schema, came: pa.Schema) -> list[tuple[_Pair, set[str]]]:
        """Ways in which rows are alike, the strictest first, each with the columns that count by
        what structs tell.
        """
        strict = _find_structs(came)
        # JSON that is a struct in some batches counts by all that it says before it counts by less.
        loose = strict | {field.name for field in rows if is_json(field) and may_be_structs(field)}
        pairs = (self._pair_json, self._pair_texts, self._pair_voids)
        by_columns = [strict] if loose == strict else [strict, loose]
        return [(pair, columns) for columns in by_columns for pair in pairs]

    def _pair(
        self, wanted: pa.Array, known: pa.Table, texts: pa.Array
    ) -> tuple[pa.Array, pa.Table]:
        """For each wanted row whether a known row of the same text is left for it, and the known
        rows that are left afterwards.
        """
        wanted, texts = _number(wanted), _number(texts)
        used = match(texts, wanted)
        self._found.append(_as_text(known.filter(used)))
        return match(wanted, texts), known.filter(pc.invert(used))

    def _drop_found(self, known: pa.Table) -> pa.Table:
        if not known.num_rows or not self._found:
            return known
        found = match(_number(_as_text(known)), _number(_join(self._found)))
        return known.filter(pc.invert(found))

    def _pair_json(
        self, rows: pa.Table, known: pa.Table, structs: Collection[str]
    ) -> tuple[pa.Array, pa.Table]:
        """Pairs rows with JSON compared by value."""
        return self._pair_alike(rows, known, structs, texts=False)

    def _pair_texts(
        self, rows: pa.Table, known: pa.Table, structs: Collection[str]
    ) -> tuple[pa.Array, pa.Table]:
        """Pairs rows with other text that contains objects or lists compared by value, too."""
        return self._pair_alike(rows, known, structs, texts=True)

    def _pair_alike(
        self, rows: pa.Table, known: pa.Table, structs: Collection[str], *, texts: bool
    ) -> tuple[pa.Array, pa.Table]:
        """Parses values with several spellings only if all other values are equal."""
        spelled = [n for n in find_spelled(rows, known, texts=texts) if n != self._cursor]
        if not spelled:
            return _none_of(rows), known
        plain = [name for name in rows.schema.names if name not in spelled]
        is_near = match(_as_text(known.select(plain)), _as_text(rows.select(plain)))
        near = known.filter(is_near)
        told = spelled if texts else ()
        said = _as_text(respell(near, structs, texts=told))
        same, left = self._pair(_as_text(respell(rows, structs, texts=told)), near, said)
        return same, pa.concat_tables([known.filter(pc.invert(is_near)), left]).combine_chunks()

    def _pair_voids(
        self, rows: pa.Table, known: pa.Table, structs: Collection[str]
    ) -> tuple[pa.Array, pa.Table]:
        """Pairs rows that are equal except for empty values, where the table has null."""
        open_ = [f.name for f in rows.schema if can_be_void(f.type) and f.name != self._cursor]
        plain = [name for name in rows.schema.names if name not in open_]
        suspects = pc.indices_nonzero(find_suspects(rows.select(open_))).cast(pa.int64())
        if not len(suspects):
            return _none_of(rows), known
        came = rows.take(suspects)
        beside = _as_text(came.select(plain))
        others = _as_text(known.select(plain))
        near = pc.indices_nonzero(match(others, beside)).cast(pa.int64())
        held = respell(known.take(near).select(open_), structs)
        pairs = pair_rows(respell(came.select(open_), structs), held, beside, others.take(near))
        found = match(pa.arange(0, rows.num_rows), suspects.take(_numbers(pairs.keys())))
        used = match(pa.arange(0, known.num_rows), near.take(_numbers(pairs.values())))
        self._found.append(_as_text(known.filter(used)))
        return found, known.filter(pc.invert(used))

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


def find_exact(known: KnownRows, pieces: Iterable[pa.Table]) -> tuple[pa.Array, pa.Array]:
    """`KnownRows.find_exact` for rows in several pieces, whose numbers go on from each to the
    next.
    """
    first, same, others = 0, [_numbers(())], [_numbers(())]
    for piece in pieces:
        exact, rest = known.find_exact(piece)
        same.append(pc.add(exact, first))
        others.append(pc.add(rest, first))
        first += piece.num_rows
    return pa.concat_arrays(same), pa.concat_arrays(others)


def find_alike(
    known: KnownRows, pieces: Iterable[pa.Table], numbers: pa.Array, came: pa.Schema
) -> pa.Array:
    """`KnownRows.find` for those rows of several pieces that have these numbers."""
    first, found = 0, [_numbers(())]
    for piece in pieces:
        end = first + piece.num_rows
        is_here = pc.and_(pc.greater_equal(numbers, first), pc.less(numbers, end))
        here = numbers.filter(is_here)
        if len(here):
            found.append(here.take(known.find(piece.take(pc.subtract(here, first)), came)))
        first = end
    return pa.concat_arrays(found)


def says_same(one: pa.Table, other: pa.Table) -> bool:
    """Whether two tables of one schema have the same rows in the same order, JSON by value."""
    if one.equals(other):
        return True
    plain = [field.name for field in one.schema if not is_json(field)]
    if len(plain) == one.num_columns or not one.select(plain).equals(other.select(plain)):
        return False
    return bool(respell(one).equals(respell(other)))


def _find_structs(schema: pa.Schema) -> set[str]:
    """Columns that the source sent as structs and lists, whatever their type in the table."""
    return {field.name for field in schema if pa.types.is_nested(field.type)}


def _none_of(rows: pa.Table) -> pa.Array:
    return pa.repeat(pa.scalar(value=False), rows.num_rows)


def _numbers(numbers: Iterable[int]) -> pa.Array:
    return pa.array(numbers, pa.int64())


def _concat(tables: Iterable[pa.Table], schema: pa.Schema) -> pa.Table:
    return pa.concat_tables([schema.empty_table(), *tables]).combine_chunks()


def _number(texts: pa.Array) -> pa.Array:
    """Each text with the number of equal ones before it, so that all differ."""
    codes = texts.dictionary_encode(null_encoding="encode").indices
    order = pc.sort_indices(codes)
    counts = pc.value_counts(codes.take(order)).field("counts")
    first = pc.subtract(pc.cumulative_sum(counts), counts)
    numbers = pc.subtract(pa.arange(0, len(codes)), first.take(codes.take(order)))
    numbered = pa.table({"text": texts, "number": numbers.take(pc.sort_indices(order))})
    return build_keys(numbered, numbered.schema.names)


def _join(texts: Iterable[pa.Array]) -> pa.Array:
    return pa.chunked_array(list(texts)).combine_chunks()


def _as_text(table: pa.Table) -> pa.Array:
    """Each row as bytes that no two different rows share."""
    columns = [
        as_json_text(column) if pa.types.is_nested(column.type) else column
        for column in table.columns
    ]
    return build_keys(pa.table(columns, names=table.schema.names), table.schema.names)
