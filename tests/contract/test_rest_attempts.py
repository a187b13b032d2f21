"""What a source says once, after it has accepted requests of the run, stops no stream for good."""

from pathlib import Path
from typing import Any

import pytest
from external_data_operator.api.conditions import RETRIED, RETRIED_SOMETIMES, Reason
from external_data_operator.api.plan import FailureClass

from sync_runner.errors import ConfigurationError, RetryableError
from tests.clocks import JumpingClock
from tests.contract.rest_reading import ids_of, make_plan, read
from tests.contract.test_rest_ends import read_first
from tests.contract.test_rest_proof import Lake
from tests.servers.replies import Reply, login_page, redirect, status
from tests.servers.rest import RestServer
from tests.servers.tables import Table, make_rows

PAGINATIONS: dict[str, dict[str, Any]] = {
    "cursor": {"cursor": {"cursorPath": "meta.next", "cursorParam": "at"}},
    "next": {"nextUrl": {"nextUrlPath": "next"}},
    "offset": {"offset": {"limit": 40}},
}
WEATHER: dict[str, Reply] = {
    **{str(code): status(code) for code in (400, 401, 403, 404, 405, 406, 407, 415, 418, 422, 451)},
    "HTML": login_page(),
    "HTML as JSON": Reply(body=b"<h1>Maintenance</h1>"),
    "a sentence": Reply(body=b"Service is being restarted"),
    "a sentence in brackets": Reply(body=b"[maintenance]", headers={"Content-Type": "text/html"}),
    "brotli": Reply(body=b"\x0b\x02\x80x\x03", headers={"Content-Encoding": "br"}),
    "JSON that PHP broke": Reply(body=b'{"data": [{"id": 9},<br />\n<b>Fatal error</b>'),
    "a login at the same host": redirect("/login"),
    "a login elsewhere": redirect("https://login.shop.example/sign-in?next=s3cr3t"),
    "redirects in a circle": redirect("/circle"),
    "a redirect to no address": redirect("https://["),
}


def _serve(server: RestServer, style: str, count: int = 130) -> None:
    server.on("/login", login_page())
    server.on("/circle", redirect("/circle"))
    server.on("/orders", Table(make_rows(count), style, page_default=40))


@pytest.mark.parametrize("reply", WEATHER.values(), ids=WEATHER.keys())
@pytest.mark.parametrize("style", PAGINATIONS)
def test_one_odd_answer_in_mid_walk_costs_a_second_and_no_row(
    server: RestServer, style: str, reply: Reply
) -> None:
    _serve(server, style)
    server.script("/orders", None, None, reply)
    clock = JumpingClock()
    plan = make_plan(server, {"pagination": PAGINATIONS[style]}, rest={"concurrency": 1})
    assert ids_of(read(plan, clock=clock)) == list(range(1, 131))
    assert 1 <= clock.slept_s < 2


LASTING = ("JSON that PHP broke",)


@pytest.mark.parametrize("name", [name for name in WEATHER if name not in LASTING])
@pytest.mark.parametrize("style", ["offset", "next"])
def test_an_odd_answer_that_stays_fails_the_run_and_a_later_one_reads_everything(
    server: RestServer, tmp_path: Path, style: str, name: str
) -> None:
    _serve(server, style)
    lake = Lake(server, tmp_path)
    stream = {"pagination": PAGINATIONS[style]}
    server.script("/orders", None, None, *[WEATHER[name]] * 100)
    failure = lake.run(stream).failure
    assert failure is not None
    assert failure.failure_class is FailureClass.RETRYABLE
    assert failure.reason in RETRIED | RETRIED_SOMETIMES
    assert "s3cr3t" not in failure.message
    assert len(server.targets("/orders")) < 20
    assert not lake.has_table
    server._scripts.clear()
    assert lake.run(stream).failure is None
    assert lake.ids() == list(range(1, 131))


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (status(401), Reason.CREDENTIALS_REJECTED),
        (status(403), Reason.CREDENTIALS_REJECTED),
        (status(415), Reason.REQUEST_REJECTED),
        (redirect("https://login.shop.example/"), Reason.OTHER_ORIGIN),
        (redirect("/circle"), Reason.REQUEST_REJECTED),
        (login_page(), Reason.INVALID_RESPONSE),
    ],
    ids=["401", "403", "415", "elsewhere", "circle", "HTML"],
)
def test_the_same_answer_to_the_first_request_needs_a_person(
    server: RestServer, reply: Reply, reason: Reason
) -> None:
    _serve(server, "cursor")
    server.script("/orders", reply)
    with pytest.raises(ConfigurationError) as caught:
        read(make_plan(server, {"pagination": PAGINATIONS["cursor"]}))
    assert caught.value.reason is reason
    assert len(server.targets("/orders")) == 1


def test_json_with_a_fault_inside_is_asked_for_twice_and_named_by_its_place(
    server: RestServer,
) -> None:
    _serve(server, "cursor")
    server.script("/orders", None, *[Reply(body=b'{"data": [{"id": 9},]}')] * 4)
    with pytest.raises(ConfigurationError, match=r"page 2 .*at byte 20 \(line 1, column 21"):
        read(make_plan(server, {"pagination": PAGINATIONS["cursor"]}))
    assert len(server.requests) == 3


