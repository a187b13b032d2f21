"""A walk by tokens or addresses ends on proof: a server that repeats itself ends none."""

import json
from pathlib import Path
from typing import Any

import pytest
from external_data_operator.api.conditions import Reason
from external_data_operator.api.plan import FailureClass

from sync_runner.errors import ConfigurationError, ExpiredTokenError
from sync_runner.protocols import ReadRequest
from sync_runner.tasks import Surroundings, run_task
from tests.clocks import JumpingClock
from tests.contract.rest_reading import (
    GivenCredentials,
    ids_of,
    in_folder,
    make_plan,
    open_source,
    read,
    refuse,
    write_to,
)
from tests.contract.test_rest_walk import CURSOR, NEXT, OFFSET
from tests.servers.replies import Reply, ok, status
from tests.servers.rest import RestServer, Seen
from tests.servers.tables import Table, make_rows, page


def test_ten_empty_pages_that_lead_on_are_a_loop(server: RestServer) -> None:
    def serve(seen: Seen) -> Reply:
        return page([], meta={"next": str(int(seen.query.get("at") or 0) + 1)})

    server.on("/orders", serve)
    assert refuse(server, CURSOR).reason is Reason.LOOP_DETECTED
    assert len(server.requests) == 10


def test_nine_empty_pages_between_rows_end_nothing(server: RestServer) -> None:
    def serve(seen: Seen) -> Reply:
        at = int(seen.query.get("at") or 0)
        rows = make_rows(1, first=at + 1) if at % 10 == 0 else []
        return page(rows, meta={"next": str(at + 1) if at < 40 else None})

    server.on("/orders", serve)
    assert ids_of(read(make_plan(server, {"pagination": CURSOR}))) == [1, 11, 21, 31, 41]


@pytest.mark.parametrize("end", ["empty", "same", "null"])
def test_one_token_for_all_pages_is_followed_to_the_end(server: RestServer, end: str) -> None:
    """As scroll APIs have it."""

    def serve(seen: Seen) -> Reply:
        nth = len(server.requests) - 1
        last = make_rows(3, first=13) if end == "same" else []
        rows = make_rows(5, first=1 + 5 * nth) if nth < 3 else last
        return page(rows, meta={"next": None if end == "null" and nth == 2 else "scroll"})

    server.script("/orders", *[serve] * 3)
    server.on(
        "/orders", page(make_rows(5, first=11) if end == "same" else [], meta={"next": "scroll"})
    )
    assert ids_of(read(make_plan(server, {"pagination": CURSOR}))) == list(range(1, 16))


def test_one_token_whose_rows_come_round_again_is_a_loop(server: RestServer) -> None:
    def serve(seen: Seen) -> Reply:
        first = 1 + 5 * ((len(server.requests) - 1) % 3)
        return page(make_rows(5, first=first), meta={"next": "scroll"})

    server.on("/orders", serve)
    assert refuse(server, CURSOR).reason is Reason.LOOP_DETECTED
    assert len(server.requests) < 8


@pytest.mark.parametrize("style", ["cursor", "next"])
def test_a_last_page_that_names_itself_ends_the_walk_without_doubling_a_row(
    server: RestServer, style: str
) -> None:
    def serve(seen: Seen) -> Reply:
        at = int(seen.query.get("at") or 0)
        following = min(at + 1, 2)
        told = {"next": f"/orders?at={following}", "meta": {"next": following}}
        return page(make_rows(5, first=1 + 5 * at), **told)

    server.on("/orders", serve)
    pagination = CURSOR if style == "cursor" else NEXT
    assert ids_of(read(make_plan(server, {"pagination": pagination}))) == list(range(1, 16))
    assert len(server.requests) == 4


@pytest.mark.parametrize("changing", [True, False])
def test_a_token_that_the_server_ignores_is_said(server: RestServer, changing: bool) -> None:
    def serve(seen: Seen) -> Reply:
        token = f"t{len(server.requests)}" if changing else "t"
        return page(make_rows(5), meta={"next": token})

    server.on("/orders", serve)
    assert refuse(server, CURSOR).reason is Reason.LOOP_DETECTED
    assert len(server.requests) <= 12


