"""What is wrong with a source is said in a sentence, with a reason, and without a secret."""

from typing import Any

import pytest
from external_data_operator.api.conditions import Reason
from pydantic import ValidationError

from sync_runner.errors import ConfigurationError, RetryableError, RunError
from tests.contract.rest_reading import GivenCredentials, ids_of, make_plan, read
from tests.servers.replies import Reply, login_page, ok, status
from tests.servers.rest import RestServer
from tests.servers.tables import Table, make_rows, page

BEARER = {"auth": {"bearer": {"token": {"secretKeyRef": {"name": "shop", "key": "token"}}}}}
SECRET = GivenCredentials({("shop", "token"): "s3cr3t-token\n"})
CURSOR = {"cursor": {"cursorPath": "meta.next", "cursorParam": "at"}}

WRONG: dict[str, tuple[Reply, Reason, str]] = {
    "401": (status(401), Reason.CREDENTIALS_REJECTED, "answered 401"),
    "403": (status(403), Reason.CREDENTIALS_REJECTED, "answered 403"),
    "404": (status(404), Reason.REQUEST_REJECTED, "answered 404"),
    "HTML": (login_page(), Reason.INVALID_RESPONSE, "looks like HTML"),
    "text": (Reply(body=b"hello"), Reason.INVALID_RESPONSE, "not JSON"),
    "path": (ok({"items": [], "total": 3}), Reason.RECORDS_PATH_NOT_FOUND, '"items", "total"'),
    "path in a list": (ok([{"id": 1}]), Reason.RECORDS_PATH_NOT_FOUND, "data"),
    "numbers": (ok({"data": [1, 2]}), Reason.INVALID_RECORDS, "not JSON objects"),
    "lists": (ok({"data": [[1], [2]]}), Reason.INVALID_RECORDS, "not JSON objects"),
    "a string": (ok({"data": "none"}), Reason.INVALID_RECORDS, "not JSON objects"),
}


@pytest.mark.parametrize(("reply", "reason", "words"), WRONG.values(), ids=WRONG.keys())
def test_what_a_person_must_mend_is_said(
    server: RestServer, reply: Reply, reason: Reason, words: str
) -> None:
    server.on("/orders", reply)
    plan = make_plan(server, {"params": {"key": "query-secret"}}, rest=BEARER)
    with pytest.raises(ConfigurationError) as caught:
        read(plan, credentials=SECRET)
    assert caught.value.reason is reason
    assert words in str(caught.value)
    assert "orders" in str(caught.value)
    for secret in ("s3cr3t", "query-secret", "body-secret", "sign in"):
        assert secret not in str(caught.value)
    assert len(server.requests) == 1


def test_the_token_is_sent_without_the_line_break_that_files_end_with(server: RestServer) -> None:
    server.on("/orders", ok({"data": make_rows(3)}))
    server.token = "s3cr3t-token"
    assert ids_of(read(make_plan(server, {}, rest=BEARER), credentials=SECRET)) == [1, 2, 3]


@pytest.mark.parametrize("token", ["", " \n", "two\nlines", "sn\u2603wman"])
def test_a_token_that_no_header_can_carry_is_said_by_secret_and_key(
    server: RestServer, token: str
) -> None:
    given = GivenCredentials({("shop", "token"): token})
    with pytest.raises(ConfigurationError, match="Secret shop, key token") as caught:
        read(make_plan(server, {}, rest=BEARER), credentials=given)
    assert caught.value.reason is Reason.CREDENTIALS_REJECTED
    assert "lines" not in str(caught.value)


def test_a_missing_secret_is_said_by_name(server: RestServer) -> None:
    with pytest.raises(ConfigurationError, match="Secret shop has no key token") as caught:
        read(make_plan(server, {}, rest=BEARER))
    assert caught.value.reason is Reason.SECRET_NOT_FOUND
    assert server.connections == 0


def test_a_private_host_is_refused(server: RestServer) -> None:
    with pytest.raises(ConfigurationError, match=r"127\.0\.0\.1:\d+ is refused") as caught:
        read(make_plan(server, {}, cidrs=[]))
    assert caught.value.reason is Reason.HOST_NOT_ALLOWED
    assert server.connections == 0


def test_a_stream_that_the_source_has_not_is_said(server: RestServer) -> None:
    with pytest.raises(ConfigurationError, match="no stream gone") as caught:
        read(make_plan(server, {}, sync={"stream": "gone"}))
    assert caught.value.reason is Reason.STREAM_NOT_FOUND


@pytest.mark.parametrize("path", ["a..b", "a[0].b", "data[*].x"])
def test_a_path_that_cannot_be_followed_makes_no_plan(server: RestServer, path: str) -> None:
    with pytest.raises(ValidationError, match="must contain only keys"):
        make_plan(server, {"recordsPath": path})
    assert server.requests == []


def test_json_that_breaks_off_is_asked_for_again_and_leaves_no_row_behind(
    server: RestServer,
) -> None:
    body = b'{"data": [{"id": 1}, {"id"'
    server.on("/orders", page(make_rows(3)))
    server.script("/orders", Reply(body=body), Reply(body=body))
    assert ids_of(read(make_plan(server, {}))) == [1, 2, 3]


def test_json_that_stays_broken_is_for_the_next_run(server: RestServer) -> None:
    server.on("/orders", Reply(body=b'{"data": [{"id": 1}'))
    with pytest.raises(RetryableError, match="5 attempts") as caught:
        read(make_plan(server, {}))
    assert caught.value.reason is Reason.SOURCE_UNAVAILABLE
    assert len(server.requests) == 5


@pytest.mark.parametrize(
    "fault", [status(500), status(429, Retry_After="1"), Reply(sent_bytes=0, reset=True)]
)
def test_faults_in_the_middle_of_a_walk_lose_and_double_nothing(
    server: RestServer, fault: Reply
) -> None:
    server.on("/orders", Table(make_rows(1000), "cursor"))
    steps: list[Any] = [None, fault, fault, None, fault, None, None, fault]
    server.script("/orders", *steps)
    assert ids_of(read(make_plan(server, {"pagination": CURSOR}))) == list(range(1, 1001))


def test_errors_name_the_page_but_not_its_query(server: RestServer) -> None:
    def serve(seen: Any) -> Reply:
        if "at" in seen.query:
            return status(418)
        return page(make_rows(5), meta={"next": "token-secret"})

    server.on("/orders", serve)
    with pytest.raises(RunError) as caught:
        read(make_plan(server, {"pagination": CURSOR}))
    assert str(caught.value) == (
        f"GET /orders at 127.0.0.1:{server.port}, page 2 (5 attempts): The source answered 418. "
        "The source accepted earlier requests of this run."
    )
