"""The upper bound of what Python reaches, written by hand for this one API: no objects, no checks,
no recovery.

It knows the schema beforehand and keeps nothing that a sync must keep: no journal, no resuming, no
de-duplication, no growth of the schema, no rules about hosts. One thread fetches, one parses about
20,000 rows a call, one writes Parquet (zstd 1). `--connections 8` reads offsets in parallel, for
servers that answer late.
"""

import argparse
import http.client
import itertools
import os
import queue
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from urllib.parse import urlsplit

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import fs

from benchmarks.orders import SCHEMA, parse_pages

BATCH_ROWS = 20_000
GROUP_ROWS = 100_000
_CURSOR = b'"next_cursor":'


def fetch_cursor(host: str, query: str) -> Iterator[bytes]:
    """Pages over one connection; the cursor is read from the tail of the body."""
    connection = http.client.HTTPConnection(host)
    cursor: str | None = ""
    while cursor is not None:
        connection.request("GET", f"/cursor?{query}&cursor={cursor}")
        body = connection.getresponse().read()
        yield body
        token = body[body.rindex(_CURSOR) + len(_CURSOR) : -1]
        cursor = None if token == b"null" else token.strip(b'"').decode()


def fetch_offsets(
    host: str, query: str, *, rows: int, page: int, connections: int
) -> Iterator[bytes]:
    """Pages in order, over several connections."""
    own = threading.local()

    def fetch(offset: int) -> bytes:
        connection: http.client.HTTPConnection | None = getattr(own, "connection", None)
        if connection is None:
            connection = own.connection = http.client.HTTPConnection(host)
        connection.request("GET", f"/offset?{query}&offset={offset}")
        return connection.getresponse().read()

    offsets = iter(range(0, rows, page))
    with ThreadPoolExecutor(connections) as pool:
        ahead = [pool.submit(fetch, o) for o in itertools.islice(offsets, connections * 2)]
        while ahead:
            yield ahead.pop(0).result()
            if (offset := next(offsets, None)) is not None:
                ahead.append(pool.submit(fetch, offset))


class Writer:
    """One Parquet file, in row groups of about 100,000 rows."""

    def __init__(self, url: str) -> None:
        system, path = _open(url)
        self._file = pq.ParquetWriter(
            f"{path}/part-0.parquet",
            SCHEMA,
            filesystem=system,
            compression="zstd",
            compression_level=1,
        )
        self._waiting: list[pa.Table] = []
        self.rows = 0

    def write(self, table: pa.Table) -> None:
        self._waiting.append(table)
        self.rows += table.num_rows
        if sum(t.num_rows for t in self._waiting) >= GROUP_ROWS:
            self._flush()

    def close(self) -> None:
        self._flush()
        self._file.close()

    def _flush(self) -> None:
        if self._waiting:
            table = pa.concat_tables(self._waiting).combine_chunks()
            self._file.write_table(table, row_group_size=GROUP_ROWS)
            self._waiting = []


def _open(url: str) -> tuple[fs.FileSystem, str]:
    if not url.startswith("s3://"):
        os.makedirs(url, exist_ok=True)
        return fs.LocalFileSystem(), url
    endpoint = urlsplit(os.environ["AWS_ENDPOINT_URL"])
    system = fs.S3FileSystem(
        endpoint_override=endpoint.netloc,
        scheme=endpoint.scheme,
        access_key=os.environ["AWS_ACCESS_KEY_ID"],
        secret_key=os.environ["AWS_SECRET_ACCESS_KEY"],
        region=os.environ["AWS_REGION"],
    )
    return system, url.removeprefix("s3://")


def copy(bodies: Iterator[bytes], writer: Writer, *, pages_per_batch: int) -> None:
    """Parses and writes what is fetched, each step in a thread of its own."""
    tables: queue.Queue[Future[pa.Table] | None] = queue.Queue(8)

    def write() -> None:
        while (table := tables.get()) is not None:
            writer.write(table.result())

    thread = threading.Thread(target=write, daemon=True)
    thread.start()
    with ThreadPoolExecutor(2) as pool:
        batch: list[bytes] = []
        for body in bodies:
            batch.append(body)
            if len(batch) >= pages_per_batch:
                tables.put(pool.submit(parse_pages, batch))
                batch = []
        if batch:
            tables.put(pool.submit(parse_pages, batch))
        tables.put(None)
        thread.join()
    writer.close()


def main() -> None:
    """Copies the orders and prints how many rows there were."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--api", required=True, help="address of benchmarks.server")
    parser.add_argument("--rows", type=int, required=True)
    parser.add_argument("--page", type=int, default=1000)
    parser.add_argument("--latency", type=float, default=0, help="ms that each answer takes")
    parser.add_argument("--connections", type=int, default=1)
    parser.add_argument("--out", required=True, help="folder or s3://bucket/prefix")
    a = parser.parse_args()
    query = f"limit={a.page}&rows={a.rows}" + (f"&latency={a.latency}" if a.latency else "")
    host = urlsplit(a.api).netloc
    if a.connections == 1:
        bodies = fetch_cursor(host, query)
    else:
        bodies = fetch_offsets(host, query, rows=a.rows, page=a.page, connections=a.connections)
    writer = Writer(a.out)
    copy(bodies, writer, pages_per_batch=max(1, BATCH_ROWS // a.page))
    print(writer.rows)


if __name__ == "__main__":
    main()
