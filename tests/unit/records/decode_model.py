"""The decoder's contract once more, slow and plain: a second opinion on types and widening.

Rows are lists of (key, source text of the value), so that the source's spelling can be compared.
"""

import json
from dataclasses import dataclass, field
from decimal import Context, Decimal
from typing import Any

RANK = ("null", "json", "bool", "number", "text")
MAX_DIGITS = 38
EXACT = Context(prec=2000)
Row = list[tuple[str, str]]


def kind_of(source: str) -> str:
    """The narrowest type that holds one JSON value; of numbers only that it is one."""
    first = source[0]
    if first in "{[":
        return "json"
    if first == '"':
        return "text"
    if source in {"true", "false"}:
        return "bool"
    return "null" if source == "null" else "number"


def read_number(source: str) -> int | float | Decimal | None:
    """Whole, a float that holds the number, a decimal, or none of them."""
    exact = Decimal(source)
    if any(sign in source for sign in ".eE"):
        value = float(source)
        if abs(value) != float("inf") and is_held(value, exact):
            return value
    count = len(exact.normalize(EXACT).as_tuple().digits)
    if exact == 0:
        return 0
    point = exact.normalize(EXACT).as_tuple().exponent
    assert isinstance(point, int)
    if point < -MAX_DIGITS or count + max(point, 0) > MAX_DIGITS:
        return None
    whole = exact == exact.to_integral_value() if point > -400 else False
    return int(exact) if whole else exact.normalize(EXACT)


def is_held(value: float, exact: Decimal) -> bool:
    """Whether the float, in as many digits as its source gave, is the source's number."""
    count = len(exact.normalize(EXACT).as_tuple().digits)
    if Decimal(repr(value)) == exact or Decimal(value) == exact:
        return True
    return count <= 17 and Decimal(format(value, f".{count - 1}e")) == exact


def spell(value: Decimal) -> str:
    """The one text of a number's value."""
    if value == 0:
        return "0"
    sign, digits, exponent = value.normalize(EXACT).as_tuple()
    assert isinstance(exponent, int)
    if exponent == 0 or 0 < exponent <= 100 - len(digits) or -100 <= exponent < 0:
        return format(value.normalize(EXACT), "f")
    first, rest = str(digits[0]), "".join(map(str, digits[1:]))
    text = f"{first}.{rest}" if rest else first
    return f"{'-' * sign}{text}e{exponent + len(digits) - 1}"


def join(one: str, other: str) -> str:
    """The narrowest type that holds both."""
    if one != other and "null" not in {one, other}:
        return "text"
    return max(one, other, key=RANK.index)


@dataclass
class Numbers:
    """What the numbers of a column have been, in this batch and before."""

    kind: str = ""
    has_float: bool = False
    scale: int = 0

    def add(self, sources: list[str]) -> None:
        """Chooses the type of column that holds them all."""
        values = [read_number(source) for source in sources]
        floats = [value for value in values if isinstance(value, float)]
        self.kind = self.kind or ("float" if floats else "int")
        has_int = any(isinstance(value, int) and abs(value) < 2**63 for value in values)
        has_int = has_int or -(2**63) in values
        if has_int and self.kind == "float" and not self.has_float:
            self.has_float = any(find_int(value) is None for value in floats)
            self.kind = "float" if self.has_float else "int"
        if self.kind == "int" and any(find_int(value) is None for value in floats):
            self.has_float, self.kind = True, "float"
        if self.kind in {"int", "float"} and not all(map(self._is_float_or_int, values)):
            self.kind = "decimal"
        if self.kind == "decimal":
            self._scale(values)

    def _is_float_or_int(self, value: int | float | Decimal | None) -> bool:
        if isinstance(value, float):
            return True
        if not isinstance(value, int) or not -(2**63) <= value < 2**63:
            return False
        return self.kind == "int" or Decimal(repr(float(value))) == value

    def _scale(self, values: list[int | float | Decimal | None]) -> None:
        for value in values:
            exact = Decimal(repr(value)) if isinstance(value, float) else value
            if exact is None or read_number(str(exact).replace("E+", "e")) is None:
                self.kind = "digits"
                return
            point = Decimal(exact).normalize(EXACT).as_tuple().exponent
            assert isinstance(point, int)
            self.scale = max(self.scale, -point)
        exacts = [Decimal(repr(v) if isinstance(v, float) else v or 0) for v in values]
        top = max((exact.copy_abs() for exact in exacts), default=Decimal(0))
        if self.scale > MAX_DIGITS or top.scaleb(self.scale, EXACT) >= 10**MAX_DIGITS:
            self.kind = "digits"

    def value(self, source: str) -> Any:
        """One of them, in that type of column."""
        value = read_number(source)
        exact = Decimal(repr(value)) if isinstance(value, float) else Decimal(source)
        match self.kind:
            case "int":
                return int(exact)
            case "float":
                return value if isinstance(value, float) else float(str(value))
            case "decimal":
                return exact
        return spell(exact)


def find_int(value: float) -> int | None:
    """A whole number of 64 bits."""
    exact = Decimal(repr(value))
    whole = int(exact)
    return whole if whole == exact and -(2**63) <= whole < 2**63 else None


@dataclass
class ModelColumn:
    """Values of one batch; the kind is that of the run."""

    rank: str = "null"
    values: list[Any] = field(default_factory=list)
    """The sources of numbers, for as long as they are numbers."""
    numbers: Numbers = field(default_factory=Numbers)

    @property
    def kind(self) -> str:
        """The column's type; of decimals Arrow's own word for it."""
        if self.rank == "number" and self.numbers.kind == "decimal":
            return f"decimal128({MAX_DIGITS}, {self.numbers.scale})"
        return self.numbers.kind if self.rank == "number" else self.rank

    def put(self, row: int, source: str) -> None:
        """The value of row `row`; a second one replaces the first."""
        del self.values[row:]
        self.fill(row)
        self._widen(join(self.rank, kind_of(source)))
        self.values.append(self._value(source))
        if self.rank == "number":
            self.numbers.add([value for value in self.values if value is not None])

    def fill(self, rows: int) -> None:
        """Nulls up to `rows`."""
        self.values += [None] * (rows - len(self.values))

    def take(self) -> list[Any]:
        """The batch's values; the kind stays."""
        values, self.values = self.values, []
        if self.rank != "number":
            return values
        taken = [None if value is None else self.numbers.value(value) for value in values]
        self.numbers.scale = 0
        return taken

    def _widen(self, rank: str) -> None:
        if rank == self.rank:
            return
        kind = self.kind
        self.values = [None if v is None else convert(v, kind) for v in self.take()]
        self.rank = rank

    def _value(self, source: str) -> Any:
        if source == "null":
            return None
        if self.rank == "text" and source[0] == '"':
            return json.loads(source)
        if self.rank == "text" and kind_of(source) == "number":
            return spell_number(source)
        return source if self.rank in {"number", "text", "json"} else json.loads(source)


def convert(value: Any, kind: str) -> Any:
    """A value that was built already, as text."""
    if kind in {"text", "digits", "json"}:
        return value
    if kind == "float":
        return spell(Decimal(repr(value)))
    return spell(value) if isinstance(value, Decimal) else json.dumps(value)


def spell_number(source: str) -> str:
    """A number in text: as a column of numbers would have it."""
    value = read_number(source)
    return spell(Decimal(repr(value)) if isinstance(value, float) else Decimal(source))


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
        values = {name: column.take() for name, column in self.columns.items()}
        self.rows = 0
        return kinds, values
