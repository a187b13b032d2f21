"""Which type holds the values of two, and how values get there.

A column is an Arrow field; text that holds JSON is marked in its metadata. Types only widen: no
value, bool, text; whole numbers, decimals, floats, text; anything beside a nested value becomes
JSON. `join` says what holds both, `fit` what a table that has rows already may turn into, and
`convert` takes values along.
"""

from collections.abc import Callable
from decimal import Decimal
from typing import TypeAlias

import orjson
import pyarrow as pa
import pyarrow.compute as pc

JSON_KEY = b"json"
SOURCE_KEY = b"source"
_DECIMAL_DIGITS_MAX = 38
_INT_DIGITS = {8: 3, 16: 5, 32: 10, 64: 19}

Column: TypeAlias = pa.Array | pa.ChunkedArray


def is_json(field: pa.Field) -> bool:
    """Whether the text of this column is JSON."""
    return JSON_KEY in (field.metadata or {})


def is_same(one: pa.Field, other: pa.Field) -> bool:
    """Whether values of one need no conversion to be values of the other."""
    return bool(one.type.equals(other.type)) and is_json(one) == is_json(other)


def join(one: pa.Field, other: pa.Field) -> pa.Field:
    """A field of the first one's name whose type holds the values of both."""
    if is_same(one, other):
        return one
    if pa.types.is_null(one.type) and not is_json(other):
        return one.with_type(other.type)
    if pa.types.is_null(other.type) and not is_json(one):
        return one
    if is_json(one) or is_json(other):
        return _as_json(one)
    joined = _join_types(one.type, other.type)
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


def fit(table: pa.Field, incoming: pa.Field) -> pa.Field | None:
    """What the table's column becomes to take the incoming values; None where it cannot."""
    if pa.types.is_string(table.type) and not is_json(table) and is_json(incoming):
        return table
    joined = join(table, incoming)
    if is_same(joined, table) or _widens(table.type, joined.type):
        return joined
    return None


def convert(column: Column, have: pa.Field, want: pa.Field) -> Column:
    """The values of a column that holds what `have` says, as values of `want`, which is at least
    as wide, void members left aside.
    """
    if is_same(have, want):
        return column
    trimmed = have.with_type(trim(have.type, want.type))
    assert is_same(join(trimmed, want), want), f"{have} would lose values as {want}"
    if pa.types.is_null(have.type):
        return pa.nulls(len(column), want.type)
    if is_json(want) and not is_json(have):
        return as_json_text(column)
    if pa.types.is_string(want.type) and _is_nested(have.type):
        return as_json_text(column)
    return pc.cast(column, want.type, safe=False)


def as_json_text(column: Column) -> Column:
    """Values as JSON text."""
    type_ = column.type
    if _is_number(type_) or pa.types.is_boolean(type_):
        return pc.cast(column, pa.string())
    if not _is_nested(type_):
        column = pc.cast(column, pa.string())
    return _map_values(column, lambda value: orjson.dumps(value, default=_spell).decode())


def _spell(value: object) -> object:
    """How JSON has what orjson does not know: decimals are numbers, all else is text."""
    return orjson.Fragment(str(value)) if isinstance(value, Decimal) else str(value)


def _is_nested(type_: pa.DataType) -> bool:
    return bool(pa.types.is_nested(type_))


def _as_json(field: pa.Field) -> pa.Field:
    metadata = {**(field.metadata or {}), JSON_KEY: b"1"}
    return pa.field(field.name, pa.string(), metadata=metadata)


def _is_number(type_: pa.DataType) -> bool:
    return bool(
        pa.types.is_integer(type_) or pa.types.is_decimal(type_) or pa.types.is_floating(type_)
    )


def _widens(table: pa.DataType, joined: pa.DataType) -> bool:
    """Whether a table with rows may take this step: among numbers, or the same step inside
    nested values.
    """
    if _is_nested(table):
        return bool(table.id == joined.id)
    return _is_number(table) and _is_number(joined)


def _join_types(one: pa.DataType, other: pa.DataType) -> pa.DataType | None:
    """What holds the values of both; None where one is nested and the other is something else."""
    if one.equals(other) or pa.types.is_null(other):
        return one
    if pa.types.is_null(one):
        return other
    if _is_nested(one) or _is_nested(other):
        return _join_nested(one, other)
    if _is_number(one) and _is_number(other):
        return _join_numbers(one, other)
    return pa.string()


def _join_numbers(one: pa.DataType, other: pa.DataType) -> pa.DataType:
    if pa.types.is_floating(one) or pa.types.is_floating(other):
        return pa.float64()
    if pa.types.is_integer(one) and pa.types.is_integer(other):
        return max(one, other, key=lambda t: t.bit_width)
    (whole, scale), (whole2, scale2) = _digits(one), _digits(other)
    digits, scale = max(whole, whole2), max(scale, scale2)
    if digits + scale > _DECIMAL_DIGITS_MAX:
        return pa.float64()
    return pa.decimal128(digits + scale, scale)


def _digits(type_: pa.DataType) -> tuple[int, int]:
    """Digits before and behind the point."""
    if pa.types.is_integer(type_):
        return _INT_DIGITS[type_.bit_width], 0
    return type_.precision - type_.scale, type_.scale


def _join_nested(one: pa.DataType, other: pa.DataType) -> pa.DataType | None:
    if one.id != other.id:
        return None
    if pa.types.is_struct(one):
        return _join_structs(one, other)
    if pa.types.is_list(one):
        inner = _join_types(one.value_type, other.value_type)
        return None if inner is None else pa.list_(inner)
    return None


def _join_structs(one: pa.DataType, other: pa.DataType) -> pa.DataType | None:
    fields = {field.name: field.type for field in one}
    for field in other:
        inner = _join_types(fields.get(field.name, field.type), field.type)
        if inner is None:
            return None
        fields[field.name] = inner
    return pa.struct(list(fields.items()))


def _map_values(column: Column, change: Callable[[object], str]) -> pa.Array:
    values = column.to_pylist()
    return pa.array([None if value is None else change(value) for value in values], pa.string())
