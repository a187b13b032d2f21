"""What a merge spends on one file of a table, step by step: why a merge of keys that are spread
over a whole table takes as long as it does.

The steps are the engine's own, on 100,000 of the benchmark's orders of which every tenth is
changed, in memory, one after the other in one thread. DuckDB does the same beside them in one
statement, from file to file, on one thread.

usage: python -m benchmarks.rewrite [--turns N]
"""

import argparse
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from benchmarks import data
from sync_runner.lake import give_memory_back
from sync_runner.lake.parquet.files import read_batches, read_groups
from sync_runner.lake.parquet.parts import PartEncoder
from sync_runner.lake.policy import Policy
from sync_runner.records.decode import RecordDecoder

ROWS = 100_000
EVERY = 10
DUCKDB = "DuckDB, all in one"
Steps = dict[str, Callable[[], object]]


def read_orders() -> pa.Table:
    """The rows of a file, as the decoder gives them."""
    decoder = RecordDecoder()
    decoder.push(b"[" + b",".join(data.find_orders(ROWS).read_bytes().splitlines()) + b"]")
    return pa.Table.from_batches([decoder.flush()])


def encode(table: pa.Table) -> pa.Buffer:
    """A Parquet file of one row group."""
    encoder = PartEncoder(table)
    encoder.write(table)
    return pa.py_buffer(b"".join(encoder.close()[0]))


def build_steps(table: pa.Table) -> Steps:
    """The steps of a rewrite, each with what the one before leaves."""
    file = encode(table)
    is_changed = find_changed()
    changed = table.filter(is_changed)
    batches = read(file, table.schema.names)
    keys = changed.column("id").combine_chunks()

    def find_keys() -> None:
        for _, group in read_groups(pq.ParquetFile(pa.BufferReader(file)), ["id"]):
            pc.index_in(group.column("id"), value_set=keys)

    def drop_old_rows() -> list[pa.Table]:
        return [
            batch.filter(pc.invert(is_changed.slice(first, batch.num_rows)))
            for first, batch in batches
        ]

    merged = pa.concat_tables([*drop_old_rows(), changed])
    return {
        "find the keys": find_keys,
        "decode": lambda: read(file, table.schema.names),
        "drop the old rows": drop_old_rows,
        "encode": lambda: encode(merged),
    }


def build_duckdb(table: pa.Table, folder: Path) -> Callable[[], object]:
    """The same rewrite, by a query."""
    old, new = folder / "old.parquet", folder / "new.parquet"
    old.write_bytes(encode(table).to_pybytes())
    connection = duckdb.connect(config={"threads": 1})
    connection.register("changed", table.filter(find_changed()))
    query = (
        f"copy (from read_parquet('{old}') anti join changed using (id) "
        "union all by name from changed) "
        f"to '{new}' (format parquet, compression zstd, compression_level 1, row_group_size {ROWS})"
    )
    return lambda: connection.execute(query)


def find_changed() -> pa.Array:
    """Which rows are changed."""
    return pa.array([row % EVERY == 0 for row in range(ROWS)])


def read(file: pa.Buffer, names: list[str]) -> list[tuple[int, pa.Table]]:
    """All batches of a file, each with the number of its first row."""
    parquet = pq.ParquetFile(pa.BufferReader(file))
    return list(read_batches(parquet, names, rows=Policy().batch_rows))


def main() -> None:
    """Measures, and prints CPU milliseconds."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--turns", type=int, default=9)
    turns = parser.parse_args().turns
    give_memory_back()
    orders = read_orders()
    steps = build_steps(orders)
    with TemporaryDirectory() as folder:
        spent = measure(steps | {DUCKDB: build_duckdb(orders, Path(folder))}, turns)
    print(f"{f'{ROWS:,} rows, every {EVERY}th changed':<40}{'CPU ms':>8}{'least':>8}{'most':>8}")
    for name, ms in spent.items():
        print(f"{name:<40}{statistics.median(ms):>8.1f}{min(ms):>8.1f}{max(ms):>8.1f}")
    print(f"{'all steps of ours':<40}{sum(statistics.median(spent[name]) for name in steps):>8.1f}")


def measure(steps: Steps, turns: int) -> dict[str, list[float]]:
    """CPU milliseconds of each step in each turn."""
    spent: dict[str, list[float]] = {name: [] for name in steps}
    for turn in range(turns + 1):
        for name, step in steps.items():
            begin = time.process_time()
            step()
            if turn > 0:  # the first turn warms up
                spent[name].append((time.process_time() - begin) * 1000)
    return spent


if __name__ == "__main__":
    main()
