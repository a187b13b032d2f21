"""The database of the second kind of source as pods reach it: a server of its folder.

It looks into S3 itself before it moves a slot, and it can hold a confirmation, which is then lost:
that is the time between a commit and what the source is told.
"""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

import boto3

from dev.localcluster.s3 import S3Access
from tests.fakes.logbook import Logbook, ToldTooEarlyError
from tests.fakes.logbook.book import find_committed


class LogbookServer:
    """The running server and what it was told."""

    def __init__(self, host: str, folder: Path, access: S3Access) -> None:
        self.book = Logbook(folder)
        self.told: list[tuple[str, int]] = []
        """Tables and entries, in the order in which they were confirmed."""
        self.too_early: list[str] = []
        self._access = access
        self._lock = threading.Lock()
        self._held: tuple[str, int] | None = None
        self.held = threading.Event()
        self._dropped = threading.Event()
        self._server = ThreadingHTTPServer((host, 0), _build_handler(self))
        self._server.daemon_threads = True
        self.url = f"http://{host}:{self._server.server_address[1]}"

    def serve(self) -> None:
        self._server.serve_forever(poll_interval=0.05)

    def stop(self) -> None:
        self.drop()
        self._server.shutdown()
        self._server.server_close()

    def hold(self, table: str, entry: int) -> None:
        """The next confirmation of this entry of a table is not answered."""
        self.held.clear()
        self._dropped.clear()
        self._held = table, entry

    def drop(self) -> None:
        """What is held is lost; everything later is answered again."""
        self._held = None
        self._dropped.set()

    def answer(self, method: str, what: str, body: Any) -> Any:
        """JSON; None if the connection ends without an answer."""
        if method == "POST" and what == "slots":
            return self._confirm(body["entry"], body["tables"])
        with self._lock:
            if method == "POST":
                self.book.begin(body)
                return {}
            read: dict[str, Callable[[], Any]] = {
                "catalogue": lambda: self.book.keys,
                "confirmed": lambda: self.book.confirmed,
                "log": self.book.read_all,
            }
            return read[what]()

    def _confirm(self, entry: int, tables: dict[str, str]) -> Any:
        if self._held in {(table, entry) for table in tables}:
            self.held.set()
            self._dropped.wait()
            return None
        with self._lock:
            try:
                self.book.move(entry, tables, self._find_committed)
            except ToldTooEarlyError as error:
                self.too_early.append(str(error))
                raise
            self.told += [(table, entry) for table in tables]
        return {}

    def _find_committed(self, uri: str) -> int:
        """How far the table's newest commit goes, as S3 has it now."""
        access = self._access
        client = boto3.client(
            "s3",
            endpoint_url=access.endpoint,
            aws_access_key_id=access.access_key,
            aws_secret_access_key=access.secret_key,
            region_name=access.region,
        )
        place = urlsplit(uri)
        prefix = f"{place.path.lstrip('/')}/_delta_log/"
        listed = client.list_objects_v2(Bucket=place.netloc, Prefix=prefix).get("Contents", ())
        names = sorted((one["Key"] for one in listed if one["Key"].endswith(".json")), reverse=True)

        def read(name: str) -> str:
            found = client.get_object(Bucket=place.netloc, Key=name)
            return cast("bytes", found["Body"].read()).decode()

        return find_committed(map(read, names))


def _build_handler(server: LogbookServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._answer(None)

        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length", "0"))
            self._answer(json.loads(self.rfile.read(length)))

        def _answer(self, body: Any) -> None:
            try:
                said = server.answer(self.command, self.path.strip("/"), body)
                status = 200
            except ToldTooEarlyError as error:
                status, said = 409, {"error": str(error)}
            if said is None:
                self.close_connection = True
                return
            content = json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:
            """Says nothing."""

    return Handler


@contextmanager
def running_logbook(host: str, folder: Path, access: S3Access) -> Iterator[LogbookServer]:
    """Serves until the end."""
    server = LogbookServer(host, folder, access)
    thread = threading.Thread(target=server.serve, name="logbook")
    thread.start()
    try:
        yield server
    finally:
        server.stop()
        thread.join()