@pytest.mark.parametrize("token", ["2.5e+11", "7E3", "1.10", "12345678901234567890123", "-0"])
def test_a_numeric_token_goes_back_character_by_character(server: RestServer, token: str) -> None:
    def serve(seen: Seen) -> Reply:
        if "at" in seen.query:
            return page(make_rows(1, first=2), meta={"next": None})
        body = json.dumps({"data": make_rows(1)})[:-1] + f', "meta": {{"next": {token}}}}}'
        return Reply(body=body.encode())

    server.on("/orders", serve)
    assert ids_of(read(make_plan(server, {"pagination": CURSOR}))) == [1, 2]
    assert server.requests[1].query["at"] == token


@pytest.mark.parametrize("value", [{"href": "/x"}, ["/x"], True])
@pytest.mark.parametrize("style", ["cursor", "next"])
def test_what_leads_nowhere_is_named(server: RestServer, style: str, value: Any) -> None:
    server.on("/orders", page(make_rows(1), next=value, meta={"next": value}))
    error = refuse(server, CURSOR if style == "cursor" else NEXT)
    assert error.reason is Reason.INVALID_RESPONSE
    assert ("cursorPath meta.next" if style == "cursor" else "nextUrlPath next") in str(error)


def test_a_next_address_below_a_key_with_dots_needs_no_quotes(server: RestServer) -> None:
    def serve(seen: Seen) -> Reply:
        at = int(seen.query.get("at") or 0)
        more = {"@odata.nextLink": f"/orders?at={at + 1}"} if at < 4 else {}
        return ok({"@odata.context": "x", "odata.value": make_rows(5, first=1 + 5 * at), **more})

    server.on("/orders", serve)
    stream = {
        "recordsPath": "odata.value",
        "pagination": {"nextUrl": {"nextUrlPath": "@odata.nextLink"}},
    }
    assert ids_of(read(make_plan(server, stream))) == list(range(1, 26))


@pytest.mark.parametrize("style", ["cursor", "next", "offset"])
def test_a_path_that_is_on_no_page_is_said(server: RestServer, style: str) -> None:
    server.on("/orders", lambda s: page(make_rows(5) if s.query.get("offset", "0") == "0" else []))
    pagination: dict[str, Any] = {
        "cursor": {"cursor": {"cursorPath": "paging.after"}},
        "next": {"nextUrl": {"nextUrlPath": "paging.after"}},
        "offset": {"offset": {"limit": 5, "totalPath": "paging.after"}},
    }[style]
    notes = read(make_plan(server, {"pagination": pagination}))[-1].notes
    assert len(notes) == 1
    assert "Path paging.after was not found on any page" in notes[0]


def test_a_path_that_is_null_or_missing_on_the_last_page_alone_is_not_said(
    server: RestServer,
) -> None:
    server.script("/orders", page(make_rows(5), meta={"next": "2"}))
    server.on("/orders", page(make_rows(5, first=6)))
    assert read(make_plan(server, {"pagination": CURSOR}))[-1].notes == ()
    server.on("/orders", page(make_rows(5), meta={"next": None}))
    assert read(make_plan(server, {"pagination": CURSOR}))[-1].notes == ()


@pytest.mark.parametrize("code", [400, 404, 410, 422])
def test_a_token_that_expires_in_mid_walk_asks_for_a_new_walk(
    server: RestServer, code: int
) -> None:
    server.script("/orders", page(make_rows(5), meta={"next": "2"}), *[status(code)] * 3)
    with pytest.raises(ExpiredTokenError, match=f"answered {code}") as caught:
        read(make_plan(server, {"pagination": CURSOR}))
    assert caught.value.failure_class is FailureClass.RETRYABLE


