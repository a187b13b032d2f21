"""One spelling for what two rows say in different ones. Pure.

A server may name an object's members in another order each time. A column of text, or a text inside
a struct, holds an object as the source spelled it, or in the spelling of `widen` where it came in a
batch of nothing but objects, as a struct: without members that are null, members under safe names,
and members of several kinds as text. Which of both a value gets depends on its batch, so that such
text is compared by what a struct tells of it.
"""

import json
from collections.abc import Callable, Collection, Iterator
from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal
from typing import Any, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

from sync_runner.records.names import build_name, fold_case
from sync_runner.records.numeric import spell_number
from sync_runner.records.widen import as_json_text, is_json

_EXACT = Context(prec=1_000_000, Emax=MAX_EMAX, Emin=MIN_EMIN)
_BEGINS = ("[", "{")
_Spell: TypeAlias = Callable[[str], str | None]


def find_spelled(rows: pa.Table, known: pa.Table, *, texts: bool) -> list[str]:
    """Columns in which one value may have several spellings; with `texts` none if no text but JSON
    is such a value.
    """
    json_ = [field.name for field in rows.schema if is_json(field)]
    others = [field.name for field in rows.schema if not is_json(field)]
    told = [name for name in others if _spells(rows.column(name)) or _spells(known.column(name))]
    return json_ + told if told or not texts else []


def respell(
    table: pa.Table, structs: Collection[str] = (), *, texts: Collection[str] = ()
) -> pa.Table:
    """JSON spelled in one way only, and in the columns of `texts` all that looks like it; `structs`
    names columns that one side had as structs.
    """
    columns = []
    for field, column in zip(table.schema, table.columns, strict=True):
        is_text, is_struct = field.name in texts, field.name in structs
        spell = _find_spell(field, is_text=is_text, is_struct=is_struct)
        if spell is None:
            columns.append(column)
            continue
        text = as_json_text(column) if pa.types.is_nested(field.type) else column
        values = (None if value is None else spell(value) for value in text.to_pylist())
        columns.append(pa.array(values, pa.string()))
    return pa.table(columns, names=table.schema.names)


def _find_spell(field: pa.Field, *, is_text: bool, is_struct: bool) -> _Spell | None:
    if pa.types.is_nested(field.type):
        return _fold_nested if is_text else None
    # Structs do not keep all details of JSON.
    if pa.types.is_string(field.type) and (is_struct or (is_text and not is_json(field))):
        return _fold_text
    return _spell if is_json(field) else None


def _spells(column: pa.ChunkedArray) -> bool:
    """Whether a text in this column, at any depth, looks like an object or a list."""
    texts = (text for chunk in column.chunks for text in _find_texts(chunk))
    return any(pc.any(_looks_nested(text)).as_py() for text in texts)


def _find_texts(values: pa.Array) -> Iterator[pa.Array]:
    if pa.types.is_string(values.type):
        yield values
    elif pa.types.is_struct(values.type):
        for inner in values.flatten():
            yield from _find_texts(inner)
    elif pa.types.is_list(values.type):
        yield from _find_texts(values.flatten())


def _looks_nested(text: pa.Array) -> pa.Array:
    begins = [pc.starts_with(text, pattern) for pattern in _BEGINS]
    return pc.or_(*begins)


def _spell(text: str) -> str:
    """Members in order, and numbers by their value. What cannot be read is its own spelling."""
    try:
        value = json.loads(text, parse_int=_mark, parse_float=_mark)
        return json.dumps(value, sort_keys=True)
    except (ValueError, ArithmeticError, RecursionError):
        return text


def _mark(number: str) -> str:
    """A number's value as text that no string of JSON is likely to be."""
    return f"\0{Decimal(number).normalize(_EXACT)}"


def _fold_text(text: str) -> str | None:
    """Text as a struct would keep it; text that cannot be parsed stays as it is."""
    return _write(_read(text))


def _fold_nested(text: str) -> str | None:
    """JSON as a struct would keep it."""
    return _write(_fold(json.loads(text, parse_int=Decimal, parse_float=Decimal)))


def _write(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else json.dumps(value, sort_keys=True)


def _read(text: str) -> Any:
    """The object or list that a text spells; the text itself where it spells none."""
    if not text.startswith(_BEGINS):
        return text
    try:
        return _fold(json.loads(text, parse_int=Decimal, parse_float=Decimal))
    except (ValueError, ArithmeticError, RecursionError):
        return text


def _fold(value: Any) -> Any:
    """Without null members, and with each leaf as the text that it becomes beside others."""
    match value:
        case dict():
            members = {fold_case(build_name(key)): _fold(member) for key, member in value.items()}
            return {name: member for name, member in members.items() if member is not None} or None
        case list():
            return list(map(_fold, value))
        case bool():
            return str(value).lower()
        case Decimal():
            return spell_number(value)
        case str():
            return _read(value)
    return value
