"""The type for the numbers of several batches, parts and files, in which none loses a digit.

Whole numbers stay whole, floats that are whole among them. Beside other floats they are floats if
each of them is one, else decimals if all fit into 38 digits, else text, each in one spelling. This
is decided by values, which are read only if types differ. A float's value is its shortest text,
which is the text that a source wrote and readers see.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from decimal import Context, Decimal
from functools import cached_property
from typing import Protocol, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

ColumnValues: TypeAlias = pa.Array | pa.ChunkedArray

_DIGITS_MAX = 38
_PLAIN_DIGITS = 100
"""Numbers with more digits, zeros at either end among them, are spelled with an exponent."""
_WHOLE_MAX = 2**53
"""Every whole number up to this one is a float."""
_INT_DIGITS = {8: 3, 16: 5, 32: 10, 64: 19}
_WHOLE = pa.decimal128(_DIGITS_MAX, 0)
_EXACT = Context(prec=2000)


def is_number(type_: pa.DataType) -> bool:
    """Whether its values are numbers."""
    types = pa.types
    return bool(types.is_integer(type_) or types.is_decimal(type_) or types.is_floating(type_))


@dataclass(frozen=True)
class _Facts:
    """What is known of the numbers of a column, but for NaN and the infinities."""

    low: Decimal = Decimal(0)
    high: Decimal = Decimal(0)
    is_finite: bool = True
    is_whole: bool = True
    """All are whole numbers of 64 bits."""
    is_float: bool = True
    """Readers of floats see these numbers."""

    def plus(self, other: "_Facts") -> "_Facts":
        """Of both columns."""
        return _Facts(
            min(self.low, other.low),
            max(self.high, other.high),
            self.is_finite and other.is_finite,
            self.is_whole and other.is_whole,
            self.is_float and other.is_float,
        )


class Numbers:
    """The values of a column, read on demand; nested ones are reached member by member."""

    def __init__(self, read: Callable[[], Iterable[ColumnValues]]) -> None:
        """`read` returns the values, in pieces; it is called for each question."""
        self._read = read

    @staticmethod
    def of_all(several: Iterable["Numbers"]) -> "Numbers":
        """The values of several columns."""
        known = list(several)
        return Numbers(lambda: (array for numbers in known for array in numbers.arrays()))

    def member(self, name: str) -> "Numbers":
        """The values of a member of structs."""
        return Numbers(lambda: _members(self.arrays(), name))

    def items(self) -> "Numbers":
        """The values of lists."""
        return Numbers(
            lambda: (array.flatten() for array in self.arrays() if pa.types.is_list(array.type))
        )

    def fit(self, type_: pa.DataType) -> bool:
        """Whether the type holds every number."""
        facts = self._facts
        if pa.types.is_integer(type_):
            limit = 2 ** (type_.bit_width - 1)
            return facts.is_whole and -limit <= facts.low and facts.high < limit
        if pa.types.is_decimal(type_):
            limit = 10 ** (type_.precision - type_.scale)
            within = -limit < facts.low and facts.high < limit
            return facts.is_finite and within and self.scale <= type_.scale
        return bool(facts.is_float and pa.types.is_float64(type_))

    @cached_property
    def scale(self) -> int:
        """Digits after the point, at least those of the numbers."""
        return max(map(_scale, self.arrays()), default=0)

    @cached_property
    def _facts(self) -> _Facts:
        found = _Facts()
        for array in self.arrays():
            found = found.plus(_measure(array))
        return found

    def arrays(self) -> Iterator[pa.Array]:
        """The values, piece by piece."""
        for column in self._read():
            yield from column.chunks if isinstance(column, pa.ChunkedArray) else [column]


NO_NUMBERS = Numbers(tuple)
"""Of a column without values."""


class Rule(Protocol):
    """Decides which type holds two kinds of numbers, at any depth of nested values."""

    def join(self, one: pa.DataType, other: pa.DataType) -> pa.DataType:
        """The type of numbers, or text, that holds both."""

    def member(self, name: str) -> "Rule":
        """The same inside of structs."""

    def items(self) -> "Rule":
        """The same inside of lists."""


class ByType:
    """Where no values are known: what holds most values of both."""

    def join(self, one: pa.DataType, other: pa.DataType) -> pa.DataType:
        """A float beside anything else than whole numbers and decimals that fit."""
        return _join_by_type(one, other) or pa.float64()

    def member(self, name: str) -> Rule:  # noqa: ARG002 # the same for all
        """The same."""
        return self

    def items(self) -> Rule:
        """The same."""
        return self


class Wanted(ByType):
    """The first type, which is chosen already."""

    def join(self, one: pa.DataType, other: pa.DataType) -> pa.DataType:  # noqa: ARG002
        """The first one."""
        return one


@dataclass(frozen=True)
class ByValue:
    """What holds every number of both columns."""

    one: Numbers
    other: Numbers
    keeps: bool = False
    """The first type is a table's, which never becomes narrower."""
    before: pa.DataType | None = None
    """What the table's type was when the run began, if that is known: its members alone are kept.
    """

    def join(self, one: pa.DataType, other: pa.DataType) -> pa.DataType:
        """The first type in question that holds both."""
        pairs = ((one, self.one), (other, self.other))
        for type_ in self._candidates(one, other):
            if all(type_.equals(own) or numbers.fit(type_) for own, numbers in pairs):
                return type_
        return pa.string()

    def member(self, name: str) -> Rule:
        """Inside of structs."""
        before = self.before
        index = -1 if before is None else before.get_field_index(name)
        known = None if before is None or index < 0 else before.field(index).type
        keeps = self.keeps and (before is None or known is not None)
        return ByValue(self.one.member(name), self.other.member(name), keeps, known)

    def items(self) -> Rule:
        """Inside of lists."""
        before = None if self.before is None else self.before.value_type
        return ByValue(self.one.items(), self.other.items(), self.keeps, before)

    def _candidates(self, one: pa.DataType, other: pa.DataType) -> Iterator[pa.DataType]:
        if self.keeps:
            yield one
        known = _join_by_type(one, other)
        if known is not None:
            yield known
            return
        has = {kind for type_ in (one, other) for kind in _KINDS if kind(type_)}
        is_free = not self.keeps or pa.types.is_integer(one)
        if pa.types.is_integer in has and is_free:
            yield pa.int64()
        if pa.types.is_floating in has and pa.types.is_decimal not in has:
            yield pa.float64()
        scale = max(_type_scale(one), self.one.scale, self.other.scale)
        if scale <= _DIGITS_MAX:
            yield pa.decimal128(_DIGITS_MAX, scale)