def test_a_run_whose_token_expires_publishes_every_row_once(
    server: RestServer, tmp_path: Path
) -> None:
    server.script("/orders", None, status(410), None, None)
    server.on("/orders", Table(make_rows(150), "cursor"))
    plan = make_plan(server, {"pagination": CURSOR}, limits={"batchRows": 10, "partBytes": 1})
    given = Surroundings(GivenCredentials(), run_id="r", clock=JumpingClock())
    report = run_task(write_to(plan, in_folder(tmp_path)), given).report
    assert report.failure is None
    (told,) = report.tables
    assert told.table is not None
    assert (told.table.rows, told.rows, report.rows) == (150, 150, 150)


def test_a_first_token_of_the_streams_own_is_sent(server: RestServer) -> None:
    def serve(seen: Seen) -> Reply:
        at = {"*": 0}.get(seen.query.get("at", ""), seen.query.get("at"))
        if at is None:
            return page(make_rows(5), meta={"next": None})
        start = int(at)
        following = str(start + 5) if start < 10 else None
        return page(make_rows(5, first=1 + start), meta={"next": following})

    server.on("/orders", serve)
    plan = make_plan(server, {"pagination": CURSOR, "params": {"at": "*"}})
    assert ids_of(read(plan)) == list(range(1, 16))


def test_a_resumed_walk_knows_the_page_behind_it(server: RestServer) -> None:
    """The page that names itself, and the offset that stands still, are behind the bookmark."""
    server.on("/orders", page(make_rows(10), meta={"next": "2"}, total=23))
    token = read_first(make_plan(server, {"pagination": CURSOR}, limits={"batchRows": 1}))
    with pytest.raises(ConfigurationError) as caught:
        read(make_plan(server, {"pagination": CURSOR}), resume=token)
    assert caught.value.reason is Reason.LOOP_DETECTED
    token = read_first(make_plan(server, {"pagination": OFFSET}, limits={"batchRows": 1}))
    with pytest.raises(ConfigurationError) as caught:
        read(make_plan(server, {"pagination": OFFSET}), resume=token)
    assert caught.value.reason is Reason.LOOP_DETECTED


def read_first(plan: Any) -> str:
    """The bookmark behind a walk's first batch."""
    source = open_source(plan)
    batches = source.read(ReadRequest())
    token = next(batches).next
    batches.close()  # type: ignore[attr-defined]
    assert token is not None
    return token


@pytest.mark.parametrize("style", ["cursor", "next"])
@pytest.mark.parametrize("empty", [True, False], ids=["empty pages", "equal pages"])
def test_a_source_that_filters_its_pages_says_how_many_are_idle(
    server: RestServer, style: str, empty: bool
) -> None:
    """Seventeen pages in a row bring nothing new, and the nineteenth has the rows."""

    def serve(seen: Seen) -> Reply:
        at = int(seen.query.get("at") or 0)
        rows = make_rows(2, first=7) if at == 18 else [] if empty else make_rows(2)
        following = str(at + 1) if at < 18 else None
        link = f"/orders?at={following}" if following else None
        return page(rows, meta={"next": following}, next=link)

    server.on("/orders", serve)
    key = {"cursor": "cursor", "next": "nextUrl"}[style]
    pagination: dict[str, Any] = dict(CURSOR if style == "cursor" else NEXT)
    error = refuse(server, pagination)
    assert error.reason is Reason.LOOP_DETECTED
    assert f"raise pagination.{key}.idlePagesMax" in str(error)
    lifted = {key: {**pagination[key], "idlePagesMax": 20}}
    ids = ids_of(read(make_plan(server, {"pagination": lifted})))
    assert ids == ([] if empty else [1, 2] * 18) + [7, 8]


@pytest.mark.parametrize("style", ["cursor", "next"])
def test_what_leads_back_is_named_by_its_fields(server: RestServer, style: str) -> None:
    def serve(seen: Seen) -> Reply:
        at = (int(seen.query.get("at") or 0) + 1) % 4
        return page(make_rows(3, first=3 * at), meta={"next": f"{at}"}, next=f"/orders?at={at}")

    server.on("/orders", serve)
    named = {"cursor": "cursorPath meta.next, sent as at, led", "next": "nextUrlPath next led"}
    assert named[style] in str(refuse(server, CURSOR if style == "cursor" else NEXT))
