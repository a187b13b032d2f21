"""A database of 2,000 tables with 50 columns each, with names as people give them and with names
that compress badly."""

import random
from collections.abc import Sequence
from functools import cache

from external_data_operator.api.cursors import CursorType, IncrementalField
from external_data_operator.api.plan import DiscoveredStream, Discovery
from external_data_operator.api.schema import Column

TABLES, COLUMNS = 2000, 50
_WORDS = (
    "account address amount batch billing city code country created customer discount email flag "
    "invoice item last line name note order owner payment phone price product quantity rate region "
    "shipping source state status store street tax total type updated user version warehouse zip"
)
_TYPES = ("string", "long", "double", "boolean", "date", "timestamp", "decimal(18,2)")


@cache
def build_catalogue(*, hashed: bool, tables: int = TABLES) -> Discovery:
    """The same at each call."""
    chance = random.Random(tables + hashed)
    streams = [_build_table(number, chance, hashed=hashed) for number in range(tables)]
    return Discovery(streams=streams)


def _build_table(number: int, chance: random.Random, *, hashed: bool) -> DiscoveredStream:
    names = _hash_names(chance) if hashed else _name_columns(chance)
    columns = [Column(name=name, data_type=chance.choice(_TYPES)) for name in names]
    cursor = IncrementalField(name=names[1], type=CursorType.DATE_TIME)
    table = (
        f"t_{chance.getrandbits(96):024x}"
        if hashed
        else f"{chance.choice(_WORDS.split())}_{number}"
    )
    return DiscoveredStream(
        name=table,
        primary_key=[names[0]],
        columns=columns,
        incremental_fields=[cursor],
        incremental_field=cursor.name,
    )


def _hash_names(chance: random.Random) -> Sequence[str]:
    return [f"c_{chance.getrandbits(96):024x}" for _ in range(COLUMNS)]


def _name_columns(chance: random.Random) -> Sequence[str]:
    names, words = ["id", "updated_at"], _WORDS.split()
    while len(names) < COLUMNS:
        name = "_".join(chance.sample(words, chance.choice((1, 2, 2, 3))))
        if name not in names:
            names.append(name)
    return names
