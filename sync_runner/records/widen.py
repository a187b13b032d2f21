"""Which type holds the values of two, and how values get there.

A column is an Arrow field; text that holds JSON, or numbers only, is marked in its metadata. Types
only widen: no value, bool, text; numbers as `numeric` says, text; anything beside a nested value
becomes JSON. `join` says what holds both, `fit` what a table that has rows already may turn into,
and `convert` takes values along.
"""

from collections.abc import Callable
from decimal import Decimal
from math import isfinite

import orjson
import pyarrow as pa
import pyarrow.compute as pc

from sync_runner.records.numeric import (
    ByType,
    Column,
    Rule,
    Wanted,
    cast_numbers,
    is_number,
    spell_number,
    spell_numbers,
)

JSON_KEY = b"json"
NUMBERS_KEY = b"numbers"
SOURCE_KEY = b"source"
_BY_TYPE = ByType()
_ODD_NUMBERS = ("NaN", "Infinity", "-Infinity")
"""Which JSON does not have."""


def is_json(field: pa.Field) -> bool:
    """Whether the text of this column is JSON."""
    return JSON_KEY in (field.metadata or {})


def is_numbers(field: pa.Field) -> bool:
    """Whether this is text of numbers, which no other type holds together."""
    return NUMBERS_KEY in (field.metadata or {}) and not is_json(field)


def is_same(one: pa.Field, other: pa.Field) -> bool:
    """Whether values of one need no conversion to be values of the other."""
    return bool(one.type.equals(other.type)) and is_json(one) == is_json(other)


def join(one: pa.Field, other: pa.Field, rule: Rule = _BY_TYPE) -> pa.Field:
    """A field of the first one's name whose type holds the values of both; `rule` knows numbers."""
    if is_same(one, other):
        return one if is_numbers(one) == is_numbers(other) else _as_text(one, is_numbers=False)
    if pa.types.is_null(one.type) and not is_json(other):
        return _as_text(one, is_numbers=True) if is_numbers(other) else one.with_type(other.type)
    if pa.types.is_null(other.type) and not is_json(one):
        return one
    if is_json(one) or is_json(other):
        return _as_json(one)
    joined = _join_types(one.type, other.type, rule)
    if joined is not None and pa.types.is_string(joined):
        numeric = all(is_number(field.type) or is_numbers(field) for field in (one, other))
        return _as_text(one, is_numbers=numeric)
    return _as_json(one) if joined is None else one.with_type(joined)


def has_void(type_: pa.DataType) -> bool:
    """Whether something in this type is void."""
    inside = [type_.field(index).type for index in range(type_.num_fields)]
    return is_void(type_) or any(map(has_void, inside))


def is_void(type_: pa.DataType) -> bool:
    """Whether no value of this type says what it is a value of: null, and lists of nothing."""
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


def fit(table: pa.Field, incoming: pa.Field, rule: Rule = _BY_TYPE) -> pa.Field | None:
    """What the table's column becomes to take the incoming values; None where it cannot."""
    if pa.types.is_string(table.type) and not is_json(table) and is_json(incoming):
        return table
    joined = join(table, incoming, rule)
    is_text = is_number(table.type) and is_numbers(joined)
    if is_same(joined, table) or is_text or _widens(table.type, joined.type):
        return joined
    return None


def convert(column: Column, have: pa.Field, want: pa.Field) -> Column:
    """The values of a column that holds what `have` says, as values of `want`, which is at least
    as wide, void members left aside.
    """
    if is_same(have, want):
        return column
    trimmed = have.with_type(trim(have.type, want.type))
    assert is_same(join(trimmed, want, Wanted()), want), f"{have} would lose values as {want}"
    if pa.types.is_null(have.type):
        return pa.nulls(len(column), want.type)
    if pa.types.is_string(want.type):
        return _convert_to_text(column, have, want)
    if isinstance(column, pa.ChunkedArray):
        return pa.chunked_array([_cast(chunk, want.type) for chunk in column.chunks], want.type)
    return _cast(column, want.type)


def _convert_to_text(column: Column, have: pa.Field, want: pa.Field) -> Column:
    if is_json(want) and not is_json(have):
        return _quote_odd(column) if is_numbers(have) else as_json_text(column)
    if _is_nested(have.type):
        return as_json_text(column)
    if is_number(have.type):
        return _spell_all(column, beside_text=not is_numbers(want))
    return pc.cast(column, want.type, safe=False)


def _cast(column: pa.Array, type_: pa.DataType) -> pa.Array:
    """The same values in another type that holds them."""
    own = column.type
    if own.equals(type_):
        return column
    if is_number(own) and is_number(type_):
        return cast_numbers(column, type_)
    if pa.types.is_struct(own) and pa.types.is_struct(type_):
        members = dict(zip((member.name for member in own), column.flatten(), strict=True))
        cast = [
            _cast(members[member.name], member.type)
            if member.name in members
            else pa.nulls(len(column), member.type)
            for member in type_
        ]
        return pa.StructArray.from_arrays(cast, fields=list(type_), mask=column.is_null())
    if pa.types.is_list(own) and pa.types.is_list(type_):
        lengths = pc.fill_null(pc.list_value_length(column), 0)
        ends = pa.concat_arrays([pa.array([0], pa.int32()), pc.cumulative_sum(lengths)])
        items = _cast(column.flatten(), type_.value_type)
        return pa.ListArray.from_arrays(ends, items, type=type_, mask=column.is_null())
    return pc.cast(column, type_, safe=False)


