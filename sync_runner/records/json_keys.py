"""One spelling for each value of JSON, for columns of text that name rows.

Keys are compared by their bytes, in files, in statistics and by readers, so that two spellings of
one object would be two rows. Members are in the order of their names and numbers in one spelling,
as in any other text; nothing else changes, and what cannot be read stays as it is.
"""

import json
from decimal import Decimal

import orjson
import pyarrow as pa

from sync_runner.records.numeric import spell_number

_DIGITS_MAX = 1_000
"""Of a number that is spelled again; others stay as they are."""


def spell_keys(column: pa.Array) -> pa.Array:
    """A column of JSON text in which equal values have equal text."""
    distinct = column.dictionary_encode()
    texts = [None if text is None else spell_json(text) for text in distinct.dictionary.to_pylist()]
    return pa.array(texts, column.type).take(distinct.indices)


def spell_json(text: str) -> str:
    """The one spelling of a JSON value."""
    try:
        value = json.loads(
            text, parse_int=_spell, parse_float=_spell, parse_constant=_refuse_constant
        )
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
    except (ValueError, ArithmeticError, RecursionError, orjson.JSONEncodeError):
        return text


def _spell(number: str) -> orjson.Fragment:
    if len(number) > _DIGITS_MAX:
        return orjson.Fragment(number)
    return orjson.Fragment(spell_number(Decimal(number)))


def _refuse_constant(name: str) -> None:
    """NaN and the infinities are no JSON, and orjson would write null for them."""
    raise ValueError(name)
