"""Prepares one commit from the staged rows of a run: the files that it adds and removes, and the
columns.

All files of a commit are in the store before the commit is tried, and readers see none of them
before it.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import pyarrow as pa
import pyarrow.compute as pc
from external_data_operator.api.conditions import Reason

from sync_runner.errors import ConfigurationError
from sync_runner.lake.delta.log import Snapshot
from sync_runner.lake.parquet.files import DataFile, find_file_numbers, open_file, read_groups
from sync_runner.lake.parquet.parts import Part, PartStore
from sync_runner.lake.parquet.stage import PartLimits, Stage
from sync_runner.lake.policy import Policy
from sync_runner.lake.rows.deletes import MARK, find_marked, join_replaced, read_mark
from sync_runner.lake.rows.keys import PrimaryKey
from sync_runner.lake.rows.known import Boundary, KnownRows, find_alike, find_exact
from sync_runner.lake.rows.merge import Merge
from sync_runner.lake.rows.replaced import KeyedFiles, Replaced, find_replaced
from sync_runner.lake.rows.shape import (
    Shape,
    align_table,
    find_staged_numbers,
    is_ready,
    join_schemas,
    shape_kept,
    shape_replaced,
)
from sync_runner.records.columns import source_of
from sync_runner.records.dedupe import find_last_of_keys
from sync_runner.records.numeric import NO_NUMBERS, ByValue, Numbers, Rule


@dataclass(frozen=True)
class Prepared:
    """The schema and the files of a commit. The files are in the store already."""

    shape: Shape
    adds: tuple[Part, ...] = ()
    removes: tuple[DataFile, ...] = ()
    replaces: bool = False
    """All files of the table, if it exists, are removed: it then has only the new ones."""

    @property
    def is_nothing(self) -> bool:
        """Whether the commit would change no rows."""
        return not (self.adds or self.removes or self.replaces)


@dataclass(frozen=True)
class Rules:
    """Which rows of the table are removed: all, those with the same key, or none."""

    keys: Sequence[str] = ()
    """Columns of the key: of rows with one key the last one is kept."""
    replaces: bool = False
    """The run's rows replace all rows of the table."""
    boundary: Boundary | None = None
    """If none is removed: which rows of the run may be in the table already."""


Keeps: TypeAlias = Callable[[pa.Field], bool]
"""Whether the run keeps a column, if the table is replaced."""


