"""What a check of a source finds out, what blocks it, and what does not."""

from typing import Any

import pytest
from external_data_operator.api.conditions import Reason
from external_data_operator.api.plan import Discovery, ExitCode, FailureClass, Plan, Report
from external_data_operator.api.sources.rest import RestSource

from sync_runner.sources.rest.probe import _REMEDY
from sync_runner.tasks import Surroundings, exit_code_of, run_task
from tests.contract.rest_reading import GivenCredentials, make_plan
from tests.servers.replies import (
    Reply,
    compressed,
    hang_up,
    login_page,
    ok,
    redirect,
    reset,
    status,
)
from tests.servers.rest import RestServer
from tests.servers.tables import Table, make_rows

BEARER = {"auth": {"bearer": {"token": {"secretKeyRef": {"name": "shop", "key": "token"}}}}}


def _plan(server: RestServer, folder: Any, *streams: dict[str, Any], **rest: Any) -> Plan:
    named = [{"name": f"s{n}", "path": f"/s{n}", **stream} for n, stream in enumerate(streams)]
    raw = make_plan(server, {}).model_dump(by_alias=True, mode="json")
    target = {"file": {"path": str(folder)}, "path": "analytics"}
    source = {"baseUrl": server.url, "streams": named, **rest}
    check = {"task": "Check", "tables": [], "target": target, "rest": source}
    return Plan.model_validate(raw | check)


def _check(
    plan: Plan, credentials: GivenCredentials | None = None
) -> tuple[Report, Discovery | None]:
    done = run_task(plan, Surroundings(credentials or GivenCredentials(), run_id="check-1"))
    return done.report, done.discovery


def test_each_stream_is_described_by_its_first_page(server: RestServer, tmp_path: Any) -> None:
    server.on("/s0", Table(make_rows(500), "cursor"))
    stream = {
        "recordsPath": "data",
        "description": "What was ordered",
        "pagination": {"cursor": {"cursorPath": "meta.next"}},
    }
    report, found = _check(_plan(server, tmp_path, stream))
    assert report.result == "Succeeded"
    assert found is not None
    (one,) = found.streams
    assert (one.name, one.description, one.primary_key) == ("s0", "What was ordered", [])
    assert (one.candidate_key, one.sampled_rows) == (["id"], 100)
    assert {column.name: column.data_type for column in one.columns} == {
        "id": "long",
        "name": "string",
        "amount": "double",
        "paid": "boolean",
        "meta": "string",
        "updated_at": "string",
    }
    assert [(field.name, field.type.value) for field in one.incremental_fields] == [
        ("updated_at", "DateTime")
    ]
    assert one.incremental_field is None, "no start parameter is declared"
    assert len(server.requests) == 1


def test_what_the_spec_declares_comes_before_what_the_rows_suggest(
    server: RestServer, tmp_path: Any
) -> None:
    rows = [row | {"created": 1_700_000_000 + row["id"]} for row in make_rows(5)]
    server.on("/s0", Table(rows, "single"))
    stream = {
        "recordsPath": "data",
        "primaryKey": ["meta.uid"],
        "incremental": {
            "cursorPath": "meta.updated",
            "startParam": "since",
            "initialValue": "2020-01-01",
        },
    }
    _, found = _check(_plan(server, tmp_path, stream))
    assert found is not None
    (one,) = found.streams
    assert (one.primary_key, one.candidate_key) == (["meta.uid"], [])
    assert one.incremental_field == "meta.updated"
    named = [(field.name, field.type.value) for field in one.incremental_fields]
    assert named == [
        ("meta.updated", "DateTime"),
        ("updated_at", "DateTime"),
        ("created", "Timestamp"),
    ]
    assert {"meta_uid", "meta_updated"} <= {column.name for column in one.columns}
    assert server.requests[0].query == {"since": "2020-01-01"}