def test_the_page_and_offset_of_a_refusal_are_named(server: RestServer) -> None:
    _serve(server, "offset", 200)
    server.script("/orders", None, None, None, *[status(404)] * 9)
    plan = make_plan(server, {"pagination": PAGINATIONS["offset"]}, rest={"concurrency": 1})
    with pytest.raises(
        RetryableError,
        match=r"page 4 \(offset 120\).*: The source answered 404",
    ):
        read(plan)


def test_a_new_walk_of_the_run_knows_that_the_source_has_accepted_it(
    server: RestServer, tmp_path: Path
) -> None:
    """A token expires, and the first page of the new walk meets a login page."""
    _serve(server, "cursor")
    server.script("/orders", None, status(410), login_page(), status(403))
    report = Lake(server, tmp_path).run({"pagination": PAGINATIONS["cursor"]})
    assert report.failure is None
    assert report.rows == 130


def test_a_resumed_walk_knows_it_too(server: RestServer) -> None:
    _serve(server, "offset")
    plan = make_plan(
        server,
        {"pagination": PAGINATIONS["offset"]},
        limits={"batchRows": 1},
        rest={"concurrency": 1},
    )
    token = read_first(plan)
    server.script("/orders", status(401), login_page())
    assert ids_of(read(plan, resume=token)) == list(range(41, 131))


def test_each_window_is_a_request_of_the_same_shape(server: RestServer) -> None:
    def since(row: dict[str, Any], bound: str) -> bool:
        return bool(row["updated_at"] >= bound)

    def until(row: dict[str, Any], bound: str) -> bool:
        return bool(row["updated_at"] < bound)

    server.on("/orders", Table(make_rows(50), "single", since=since, until=until))
    server.script("/orders", None, status(403), login_page())
    incremental = {
        "cursorPath": "updated_at",
        "startParam": "since",
        "endParam": "until",
        "initialValue": "2024-01-01T00:00:00Z",
        "windowSeconds": 1800,
    }
    sync = {"syncType": "Incremental", "primaryKeyColumns": ["id"]}
    plan = make_plan(server, {"incremental": incremental}, sync=sync)
    clock = JumpingClock(1_704_078_000)  # 2024-01-01T03:00:00Z
    assert sorted(set(ids_of(read(plan, clock=clock)))) == list(range(1, 51))


@pytest.mark.parametrize("attempts", [1, 2])
def test_a_token_that_is_refused_once_is_no_expired_one(server: RestServer, attempts: int) -> None:
    _serve(server, "cursor")
    server.script("/orders", None, None, *[status(400)] * attempts)
    assert ids_of(read(make_plan(server, {"pagination": PAGINATIONS["cursor"]}))) == list(
        range(1, 131)
    )


ASKED: dict[str, tuple[int, dict[str, str]]] = {
    "a day": (429, {"Retry-After": "86400"}),
    "a day, by 503": (503, {"Retry-After": "86400"}),
    "tomorrow as a date": (429, {"Retry-After": "Sat, 16 Jan 2027 08:00:00 GMT"}),
    "tomorrow as an epoch": (429, {"X-RateLimit-Reset": "1800086400"}),
    "a quota, by 403": (403, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1800086400"}),
}


@pytest.mark.parametrize(("code", "headers"), ASKED.values(), ids=ASKED.keys())
@pytest.mark.parametrize("pages", [0, 2])
def test_a_wait_longer_than_a_run_ends_the_run_with_the_time(
    server: RestServer, code: int, headers: dict[str, str], pages: int
) -> None:
    _serve(server, "cursor")
    server.script("/orders", *[None] * pages, *[Reply(code, b"{}", headers)] * 9)
    clock = JumpingClock(1_800_000_000.0)  # 2027-01-15T08:00:00Z
    with pytest.raises(RetryableError, match=r"until 2027-01-16T08:00:00Z \(86400 s\)") as caught:
        read(make_plan(server, {"pagination": PAGINATIONS["cursor"]}), clock=clock)
    limited = Reason.SOURCE_UNAVAILABLE if code == 503 else Reason.RATE_LIMITED
    assert caught.value.reason is limited
    assert clock.slept == []
    assert len(server.requests) == pages + 1


def test_a_wait_of_ten_minutes_is_waited_and_logged(
    server: RestServer, caplog: pytest.LogCaptureFixture
) -> None:
    _serve(server, "cursor")
    server.script("/orders", None, status(429, Retry_After="600"))
    clock = JumpingClock()
    plan = make_plan(server, {"pagination": PAGINATIONS["cursor"]})
    assert ids_of(read(plan, clock=clock)) == list(range(1, 131))
    assert clock.slept_s == 600
    assert "page 2: The source answered 429. The next attempt is in 600 s." in caplog.text
    assert "at=" not in caplog.text


def test_waits_add_up(server: RestServer) -> None:
    _serve(server, "cursor")
    server.script("/orders", *[status(429, Retry_After="500")] * 9)
    clock = JumpingClock()
    with pytest.raises(RetryableError, match=r"\(500 s\), which is longer than a run waits"):
        read(make_plan(server, {}), clock=clock)
    assert clock.slept_s == 1000
