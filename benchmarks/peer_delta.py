"""delta-rs merges changed and new orders into a table by their key, as its documentation advises.

It is told the range of the keys, so that it can skip files, and gets the rows as a file, in the
table's own types, before its clock starts: nothing of the fetching and decoding that a sync does is
in its figure.
"""

import os
import sys
import time
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.compute as pc
from deltalake import DeltaTable

_NAMES = ("AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION")


def read_updates(path: Path, schema: pa.Schema) -> pa.Table:
    """The rows of an NDJSON file in those types; nested values are JSON text where the schema says
    string.
    """
    rows = [orjson.loads(line) for line in path.read_bytes().splitlines()]
    columns = [
        pa.array([_plain(row.get(field.name)) for row in rows]).cast(field.type) for field in schema
    ]
    return pa.Table.from_arrays(columns, schema=schema)


def _plain(value: Any) -> Any:
    return orjson.dumps(value).decode() if isinstance(value, dict | list) else value


def main() -> None:
    """`peer_delta.py TABLE UPDATES`: prints the seconds from opening the table to the end of the
    commit.
    """
    table_url, updates = sys.argv[1:3]
    options = {name: os.environ[name] for name in _NAMES} | {"AWS_ALLOW_HTTP": "true"}
    # Pushed once more through PyArrow, whose types are what the table would be read as.
    schema = pa.schema(DeltaTable(table_url, storage_options=options).schema().to_arrow())
    rows = read_updates(Path(updates), schema)
    started = time.perf_counter()
    table = DeltaTable(table_url, storage_options=options)
    bounds = pc.min_max(rows["id"]).as_py()
    predicate = f"t.id = s.id and t.id >= {bounds['min']} and t.id <= {bounds['max']}"
    merge = table.merge(rows, predicate, source_alias="s", target_alias="t")
    merge.when_matched_update_all().when_not_matched_insert_all().execute()
    print(time.perf_counter() - started)


if __name__ == "__main__":
    main()
