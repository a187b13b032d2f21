"""The columns of a table after the rows of a run are published. Pure.

A replaced table keeps its columns, widened by the run's. A table that keeps its rows takes new
columns, and wider numbers (or their text) at the price of being rewritten; anything else is a
conflict that changes nothing. Columns that the current run has added itself take every kind of
value, so that the time of their publication does not matter.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import pyarrow as pa
from external_data_operator.api.conditions import Reason

from sync_runner.errors import ConfigurationError
from sync_runner.lake.delta.schema import type_word
from sync_runner.lake.parquet.files import Held
from sync_runner.records.columns import source_of
from sync_runner.records.numeric import ByValue, Numbers, Rule
from sync_runner.records.widen import (
    TWINS_KEY,
    Conflict,
    cast_by_name,
    convert,
    find_conflict,
    has_void,
    is_json,
    is_void,
    join_fields,
    trim,
)


@dataclass(frozen=True)
class Shape:
    """The columns that a table will have."""

    schema: pa.Schema
    new: tuple[pa.Field, ...] = ()
    """Columns that it lacks so far."""
    widens: bool = False
    """Whether files that it has hold narrower types."""


def join_schemas(held: Iterable[Held]) -> dict[str, pa.Field]:
    """One field for each name, as wide as all of them need, in the order of their appearance."""
    fields: dict[str, pa.Field] = {}
    before: list[Held] = []
    for rows in held:
        for field in rows.schema:
            known = fields.get(field.name)
            rule = ByValue(find_staged_numbers(before, field.name), rows.find_numbers(field.name))
            fields[field.name] = field if known is None else join_fields(known, field, rule)
        before.append(rows)
    return fields


def find_staged_numbers(held: Sequence[Held], name: str) -> Numbers:
    """The values of a column in all of these rows."""
    return Numbers.of_all(rows.find_numbers(name) for rows in held if name in rows.schema.names)


def shape_replaced(
    old: pa.Schema, incoming: dict[str, pa.Field], find_rule: Callable[[str], Rule]
) -> Shape:
    """The columns that the run keeps of the old table, none of them narrower than it was, and the
    run's own. Old rows all go, so that any type may widen. `find_rule` knows the run's numbers.
    """
    kept = {field.name: field for field in old}
    for name, field in incoming.items():
        known = kept.get(name)
        kept[name] = (
            field if known is None else join_fields(known, _trim(field, known), find_rule(name))
        )
    fields = [field.with_type(trim(field.type)) for field in kept.values()]
    return Shape(pa.schema([field for field in fields if not is_void(field.type)]))


def shape_kept(
    old: pa.Schema,
    incoming: dict[str, pa.Field],
    find_rule: Callable[[str], Rule],
    *,
    origin: pa.Schema,
) -> Shape:
    """The table's columns, widened and added to; SCHEMA_CONFLICT where what it had when the run
    began, `origin`, does not take the incoming values. `find_rule` knows the numbers of a column in
    the table and in the incoming rows.
    """
    before = {field.name: field for field in origin}
    fields = {field.name: field for field in old}
    new: list[pa.Field] = []
    for name, field in incoming.items():
        if pa.types.is_null(field.type):
            continue
        if name in fields:
            _check_fit(before.get(name), field)
            fields[name] = join_fields(fields[name], _trim(field, fields[name]), find_rule(name))
        elif not is_void(field.type):
            new.append(field)
    new = [field.with_type(trim(field.type)) for field in new]
    widens = any(not fields[field.name].type.equals(field.type) for field in old)
    return Shape(pa.schema([*fields.values(), *new]), tuple(new), widens)


def is_ready(have: pa.Schema, want: pa.Schema) -> bool:
    """Whether a file of one schema can be part of a table of the other as it is. What is void in it
    would bear another type than the one that its column gets some day.
    """
    if any(has_void(field.type) for field in have):
        return False
    for field in want:
        index = have.get_field_index(field.name)
        if index >= 0 and not _is_ready(have.field(index), field):
            return False
    return True


def align_table(table: pa.Table, have: pa.Schema, want: pa.Schema) -> pa.Table:
    """The rows with exactly the wanted columns; `have` says what the values of the table's
    columns are.
    """
    present = set(table.schema.names)
    columns = []
    for field in want:
        if field.name not in present:
            columns.append(pa.nulls(table.num_rows, field.type))
            continue
        column, index = table.column(field.name), have.get_field_index(field.name)
        known = have.field(index) if index >= 0 else table.schema.field(field.name)
        if not column.type.equals(known.type):
            column = _cast_by_name(column, known.type)
        columns.append(column if _is_ready(known, field) else convert(column, known, field))
    return pa.Table.from_arrays(columns, schema=want)


def _is_ready(have: pa.Field, want: pa.Field) -> bool:
    return bool(have.type.equals(want.type))


def _cast_by_name(column: pa.ChunkedArray, type_: pa.DataType) -> pa.ChunkedArray:
    """Files of other writers may have members in another order."""
    return pa.chunked_array([cast_by_name(chunk, type_) for chunk in column.chunks], type_)


def _trim(incoming: pa.Field, old: pa.Field) -> pa.Field:
    """A void member that the table lacks is not worth a column."""
    return incoming.with_type(trim(incoming.type, old.type))


def _check_fit(before: pa.Field | None, incoming: pa.Field) -> None:
    """What a column was when the run began decides, and not what the run has made of it since."""
    if before is None:
        return
    incoming = _trim(incoming, before)
    conflict = find_conflict(before, incoming)
    if conflict is not None:
        raise ConfigurationError(Reason.SCHEMA_CONFLICT, _explain(before, incoming, conflict))


def _explain(old: pa.Field, incoming: pa.Field, conflict: Conflict) -> str:
    path = source_of(old)
    for step in conflict.path:
        path += step if step == "[]" else f".{step}"
    have, brings = type_word(conflict.have), type_word(conflict.brings)
    if not conflict.path:
        have, brings = _word(old), _word(incoming)
    twins = (incoming.metadata or {}).get(TWINS_KEY)
    why = (
        ""
        if twins is None
        else f" (readers do not distinguish its members {twins.decode('utf-8', 'replace')})"
    )
    return (
        f"Column {path} is {have} in the table, but the source now sends {brings}{why}, which does "
        "not fit. Nothing was changed. Exclude the column with enabledColumns, or write the stream "
        "to a new table."
    )


def _word(field: pa.Field) -> str:
    return "nested values" if is_json(field) else type_word(field.type)
