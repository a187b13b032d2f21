"""Reads a table as others do: with DuckDB and Polars, and with a replay of the log that is not
the engine's.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

Row = dict[str, Any]

_POLARS_OPTIONS = {
    "aws_endpoint",
    "aws_access_key_id",
    "aws_secret_access_key",
    "aws_region",
    "allow_http",
}


@dataclass(frozen=True)
class Replay:
    """What the log's entries say, read one after the other."""

    version: int
    columns: tuple[str, ...]
    files: tuple[str, ...]


def replay_log(folder: Path) -> Replay | None:
    """Replays the entries of a log; None without a table. Tables whose log has been cut are for
    `read_polars`.
    """
    entries = sorted((folder / "_delta_log").glob("*.json"))
    files: dict[str, None] = {}
    columns: tuple[str, ...] = ()
    for entry in entries:
        for line in entry.read_text().splitlines():
            action = json.loads(line)
            if "metaData" in action:
                schema = json.loads(action["metaData"]["schemaString"])
                columns = tuple(field["name"] for field in schema["fields"])
            if "remove" in action:
                files.pop(action["remove"]["path"], None)
            if "add" in action:
                assert action["add"]["path"] not in files, "a file is in the table twice"
                files[action["add"]["path"]] = None
    if not entries:
        return None
    return Replay(int(entries[-1].stem), columns, tuple(files))


def read_duckdb(folder: Path) -> list[Row]:
    """The rows of a table in a folder, by DuckDB."""
    replay = replay_log(folder)
    if replay is None or not replay.files:
        return []
    paths = [str(folder / path) for path in replay.files]
    with duckdb.connect() as connection:
        relation = connection.read_parquet(paths, union_by_name=True)
        table = relation.to_arrow_table()
    return [{name: row.get(name) for name in replay.columns} for row in table.to_pylist()]


def read_polars(uri: str, options: dict[str, str] | None = None) -> list[Row]:
    """The rows of a table, by Polars."""
    known = {name: value for name, value in (options or {}).items() if name in _POLARS_OPTIONS}
    return pl.read_delta(uri, storage_options=known or None).to_dicts()


def rename(row: Row) -> Row:
    """A row of the world as the table names its columns, and holds what is of two kinds."""
    names = {"Name": "name", "late column": "late_column"}
    row = {**row, "mixed": str(row["mixed"])}
    return {names.get(name, name): value for name, value in row.items()}


def find_differences(rows: list[Row], wanted: list[Row], *, by: str) -> list[str]:
    """How the table's rows differ from the wanted ones, each as a sentence; nulls equal missing
    columns.
    """
    found: dict[Any, Row] = {}
    said = []
    for row in rows:
        if row[by] in found:
            said.append(f"{by} {row[by]} is there twice")
        found[row[by]] = row
    for row in map(rename, wanted):
        have = found.pop(row[by], None)
        if have is None:
            said.append(f"{by} {row[by]} is missing")
        elif {k: v for k, v in have.items() if v is not None} != _values(row):
            said.append(f"{by} {row[by]} is {have}, not {row}")
    said += [f"{by} {key} should not be there" for key in found]
    return said


def _values(row: Row) -> Row:
    return {name: value for name, value in row.items() if value is not None}