def test_fields_that_only_sound_like_cursors_are_not_offered(
    server: RestServer, tmp_path: Any
) -> None:
    rows = [
        {"id": "a", "updated_at": "yesterday", "modified": 7, "created": None, "Updated": True},
        {"id": "a", "updated_at": "today", "modified": 8, "created": None, "Updated": False},
    ]
    server.on("/s0", ok(rows))
    _, found = _check(_plan(server, tmp_path, {}))
    assert found is not None
    assert found.streams[0].incremental_fields == []
    assert found.streams[0].candidate_key == [], "two rows share an id"


def test_only_the_first_five_streams_are_asked_and_all_are_listed(
    server: RestServer, tmp_path: Any
) -> None:
    for number in range(7):
        server.on(f"/s{number}", ok([{"id": 1}]))
    _, found = _check(_plan(server, tmp_path, *({} for _ in range(7))))
    assert found is not None
    assert [len(stream.columns) for stream in found.streams] == [1] * 5 + [0] * 2
    assert sorted(seen.path for seen in server.requests) == [f"/s{n}" for n in range(5)]


PASSING = {
    "404": status(404),
    "405": status(405),
    "429": status(429),
    "500": status(500),
    "a rate limit as 403": status(403, Retry_After="60"),
    "torn JSON": Reply(body=b'[{"id": 1}, '),
    "too large": Reply(body=b"[" + b" " * (21 << 20) + b"]"),
    "torn gzip": compressed([{"id": 1}], cut=5),
}


@pytest.mark.parametrize("reply", PASSING.values(), ids=PASSING.keys())
def test_what_time_may_mend_blocks_nothing(server: RestServer, tmp_path: Any, reply: Reply) -> None:
    server.on("/s0", reply)
    server.on("/s1", ok([{"id": 1}]))
    report, found = _check(_plan(server, tmp_path, {"primaryKey": ["key"]}, {}))
    assert report.failure is None
    assert found is not None
    assert [len(stream.columns) for stream in found.streams] == [0, 1]
    assert found.streams[0].primary_key == ["key"]
    assert len(server.requests) == 2, "one request each, no second attempt"


BLOCKING: dict[str, tuple[Reply, Reason]] = {
    "401": (status(401), Reason.CREDENTIALS_REJECTED),
    "403": (status(403), Reason.CREDENTIALS_REJECTED),
    "HTML": (login_page(), Reason.INVALID_RESPONSE),
    "path": (ok({"items": []}), Reason.RECORDS_PATH_NOT_FOUND),
    "rows": (ok({"data": [1]}), Reason.INVALID_RECORDS),
}


@pytest.mark.parametrize(("reply", "reason"), BLOCKING.values(), ids=BLOCKING.keys())
def test_what_a_person_must_mend_blocks(
    server: RestServer, tmp_path: Any, reply: Reply, reason: Reason
) -> None:
    server.on("/s0", reply)
    report, found = _check(_plan(server, tmp_path, {"recordsPath": "data"}))
    assert found is None
    assert report.failure is not None
    assert report.failure.reason is reason
    assert report.failure.failure_class is FailureClass.CONFIGURATION
    assert report.failure.message.startswith(f"GET /s0 at 127.0.0.1:{server.port}")
    assert "secret" not in report.failure.message
    assert len(server.requests) == 1


@pytest.mark.parametrize("reply", [reset(), hang_up()], ids=["reset", "closed"])
def test_a_host_that_sends_no_answer_blocks_until_a_later_check(
    server: RestServer, tmp_path: Any, reply: Reply
) -> None:
    server.on("/s0", reply)
    report, found = _check(_plan(server, tmp_path, {}))
    assert found is None
    assert report.failure is not None
    assert report.failure.reason is Reason.UNREACHABLE
    assert report.failure.failure_class is FailureClass.RETRYABLE
    assert exit_code_of(report) is ExitCode.RETRYABLE
    assert len(server.requests) == 1