_KINDS = (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal)


def cast_numbers(column: pa.Array, type_: pa.DataType) -> pa.Array:
    """Numbers as numbers of another type that holds them."""
    own = column.type
    if pa.types.is_floating(own) and pa.types.is_floating(type_):
        return pc.cast(column, type_)
    if pa.types.is_floating(type_):
        assert _measure(column).is_float, "a whole number would lose digits as a float"
        return pc.cast(column, type_, safe=False)
    if pa.types.is_integer(own) and pa.types.is_integer(type_):
        return pc.cast(column, type_)
    if pa.types.is_decimal(own) and pa.types.is_decimal(type_):
        return pc.cast(column, type_)
    text = pc.cast(column, pa.string())
    if pa.types.is_decimal(type_):
        return pc.cast(text, type_)
    return pc.cast(pc.cast(text, _WHOLE), type_)


def spell_numbers(column: pa.Array) -> pa.Array:
    """The text of numbers as the decoder spells them: one value has one spelling, whichever type
    its column had before.
    """
    if pa.types.is_integer(column.type):
        return pc.cast(column, pa.string())
    distinct = column.dictionary_encode()
    texts = [spell_number(value) for value in distinct.dictionary.to_pylist()]
    return pa.array(texts, pa.string()).take(distinct.indices)


