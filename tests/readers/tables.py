"""The seven tables that every reader is given, and the rows that each of them holds.

The rows are written down or computed here, by rules of their own: no reader is the measure of
another, and the engine is not the measure of itself.
"""

import datetime as dt
import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

import pyarrow as pa
from deltalake import DeltaTable

from tests.contract.lake_pod import Place
from tests.readers.lake import PARTS, RestSyncs, address_of, write_typed
from tests.readers.readers import Address
from tests.servers.rest import RestServer

Row = dict[str, Any]
UTC = dt.UTC
NAN, INF = float("nan"), float("inf")


@dataclass(frozen=True)
class LakeTable:
    """A table and its rows, each named by its columns of `key`."""

    name: str
    place: Place
    rows: list[Row]
    key: tuple[str, ...] = ("id",)
    types: dict[str, str] = field(default_factory=dict)
    """Delta's words for the columns on which conditions are asked."""
    nested: dict[str, pa.DataType] = field(default_factory=dict)
    """Types of columns that are structs or lists."""

    @property
    def address(self) -> Address:
        return address_of(self.place)


def at(text: str) -> dt.datetime:
    """A timestamp in UTC."""
    return dt.datetime.fromisoformat(text).replace(tzinfo=UTC)


def parse(kind: Callable[[str], Any], texts: str) -> list[Any]:
    """Values with spaces between them; a dash is null."""
    return [None if text == "-" else kind(text) for text in texts.split()]


LONG = "x" * 70
DIGITS = "12345678901234567890123456789"
TIMES = (
    "1900-01-01T00:00:00 2262-04-11T23:47:16.854775 2024-01-01T00:00:00.100000 "
    "2024-01-01T00:00:00.100001 - 1969-12-31T23:59:59.999999"
)
TYPED: dict[str, tuple[pa.DataType, list[Any], str]] = {
    "i8": (pa.int8(), [-128, 127, 0, 5, None, 7], "byte"),
    "i16": (pa.int16(), [-32768, 32767, 0, 5, None, 7], "short"),
    "i32": (pa.int32(), [-(2**31), 2**31 - 1, 0, 5, None, 7], "integer"),
    "i64": (pa.int64(), [-(2**63), 2**63 - 1, 2**53 + 1, 2**53, None, 7], "long"),
    "u64": (pa.uint64(), [0, 2**64 - 1, 2**63, 2**63 + 1, None, 7], "decimal(20,0)"),
    "f32": (pa.float32(), [-1.5, 3.0, 0.0, 1.25, None, -0.0], "float"),
    "f64": (pa.float64(), [-1.7e308, 5e-324, 0.1, INF, None, -INF], "double"),
    "nan": (pa.float64(), [1.0, NAN, 3.0, NAN, None, -5.0], "double"),
    "money": (
        pa.decimal128(12, 2),
        parse(Decimal, "-12.34 0.01 9999999999.99 0.10 - 7.00"),
        "decimal(12,2)",
    ),
    "fine": (
        pa.decimal128(38, 9),
        parse(Decimal, f"-{DIGITS}.123456789 0.000000001 1.5 {DIGITS}.999999999 - 7"),
        "decimal(38,9)",
    ),
    "flag": (pa.bool_(), [True, False, True, False, None, True], "boolean"),
    "text": (
        pa.string(),
        ["", "渡辺 🦀", LONG + "b", LONG + "a", None, 'it\'s "q" \\ \n\t%_'],
        "string",
    ),
    "high": (pa.string(), ["\U0010ffff" * 65, "\ud7ff" * 65, "é", "e", None, "z"], "string"),
    "raw": (pa.binary(), [b"", b"\x00\xff", b"\xfe" * 70, b"a", None, b"z"], "binary"),
    "day": (
        pa.date32(),
        parse(dt.date.fromisoformat, "0001-01-01 9999-12-31 1582-10-04 1970-01-01 - 2024-02-29"),
        "date",
    ),
    "zoned": (pa.timestamp("us", "UTC"), parse(at, TIMES), "timestamp"),
    "naive": (pa.timestamp("us"), parse(dt.datetime.fromisoformat, TIMES), "timestamp_ntz"),
    "ancient": (
        pa.timestamp("us", "UTC"),
        parse(at, "0001-01-01 9999-12-31T23:59:59.999999 1582-10-04 1677-01-01 - 2300-01-01"),
        "timestamp",
    ),
    "half": (pa.string(), [None, None, None, "d", "e", "f"], "string"),
}
"""Each type with its extremes; two rows make a file, so that each value is a bound of one."""


