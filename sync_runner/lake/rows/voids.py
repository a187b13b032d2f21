"""Values that say nothing, and rows that are the same but for them. Pure.

A list that never had an element and an object of nulls are no column yet, and no member: the table
has null in their place. Once others bring the type, the same row comes with an empty list there, or
with the text of one, and is the row that the table has all the same.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from sync_runner.records.widen import as_json_text

_Row = tuple[Any, ...]


def can_be_void(type_: pa.DataType) -> bool:
    """Whether values of this type may stand for one that was no column yet."""
    return bool(pa.types.is_nested(type_) or pa.types.is_string(type_))


def find_suspects(rows: pa.Table) -> pa.Array:
    """Whether each row may have an empty value, by a cheap test."""
    found = pa.repeat(pa.scalar(value=False), rows.num_rows)
    for column in rows.columns:
        if pa.types.is_nested(column.type):
            return pa.repeat(pa.scalar(value=True), rows.num_rows)
        opens = pc.or_(pc.starts_with(column, "["), pc.starts_with(column, "{"))
        found = pc.or_(found, pc.fill_null(opens, fill_value=False).combine_chunks())
    return found


def pair_rows(
    came: pa.Table, held: pa.Table, came_beside: pa.Array, held_beside: pa.Array
) -> dict[int, int]:
    """For numbers of rows that came the number of a held row, of each at most one, that is the same
    but for what says nothing. `beside`: all else of each row.
    """
    waiting: dict[tuple[Any, str], dict[str, list[int]]] = defaultdict(dict)
    rows: dict[str, _Row] = {}
    for text, number, row in _by_choice(held, reverse=True):
        rows[text] = row
        group = waiting[held_beside[number].as_py(), _fold_row(row)]
        group.setdefault(text, []).append(number)
    pairs = {}
    for _, number, row in _by_choice(came):
        group = waiting.get((came_beside[number].as_py(), _fold_row(row)), {})
        # Equal rows wait together, so that only the few that differ are looked at one by one.
        found = next((text for text in group if _is_row(rows[text], row)), None)
        if found is not None:
            pairs[number] = group[found].pop()
            if not group[found]:
                del group[found]
    return pairs


def _by_choice(table: pa.Table, *, reverse: bool = False) -> list[tuple[str, int, _Row]]:
    """Rows with text and number, those first that have fewer values which say nothing without
    being null: fewer held rows can be theirs, and as held rows they can be those of more.
    """
    texts = [(json.dumps(row, sort_keys=True), n, row) for n, row in enumerate(_read_rows(table))]
    return sorted(texts, key=lambda row: row[0].count("[") + row[0].count("{"), reverse=reverse)


def without_nulls(value: Any) -> Any:
    """JSON without what structs do not tell apart."""
    if isinstance(value, list):
        return [without_nulls(item) for item in value]
    if not isinstance(value, dict):
        return value
    members = {key: without_nulls(member) for key, member in value.items()}
    return {key: member for key, member in members.items() if member is not None} or None


def _read_rows(table: pa.Table) -> Iterator[_Row]:
    return zip(*map(_read_values, table.columns), strict=True)


def _read_values(column: pa.ChunkedArray) -> Sequence[Any]:
    """Structs and lists as JSON; text stays text, whatever it contains."""
    if not pa.types.is_nested(column.type):
        values: list[Any] = column.to_pylist()
        return values
    texts: Iterable[str | None] = as_json_text(column).to_pylist()
    return [None if text is None else _read(text) for text in texts]


def _read(text: str) -> Any:
    """Numbers as they are spelled: both sides have one type."""
    return without_nulls(json.loads(text, parse_int=str, parse_float=str))


def _fold_row(row: _Row) -> str:
    """A text that is equal for two rows that differ only in empty values."""
    return json.dumps(list(map(_fold, row)), sort_keys=True)


def _fold(value: Any) -> Any:
    if _is_void(value):
        return None
    if isinstance(value, list):
        return [_fold(item) for item in value]
    if isinstance(value, dict):
        members = {key: _fold(member) for key, member in value.items()}
        return {key: member for key, member in members.items() if member is not None}
    return value


def _is_row(held: _Row, came: _Row) -> bool:
    return all(map(_is_same, held, came))


def _is_same(held: Any, came: Any) -> bool:
    """Null matches an empty value, and not the other way round: a list that the table has
    without an element is another value than null.
    """
    if held is None:
        return _is_void(came)
    if isinstance(held, dict) and isinstance(came, dict):
        return all(_is_same(held.get(key), came.get(key)) for key in {*held, *came})
    if isinstance(held, list) and isinstance(came, list):
        return len(held) == len(came) and all(map(_is_same, held, came))
    return bool(held == came)


def _is_void(value: Any) -> bool:
    """Whether a value is empty at every depth; text counts by the JSON in it."""
    return _are_leaves(value, lambda leaf: isinstance(leaf, str) and _is_void_text(leaf))


def _is_void_text(text: str) -> bool:
    if not text.startswith(("[", "{")):
        return False
    try:
        return _are_leaves(json.loads(text), lambda _: False)
    except (ValueError, RecursionError):
        return False


def _are_leaves(value: Any, is_like: Callable[[Any], bool]) -> bool:
    """Whether all that is neither a list nor an object in this value is null, or like that."""
    waiting = [value]
    while waiting:
        found = waiting.pop()
        if isinstance(found, list):
            waiting += found
        elif isinstance(found, dict):
            waiting += found.values()
        elif found is not None and not is_like(found):
            return False
    return True
