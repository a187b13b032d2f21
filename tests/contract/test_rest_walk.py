"""A walk through pages loses nothing and doubles nothing, whatever the server's habits."""

from typing import Any

import pytest
from external_data_operator.api.conditions import Reason

from sync_runner.errors import ConfigurationError
from tests.clocks import JumpingClock
from tests.contract.rest_reading import ids_of, make_plan, read, rows_of
from tests.servers.replies import Reply, ok, redirect, status
from tests.servers.rest import RestServer, Seen
from tests.servers.tables import Table, make_rows, page

CURSOR = {"cursor": {"cursorPath": "meta.next", "cursorParam": "at"}}
OFFSET = {"offset": {"limit": 100}}
NEXT = {"nextUrl": {"nextUrlPath": "next"}}
STYLES = {"cursor": CURSOR, "offset": OFFSET, "next": NEXT}


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("count", [0, 1, 99, 100, 101, 1234])
def test_every_style_brings_every_row_once_and_in_order(
    server: RestServer, style: str, count: int
) -> None:
    rows = make_rows(count)
    server.on("/orders", Table(rows, style))
    batches = read(make_plan(server, {"pagination": STYLES[style]}))
    assert rows_of(batches) == rows
    assert sum(batch.pages for batch in batches) >= max(1, -(-count // 100))
    assert batches[-1].next is None


def test_one_page_holds_everything_where_nothing_is_said_of_pages(server: RestServer) -> None:
    server.on("/orders", Table(make_rows(500), "single"))
    assert ids_of(read(make_plan(server, {}))) == list(range(1, 501))
    assert len(server.requests) == 1


@pytest.mark.parametrize("cap", [1, 7, 30, 99])
@pytest.mark.parametrize("concurrency", [1, 8])
def test_a_server_that_caps_its_pages_loses_nothing(
    server: RestServer, cap: int, concurrency: int
) -> None:
    server.on("/orders", Table(make_rows(300), page_max=cap))
    plan = make_plan(server, {"pagination": OFFSET}, rest={"concurrency": concurrency})
    assert ids_of(read(plan)) == list(range(1, 301))


@pytest.mark.parametrize("concurrency", [1, 8])
def test_short_pages_in_the_middle_end_nothing(server: RestServer, concurrency: int) -> None:
    rows = make_rows(400)

    def serve(seen: Seen) -> Reply:
        """Filters after it has cut the page, as some servers do, but counts what it sends."""
        start = int(seen.query["offset"])
        size = 100 if (start // 50) % 3 else 37
        return page(rows[start : start + size])

    server.on("/orders", serve)
    plan = make_plan(server, {"pagination": OFFSET}, rest={"concurrency": concurrency})
    assert ids_of(read(plan)) == list(range(1, 401))


def test_a_total_saves_the_request_for_the_empty_page(server: RestServer) -> None:
    server.on("/orders", Table(make_rows(230), with_total=True))
    pagination = {"offset": {"limit": 100, "totalPath": "total"}}
    assert len(ids_of(read(make_plan(server, {"pagination": pagination})))) == 230
    assert len(server.requests) == 3


def test_a_total_that_counts_only_the_page_is_not_believed_when_it_contradicts(
    server: RestServer,
) -> None:
    rows = make_rows(250)

    def serve(seen: Seen) -> Reply:
        start = int(seen.query["offset"])
        return page(rows[start : start + 100], total=0)

    server.on("/orders", serve)
    pagination = {"offset": {"limit": 100, "totalPath": "total"}}
    assert len(ids_of(read(make_plan(server, {"pagination": pagination})))) == 250


@pytest.mark.parametrize("length", [1, 2, 5])
def test_a_token_that_comes_back_ends_the_run(server: RestServer, length: int) -> None:
    def serve(seen: Seen) -> Reply:
        at = int(seen.query.get("at") or 0)
        return page(make_rows(10), meta={"next": str(at % length + 1)})

    server.on("/orders", serve)
    with pytest.raises(ConfigurationError) as caught:
        read(make_plan(server, {"pagination": CURSOR}))
    assert caught.value.reason is Reason.LOOP_DETECTED
    assert len(server.requests) == length + 1


def test_an_empty_page_whose_token_stays_is_the_end(server: RestServer) -> None:
    def serve(seen: Seen) -> Reply:
        rows = [] if seen.query.get("at") == "tail" else make_rows(10)
        return page(rows, meta={"next": "tail"})

    server.on("/orders", serve)
    assert len(ids_of(read(make_plan(server, {"pagination": CURSOR})))) == 10


def test_a_token_of_zero_is_followed(server: RestServer) -> None:
    def serve(seen: Seen) -> Reply:
        at = seen.query.get("at")
        if at is None:
            return page(make_rows(5), meta={"next": 0})
        return page(make_rows(5, first=6), meta={"next": None})

    server.on("/orders", serve)
    assert ids_of(read(make_plan(server, {"pagination": CURSOR}))) == list(range(1, 11))


@pytest.mark.parametrize(
    "link",
    [
        "http://localhost:{port}/orders?at=1",
        "https://127.0.0.1:{port}/orders",
        "http://127.0.0.1:1/",
    ],
    ids=["host", "scheme", "port"],
)
def test_a_next_page_at_another_origin_ends_the_run(server: RestServer, link: str) -> None:
    server.on("/orders", lambda _: page(make_rows(3), next=link.format(port=server.port)))
    with pytest.raises(ConfigurationError) as caught:
        read(make_plan(server, {"pagination": NEXT}))
    assert caught.value.reason is Reason.OTHER_ORIGIN
    assert len(server.requests) == 1


def test_static_params_are_sent_with_every_page_but_not_with_a_next_address(
    server: RestServer,
) -> None:
    server.on("/orders", Table(make_rows(250), "cursor"))
    read(make_plan(server, {"pagination": CURSOR, "params": {"a b": "x&y", "at": "0"}}))
    targets = server.targets()
    assert targets[0] == "/orders?a%20b=x%26y&at=0"
    assert targets[1] == "/orders?a%20b=x%26y&at=100"


def test_a_post_is_paged_through_its_query(server: RestServer) -> None:
    server.on("/orders", Table(make_rows(250), "cursor"))
    plan = make_plan(server, {"pagination": CURSOR, "method": "POST", "body": {"kind": "paid"}})
    assert len(ids_of(read(plan))) == 250
    assert {seen.body for seen in server.requests} == {b'{"kind": "paid"}'}
    assert {seen.method for seen in server.requests} == {"POST"}


def test_a_path_goes_below_the_path_of_the_base(server: RestServer) -> None:
    server.on("/api/v2/orders", Table(make_rows(5), "single"))
    for base, path in (("/api/v2", "/orders"), ("/api/v2/", "orders")):
        plan = make_plan(server, {"path": path}, rest={"baseUrl": f"{server.url}{base}"})
        assert len(ids_of(read(plan))) == 5


def test_batches_are_bounded_by_rows_and_by_bytes(server: RestServer) -> None:
    server.on("/orders", Table(make_rows(1000), "cursor"))
    by_rows = read(make_plan(server, {"pagination": CURSOR}, limits={"batchRows": 250}))
    assert [batch.records.num_rows for batch in by_rows] == [300, 300, 300, 100]
    by_bytes = read(make_plan(server, {"pagination": CURSOR}, limits={"batchBytes": 20_000}))
    assert [batch.records.num_rows for batch in by_bytes][:3] == [200, 200, 200]
    assert sum(batch.bytes for batch in by_bytes) == sum(batch.bytes for batch in by_rows)
    assert sum(batch.pages for batch in by_bytes) == sum(batch.pages for batch in by_rows) == 10


def test_a_slow_source_hands_over_what_it_has(server: RestServer) -> None:
    clock = JumpingClock()
    table = Table(make_rows(500), "cursor")

    def serve(seen: Seen) -> Reply:
        clock.time += 4
        return table(seen)

    server.on("/orders", serve)
    batches = read(make_plan(server, {"pagination": CURSOR}), clock=clock)
    assert [batch.records.num_rows for batch in batches] == [300, 200]


NESTED: list[dict[str, Any]] = [
    {"id": 1, "meta": {"uid": "a", "tags": [1, 2]}, "late": None},
    {"id": 2, "meta": {"uid": "b"}, "ünï": "日本", "late": 1.5},
]


def test_nested_keys_become_columns_beside_the_nested_value(server: RestServer) -> None:
    server.on("/orders", ok({"data": NESTED}))
    batches = read(make_plan(server, {"primaryKey": ["meta.uid"]}))
    rows = rows_of(batches)
    assert [row["meta.uid"] for row in rows] == ["a", "b"]
    assert [row["meta"] for row in rows] == [row["meta"] for row in NESTED]
    assert [row["late"] for row in rows] == [None, 1.5]


def test_an_empty_list_is_an_empty_table(server: RestServer) -> None:
    server.on("/orders", ok({"data": []}))
    batches = read(make_plan(server, {"pagination": OFFSET}))
    assert sum(batch.records.num_rows for batch in batches) == 0


def test_no_content_is_an_empty_table(server: RestServer) -> None:
    server.on("/orders", Reply(raw=b"HTTP/1.1 204 No Content\r\n\r\n"))
    assert ids_of([b for b in read(make_plan(server, {})) if b.records.num_rows]) == []


def test_a_server_that_refuses_beyond_the_end_hurts_no_guess(server: RestServer) -> None:
    table = Table(make_rows(1000), with_total=True)

    def serve(seen: Seen) -> Reply:
        return table(seen) if int(seen.query["offset"]) < 1000 else status(400)

    server.on("/orders", serve)
    pagination = {"offset": {"limit": 100, "totalPath": "total"}}
    plan = make_plan(server, {"pagination": pagination}, rest={"concurrency": 8})
    assert ids_of(read(plan)) == list(range(1, 1001))


@pytest.mark.parametrize(
    "link", ["?page=2", "orders?page=2", "./orders?page=2", "/v2/eu/orders?page=2"]
)
def test_a_relative_next_address_starts_where_the_redirect_led(
    server: RestServer, link: str
) -> None:
    """As browsers and RFC 3986 (section 5.1.3) read it: the base is the address that answered."""
    rows = make_rows(4)
    server.on("/orders", redirect("/v2/eu/orders"))

    def serve(seen: Seen) -> Reply:
        second = seen.query.get("page") == "2"
        return ok({"data": rows[2:] if second else rows[:2], "next": None if second else link})

    server.on("/v2/eu/orders", serve)
    assert rows_of(read(make_plan(server, {"pagination": NEXT}))) == rows


@pytest.mark.parametrize("link", [" /orders?n=2", "/orders?n=2 ", "  ?n=2  "])
def test_spaces_around_a_next_address_are_none_of_it(server: RestServer, link: str) -> None:
    def serve(seen: Seen) -> Reply:
        is_first = "n" not in seen.query
        return page(make_rows(3, first=1 if is_first else 4), next=link if is_first else None)

    server.on("/orders", serve)
    plan = make_plan(server, {"pagination": {"nextUrl": {"nextUrlPath": "next"}}})
    assert ids_of(read(plan)) == [1, 2, 3, 4, 5, 6]
    assert server.targets() == ["/orders", "/orders?n=2"]
