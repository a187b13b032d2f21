"""What a table's columns become when a run's rows are published. Pure.

A replaced table takes the run's own columns. A table that keeps its rows takes new columns, and
wider numbers (or their text) at the price of being rewritten; anything else is a conflict that
changes nothing.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass

import pyarrow as pa
from external_data_operator.api.conditions import Reason

from sync_runner.errors import ConfigurationError
from sync_runner.lake.schema import type_word
from sync_runner.records.columns import source_of
from sync_runner.records.numeric import ByValue, Numbers, Rule
from sync_runner.records.widen import convert, fit, has_void, is_json, is_same, is_void, join, trim


@dataclass(frozen=True)
class Shape:
    """The columns that a table is going to have."""

    schema: pa.Schema
    new: tuple[pa.Field, ...] = ()
    """Columns that it lacks so far."""
    widens: bool = False
    """Whether files that it has hold narrower types."""


@dataclass(frozen=True)
class Held:
    """Rows of one schema, wherever they are."""

    schema: pa.Schema
    find_numbers: Callable[[str], Numbers]
    """The values of a column."""


def join_schemas(held: Iterable[Held]) -> dict[str, pa.Field]:
    """One field for each name, as wide as all of them need, in the order of their appearance."""
    fields: dict[str, pa.Field] = {}
    before: list[Held] = []
    for rows in held:
        for field in rows.schema:
            known = fields.get(field.name)
            rule = ByValue(find_numbers(before, field.name), rows.find_numbers(field.name))
            fields[field.name] = field if known is None else join(known, field, rule)
        before.append(rows)
    return fields


def find_numbers(held: Sequence[Held], name: str) -> Numbers:
    """The values of a column in all of these rows."""
    return Numbers.of_all(rows.find_numbers(name) for rows in held if name in rows.schema.names)


def shape_replaced(
    old: pa.Schema | None, incoming: dict[str, pa.Field], seen: Collection[str]
) -> Shape:
    """The run's columns; those that it has seen without a value stay as the old table had them."""
    known = {} if old is None else {field.name: field for field in old if field.name in seen}
    kept = [_typed(incoming.get(name, field), field) for name, field in known.items()]
    new = [field for name, field in incoming.items() if name not in known]
    fields = [field.with_type(trim(field.type)) for field in [*kept, *new]]
    return Shape(pa.schema([field for field in fields if not is_void(field.type)]))


def shape_kept(
    old: pa.Schema, incoming: dict[str, pa.Field], find_rule: Callable[[str], Rule]
) -> Shape:
    """The table's columns, widened and added to; SCHEMA_CONFLICT where they cannot be. `find_rule`
    knows the numbers of a column in the table and in the incoming rows.
    """
    fields = {field.name: field for field in old}
    new: list[pa.Field] = []
    for name, field in incoming.items():
        if pa.types.is_null(field.type):
            continue
        if name in fields:
            fields[name] = _fit(fields[name], field, find_rule(name))
        elif not is_void(field.type):
            new.append(field)
    new = [field.with_type(trim(field.type)) for field in new]
    widens = any(not is_same(fields[field.name], field) for field in old)
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
            column = column.cast(known.type)
        columns.append(column if _is_ready(known, field) else convert(column, known, field))
    return pa.Table.from_arrays(columns, schema=want)


def _is_ready(have: pa.Field, want: pa.Field) -> bool:
    return bool(have.type.equals(want.type)) and (is_json(have) or not is_json(want))


def _typed(incoming: pa.Field, old: pa.Field) -> pa.Field:
    """Lists of nothing are lists of what the table had, if it had lists."""
    if is_void(incoming.type) and is_same(join(old, _trim(incoming, old)), old):
        return old
    return incoming


def _trim(incoming: pa.Field, old: pa.Field) -> pa.Field:
    """A void member that the table lacks is not worth a column."""
    return incoming.with_type(trim(incoming.type, old.type))


def _fit(old: pa.Field, incoming: pa.Field, rule: Rule) -> pa.Field:
    fitted = fit(old, _trim(incoming, old), rule)
    if fitted is None:
        message = (
            f"column {source_of(old)} is {type_word(old.type)} in the table and now brings "
            f"{_word(incoming)}, which does not fit; nothing was changed"
        )
        raise ConfigurationError(Reason.SCHEMA_CONFLICT, message)
    return fitted


def _word(field: pa.Field) -> str:
    return "nested values" if is_json(field) else type_word(field.type)
