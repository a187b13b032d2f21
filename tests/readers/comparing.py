"""Rows of two kinds side by side: what a table holds, and what a reader can show of it.

Exact: a whole number is no decimal, NaN is NaN, -0.0 is not 0.0, a timestamp has a zone or none.
"""

import datetime as dt
from collections.abc import Callable, Iterable
from typing import Any

import pyarrow as pa

Row = dict[str, Any]


def canonical(value: Any) -> Any:
    """A value whose equality is that of its type and its digits."""
    match value:
        case dict():
            return {name: canonical(member) for name, member in value.items()}
        case list():
            return [canonical(element) for element in value]
        case dt.datetime() if value.tzinfo:
            return ("instant", value.astimezone(dt.UTC).replace(tzinfo=None))
        case float():
            return ("float", repr(value))
    return (type(value).__name__, value)


def find_differences(rows: Iterable[Row], wanted: Iterable[Row], key: tuple[str, ...]) -> list[str]:
    """How a reader's rows differ from the wanted ones, each as a sentence."""
    found = _by_key(rows, key)
    expected = _by_key(wanted, key)
    said = [f"row {name} is missing" for name in expected.keys() - found.keys()]
    said += [f"row {name} should not be there" for name in found.keys() - expected.keys()]
    for name in expected.keys() & found.keys():
        if len(found[name]) > 1:
            said.append(f"row {name} is there {len(found[name])} times")
        said += _compare(name, found[name][0], expected[name][0])
    return said


def _by_key(rows: Iterable[Row], key: tuple[str, ...]) -> dict[str, list[Row]]:
    groups: dict[str, list[Row]] = {}
    for row in rows:
        name = "/".join(repr(canonical(row.get(part))) for part in key)
        groups.setdefault(name, []).append(row)
    return groups


def _compare(name: str, have: Row, want: Row) -> list[str]:
    said = [f"row {name} has a column {column}" for column in have.keys() - want.keys()]
    for column, value in want.items():
        if column not in have:
            said.append(f"row {name} lacks column {column}")
        elif canonical(have[column]) != canonical(value):
            said.append(f"row {name}: {column} is {have[column]!r:.90}, not {value!r:.90}")
    return said


View = Callable[[Row, dict[str, pa.DataType]], Row]


def show_all(row: Row, nested: dict[str, pa.DataType]) -> Row:
    """A reader that shows every value as it is."""
    return row


def show_clickhouse(row: Row, nested: dict[str, pa.DataType]) -> Row:
    """ClickHouse has one type for text and bytes, no times without a zone, and no null in the
    place of a struct or a list.
    """
    return {
        name: _fill(value, nested[name]) if name in nested else _plain(value)
        for name, value in row.items()
    }


def _plain(value: Any) -> Any:
    match value:
        case str():
            return value.encode()
        case dt.datetime():
            return value.replace(tzinfo=dt.UTC)
    return value


def _fill(value: Any, type_: pa.DataType) -> Any:
    if pa.types.is_struct(type_):
        members = value or {}
        return {field.name: _fill(members.get(field.name), field.type) for field in type_}
    if pa.types.is_list(type_):
        return [_fill(element, type_.value_type) for element in value or []]
    return _plain(value)
