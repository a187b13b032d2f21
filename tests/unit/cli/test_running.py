"""`external-data run` at a real HTTP server, into a real folder."""

import json
from pathlib import Path

import pytest
from external_data_operator.cli.main import main

from tests.servers.replies import ok, status
from tests.servers.rest import RestServer
from tests.servers.tables import Table, make_rows
from tests.unit.cli.shop import INCREMENTAL, ITEMS, SECRET, SOURCE, TOKEN, Runner


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
    assert "The stream has had no rows yet, so the table does not exist." in said[-1]["notes"][0]
    shop.on("/orders", Table(make_rows(3)))
    assert "notes" not in run("run", SOURCE + SECRET, *run.destination)[1][-1]
    shop.on("/orders", Table([]))
    assert "notes" not in run("run", SOURCE + SECRET, *run.destination)[1][-1]


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
        (("--stream", "nothing"), "the streams are orders"),
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
        assert said[-1]["notes"][0].startswith("1 row has a time in the future in updated_at.")
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
