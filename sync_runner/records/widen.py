"""The type that holds the values of two fields, and the conversion to it.

A column is an Arrow field; text that holds JSON, or numbers only, is marked in its metadata. Types
only widen: no value, bool, text; numbers as `numeric` says, text; structs and lists, JSON, text.
Text holds everything: strings as they are, any other value as JSON spells it, so that a value's
text does not depend on what came first. `join_fields` finds the type for both, `find_conflict` a
change that a table with rows cannot make, and `convert` converts values, members by their names.
"""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

import orjson
import pyarrow as pa
import pyarrow.compute as pc

from sync_runner.records.numeric import (
    ByType,
    ColumnValues,
    Rule,
    Wanted,
    cast_numbers,
    is_number,
    spell_number,
    spell_numbers,
)

JSON_KEY = b"json"
NUMBERS_KEY = b"numbers"
STRUCTS_KEY = b"structs"
SOURCE_KEY = b"source"
TWINS_KEY = b"twins"
"""Two members whose names no reader can tell apart, which is why the text of a column is JSON. For
messages; no table remembers it."""
_BY_TYPE = ByType()
_ODD_NUMBERS = ("NaN", "Infinity", "-Infinity")
"""Which JSON does not have."""


def is_json(field: pa.Field) -> bool:
    """Whether the text of this column is JSON."""
    return JSON_KEY in (field.metadata or {})


def is_numbers(field: pa.Field) -> bool:
    """Whether this is text of numbers, which no other type holds together."""
    return NUMBERS_KEY in (field.metadata or {}) and not is_json(field)


def may_be_structs(field: pa.Field) -> bool:
    """Whether values of this column may come as structs, or be JSON text spelled from them, which
    does not tell all that the source's text does.
    """
    return _is_nested(field.type) or STRUCTS_KEY in (field.metadata or {})


def is_same(one: pa.Field, other: pa.Field) -> bool:
    """Whether values of one need no conversion to be values of the other."""
    return bool(one.type.equals(other.type)) and is_json(one) == is_json(other)


def join_fields(one: pa.Field, other: pa.Field, rule: Rule = _BY_TYPE) -> pa.Field:
    """A field of the first one's name whose type holds the values of both; `rule` knows numbers."""
    if is_same(one, other):
        numbers = is_numbers(one) and is_numbers(other)
        return _mark(one, other, json=is_json(one), numbers=numbers)
    if pa.types.is_null(other.type):
        return one
    if pa.types.is_null(one.type):
        one = one.with_type(other.type)
        return _mark(one, other, json=is_json(other), numbers=is_numbers(other))
    twins = (other.metadata or {}).get(TWINS_KEY)
    if twins is not None:
        one = one.with_metadata({**(one.metadata or {}), TWINS_KEY: twins})
    joined = pa.string()
    if not is_json(one) and not is_json(other):
        joined = _join_types(one.type, other.type, rule)
    is_text = pa.types.is_string(joined)
    numeric = all(is_number(field.type) or is_numbers(field) for field in (one, other))
    json = is_text and _holds_nested(one) and _holds_nested(other)
    return _mark(one, other, type_=joined, json=json, numbers=is_text and numeric)


def has_void(type_: pa.DataType) -> bool:
    """Whether something in this type is void."""
    inside = [type_.field(index).type for index in range(type_.num_fields)]
    return is_void(type_) or any(map(has_void, inside))


def is_void(type_: pa.DataType) -> bool:
    """Whether values of this type contain nothing that has a type: null, and lists of nothing."""
    if pa.types.is_list(type_):
        return is_void(type_.value_type)
    if pa.types.is_struct(type_):
        return all(is_void(member.type) for member in type_)
    return bool(pa.types.is_null(type_))


def trim(type_: pa.DataType, beside: pa.DataType | None = None) -> pa.DataType:
    """The type without members that are void, which no table holds, but for those that the type
    `beside` has: whether they fit is not for here to say.
    """
    if pa.types.is_list(type_):
        other = None if beside is None or not pa.types.is_list(beside) else beside.value_type
        return pa.list_(trim(type_.value_type, other))
    if not pa.types.is_struct(type_):
        return type_
    has = {} if beside is None or not pa.types.is_struct(beside) else {m.name: m for m in beside}
    kept = [m for m in type_ if m.name in has or not is_void(m.type)]
    return pa.struct(
        [(m.name, trim(m.type, has[m.name].type if m.name in has else None)) for m in kept]
    )


@dataclass(frozen=True)
class Conflict:
    """Values that a table with rows cannot take."""

    path: tuple[str, ...]
    """Members below the column; `[]` for the elements of a list."""
    have: pa.DataType
    brings: pa.DataType


def fit(table: pa.Field, incoming: pa.Field, rule: Rule = _BY_TYPE) -> pa.Field | None:
    """What the table's column becomes to take the incoming values; None where it cannot."""
    if find_conflict(table, incoming) is not None:
        return None
    return join_fields(table, incoming, rule)


def find_conflict(table: pa.Field, incoming: pa.Field) -> Conflict | None:
    """Where the incoming values do not fit. Text takes everything, JSON what is nested; numbers
    may widen, structs may get new members; no other column changes its type under its readers.
    """
    if pa.types.is_null(incoming.type):
        return None
    if is_json(table) or is_json(incoming):
        is_text = pa.types.is_string(table.type) and not is_json(table)
        fits = is_text or (is_json(table) and _holds_nested(incoming))
        return None if fits else Conflict((), table.type, incoming.type)
    # Numbers that no type of numbers holds together are numbers still.
    if pa.types.is_string(table.type) or (is_number(table.type) and is_numbers(incoming)):
        return None
    return _find_conflict((), table.type, incoming.type)


