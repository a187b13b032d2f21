"""A walk goes on from any batch's token, in another process, as if nothing had happened."""

import json
from itertools import pairwise
from typing import Any

import pytest
from external_data_operator.api.conditions import Reason
from external_data_operator.api.cursors import CursorType

from sync_runner.errors import ConfigurationError, ExpiredTokenError
from sync_runner.protocols import Position
from tests.contract.rest_reading import ids_of, make_plan, read
from tests.contract.test_rest_walk import CURSOR, NEXT, OFFSET
from tests.servers.replies import Reply, status
from tests.servers.rest import RestServer, Seen
from tests.servers.tables import Table, make_rows, moment_of

TOTAL = {"offset": {"limit": 100, "totalPath": "total"}}
STYLES: dict[str, tuple[Any, Table]] = {
    "cursor": (CURSOR, Table(make_rows(1050), "cursor")),
    "next": (NEXT, Table(make_rows(1050), "next")),
    "offset": (OFFSET, Table(make_rows(1050), page_max=70)),
    "offset with total": (TOTAL, Table(make_rows(1050), with_total=True)),
}
SMALL = {"batchRows": 200}


@pytest.mark.parametrize("concurrency", [1, 8])
@pytest.mark.parametrize(("pagination", "table"), STYLES.values(), ids=STYLES.keys())
def test_every_token_leads_to_exactly_the_rows_behind_its_batch(
    server: RestServer, pagination: dict[str, Any], table: Table, concurrency: int
) -> None:
    server.on("/orders", table)
    rest = {"concurrency": concurrency}
    plan = make_plan(server, {"pagination": pagination}, rest=rest, limits=SMALL)
    batches = read(plan)
    assert len(batches) > 4
    for index, batch in enumerate(batches[:-1]):
        assert batch.next is not None
        assert ids_of(read(plan, resume=batch.next)) == ids_of(batches[index + 1 :])


def test_a_resumed_walk_asks_for_the_next_page_first(server: RestServer) -> None:
    server.on("/orders", Table(make_rows(500), "cursor"))
    plan = make_plan(server, {"pagination": CURSOR, "params": {"x": "1"}}, limits=SMALL)
    token = read(plan)[0].next
    server.requests.clear()
    read(plan, resume=token)
    assert server.targets()[0] == "/orders?x=1&at=200"


def test_a_token_holds_no_credential_and_no_header(server: RestServer) -> None:
    server.on("/orders", Table(make_rows(500), "cursor"))
    rest = {"headers": {"X-Tenant": "tenant-secret"}}
    plan = make_plan(server, {"pagination": CURSOR}, rest=rest, limits=SMALL)
    token = read(plan)[0].next
    assert token is not None
    assert "tenant-secret" not in token
    assert len(token) < 700


def test_a_token_of_another_origin_is_not_followed(server: RestServer) -> None:
    server.on("/orders", Table(make_rows(500), "cursor"))
    plan = make_plan(server, {"pagination": CURSOR}, limits=SMALL)
    token = read(plan)[0].next
    assert token is not None
    moved = token.replace("127.0.0.1", "127.0.0.2")
    with pytest.raises(ConfigurationError) as caught:
        read(plan, resume=moved)
    assert caught.value.reason is Reason.OTHER_ORIGIN


@pytest.mark.parametrize("token", ["", "x", "[]", "{}", '{"place": {}}', '{"place": 3}'])
def test_a_token_that_cannot_be_read_begins_anew(server: RestServer, token: str) -> None:
    with pytest.raises(ExpiredTokenError, match="cannot be read"):
        read(make_plan(server, {"pagination": CURSOR}), resume=token)


@pytest.mark.parametrize("code", [400, 404, 410, 422])
def test_a_token_that_has_expired_meanwhile_begins_anew(server: RestServer, code: int) -> None:
    server.on("/orders", Table(make_rows(500), "cursor"))
    plan = make_plan(server, {"pagination": CURSOR}, limits=SMALL)
    token = read(plan)[0].next
    server.script("/orders", *[status(code)] * 3)
    with pytest.raises(ExpiredTokenError, match=f"answered {code}"):
        read(plan, resume=token)


def test_a_token_may_expire_in_the_middle_of_a_walk(server: RestServer) -> None:
    server.on("/orders", Table(make_rows(500), "cursor"))
    server.script("/orders", None, None, status(410))
    with pytest.raises(ExpiredTokenError):
        read(make_plan(server, {"pagination": CURSOR}))


def test_the_first_page_does_not_expire(server: RestServer) -> None:
    server.on("/orders", status(410))
    with pytest.raises(ConfigurationError, match="answered 410"):
        read(make_plan(server, {"pagination": CURSOR}))


def test_positions_go_on_where_the_first_attempt_stopped(server: RestServer) -> None:
    rows = list(reversed(make_rows(500)))
    server.on("/orders", Table(rows, "cursor"))
    stream = {
        "pagination": CURSOR,
        "incremental": {"cursorPath": "updated_at", "startParam": "since"},
    }
    plan = make_plan(server, stream, sync={"syncType": "Incremental"}, limits=SMALL)
    first = read(plan)[0]
    rest = read(plan, resume=first.next)
    highest = Position(moment_of(500), CursorType.DATE_TIME, "updated_at")
    assert [batch.position for batch in (first, *rest)] == [highest] * 3


def test_a_resumed_walk_keeps_its_stretch_though_time_and_position_moved(
    server: RestServer,
) -> None:
    server.on("/orders", Table(make_rows(500), "cursor"))
    stream = {
        "pagination": CURSOR,
        "incremental": {"cursorPath": "updated_at", "startParam": "since"},
    }
    plan = make_plan(server, stream, sync={"syncType": "Incremental"}, limits=SMALL)
    since = Position("2024-01-01T00:00:00Z", CursorType.DATE_TIME)
    token = read(plan, since=since)[0].next
    server.requests.clear()
    read(plan, since=Position("2025-01-01T00:00:00Z", CursorType.DATE_TIME), resume=token)
    assert {seen.query["since"] for seen in server.requests} == {since.value}


def test_a_walk_while_rows_are_appended_brings_every_row_that_was_there(
    server: RestServer,
) -> None:
    rows = make_rows(500)
    table = Table(rows)

    def serve(seen: Seen) -> Reply:
        rows.extend(make_rows(1, first=len(rows) + 1) if len(rows) < 530 else [])
        return table(seen)

    server.on("/orders", serve)
    batches = read(make_plan(server, {"pagination": OFFSET}, rest={"concurrency": 8}))
    ids = ids_of(batches)
    assert ids[:500] == list(range(1, 501))
    assert all(a < b for a, b in pairwise(ids))


def test_a_token_is_json_text(server: RestServer) -> None:
    server.on("/orders", Table(make_rows(500), "cursor"))
    token = read(make_plan(server, {"pagination": CURSOR}, limits=SMALL))[0].next
    assert token is not None
    assert json.loads(token)["place"]["page"]["request"]["url"].endswith("/orders?at=200")