def spell_number(value: float | Decimal) -> str:
    """The one text of a number, plain where that is not too long."""
    exact = value if isinstance(value, Decimal) else Decimal(repr(value))
    if not exact.is_finite():
        return "NaN" if exact.is_nan() else f"{'-' * exact.is_signed()}Infinity"
    if exact == 0:
        return "0"
    plain = exact.normalize(_EXACT)
    _, digits, exponent = plain.as_tuple()
    assert isinstance(exponent, int)
    if exponent == 0 or 0 < exponent <= _PLAIN_DIGITS - len(digits):
        return format(plain, "f")
    if -_PLAIN_DIGITS <= exponent < 0:
        return format(plain, "f")
    mantissa = plain.scaleb(1 - len(digits) - exponent, _EXACT)
    return f"{mantissa:f}e{exponent + len(digits) - 1}"


def _measure(array: pa.Array) -> _Facts:
    if pa.types.is_null(array.type) or array.null_count == len(array):
        return _Facts()
    if not is_number(array.type):
        return _Facts(is_finite=False, is_whole=False, is_float=False)
    if pa.types.is_floating(array.type):
        return _measure_floats(array)
    ends = pc.min_max(array)
    low, high = Decimal(ends["min"].as_py()), Decimal(ends["max"].as_py())
    if pa.types.is_decimal(array.type):
        return _Facts(low, high, is_whole=False, is_float=False)
    is_small = low >= -_WHOLE_MAX and high <= _WHOLE_MAX
    return _Facts(low, high, is_float=is_small or all(map(_is_float, array.drop_null())))


def _is_float(value: pa.Scalar) -> bool:
    whole: int = value.as_py()
    return Decimal(repr(float(whole))) == whole


def _measure_floats(array: pa.Array) -> _Facts:
    finite = array.filter(pc.is_finite(array))
    is_finite = len(finite) == len(array) - array.null_count
    if not len(finite):
        return _Facts(is_finite=is_finite, is_whole=is_finite)
    ends = pc.min_max(finite)
    low, high = (Decimal(repr(ends[end].as_py())) for end in ("min", "max"))
    is_whole = bool(pc.all(pc.equal(pc.floor(finite), finite)).as_py())
    is_whole = is_whole and is_finite and low >= -(2**63) and high < 2**63
    return _Facts(low, high, is_finite=is_finite, is_whole=is_whole)


def _scale(array: pa.Array) -> int:
    if not pa.types.is_floating(array.type):
        return _type_scale(array.type)
    values = pc.unique(array.filter(pc.is_finite(array))).to_pylist()
    exponents = (Decimal(repr(value)).normalize(_EXACT).as_tuple().exponent for value in values)
    return max(0, max((-int(exponent) for exponent in exponents), default=0))


def _type_scale(type_: pa.DataType) -> int:
    return type_.scale if pa.types.is_decimal(type_) else 0


def _members(arrays: Iterable[pa.Array], name: str) -> Iterator[pa.Array]:
    for array in arrays:
        index = array.type.get_field_index(name) if pa.types.is_struct(array.type) else -1
        if index >= 0:
            yield array.flatten()[index]


def _join_by_type(one: pa.DataType, other: pa.DataType) -> pa.DataType | None:
    """What holds every value of both types; None where that depends on the values."""
    if pa.types.is_floating(one) and pa.types.is_floating(other):
        return max(one, other, key=lambda type_: type_.bit_width)
    if pa.types.is_floating(one) or pa.types.is_floating(other):
        return None
    if pa.types.is_integer(one) and pa.types.is_integer(other):
        return max(one, other, key=lambda type_: type_.bit_width)
    (whole, scale), (whole2, scale2) = _digits(one), _digits(other)
    digits, scale = max(whole, whole2), max(scale, scale2)
    return pa.decimal128(digits + scale, scale) if digits + scale <= _DIGITS_MAX else None


def _digits(type_: pa.DataType) -> tuple[int, int]:
    """Digits before and after the point."""
    if pa.types.is_integer(type_):
        return _INT_DIGITS[type_.bit_width], 0
    return type_.precision - type_.scale, type_.scale
