"""The decoder's contract once more, slow and plain: a second opinion on types and widening.

Rows are lists of (key, source text of the value), so that the source's spelling can be compared.
"""

import json
import re
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

RANK = ("null", "bool", "int", "decimal", "float", "text", "json")
NUMBERS = {"int", "decimal", "float"}
Row = list[tuple[str, str]]


def kind_of(source: str) -> str:
    """The narrowest type that holds one JSON value."""
    first = source[0]
    if first in "{[":
        return "json"
    if first == '"':
        return "text"
    if source in {"true", "false"}:
        return "bool"
    return "null" if source == "null" else _kind_of_number(source)


def _kind_of_number(source: str) -> str:
    if any(sign in source for sign in ".eE"):
        return "float" if abs(float(source)) != float("inf") else "text"
    if -(2**63) <= int(source) < 2**63:
        return "int"
    return "decimal" if len(source.lstrip("-")) <= 38 else "text"


def join(one: str, other: str) -> str:
    """The narrowest type that holds both."""
    if {one, other} & NUMBERS and "bool" in {one, other}:
        return "text"
    return max(one, other, key=RANK.index)


@dataclass
class ModelColumn:
    """Values of one batch; the kind is that of the run."""

    kind: str = "null"
    values: list[Any] = field(default_factory=list)

    def put(self, row: int, source: str) -> None:
        """The value of row `row`; a second one replaces the first."""
        del self.values[row:]
        self.fill(row)
        self._widen(join(self.kind, kind_of(source)))
        self.values.append(self._value(source))

    def fill(self, rows: int) -> None:
        """Nulls up to `rows`."""
        self.values += [None] * (rows - len(self.values))

    def _widen(self, kind: str) -> None:
        if kind != self.kind:
            self.values = [None if v is None else convert(v, self.kind, kind) for v in self.values]
            self.kind = kind

    def _value(self, source: str) -> Any:
        if source == "null":
            return None
        if self.kind == "text" and source[0] == '"':
            return json.loads(source)
        if self.kind in {"text", "json"}:
            return source
        value = json.loads(source)
        return convert(value, "", self.kind) if self.kind in {"decimal", "float"} else value


def convert(value: Any, kind: str, wider: str) -> Any:
    """A value that was built already, as a wider type."""
    if wider == "decimal":
        return Decimal(value)
    if wider == "float":
        return float(value)
    if kind == "text" and wider == "json":
        return json.dumps(value, ensure_ascii=False)
    if kind == "text":
        return value
    if kind == "float":
        return spell_float(value)
    return json.dumps(value) if isinstance(value, bool) else str(value)


def spell_float(value: float) -> str:
    """Python's digits, which are the shortest and even ones, in the decoder's spelling."""
    if 1e-5 <= abs(value) < 1e-4:
        return format(Decimal(repr(value)), "f")
    return re.sub(r"e\+?(-?)0*", r"e\1", repr(value))


@dataclass
class Model:
    """Takes rows, gives batches: (names, kinds, columns of values)."""

    columns: dict[str, ModelColumn] = field(default_factory=dict)
    rows: int = 0

    def push(self, rows: list[Row]) -> None:
        """A page's rows."""
        for row in rows:
            for key, source in row:
                name = key.replace("\0", "\ufffd")
                self.columns.setdefault(name, ModelColumn()).put(self.rows, source)
            self.rows += 1

    def flush(self) -> tuple[dict[str, str], dict[str, list[Any]]]:
        """Kinds and values by name, in order; the kinds stay."""
        for column in self.columns.values():
            column.fill(self.rows)
        kinds = {name: column.kind for name, column in self.columns.items()}
        values = {name: column.values for name, column in self.columns.items()}
        for column in self.columns.values():
            column.values = []
        self.rows = 0
        return kinds, values
