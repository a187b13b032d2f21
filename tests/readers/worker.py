"""Answers queries of Delta tables by one reader, in the readers' own environment.

Started as `python worker.py READER` by `foreign.py`; imports nothing of ours. A request is a
pickled dictionary on standard input, an answer one on standard output, each behind its length.
"""

# ruff: noqa: PLC0415 - each process loads one reader

import os
import pickle
import struct
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

Row = dict[str, Any]
Request = dict[str, Any]
Answer = Callable[[Request], list[Row]]


def open_duckdb() -> tuple[str, Answer]:
    """DuckDB, whose extensions are files of installed packages: nothing is downloaded."""
    import duckdb
    import duckdb_extension_delta
    import duckdb_extension_httpfs

    connection = duckdb.connect(config={"autoinstall_known_extensions": False, "threads": 2})
    for package in (duckdb_extension_httpfs, duckdb_extension_delta):
        folder = Path(package.__file__).parent
        connection.load_extension(str(next(folder.rglob("*.duckdb_extension"))))
    connection.execute("SET TimeZone = 'UTC'")

    def answer(request: Request) -> list[Row]:
        for statement in request["before"]:
            connection.execute(statement)
        return connection.execute(request["sql"]).to_arrow_table().to_pylist()

    return duckdb.__version__, answer


def open_clickhouse() -> tuple[str, Answer]:
    """ClickHouse in this process."""
    import pyarrow as pa
    from chdb.session import Session

    os.chdir("/")  # It reads local files only below its working directory.
    session = Session()
    session.query("SET output_format_arrow_string_as_string = 0")  # Binary is String there.
    session.query("SET use_query_condition_cache = 0")
    version = str(session.query("SELECT version()", "TSV")).strip()

    def answer(request: Request) -> list[Row]:
        for statement in request["before"]:
            session.query(statement)
        data = session.query(request["sql"], "ArrowStream").bytes()
        return pa.ipc.open_stream(data).read_all().to_pylist() if data else []

    return version, answer


def open_daft() -> tuple[str, Answer]:
    """Daft, with its own scheduler in this process."""
    import daft
    from daft.io import IOConfig, S3Config

    os.environ["DAFT_PROGRESS_BAR"] = "0"

    def answer(request: Request) -> list[Row]:
        if "code" in request:
            scope: dict[str, Any] = {}
            exec(request["code"], scope)
            return [{"rows": scope["rows"].num_rows}]
        s3 = S3Config(**request["s3"]) if request["s3"] else S3Config()
        frame = daft.read_deltalake(request["uri"], io_config=IOConfig(s3=s3))
        if request["where"]:
            frame = frame.where(build_daft_condition(frame, *request["where"]))
        return frame.to_arrow().to_pylist()

    return daft.__version__, answer


def build_daft_condition(frame: Any, column: str, op: str, value: Any) -> Any:
    """One comparison."""
    import daft

    name = daft.col(column)
    if op in ("is null", "is not null"):
        return name.is_null() if op == "is null" else name.not_null()
    compare = {"=": "__eq__", "<": "__lt__", "<=": "__le__", ">": "__gt__", ">=": "__ge__"}[op]
    return getattr(name, compare)(daft.lit(value).cast(frame.schema()[column].dtype))


READERS = {"duckdb": open_duckdb, "clickhouse": open_clickhouse, "daft": open_daft}


def read_message() -> Request | None:
    """The next request; None once nobody asks any more."""
    head = sys.stdin.buffer.read(4)
    if len(head) < 4:
        return None
    return pickle.loads(sys.stdin.buffer.read(struct.unpack(">I", head)[0]))  # type: ignore[no-any-return]


def main(reader: str) -> None:
    """Answers until standard input ends."""
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # What libraries print is no answer.
    version, answer = READERS[reader]()
    reply: Any = {"version": version}
    while True:
        data = pickle.dumps(reply)
        out.write(struct.pack(">I", len(data)) + data)
        out.flush()
        request = read_message()
        if request is None:
            return
        try:
            reply = {"rows": answer(request)}
        except Exception as error:  # noqa: BLE001 - the reader's own, which the test judges
            reply = {"error": f"{type(error).__name__}: {error}"}


if __name__ == "__main__":
    main(sys.argv[1])
