"""The decoder beside other ways from pages of JSON to Arrow, in one process and in turns.

Each takes the same page bodies, 20 at a time, and gives record batches. pyarrow and DuckDB are told
the schema beforehand and ignore what is not in it; the decoder and the objects find it themselves.
Nested values become JSON text, but for pyarrow, which cannot, and makes structs.

usage: python -m benchmarks.decode [--data FILE.ndjson | --set awkward] [--rows N] [--turns N]
"""

import argparse
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import duckdb
import orjson
import pyarrow as pa
import pyarrow.json as pa_json

from benchmarks import data
from sync_runner.records.decode import RecordDecoder

PAGE_ROWS, GROUP_PAGES = 1000, 20
SETS = {"orders": data.find_orders, "flat": data.find_flat, "awkward": data.find_awkward}
READ = pa_json.ReadOptions(use_threads=False, block_size=256 << 20)
Group = list[bytes]
Decode = Callable[[Sequence[Group]], int]
"""From groups of pages to how many rows they held."""


def decode_natively(groups: Sequence[Group]) -> int:
    """The project's own decoder."""
    decoder = RecordDecoder(records_path="data", envelope=["next_cursor"])
    rows = 0
    for group in groups:
        for page in group:
            decoder.push(page)
        rows += decoder.flush().num_rows
    return rows


def decode_objects(groups: Sequence[Group]) -> int:
    """A Python object for each value, by the quickest parser there is."""
    rows = 0
    for group in groups:
        records: list[dict[str, Any]] = []
        for page in group:
            records += orjson.loads(page)["data"]
        for record in records:
            for key, value in record.items():
                if isinstance(value, dict | list):
                    record[key] = orjson.dumps(value).decode()
        names = list(dict.fromkeys(key for record in records for key in record))
        columns = [pa.array([record.get(name) for record in records]) for name in names]
        rows += pa.RecordBatch.from_arrays(columns, names=names).num_rows
    return rows


def build_pyarrow(schema: pa.Schema) -> Decode:
    """pyarrow's reader of JSON lines: a page is a line."""
    body = pa.schema([("data", pa.list_(pa.struct(list(schema))))])
    options = pa_json.ParseOptions(explicit_schema=body, unexpected_field_behavior="ignore")

    def decode(groups: Sequence[Group]) -> int:
        rows = 0
        for group in groups:
            joined = pa.BufferReader(b"\n".join(group))
            for chunk in pa_json.read_json(joined, READ, options).column("data").chunks:
                rows += pa.RecordBatch.from_struct_array(chunk.flatten()).num_rows
        return rows

    return decode


def build_duckdb(schema: pa.Schema) -> Decode:
    """DuckDB's json_transform, on one thread."""
    kinds = {pa.int64(): "BIGINT", pa.float64(): "DOUBLE", pa.bool_(): "BOOLEAN"}
    nested = {name for name in schema.names if pa.types.is_nested(schema.field(name).type)}
    fields = {
        field.name: "JSON" if field.name in nested else kinds.get(field.type, "VARCHAR")
        for field in schema
    }
    shape = orjson.dumps({"data": [fields]}).decode()
    connection = duckdb.connect(config={"threads": 1})
    query = "select unnest(json_transform(body, $shape).data, recursive := true) from pages"

    def decode(groups: Sequence[Group]) -> int:
        rows = 0
        for group in groups:
            pages = pa.table({"body": pa.array(group, pa.binary()).cast(pa.string())})
            connection.register("pages", pages)
            rows += connection.sql(query, params={"shape": shape}).to_arrow_table().num_rows
        return rows

    return decode


def infer_schema(lines: Sequence[bytes]) -> pa.Schema:
    """What pyarrow makes of the first rows, moments left as text."""
    found = pa_json.read_json(pa.BufferReader(b"\n".join(lines[:5000])), READ).schema
    plain = [
        pa.field(f.name, pa.string() if pa.types.is_temporal(f.type) else f.type) for f in found
    ]
    return pa.schema(plain)


def build_groups(lines: Sequence[bytes]) -> list[Group]:
    """Page bodies as a server sends them."""
    pages = [
        b'{"data":[' + b",".join(lines[i : i + PAGE_ROWS]) + b'],"next_cursor":"%d"}' % i
        for i in range(0, len(lines), PAGE_ROWS)
    ]
    return [pages[i : i + GROUP_PAGES] for i in range(0, len(pages), GROUP_PAGES)]


def measure(ways: dict[str, Decode], groups: Sequence[Group], rows: int, turns: int) -> None:
    """Prints the table: CPU seconds for a million rows, and how often that of the decoder."""
    spent: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(turns + 1):
        for name, decode in ways.items():
            begin = time.process_time()
            found = decode(groups)
            cpu_s = time.process_time() - begin
            if found != rows:
                raise SystemExit(f"{name} gave {found} of {rows} rows")
            if turn > 0:  # the first turn warms up
                spent[name].append(cpu_s * 1e6 / rows)
    ours = next(iter(spent.values()))
    print(f"{'':<28}{'CPU s / 1M rows':>16}{'least':>8}{'most':>8}{'ratio':>8}")
    for name, seconds in spent.items():
        ratio = statistics.median(a / b for a, b in zip(seconds, ours, strict=True))
        median = statistics.median(seconds)
        spread = f"{min(seconds):>8.2f}{max(seconds):>8.2f}"
        print(f"{name:<28}{median:>16.2f}{spread}{ratio:>8.1f}")


def main() -> None:
    """Reads the arguments, makes the data if there is none, and measures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="rows as NDJSON, instead of a set")
    parser.add_argument("--set", choices=SETS, default="orders", dest="name")
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--only-ours", action="store_true", help="for data without a steady schema")
    arguments = parser.parse_args()
    path = arguments.data or SETS[arguments.name](arguments.rows)
    lines = path.read_bytes().splitlines()[: arguments.rows]
    groups, mib = build_groups(lines), sum(map(len, lines)) / 2**20
    print(f"{path.name}: {len(lines)} rows, {mib:.0f} MiB, pages of {PAGE_ROWS} rows")
    ways: dict[str, Decode] = {"decoder": decode_natively}
    if not arguments.only_ours:
        schema = infer_schema(lines)
        ways["pyarrow.json, fixed schema"] = build_pyarrow(schema)
        ways["DuckDB json_transform"] = build_duckdb(schema)
        ways["orjson, objects, columns"] = decode_objects
    measure(ways, groups, len(lines), arguments.turns)


if __name__ == "__main__":
    main()
