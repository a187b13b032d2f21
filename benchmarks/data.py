"""The data sets: deterministic rows as NDJSON, the same on every machine for the same number of
rows and seed.

`orders` is what every suite reads unless it says otherwise: 14 fields, nested values, unicode,
nulls, about 411 bytes a row, `created_at` and `updated_at` ascending. `flat` and `awkward` hold the
same orders without and with everything that makes a reader's life hard. `updates` changes and adds
orders for the merge suite.

Only `random.Random` decides, and in a fixed order of calls: a change of that order is a change of
the data.
"""

import argparse
import datetime as dt
import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson

from benchmarks.places import find_or_make

Row = dict[str, Any]
SEED = 7
LATE = 0.6
"""Where in the awkward data the late columns begin, as a share of all rows."""

_FIRST_NAMES = (
    *("Ana", "Björn", "Chloé", "Dvořák", "Eszter", "Fatıma", "Günter", "渡辺", "Иван", "José"),
    *("Kärt", "Łukasz", "María", "Nguyễn", "Øystein", "Παύλος"),
)
_LAST_NAMES = (
    *("Müller", "O'Neil", "García", "Šimůnek", "佐藤", "Петров", "Ångström", 'van "Dyk"'),
    *("Smith", "Kowalczyk"),
)
_CITIES = (
    *(("Zürich", "CH"), ("São Paulo", "BR"), ("東京", "JP"), ("Kraków", "PL"), ("München", "DE")),
    *(("Αθήνα", "GR"), ("Reykjavík", "IS"), ("Boston", "US"), ("Nantes", "FR"), ("Łódź", "PL")),
)
_STATUSES = ("new", "paid", "packed", "shipped", "delivered", "returned", "cancelled")
_TAGS = ("vip", "gift", "b2b", "fragile", "express", "café", "repeat", "promo-10", "eu")
_CURRENCIES = ("EUR", "USD", "CHF", "JPY", "BRL")
_NOTES = (
    *("leave at the door", "call before – 2× ring", "Größe tauschen 👍", "no signature"),
    "naïve façade entrance",
)
_START = dt.datetime(2024, 1, 1)


def iter_orders(rows: int, seed: int = SEED) -> Iterator[Row]:
    """The orders, ids from 1."""
    draw = random.Random(seed)
    since_start_ms = 0
    for number in range(1, rows + 1):
        since_start_ms += draw.randrange(1, 60_000)
        yield _build_order(draw, number, since_start_ms)


def _build_order(draw: random.Random, number: int, since_start_ms: int) -> Row:
    created = _START + dt.timedelta(milliseconds=since_start_ms)
    city, country = _CITIES[draw.randrange(10)]
    cents = draw.randrange(100, 5_000_000)
    customer = draw.randrange(1, 50_000)
    return {
        "id": number,
        "order_no": f"SO-{2024 + number % 3}-{number:09d}",
        "status": _STATUSES[draw.randrange(7)],
        "currency": _CURRENCIES[draw.randrange(5)],
        "total": f"{cents // 100}.{cents % 100:02d}",
        "discount": round(draw.random() * 40, 4),
        "weight_kg": None if draw.random() < 0.2 else round(draw.random() * 30, 3),
        "is_gift": draw.random() < 0.1,
        "paid": draw.random() < 0.8,
        "note": _NOTES[draw.randrange(5)] if draw.random() < 0.3 else None,
        "customer": _build_customer(customer, city, country),
        "tags": [_TAGS[draw.randrange(9)] for _ in range(draw.randrange(0, 4))],
        "created_at": _stamp(created),
        "updated_at": _stamp(created + dt.timedelta(milliseconds=1 + since_start_ms % 997)),
    }


def _build_customer(number: int, city: str, country: str) -> Row:
    return {
        "id": number,
        "name": f"{_FIRST_NAMES[number % 16]} {_LAST_NAMES[number % 10]}",
        "email": f"user{number}@example.com",
        "city": city,
        "country": country,
        "loyalty": None if number % 3 else number % 11,
    }


def _stamp(moment: dt.datetime) -> str:
    return moment.isoformat(timespec="milliseconds") + "Z"