def test_a_redirect_is_followed_as_a_run_follows_it(server: RestServer, tmp_path: Any) -> None:
    server.on("/s0", redirect("/elsewhere"))
    server.on("/elsewhere", ok([{"id": 1}]))
    report, found = _check(_plan(server, tmp_path, {}))
    assert report.failure is None
    assert found is not None
    assert [column.name for column in found.streams[0].columns] == ["id"]
    server.on("/s0", redirect("https://elsewhere.invalid/"))
    report, _ = _check(_plan(server, tmp_path, {}))
    assert report.failure is not None
    assert report.failure.reason is Reason.OTHER_ORIGIN


def test_a_path_that_the_first_page_lacks_is_said(server: RestServer, tmp_path: Any) -> None:
    server.on("/s0", ok({"data": [{"id": 1}], "paging": {"next": None}}))
    wrong, right = ({"cursor": {"cursorPath": path}} for path in ("next", "paging.next"))
    for pagination, notes in (
        (wrong, ["cursorPath next was not found in the first page. " + _REMEDY]),
        (right, []),
    ):
        stream = {"recordsPath": "data", "pagination": pagination}
        report, found = _check(_plan(server, tmp_path, stream))
        assert report.failure is None
        assert found is not None
        assert found.streams[0].notes == notes


def test_a_host_that_cannot_be_reached_blocks(server: RestServer, tmp_path: Any) -> None:
    for address, words in (
        ("http://127.0.0.1:1", "The connection was refused"),
        ("https://no-such-host.invalid", "cannot be resolved"),
    ):
        plan = _plan(server, tmp_path, {})
        spec = plan.of_kind(RestSource)
        assert spec is not None
        rest = spec.model_copy(update={"base_url": address})
        report, _ = _check(plan.model_copy(update={"rest": rest}))
        assert report.failure is not None
        assert report.failure.reason is Reason.UNREACHABLE
        assert words in report.failure.message
        assert report.failure.failure_class is FailureClass.RETRYABLE


def test_a_private_host_blocks(server: RestServer, tmp_path: Any) -> None:
    plan = _plan(server, tmp_path, {})
    closed = plan.network.model_copy(update={"private_cidrs": []})
    report, _ = _check(plan.model_copy(update={"network": closed}))
    assert report.failure is not None
    assert report.failure.reason is Reason.HOST_NOT_ALLOWED


def test_a_missing_secret_blocks(server: RestServer, tmp_path: Any) -> None:
    report, _ = _check(_plan(server, tmp_path, {}, **BEARER))
    assert report.failure is not None
    assert report.failure.reason is Reason.SECRET_NOT_FOUND


def test_the_credentials_are_sent(server: RestServer, tmp_path: Any) -> None:
    server.on("/s0", ok([{"id": 1}]))
    server.token = "t0"
    given = GivenCredentials({("shop", "token"): "t0"})
    report, _ = _check(_plan(server, tmp_path, {}, **BEARER), given)
    assert report.failure is None


@pytest.mark.parametrize(
    ("endpoint", "reason"),
    [
        ("http://127.0.0.2:9", Reason.HOST_NOT_ALLOWED),
        ("https://10.1.2.3:9", Reason.HOST_NOT_ALLOWED),
        ("http://1.1.1.1:9", Reason.HOST_NOT_ALLOWED),
        ("https://no-such-host.invalid", Reason.INVALID_DESTINATION),
        ("https://a\\b", Reason.INVALID_DESTINATION),
    ],
)
def test_an_endpoint_of_the_user_is_held_against_the_host_rules(
    server: RestServer, tmp_path: Any, endpoint: str, reason: Reason
) -> None:
    server.on("/s0", ok([{"id": 1}]))
    raw = _plan(server, tmp_path, {}).model_dump(by_alias=True, mode="json")
    target = {"s3": {"bucket": "lake", "endpoint": endpoint}, "path": "analytics"}
    network = {"privateCidrs": ["127.0.0.1/32"]}
    report, _ = _check(Plan.model_validate(raw | {"target": target, "network": network}))
    assert report.failure is not None
    assert report.failure.reason is reason
    assert report.failure.message.startswith("destination.s3.endpoint: ")
