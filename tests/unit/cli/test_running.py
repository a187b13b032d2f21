"""`external-data run`, `check`, `discover` and `preview` at a real HTTP server, into a real
folder."""

import json
import os
import pty
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars
import pytest
from external_data_operator.cli.main import main

from tests.servers.replies import Reply, ok, status
from tests.servers.rest import RestServer, running_rest
from tests.servers.tables import Table, make_rows

ROOT = Path(__file__).parents[3]
TOKEN = "s3cr3t-of-the-shop"
SOURCE = """\
apiVersion: external-data.io/v1alpha1
kind: ExternalDataSource
metadata: {name: shop, namespace: analytics}
spec:
  tablePrefix: shop_
  rest:
    baseUrl: URL
    auth: {bearer: {token: {secretKeyRef: {name: shop-api, key: token}}}}
    streams:
      - name: orders
        path: /orders
        recordsPath: data
        primaryKey: [id]
        pagination: {offset: {limit: 100}}
"""
SECRET = """\
---
apiVersion: v1
kind: Secret
metadata: {name: shop-api, namespace: analytics}
stringData: {token: s3cr3t-of-the-shop}
"""
ITEMS = "      - {name: items, path: /items, recordsPath: data}\n"
INCREMENTAL = "        incremental: {cursorPath: updated_at, startParam: since}\n"


@pytest.fixture
def shop() -> Iterator[RestServer]:
    """An API with 250 orders behind a token."""
    with running_rest() as server:
        server.token = TOKEN
        server.on("/orders", Table(make_rows(250)))
        yield server