class Publisher:
    """Prepares the publications of one run."""

    def __init__(
        self,
        parts: PartStore,
        bounds: PartLimits,
        policy: Policy,
        rules: Rules,
    ) -> None:
        """`rules`: which rows of the table the publications remove."""
        self._parts = parts
        self._bounds = bounds
        self._policy = policy
        self._keys = rules.keys
        self._replaces = rules.replaces
        self._boundary = rules.boundary

    def note_published(self) -> None:
        """From now on the table also has rows of this run."""
        if self._boundary is not None:
            self._boundary = replace(self._boundary, is_passed=True)

    def prepare(self, base: Snapshot | None, stage: Stage, keeps: Keeps) -> Prepared:
        """Writes the files of the commit after `base`."""
        # Rows that are encoded and not yet in a part cannot be read; the shape depends on numbers.
        if not stage.is_unencoded:
            stage.cut()
        stage.settle()
        shape = self._shape(base, stage, keeps)
        if not shape.schema.names:
            return Prepared(shape)
        rows = self._load_small(base, stage)
        # Rows that fit into memory need no second pass over files of their own.
        if rows is not None and not (shape.widens and MARK in rows.schema.names):
            return self._prepare_small(base, shape, rows)
        # When a table is rewritten in wider types, deleted keys are looked up in the staged files,
        # where rows that are only in memory would not be found.
        stage.cut()
        stage.settle()
        return self._prepare_large(base, shape, stage)

    def _shape(self, base: Snapshot | None, stage: Stage, keeps_field: Keeps) -> Shape:
        old = None if base is None else base.schema
        if not stage.rows:
            return Shape(old or pa.schema([]))
        held = stage.held
        incoming = join_schemas(held)
        incoming.pop(MARK, None)
        keeps = old is not None and not self._replaces
        self._check_key(incoming, set(old.names) if keeps and old is not None else set())
        if base is None or old is None or self._replaces:
            kept = [field for field in old or () if keeps_field(field)]
            return shape_replaced(
                pa.schema(kept),
                incoming,
                lambda name: ByValue(NO_NUMBERS, find_staged_numbers(held, name), keeps=True),
            )
        origin = base.origin
        before = {field.name: field.type for field in origin}

        def find_rule(name: str) -> Rule:
            numbers = self._find_base_numbers(base, name), find_staged_numbers(held, name)
            return ByValue(*numbers, keeps=name in before, before=before.get(name))

        return shape_kept(old, incoming, find_rule, origin=origin)

    def _find_base_numbers(self, base: Snapshot, name: str) -> Numbers:
        """The table's numbers, which are read only if its column has to become wider: then the
        whole table is rewritten anyway.
        """
        files = (find_file_numbers(self._parts.store, file, name) for file in base.files)
        return Numbers.of_all(files)

    def _check_key(self, incoming: dict[str, pa.Field], kept: set[str]) -> None:
        """ConfigurationError if no row has a value in the key, since all rows would become one. A
        table that has the column may get a null.
        """
        for name in self._keys:
            field = incoming.get(name)
            if name not in kept and (field is None or pa.types.is_null(field.type)):
                source = name if field is None else source_of(field)
                message = (
                    f"No row has a value in primary key column {source}. Choose columns that every "
                    "row has. The rows were not published."
                )
                raise ConfigurationError(Reason.PRIMARY_KEY_MISSING, message)

    def _key(self, shape: Shape) -> PrimaryKey:
        return PrimaryKey(pa.schema([shape.schema.field(name) for name in self._keys]))

    def _load_small(self, base: Snapshot | None, stage: Stage) -> pa.Table | None:
        """All staged rows if they are in memory, or are to be merged there; else None."""
        waiting = stage.peek()
        if waiting is not None:
            return waiting
        keeps = base is not None and not self._replaces
        if not self._keys or not keeps or stage.rows > self._policy.small_rows:
            return None
        stage.cut()
        stage.settle()
        fields = join_schemas(map(self._parts.hold, stage.parts))
        schema = pa.schema(list(fields.values()))
        tables: list[pa.Table] = []
        for part in stage.parts:
            tables += self._read(part, part.schema, schema)
            if sum(table.nbytes for table in tables) > self._policy.small_bytes:
                return None
        return pa.concat_tables(tables)

    def _prepare_small(self, base: Snapshot | None, shape: Shape, rows: pa.Table) -> Prepared:
        table = align_table(rows, rows.schema, shape.schema)
        deleted = read_mark(rows)
        keeps = base is not None and not self._replaces
        # The last row of a key is its newest, even if it marks the key as deleted.
        if self._keys and table.num_rows:
            last = find_last_of_keys(self._key(shape).of(table))
            table = table if last is None else table.take(last)
            deleted = deleted if last is None or deleted is None else deleted.take(last)
        # No row of the table is compared if none of them stays.
        if not keeps:
            adds = self._write([table if deleted is None else table.filter(pc.invert(deleted))])
            return Prepared(shape, adds, _files(base), replaces=True)
        assert base is not None
        # An append recognises by their values the rows that the table has already.
        known = self._known(base, shape)
        if known is not None and table.num_rows:
            table = table.filter(_others(known.find(table, rows.schema), 0, table.num_rows))
        # Every file is rewritten, so that none is searched for keys before.
        if shape.widens:
            return self._widen(base, shape, self._write([table]))
        # Files without any of the keys stay as they are.
        if self._keys and table.num_rows:
            key = self._key(shape)
            setting = (self._parts, key, self._bounds, self._policy)
            merge = Merge(*setting, have=base.schema, incoming=table)
            merged = merge.run(base.files, deleted=deleted)
            return Prepared(shape, merged.adds, merged.removes)
        return Prepared(shape, self._write([table]))

    def _known(self, base: Snapshot, shape: Shape) -> KnownRows | None:
        """The table's rows, if staged rows may be among them."""
        boundary = self._boundary
        if boundary is None:
            return None
        if boundary.cursor not in base.schema.names:
            # No row of the table has a cursor, so that it may have any row without one.
            boundary = Boundary(base.schema.names[0], None)
        cursor = shape.schema.field(boundary.cursor)
        return KnownRows(
            self._parts.store, base.files, have=base.schema, cursor=cursor, boundary=boundary
        )

    def _prepare_large(self, base: Snapshot | None, shape: Shape, stage: Stage) -> Prepared:
        keeps = base is not None and not self._replaces
        files = base.files if keeps and base is not None else ()
        have = base.schema if keeps and base is not None else shape.schema
        replaced = self._find_replaced(shape, files, have, stage.parts)
        # Rows that mark a deleted key have replaced its rows; no file may contain them.
        replaced = join_replaced(replaced, find_marked(self._parts.store, stage.parts))
        # An append recognises by their values the rows that the table has already.
        if keeps and base is not None:
            replaced |= self._find_known(base, shape, stage.parts)
        adds = [new for part in stage.parts for new in self._ready(part, shape, replaced)]
        # No row of the table is compared if none of them stays.
        if not keeps:
            return Prepared(shape, tuple(adds), _files(base), replaces=True)
        assert base is not None
        # Every file is rewritten, even if none of its rows is replaced.
        if shape.widens:
            return self._widen(base, shape, tuple(adds), replaced)
        touched = tuple(file for file in files if file.path in replaced)
        for file in touched:
            adds += self._rewrite(file, have, shape.schema, replaced.get(file.path))
        return Prepared(shape, tuple(adds), touched)

    def _find_replaced(
        self, shape: Shape, files: Sequence[DataFile], have: pa.Schema, staged: Sequence[Part]
    ) -> Replaced:
        if not self._keys:
            return {}
        key = self._key(shape)
        keyed = KeyedFiles(self._parts.store, key, files, have, staged)
        return find_replaced(keyed, piece_rows=self._policy.piece_rows)

    def _find_known(self, base: Snapshot, shape: Shape, staged: Sequence[Part]) -> Replaced:
        known = self._known(base, shape)
        if known is None:
            return {}
        found: Replaced = {}
        others: list[tuple[Part, pa.Array]] = []
        for part in staged:
            pieces = self._read(part, part.schema, shape.schema)
            found[part.path], rest = find_exact(known, pieces)
            if len(rest):
                others.append((part, rest))
        # A row that is spelled like one of the table has taken it now, whichever part it is in.
        for part, rest in others:
            pieces = self._read(part, part.schema, shape.schema)
            alike = find_alike(known, pieces, rest, part.schema)
            both = pa.concat_arrays([found[part.path], alike])
            found[part.path] = both.take(pc.sort_indices(both))
        return {path: rows for path, rows in found.items() if len(rows)}

    def _widen(
        self, base: Snapshot, shape: Shape, adds: tuple[Part, ...], replaced: Replaced | None = None
    ) -> Prepared:
        """Rewrites every file of the table in the wider types."""
        if replaced is None:
            replaced = self._find_replaced(shape, base.files, base.schema, adds)
        rewritten = [
            part
            for file in base.files
            for part in self._rewrite(file, base.schema, shape.schema, replaced.get(file.path))
        ]
        return Prepared(shape, (*rewritten, *adds), base.files, replaces=True)

    def _ready(self, part: Part, shape: Shape, replaced: Replaced) -> list[Part]:
        """The part itself, or the parts that replace it."""
        rows = replaced.get(part.path)
        if rows is None and is_ready(part.schema, shape.schema):
            return [part]
        return self._rewrite(part, part.schema, shape.schema, rows)

    def _rewrite(
        self, file: DataFile, have: pa.Schema, want: pa.Schema, without: pa.Array | None
    ) -> list[Part]:
        return list(self._write(self._read(file, have, want, without)))

    def _read(
        self, file: DataFile, have: pa.Schema, want: pa.Schema, without: pa.Array | None = None
    ) -> Iterator[pa.Table]:
        parquet = open_file(self._parts.store, file)
        for first, table in read_groups(parquet, want.names):
            aligned = align_table(table, have, want)
            if without is not None:
                aligned = aligned.filter(_others(without, first, aligned.num_rows))
            yield aligned

    def _write(self, tables: Iterator[pa.Table] | list[pa.Table]) -> tuple[Part, ...]:
        filled = (table for table in tables if table.num_rows)
        bounds = self._bounds
        return tuple(self._parts.write_all(filled, rows_max=bounds.rows, bytes_max=bounds.bytes))


def _others(numbers: pa.Array, first: int, rows: int) -> pa.Array:
    """For each of `rows` rows from `first` on, whether its number is not among `numbers`."""
    own = pa.arange(first, first + rows).cast(numbers.type)
    return pc.invert(pc.is_in(own, value_set=numbers))


def _files(base: Snapshot | None) -> tuple[DataFile, ...]:
    return () if base is None else base.files