def _find_conflict(
    path: tuple[str, ...], table: pa.DataType, incoming: pa.DataType
) -> Conflict | None:
    """The first place where one type cannot become the other."""
    types = pa.types
    if types.is_null(incoming) or table.equals(incoming):
        return None
    if is_number(table) and is_number(incoming):
        return None
    if types.is_string(table):
        return None
    inner: list[Conflict | None] = []
    if types.is_struct(table) and types.is_struct(incoming):
        has = {member.name: member.type for member in incoming}
        inner = [
            _find_conflict((*path, m.name), m.type, has[m.name]) for m in table if m.name in has
        ]
    elif types.is_list(table) and types.is_list(incoming):
        inner = [_find_conflict((*path, "[]"), table.value_type, incoming.value_type)]
    else:
        return Conflict(path, table, incoming)
    return next((found for found in inner if found is not None), None)


def convert(column: ColumnValues, have: pa.Field, want: pa.Field) -> ColumnValues:
    """The values of a column that holds what `have` says, as values of `want`, which is at least
    as wide, void members left aside.
    """
    if have.type.equals(want.type):
        return column
    trimmed = have.with_type(trim(have.type, want.type))
    assert join_fields(want, trimmed, Wanted()).type.equals(want.type), (
        f"{have} would lose as {want}"
    )
    if pa.types.is_null(have.type):
        return pa.nulls(len(column), want.type)
    if isinstance(column, pa.ChunkedArray):
        chunks = [cast_by_name(chunk, want.type) for chunk in column.chunks]
        return pa.chunked_array(chunks, want.type)
    return cast_by_name(column, want.type)


def _as_text(column: pa.Array) -> pa.Array:
    if _is_nested(column.type):
        return as_json_text(column)
    if is_number(column.type):
        return spell_numbers(column)
    return pc.cast(column, pa.string(), safe=False)


def cast_by_name(column: pa.Array, type_: pa.DataType) -> pa.Array:
    """The same values in another type that holds them; members go by their names, and void ones
    and others that the type lacks are left aside.
    """
    own = column.type
    if own.equals(type_):
        return column
    if is_number(own) and is_number(type_):
        return cast_numbers(column, type_)
    if pa.types.is_string(type_):
        return _as_text(column)
    if pa.types.is_struct(own) and pa.types.is_struct(type_):
        members = dict(zip((member.name for member in own), column.flatten(), strict=True))
        cast = [
            cast_by_name(members[member.name], member.type)
            if member.name in members
            else pa.nulls(len(column), member.type)
            for member in type_
        ]
        return pa.StructArray.from_arrays(cast, fields=list(type_), mask=column.is_null())
    if pa.types.is_list(own) and pa.types.is_list(type_):
        lengths = pc.fill_null(pc.list_value_length(column), 0)
        ends = pa.concat_arrays([pa.array([0], pa.int32()), pc.cumulative_sum(lengths)])
        items = cast_by_name(column.flatten(), type_.value_type)
        return pa.ListArray.from_arrays(ends, items, type=type_, mask=column.is_null())
    return pc.cast(column, type_, safe=False)


def as_json_text(column: ColumnValues) -> ColumnValues:
    """Nested values as JSON text. Structs do not tell a missing member from a null one, so that
    neither is written.
    """
    return _map_values(column, lambda value: orjson.dumps(_plain(value), default=str).decode())


def _plain(value: object) -> object:
    """Without null members, and with numbers spelled as in any other text."""
    if isinstance(value, dict):
        return {key: _plain(member) for key, member in value.items() if member is not None}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, float | Decimal):
        text = spell_number(value)
        return text if text in _ODD_NUMBERS else orjson.Fragment(text)
    return value


def _holds_nested(field: pa.Field) -> bool:
    return is_json(field) or _is_nested(field.type)


def _is_nested(type_: pa.DataType) -> bool:
    return bool(pa.types.is_nested(type_))


def _mark(
    one: pa.Field, other: pa.Field, *, json: bool, numbers: bool, type_: pa.DataType | None = None
) -> pa.Field:
    """The first field, in `type_` if given, with what the values of both are."""
    structs = json and (may_be_structs(one) or may_be_structs(other))
    marks = {JSON_KEY: json, NUMBERS_KEY: numbers, STRUCTS_KEY: structs}
    own = {key: value for key, value in (one.metadata or {}).items() if key not in marks}
    own |= {key: b"1" for key, is_set in marks.items() if is_set}
    return one.with_type(type_ or one.type).with_metadata(own or None)


def _join_types(one: pa.DataType, other: pa.DataType, rule: Rule) -> pa.DataType:
    """What holds the values of both; text where nothing else does."""
    if one.equals(other) or pa.types.is_null(other):
        return one
    if pa.types.is_null(one):
        return other
    if pa.types.is_struct(one) and pa.types.is_struct(other):
        return _join_structs(one, other, rule)
    if pa.types.is_list(one) and pa.types.is_list(other):
        return pa.list_(_join_types(one.value_type, other.value_type, rule.items()))
    if is_number(one) and is_number(other):
        return rule.join(one, other)
    return pa.string()


def _join_structs(one: pa.DataType, other: pa.DataType, rule: Rule) -> pa.DataType:
    fields = {field.name: field.type for field in one}
    for field in other:
        own = fields.get(field.name, field.type)
        fields[field.name] = _join_types(own, field.type, rule.member(field.name))
    return pa.struct(list(fields.items()))


def _map_values(column: ColumnValues, change: Callable[[object], str]) -> pa.Array:
    values = column.to_pylist()
    return pa.array([None if value is None else change(value) for value in values], pa.string())