def make_types(server: RestServer, place: Place) -> LakeTable:
    """Every type that we write, with its extremes, NaN and nulls; three files."""
    names = ["id", *TYPED]
    ids = pa.array(range(6), pa.int64())
    arrays = [ids, *(pa.array(values, type_) for type_, values, _ in TYPED.values())]
    records = pa.RecordBatch.from_arrays(arrays, names=names)
    write_typed(place, *(records.slice(first, 2) for first in (0, 2, 4)))
    rows = [{"id": n, **{k: v[1][n] for k, v in TYPED.items()}} for n in range(6)]
    for row in rows:
        row["u64"] = None if row["u64"] is None else Decimal(row["u64"])
    return LakeTable("types", place, rows, types={k: v[2] for k, v in TYPED.items()})


AWKWARD = (
    "id", "With Space", "tab\there", "dotted.name", "1st", "2024", "select", "Order", "GROUP",
    "naïve", "straße", "日本", "имя", "emoji🦀", "semi;colon", "quo\"te", "apos'trophe",
    "back`tick", "a,b", "(paren)", "{brace}", "eq=ual", "slash/es", "per%cent", "_under",
    "camelCase", "ID2", "x" * 200, "_change_type_", "$dollar", "@at", "#hash", "new\nline",
)  # fmt: skip


def make_awkward(server: RestServer, place: Place) -> LakeTable:
    """Names that SQL, Parquet or Spark trip over; the log says which column is which field."""
    source = [{name: n if name == "id" else f"{name} {n}" for name in AWKWARD} for n in range(10)]
    RestSyncs(server, place, page_rows=4)(source)
    names = read_names(place)
    rows = [{names[name]: value for name, value in row.items()} for row in source]
    return LakeTable("awkward", place, rows, types={names[n]: "string" for n in AWKWARD[1:]})


def read_names(place: Place) -> dict[str, str]:
    """Columns by the source's spelling, as the log has them."""
    address = address_of(place)
    fields = DeltaTable(address.uri, storage_options=address.options or None).schema().fields
    return {str(f.metadata["externalData.source"]): f.name for f in fields}


_LINE = pa.struct([("sku", pa.string()), ("n", pa.int64()), ("p", pa.list_(pa.float64()))])
_WHERE = pa.struct([("city", pa.string()), ("zip", pa.string())])
NESTED = {
    "who": pa.struct([("name", pa.string()), ("age", pa.int64()), ("at", _WHERE)]),
    "tags": pa.list_(pa.string()),
    "lines": pa.list_(_LINE),
    "grid": pa.list_(pa.list_(pa.int64())),
}


def make_structs(server: RestServer, place: Place) -> LakeTable:
    """Structs and lists, one inside the other, with nulls at every depth."""
    rows: list[Row] = [
        {
            "id": 0,
            "who": {"name": "Ana", "age": 1, "at": {"city": "Δ", "zip": None}},
            "tags": ["a"],
        },
        {"id": 1, "who": {"name": None, "age": 2, "at": None}, "tags": ["b", None, "c"]},
        {"id": 2, "who": None, "tags": None, "lines": [{"sku": "s", "n": 1, "p": [0.5]}]},
        {"id": 3, "who": {"name": "Bo", "age": 3, "at": {"city": "x", "zip": "1"}}, "tags": []},
        {"id": 4, "lines": [{"sku": "t", "n": None, "p": [1.5, 2.5]}, None], "grid": [[1], [2, 3]]},
        {"id": 5, "lines": [], "grid": [[], None], "tags": ["🦀"]},
    ]
    RestSyncs(server, place, nested="Structs", page_rows=2)(rows)
    full = [{n: row.get(n) for n in ("id", "who", "tags", "lines", "grid")} for row in rows]
    return LakeTable("structs", place, full, nested=NESTED)