def iter_flat(rows: int) -> Iterator[bytes]:
    """Orders with scalars only, ASCII, no nulls, every field in every row; as many bytes a row as
    `orders`.
    """
    for row in iter_orders(rows):
        customer = row.pop("customer")
        row["weight_kg"] = row["weight_kg"] or 0.5
        row["note"] = "leave at the door, or with the neighbour"
        row["tags"] = "-".join(["plain"] * (1 + len(row["tags"])))
        row["customer_id"], row["customer_email"] = customer["id"], customer["email"]
        row["customer_country"] = customer["country"]
        row["customer_phone"] = f"+1-555-{customer['id']:08d}"
        yield orjson.dumps(row)


def iter_awkward(rows: int) -> Iterator[bytes]:
    """Orders with deep nesting, escapes, fields that are missing, change their type, or appear
    late.
    """
    late = int(rows * LATE)
    for index, row in enumerate(iter_orders(rows)):
        number = index + 1
        row["lines"] = [
            {"sku": f"ß-{number % 97}", "qty": 1 + number % 5, "options": {"größe": [1, None]}}
        ] * (number % 3)
        if number % 10 < 7:  # a whole number now and then, as many APIs write them
            row["discount"] = int(row["discount"])
        if number % 4 == 0:
            del row["note"]
        if number % 5 == 0:
            row["paid"] = None
        if index >= late:
            row["channel"] = "şəbəkə" if number % 2 else None
            row["rating"] = number % 5 if number % 3 else number % 50 / 10
            row["audit"] = {"by": {"id": number % 11, "roles": ["α", "β"]}, "note": None}
        # Half the rows arrive with every other letter escaped, half as plain UTF-8.
        yield json.dumps(row).encode() if number % 2 else orjson.dumps(row)


def iter_updates(rows: int, *, table_rows: int, newest: int) -> Iterator[bytes]:
    """19 in 20 change an order among the `newest` of `table_rows`; the rest are new. Newer than all
    of the table.

    Ids ascend, as those that a source returns by their key would.
    """
    draw = random.Random(SEED + rows + newest)
    changed = draw.sample(range(table_rows - newest + 1, table_rows + 1), rows - rows // 20)
    added = range(table_rows + 1, table_rows + 1 + rows // 20)
    moment = dt.datetime(2040, 1, 1)
    for row, number in zip(iter_orders(rows, SEED + 1), [*sorted(changed), *added], strict=True):
        moment += dt.timedelta(milliseconds=5)
        yield orjson.dumps(row | {"id": number, "status": "updated", "updated_at": _stamp(moment)})


def find_orders(rows: int) -> Path:
    """The file of `orders`."""
    return _find(f"orders-{rows}-{SEED}", lambda: map(orjson.dumps, iter_orders(rows)))


def find_flat(rows: int) -> Path:
    """The file of `flat`."""
    return _find(f"flat-{rows}-{SEED}", lambda: iter_flat(rows))


def find_awkward(rows: int) -> Path:
    """The file of `awkward`."""
    return _find(f"awkward-{rows}-{SEED}", lambda: iter_awkward(rows))


def find_updates(rows: int, *, table_rows: int, newest: int) -> Path:
    """The file of `updates`."""
    return _find(
        f"updates-{rows}-of-{newest}-in-{table_rows}-{SEED}",
        lambda: iter_updates(rows, table_rows=table_rows, newest=newest),
    )


def _find(name: str, rows: Callable[[], Iterator[bytes]]) -> Path:
    return find_or_make(f"{name}.ndjson", lambda draft: _write(draft, rows()))


def _write(path: Path, rows: Iterator[bytes]) -> None:
    print(f"making {path.name} (once) ...", flush=True)
    with path.open("wb", buffering=1 << 20) as file:
        for row in rows:
            file.write(row)
            file.write(b"\n")


def main() -> None:
    """Makes one data set and prints where it is."""
    parser = argparse.ArgumentParser(description=__doc__)
    sets = {"orders": find_orders, "flat": find_flat, "awkward": find_awkward}
    parser.add_argument("name", choices=sets)
    parser.add_argument("rows", type=int, nargs="?", default=1_000_000)
    arguments = parser.parse_args()
    print(sets[arguments.name](arguments.rows))


if __name__ == "__main__":
    main()
