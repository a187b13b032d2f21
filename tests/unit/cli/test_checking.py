"""`external-data check`, `discover` and `preview` at a real HTTP server."""

import json

import pytest

from tests.servers.replies import Reply, ok, status
from tests.servers.rest import RestServer
from tests.servers.tables import make_rows
from tests.unit.cli.shop import ITEMS, SECRET, SOURCE, Runner


def test_a_discovery_tells_the_types_of_structs(run: Runner, shop: RestServer) -> None:
    manifest = SOURCE + "        nestedValues: Structs\n" + SECRET
    shop.on("/orders", ok({"data": [row | {"tags": []} for row in make_rows(3)]}))
    code, said = run("discover", manifest)
    assert code == 0
    assert '"struct"' in json.dumps(said)


def test_a_check_says_which_path_of_the_pagination_is_not_in_the_first_page(run: Runner) -> None:
    wrong = SOURCE.replace("{offset: {limit: 100}}", "{cursor: {cursorPath: meta.after}}")
    assert wrong != SOURCE
    _, said = run("check", wrong + SECRET, *run.destination)
    assert said[0]["notes"] == [
        (
            "orders: cursorPath meta.after was not found in the first page. "
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


@pytest.mark.parametrize("command", ["check", "discover", "preview"])
def test_a_host_that_does_not_answer_may_answer_later(
    run: Runner, shop: RestServer, command: str
) -> None:
    shop.script("/orders", Reply(sent_bytes=0, reset=True))
    code, said = run(command, SOURCE + SECRET)
    assert (code, said[-1]["reason"]) == (75, "Unreachable")
    shop.script("/orders", status(403))
    assert run(command, SOURCE + SECRET)[0] == 78


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


@pytest.mark.parametrize(
    ("reply", "code", "reason"),
    [
        (status(404), 78, "RequestRejected"),
        (status(400), 78, "RequestRejected"),
        (status(429), 75, "RateLimited"),
        (status(503), 75, "SourceUnavailable"),
        (Reply(body=b'{"data": ['), 75, "SourceUnavailable"),
        (ok({"error": "down"}), 75, "InvalidResponse"),
    ],
    ids=["404", "400", "429", "503", "torn", "error"],
)
def test_a_preview_of_a_page_that_cannot_be_read_fails_by_its_remedy(
    run: Runner, shop: RestServer, reply: Reply, code: int, reason: str
) -> None:
    shop.on("/orders", reply)
    shop.on("/items", ok({"data": [{"id": 1}]}))
    ended, said = run("preview", SOURCE + ITEMS + SECRET)
    assert (ended, said[0]["subject"], said[0]["reason"]) == (code, "orders", reason)
    assert "GET /orders" in said[0]["message"]
    assert said[1]["row"] == {"id": 1}, "the other streams are shown all the same"
    ended, said = run("check", SOURCE + ITEMS + SECRET)
    assert ended == 0
    assert said[0]["notes"][0].startswith("orders: Its first page could not be read: GET /orders")


def test_a_preview_shows_the_first_rows_of_one_page(run: Runner, shop: RestServer) -> None:
    code, said = run("preview", SOURCE + SECRET, "--rows", "2")
    assert code == 0
    assert [document["row"]["id"] for document in said] == [1, 2]
    assert len(shop.requests) == 1