def as_json_text(column: Column) -> Column:
    """Values as JSON text."""
    type_ = column.type
    if is_number(type_):
        return _quote_odd(_spell_all(column, beside_text=True))
    if pa.types.is_boolean(type_):
        return pc.cast(column, pa.string())
    if not _is_nested(type_):
        column = pc.cast(column, pa.string())
    plain = _spell_odd if _has_odd(column) else None
    return _map_values(column, lambda value: _dump(plain(value) if plain else value))


def _dump(value: object) -> str:
    return orjson.dumps(value, default=_spell).decode()


def _has_odd(column: Column) -> bool:
    """Whether NaN or an infinity is among the numbers of nested values; orjson makes nulls of
    them.
    """
    if isinstance(column, pa.ChunkedArray):
        return any(map(_has_odd, column.chunks))
    if pa.types.is_floating(column.type):
        return pc.all(pc.is_finite(column)).as_py() is False
    if pa.types.is_struct(column.type):
        return any(map(_has_odd, column.flatten()))
    return bool(pa.types.is_list(column.type)) and _has_odd(column.flatten())


def _spell_odd(value: object) -> object:
    """The same value with text in the place of numbers that JSON does not have."""
    if isinstance(value, dict):
        return {name: _spell_odd(member) for name, member in value.items()}
    if isinstance(value, list):
        return [_spell_odd(item) for item in value]
    if isinstance(value, float) and not isfinite(value):
        return spell_number(value)
    return value


def _spell(value: object) -> object:
    """How JSON has what orjson does not know: decimals are numbers, all else is text."""
    return orjson.Fragment(str(value)) if isinstance(value, Decimal) else str(value)


def _is_nested(type_: pa.DataType) -> bool:
    return bool(pa.types.is_nested(type_))


def _as_json(field: pa.Field) -> pa.Field:
    metadata = {**(field.metadata or {}), JSON_KEY: b"1"}
    return pa.field(field.name, pa.string(), metadata=metadata)


def _as_text(field: pa.Field, *, is_numbers: bool) -> pa.Field:
    metadata = {**(field.metadata or {}), NUMBERS_KEY: b"1"}
    if not is_numbers:
        del metadata[NUMBERS_KEY]
    return pa.field(field.name, pa.string(), metadata=metadata)


def _spell_all(column: Column, *, beside_text: bool) -> Column:
    if isinstance(column, pa.Array):
        return spell_numbers(column, beside_text=beside_text)
    chunks = [spell_numbers(chunk, beside_text=beside_text) for chunk in column.chunks]
    return pa.chunked_array(chunks, pa.string())


def _quote_odd(column: Column) -> Column:
    odd = pc.is_in(column, pa.array(_ODD_NUMBERS))
    return pc.if_else(odd, pc.binary_join_element_wise('"', column, '"', ""), column)


def _widens(table: pa.DataType, joined: pa.DataType) -> bool:
    """Whether a table with rows may take this step: among numbers, or the same step inside
    nested values.
    """
    if _is_nested(table):
        return bool(table.id == joined.id)
    return is_number(table) and is_number(joined)


def _join_types(one: pa.DataType, other: pa.DataType, rule: Rule) -> pa.DataType | None:
    """What holds the values of both; None where one is nested and the other is something else."""
    if one.equals(other) or pa.types.is_null(other):
        return one
    if pa.types.is_null(one):
        return other
    if _is_nested(one) or _is_nested(other):
        return _join_nested(one, other, rule)
    if is_number(one) and is_number(other):
        return rule.join(one, other)
    return pa.string()


def _join_nested(one: pa.DataType, other: pa.DataType, rule: Rule) -> pa.DataType | None:
    if one.id != other.id:
        return None
    if pa.types.is_struct(one):
        return _join_structs(one, other, rule)
    if pa.types.is_list(one):
        inner = _join_types(one.value_type, other.value_type, rule.items())
        return None if inner is None else pa.list_(inner)
    return None


def _join_structs(one: pa.DataType, other: pa.DataType, rule: Rule) -> pa.DataType | None:
    fields = {field.name: field.type for field in one}
    for field in other:
        own = fields.get(field.name, field.type)
        inner = _join_types(own, field.type, rule.member(field.name))
        if inner is None:
            return None
        fields[field.name] = inner
    return pa.struct(list(fields.items()))


def _map_values(column: Column, change: Callable[[object], str]) -> pa.Array:
    values = column.to_pylist()
    return pa.array([None if value is None else change(value) for value in values], pa.string())