class Runner:
    """Runs commands on one manifest, opened for loopback."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str], url: str) -> None:
        self.folder, self.capsys, self.url = folder, capsys, url
        self.err = ""

    def write(self, text: str) -> str:
        file = self.folder / "shop.yaml"
        file.write_text(text.replace("URL", self.url))
        return str(file)

    def __call__(self, command: str, text: str, *options: str) -> tuple[int, list[dict[str, Any]]]:
        """The exit status and the documents of standard output; what else was said is in `err`."""
        code = main([command, self.write(text), *self.opened, *options])
        out, self.err = self.capsys.readouterr()
        return code, [json.loads(line) for line in out.splitlines()]

    @property
    def opened(self) -> tuple[str, ...]:
        return ("--allow-private-host", "127.0.0.0/8")

    @property
    def destination(self) -> tuple[str, str]:
        return ("--destination", f"file://{self.folder}/lake")

    def read(self, table: str) -> polars.DataFrame:
        """The table, by a reader that is not ours."""
        return polars.read_delta(str(self.folder / "lake" / "analytics" / table))


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str], shop: RestServer) -> Runner:
    """Commands at the shop."""
    return Runner(tmp_path, capsys, shop.url)


def test_a_run_writes_a_table_that_other_readers_read(run: Runner) -> None:
    code, said = run("run", SOURCE + SECRET, *run.destination)
    assert code == 0
    assert said[-1]["event"] == "synced"
    assert (said[-1]["rows"], said[-1]["pages"]) == (250, 4)
    frame = run.read("shop_orders")
    assert frame.height == 250
    assert frame["amount"].sum() == sum(row["amount"] for row in make_rows(250))


def test_the_next_run_of_an_incremental_stream_asks_for_what_changed(
    run: Runner, shop: RestServer
) -> None:
    rows = make_rows(250)
    shop.on("/orders", Table(rows, since=lambda row, since: bool(row["updated_at"] >= since)))
    assert run("run", SOURCE + INCREMENTAL + SECRET, *run.destination)[0] == 0
    rows += make_rows(10, first=251)
    code, said = run("run", SOURCE + INCREMENTAL + SECRET, *run.destination)
    assert code == 0
    assert said[-1]["rows"] == 11, "the last known row is asked for again, and merged"
    assert run.read("shop_orders").height == 260


def test_nested_values_become_structs_where_the_stream_says_so(
    run: Runner, shop: RestServer
) -> None:
    rows = make_rows(250)
    manifest = SOURCE + INCREMENTAL + "        nestedValues: Structs\n" + SECRET
    shop.on("/orders", Table(rows, since=lambda row, since: bool(row["updated_at"] >= since)))
    assert run("run", manifest, *run.destination)[0] == 0
    for row in make_rows(10, first=251):
        rows.append(row | {"meta": row["meta"] | {"tags": [{"name": "new"}]}})
    assert run("run", manifest, *run.destination)[0] == 0
    frame = run.read("shop_orders").sort("id")
    assert frame["meta"].struct.field("uid").to_list() == [f"u{n}" for n in range(1, 261)]
    assert frame["meta"][0]["tags"] is None
    assert frame["meta"][-1]["tags"] == [{"name": "new"}]


def test_a_discovery_tells_the_types_of_structs(run: Runner, shop: RestServer) -> None:
    manifest = SOURCE + "        nestedValues: Structs\n" + SECRET
    shop.on("/orders", ok({"data": [row | {"tags": []} for row in make_rows(3)]}))
    code, said = run("discover", manifest)
    assert code == 0
    assert '"struct"' in json.dumps(said)


def test_a_folder_may_hold_the_secret(run: Runner, tmp_path: Path) -> None:
    (tmp_path / "secrets" / "shop-api").mkdir(parents=True)
    (tmp_path / "secrets" / "shop-api" / "token").write_text(f"{TOKEN}\n")
    options = ("--secrets-dir", str(tmp_path / "secrets"), *run.destination)
    assert run("run", SOURCE, *options)[0] == 0


def test_a_missing_secret_is_named_with_the_way_to_give_it(run: Runner, shop: RestServer) -> None:
    code, said = run("run", SOURCE, *run.destination)
    assert code == 78
    assert said[-1]["reason"] == "SecretNotFound"
    assert "key token of Secret shop-api" in said[-1]["message"]
    assert "--secrets-dir" in said[-1]["message"]
    assert shop.requests == []


def test_rejected_credentials_need_a_person_and_are_not_printed(
    run: Runner, shop: RestServer
) -> None:
    shop.token = "another"
    code, said = run("run", SOURCE + SECRET, *run.destination)
    assert (code, said[-1]["reason"]) == (78, "CredentialsRejected")
    assert TOKEN not in json.dumps(said) + run.err
    assert "Traceback" not in run.err


def test_a_private_host_must_be_opened(
    run: Runner, shop: RestServer, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(["run", run.write(SOURCE + SECRET), *run.destination])
    said = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (code, said["reason"]) == (78, "HostNotAllowed")
    assert shop.requests == []


def test_one_table_that_fails_does_not_keep_the_next_from_being_synced(
    run: Runner, shop: RestServer
) -> None:
    shop.on("/orders", status(404))
    shop.on("/items", ok({"data": [{"id": 1}]}))
    code, said = run("run", SOURCE + ITEMS + SECRET, *run.destination)
    assert code == 78
    ends = {one.get("stream", one.get("subject")): one["event"] for one in said}
    assert ends == {"orders": "failed", "items": "synced"}
    assert run.read("shop_items").height == 1


def test_a_stream_without_rows_is_synced_and_has_no_table_yet(
    run: Runner, shop: RestServer
) -> None:
    shop.on("/orders", ok({"data": []}))
    code, said = run("run", SOURCE + SECRET, *run.destination)
    assert code == 0
    assert "table" not in said[-1]
    assert "The stream has had no row yet, so there is no table." in said[-1]["notes"][0]
    shop.on("/orders", Table(make_rows(3)))
    assert "notes" not in run("run", SOURCE + SECRET, *run.destination)[1][-1]
    shop.on("/orders", Table([]))
    assert "notes" not in run("run", SOURCE + SECRET, *run.destination)[1][-1]


def test_a_terminal_shows_what_a_run_has_to_note(run: Runner, shop: RestServer) -> None:
    shop.on("/orders", ok({"data": []}))
    terminal = Terminal("run", run.write(SOURCE + SECRET), *run.opened, *run.destination)
    assert terminal.wait() == 0, terminal.text
    assert "orders: The stream has had no row yet, so there is no table." in terminal.text


def test_a_table_is_emptied_only_by_a_run_that_was_told_so(run: Runner, shop: RestServer) -> None:
    assert run("run", SOURCE + SECRET, *run.destination)[0] == 0
    shop.on("/orders", Table([]))
    code, said = run("run", SOURCE + SECRET, *run.destination)
    assert (code, said[-1]["reason"]) == (78, "TableWouldShrink")
    assert "0 of the table's 250 rows" in said[-1]["message"]
    assert run.read("shop_orders").height == 250
    code, _ = run("run", SOURCE + SECRET, *run.destination, "--allow-shrink")
    assert code == 0
    assert run.read("shop_orders").height == 0


def test_an_invalid_manifest_is_not_run(run: Runner, shop: RestServer) -> None:
    code, said = run("run", SOURCE.replace("name: orders", "name: '!'"), *run.destination)
    assert (code, said) == (1, [])
    assert "shop.yaml:10: ExternalDataSource/shop: spec.rest.streams[0].name: must match" in run.err
    assert shop.requests == []


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--stream", "nothing"), "there are orders"),
        (("--destination", "lake"), "file:///folder or s3://bucket/prefix"),
        (("--allow-private-host", "nowhere"), "--allow-private-host"),
        ((), "no destination"),
    ],
    ids=["stream", "destination", "network", "no destination"],
)
def test_a_mistake_on_the_command_line_is_one_sentence(
    run: Runner, options: tuple[str, ...], words: str
) -> None:
    given = options if "--stream" not in options else (*options, *run.destination)
    code, said = run("run", SOURCE + SECRET, *given)
    assert (code, said) == (2, [])
    assert words in run.err
    assert len(run.err.splitlines()) == 1


def test_a_check_says_which_path_of_the_pagination_is_not_in_the_first_page(run: Runner) -> None:
    wrong = SOURCE.replace("{offset: {limit: 100}}", "{cursor: {cursorPath: meta.after}}")
    assert wrong != SOURCE
    _, said = run("check", wrong + SECRET, *run.destination)
    assert said[0]["notes"] == [
        (
            "orders: cursorPath meta.after is not in the first page. "
            "If the stream has more pages, correct it."
        )
    ]


def test_a_check_asks_source_and_destination_and_leaves_nothing(run: Runner) -> None:
    code, said = run("check", SOURCE + SECRET, *run.destination)
    assert code == 0
    assert (said[0]["event"], said[0]["source"], said[0]["streams"]) == (
        "checked",
        "shop",
        ["orders"],
    )
    left = {path.name for path in (run.folder / "lake").rglob("*") if path.is_file()}
    assert left <= {".lock"}, "a folder has no conditional put, so a lock stands in"


def test_a_check_without_a_destination_still_asks_the_source(run: Runner, shop: RestServer) -> None:
    assert run("check", SOURCE + SECRET)[0] == 0
    shop.on("/orders", status(403))
    code, said = run("check", SOURCE + SECRET)
    assert (code, said[-1]["reason"]) == (78, "CredentialsRejected")


def test_discovery_says_columns_keys_and_cursors(run: Runner) -> None:
    code, (said,) = run("discover", SOURCE + SECRET)
    assert code == 0
    assert (said["name"], said["primaryKey"]) == ("orders", ["id"])
    types = {column["name"]: column["dataType"] for column in said["columns"]}
    assert types["id"] == "long"
    assert types["paid"] == "boolean"
    assert said["incrementalFields"] == [{"name": "updated_at", "type": "DateTime"}]


def test_a_candidate_is_printed_with_the_line_that_declares_it(
    run: Runner, shop: RestServer
) -> None:
    shop.on("/items", ok({"data": [{"id": 1}, {"id": 2}]}))
    code, said = run("check", SOURCE + ITEMS + SECRET)
    assert code == 0
    lines = {name: [one["line"] for one in found] for name, found in said[0]["candidates"].items()}
    assert lines["items"] == ["primaryKey: [id]"]
    assert lines["orders"] == ["incremental: {cursorPath: updated_at, cursorType: DateTime}"]
    _, told = run("discover", SOURCE + ITEMS + SECRET, "--stream", "items")
    assert [one["line"] for one in told[0]["candidates"]] == ["primaryKey: [id]"]


@pytest.mark.parametrize("sync_type", ["Append", "Incremental"])
@pytest.mark.parametrize("order", ["Ascending", "Unordered"])
def test_a_row_from_the_future_is_taken_once_and_what_comes_later_is_not_missed(
    run: Runner, shop: RestServer, sync_type: str, order: str
) -> None:
    future = {**make_rows(1, first=900)[0], "updated_at": "2999-01-01T00:00:00Z"}
    rows = make_rows(200)
    declared = INCREMENTAL.replace("}", f", rowOrder: {order}}}")
    schema = DAILY.replace("incrementalField: day, TYPE", "").replace("SYNC", sync_type)
    for count in (100, 130, 130, 200):
        page = [*rows[:count], future]
        shop.on("/orders", Table(page, since=lambda row, since: bool(row["updated_at"] >= since)))
        code, said = run("run", SOURCE + declared + SECRET + schema, *run.destination)
        assert (code, said[-1]["cursor"]) == (0, rows[count - 1]["updated_at"])
        assert said[-1]["notes"][0].startswith("1 row was after the present in updated_at.")
        assert run.read("shop_orders").height == count + 1


DAILY = """\
---
apiVersion: external-data.io/v1alpha1
kind: ExternalDataSchema
metadata: {name: shop-orders, namespace: analytics}
spec: {sourceRef: {name: shop}, stream: orders, incrementalField: day, TYPE syncType: SYNC}
"""


@pytest.mark.parametrize("sync_type", ["Incremental", "Append"])
@pytest.mark.parametrize("declared", [INCREMENTAL, ""], ids=["other-cursor", "no-cursor"])
@pytest.mark.parametrize("type_", ["incrementalFieldType: Date,", ""], ids=["date", "no-type"])
def test_another_field_than_the_declared_cursor_has_its_own_type_and_no_start_parameter(
    run: Runner, shop: RestServer, sync_type: str, declared: str, type_: str
) -> None:
    rows = [{**row, "day": row["updated_at"][:10]} for row in make_rows(40, step_s=7200)]
    shop.on("/orders", Table(rows[:30]))
    schema = DAILY.replace("SYNC", sync_type).replace("TYPE ", type_)
    manifest = SOURCE + declared + SECRET + schema
    code, said = run("run", manifest, *run.destination)
    assert (code, said[-1]["cursor"]) == (0, rows[29]["day"])
    shop.on("/orders", Table(rows))
    code, said = run("run", manifest, *run.destination)
    assert (code, said[-1]["cursor"]) == (0, rows[39]["day"])
    assert all("since" not in seen.query for seen in shop.requests)
    assert run.read("shop_orders").height == 40


def test_a_preview_shows_the_first_rows_of_one_page(run: Runner, shop: RestServer) -> None:
    code, said = run("preview", SOURCE + SECRET, "--rows", "2")
    assert code == 0
    assert [document["row"]["id"] for document in said] == [1, 2]
    assert len(shop.requests) == 1


class Terminal:
    """A command of its own process, on a terminal of its own."""

    def __init__(self, *arguments: str) -> None:
        self.screen, inner = pty.openpty()
        code = "import sys; from external_data_operator.cli.main import main; sys.exit(main())"
        self.process = subprocess.Popen(
            [sys.executable, "-c", code, *arguments],
            stdin=subprocess.DEVNULL, stdout=inner, stderr=inner, cwd=ROOT, start_new_session=True,
            env={**os.environ, "PYTHONPATH": f"{ROOT / 'operator'}:{ROOT}"},
        )  # fmt: skip
        os.close(inner)
        self.text = ""

    def read_until(self, words: str, *, timeout_s: float = 30) -> None:
        """Waits until the words stand on the screen."""
        end = time.monotonic() + timeout_s
        while words not in self.text:
            assert time.monotonic() < end, f"{words} is not in {self.text!r}"
            self.read_some()

    def read_some(self) -> bool:
        """What was written meanwhile; False at the end."""
        ready, _, _ = select.select([self.screen], [], [], 0.2)
        try:
            data = os.read(self.screen, 65536) if ready else b""
        except OSError:
            return False
        self.text += data.decode()
        return True

    def wait(self) -> int:
        """The exit status; the whole screen is in `text`."""
        while self.process.poll() is None or select.select([self.screen], [], [], 0.1)[0]:
            if not self.read_some():
                break
        os.close(self.screen)
        return self.process.wait(30)


def test_on_a_terminal_a_line_moves_and_a_table_ends_it(run: Runner) -> None:
    terminal = Terminal("run", run.write(SOURCE + SECRET), *run.opened, *run.destination)
    assert terminal.wait() == 0, terminal.text
    assert "\rorders  " in terminal.text
    assert "rows/s" in terminal.text
    lines = [line for line in terminal.text.replace("\r", "\n").splitlines() if line.strip()]
    head, row = lines[-2:]
    assert head.split() == ["TABLE", "ROWS", "READ", "PAGES", "SECONDS", "RESULT", "ADDRESS"]
    cells = row.split()
    assert cells[:4] == ["orders", "250", "250", "4"]
    assert cells[5:] == ["Succeeded", f"file://{run.folder}/lake/analytics/shop_orders"]


def test_on_a_terminal_the_notes_of_a_run_are_sentences(run: Runner, shop: RestServer) -> None:
    shop.on("/orders", ok({"data": []}))
    terminal = Terminal("run", run.write(SOURCE + SECRET), *run.opened, *run.destination)
    assert terminal.wait() == 0
    assert "orders: The stream has had no row yet, so there is no table." in terminal.text


def test_an_interrupt_ends_a_run_in_order(run: Runner, shop: RestServer) -> None:
    rows = Table(make_rows(250))

    def slowly(seen: Any) -> Reply:
        reply = rows(seen)
        return Reply(body=reply.body, silence_s=0.3)

    shop.on("/orders", slowly)
    text = SOURCE.replace("limit: 100", "limit: 1") + SECRET
    terminal = Terminal("run", run.write(text), *run.opened, *run.destination)
    terminal.read_until("orders  1 s")
    terminal.process.send_signal(signal.SIGINT)
    assert terminal.wait() == 130
    assert "stopped" in terminal.text
    assert "Traceback" not in terminal.text