def make_merged(server: RestServer, place: Place) -> LakeTable:
    """Merges that change rows here and there, add a column, and widen another."""
    sync = RestSyncs(server, place, key=["id"], cursor="seq")
    state: dict[int, Row] = {}
    seq = 0
    for number in range(6):
        page = []
        for key in range(number * 9, number * 9 + 30, 1 + number % 3):
            seq += 1
            row: Row = {"id": key, "seq": seq, "v": f"v{seq}", "meta": {"n": seq}}
            if number >= 3:
                row["late"] = seq * 10
            page.append(row)
        sync(page)
        state |= {row["id"]: row for row in page}
    rows = [
        {**row, "meta": json.dumps(row["meta"]), "late": row.get("late")} for row in state.values()
    ]
    return LakeTable("merged", place, rows, types={"seq": "long", "v": "string", "late": "long"})


def make_appended(server: RestServer, place: Place) -> LakeTable:
    """Appends without a key; times are text, as the source spells them."""
    sync = RestSyncs(server, place, cursor="seq")
    rows: list[Row] = []
    for number in range(4):
        new = [
            {
                "seq": n,
                "when": f"2024-01-{number + 1:02}T00:00:{n % 60:02}.{n:06}Z",
                "day": f"2024-02-{number + 1:02}",
                "share": n / 8 + 0.125,
                "note": None if n % 3 else f"note {n}",
            }
            for n in range(number * 12 + 1, number * 12 + 13)
        ]
        sync(new)
        rows += new
    types = dict.fromkeys(("when", "day", "note"), "string") | {"seq": "long", "share": "double"}
    return LakeTable("appended", place, rows, key=("seq",), types=types)


def make_compacted(server: RestServer, place: Place) -> LakeTable:
    """Forty appends: files made into larger ones, checkpoints, and a log cut behind them."""
    policy = replace(PARTS, group_rows=60, tier_files=3, log_hours=0, log_entries=5)
    sync = RestSyncs(server, place, cursor="seq", policy=policy)
    rows: list[Row] = []
    for number in range(40):
        new = [
            {"seq": n, "v": f"v{n}", "d": n / 4 + 0.5, "no": None}
            for n in range(number * 3 + 1, number * 3 + 4)
        ]
        sync(new)
        rows += new
    wanted = [{k: v for k, v in row.items() if k != "no"} for row in rows]
    types = {"seq": "long", "v": "string", "d": "double"}
    return LakeTable("compacted", place, wanted, key=("seq",), types=types)


def make_composite(server: RestServer, place: Place) -> LakeTable:
    """A key of three columns, one of them null at times."""
    sync = RestSyncs(server, place, key=["tenant", "day", "no"], cursor="seq")
    state: dict[tuple[Any, ...], Row] = {}
    seq = 0
    for number in range(5):
        page = []
        for n in range(24):
            seq += 1
            row = {
                "tenant": ("a", "ä", None)[n % 3],
                "day": f"2024-01-{1 + (n + number) % 5:02}",
                "no": n // 6,
                "seq": seq,
                "v": f"v{seq}",
            }
            page.append(row)
        sync(page)
        state |= {(row["tenant"], row["day"], row["no"]): row for row in page}
    types = {"tenant": "string", "day": "string", "no": "long", "seq": "long"}
    return LakeTable(
        "composite", place, list(state.values()), key=("tenant", "day", "no"), types=types
    )


Make = Callable[[RestServer, Place], LakeTable]
TABLES: dict[str, Make] = {
    "types": make_types,
    "awkward": make_awkward,
    "structs": make_structs,
    "merged": make_merged,
    "appended": make_appended,
    "compacted": make_compacted,
    "composite": make_composite,
}
