"""Commands at a kind of source whose streams only a check can tell."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.ledger import installed, write_ledger
from tests.unit.cli.shop import Runner

ORDERS = [{"id": 1, "at": 10}, {"id": 2, "at": 20}]
REFUNDS = [{"id": 7, "order": 2}]
SOURCE = """\
apiVersion: external-data.io/v1alpha1
kind: ExternalDataSource
metadata: {name: books, namespace: analytics}
spec:
  tablePrefix: books_
  ledger: {path: FOLDER}
"""
SCHEMA = """\
---
apiVersion: external-data.io/v1alpha1
kind: ExternalDataSchema
metadata: {name: books-NAME, namespace: analytics}
spec: {sourceRef: {name: books}, stream: NAME, shouldSync: SYNC}
"""


@pytest.fixture(autouse=True)
def _kind() -> Iterator[None]:
    with installed():
        yield


@pytest.fixture
def source(tmp_path: Path) -> str:
    folder = tmp_path / "books"
    write_ledger(folder, "orders", ORDERS, key=["id"], cursor="at")
    write_ledger(folder, "refunds", REFUNDS)
    return SOURCE.replace("FOLDER", str(folder))


def schema(name: str, *, sync: bool = True) -> str:
    return SCHEMA.replace("NAME", name).replace("SYNC", str(sync).lower())


def test_a_schema_of_a_stream_that_only_a_check_can_find_is_valid(run: Runner, source: str) -> None:
    file = run.write(source + schema("orders") + schema("nobody-knows"))
    assert run.main("validate", file) == 0
    assert run.out == "valid: 1 source, 2 schemas\n"


def test_a_schedule_of_such_a_schema_is_judged_all_the_same(run: Runner, source: str) -> None:
    wrong = schema("orders").replace("shouldSync: true", "cron: '* * *'")
    assert run.main("validate", run.write(source + wrong)) == 1
    assert "cron" in run.out


def test_a_check_lists_what_it_found(run: Runner, source: str) -> None:
    code, said = run("check", source, *run.destination)
    assert code == 0
    assert said[-1]["streams"] == ["orders", "refunds"]


def test_discover_shows_the_keys_and_cursors_of_a_catalogue(run: Runner, source: str) -> None:
    code, said = run("discover", source)
    assert code == 0
    assert [(one["name"], one["primaryKey"]) for one in said] == [
        ("orders", ["id"]),
        ("refunds", []),
    ]
    assert said[0]["incrementalField"] == "at"


def test_discover_and_preview_show_only_the_streams_that_were_named(
    run: Runner, source: str
) -> None:
    code, said = run("discover", source, "--stream", "refunds")
    assert (code, [one["name"] for one in said]) == (0, ["refunds"])
    code, said = run("preview", source, "--stream", "refunds")
    assert (code, [one["row"] for one in said]) == (0, REFUNDS)


def test_a_run_syncs_every_stream_that_the_source_has(run: Runner, source: str) -> None:
    code, said = run("run", source, *run.destination)
    assert code == 0
    assert [one["stream"] for one in said if one["event"] == "synced"] == ["orders", "refunds"]
    assert run.read("books_orders").sort("id")["at"].to_list() == [10, 20]
    assert run.read("books_refunds").height == 1


def test_a_run_follows_the_schemas_and_the_catalogues_key(
    run: Runner, source: str, tmp_path: Path
) -> None:
    manifests = source + schema("refunds", sync=False)
    assert run("run", manifests, *run.destination)[0] == 0
    write_ledger(tmp_path / "books", "orders", [{"id": 2, "at": 30}], key=["id"], cursor="at")
    code, said = run("run", manifests, *run.destination)
    assert code == 0
    assert [one["stream"] for one in said if one["event"] == "synced"] == ["orders"]
    assert run.read("books_orders").sort("id")["at"].to_list() == [10, 30]


@pytest.mark.parametrize("command", ["run", "check", "discover"])
def test_a_stream_that_a_check_did_not_find_is_named_with_those_that_it_did(
    run: Runner, source: str, command: str
) -> None:
    options = () if command == "discover" else run.destination
    code, _ = run(command, source, "--stream", "taxes", *options)
    assert code == 2
    assert "no source has taxes; the streams are orders, refunds" in run.err


def test_a_source_that_cannot_be_asked_fails_the_run_and_keeps_no_other_from_it(
    run: Runner, source: str, tmp_path: Path
) -> None:
    (tmp_path / "books" / "orders.json").write_text("{")
    code, said = run("run", source, *run.destination)
    assert code == 1
    assert said[-1]["event"] == "failed"
    assert said[-1]["subject"] == "books"
    json.dumps(said)
