"""A walk by offset ends on proof: not at a total that is wrong, and not at a server that repeats
or hides rows.
"""

from typing import Any

import pytest
from external_data_operator.api.conditions import Reason

from sync_runner.errors import RetryableError
from tests.contract.rest_reading import ids_of, make_plan, read, refuse
from tests.servers.replies import Reply, status
from tests.servers.rest import RestServer, Seen
from tests.servers.tables import make_rows, page

TOTAL = {"offset": {"limit": 10, "totalPath": "total"}}
TENS = {"offset": {"limit": 10}}
KEYED = {"sync": {"syncType": "FullRefresh", "primaryKeyColumns": ["id"]}}


def _window(rows: list[Any], seen: Seen, size: int = 10) -> list[Any]:
    start = int(seen.query["offset"])
    return rows[start : start + size]


@pytest.mark.parametrize("concurrency", [1, 4])
@pytest.mark.parametrize("count", [7, 10, 27, 30])
@pytest.mark.parametrize("cap", [10, 4])
@pytest.mark.parametrize("kind", ["page", "cap", "low", "text", "absent"])
def test_a_total_that_is_none_costs_no_row(
    server: RestServer, kind: str, cap: int, count: int, concurrency: int
) -> None:
    rows = make_rows(count)

    def serve(seen: Seen) -> Reply:
        part = _window(rows, seen, cap)
        totals = {"page": len(part), "cap": min(count, 8), "low": count // 2, "text": "many"}
        return page(part, **({"total": totals[kind]} if kind in totals else {}))

    server.on("/orders", serve)
    plan = make_plan(server, {"pagination": TOTAL}, rest={"concurrency": concurrency})
    assert ids_of(read(plan)) == list(range(1, count + 1))


def test_an_empty_page_before_the_total_is_asked_for_again(server: RestServer) -> None:
    rows = make_rows(25)
    server.on("/orders", lambda seen: page(_window(rows, seen), total=25))
    server.script("/orders", None, page([], total=25), page([]))
    plan = make_plan(server, {"pagination": TOTAL}, rest={"concurrency": 1})
    assert ids_of(read(plan)) == list(range(1, 26))


@pytest.mark.parametrize("with_total", [True, False])
def test_a_page_that_stays_empty_before_the_total_fails_the_run(
    server: RestServer, with_total: bool
) -> None:
    rows = make_rows(20)

    def serve(seen: Seen) -> Reply:
        part = _window(rows, seen)
        return page(part, **({"total": 31} if part or with_total else {}))

    server.on("/orders", serve)
    with pytest.raises(RetryableError, match="empty after 20 rows, but totalPath total decl") as it:
        read(make_plan(server, {"pagination": TOTAL}))
    assert it.value.reason is Reason.SOURCE_UNAVAILABLE


def test_a_total_that_shrinks_with_the_rows_is_reached(server: RestServer) -> None:
    rows = make_rows(30)

    def serve(seen: Seen) -> Reply:
        if seen.query["offset"] == "20":
            del rows[20:]
        return page(_window(rows, seen), total=len(rows))

    server.on("/orders", serve)
    plan = make_plan(server, {"pagination": TOTAL}, rest={"concurrency": 1})
    assert ids_of(read(plan)) == list(range(1, 21))


@pytest.mark.parametrize("code", [400, 404, 416, 422])
def test_a_refused_offset_behind_the_total_is_the_end_where_the_last_row_is_the_last(
    server: RestServer, code: int
) -> None:
    rows = make_rows(30)

    def serve(seen: Seen) -> Reply:
        return page(part, total=30) if (part := _window(rows, seen)) else status(code)

    server.on("/orders", serve)
    assert ids_of(read(make_plan(server, {"pagination": TOTAL}))) == list(range(1, 31))
    assert server.requests[-1].query["offset"] == "29"


def test_a_refused_offset_at_a_capped_total_is_no_end(server: RestServer) -> None:
    rows = make_rows(50)

    def serve(seen: Seen) -> Reply:
        allowed = int(seen.query["offset"]) < 20
        return page(_window(rows, seen), total=20) if allowed else status(400)

    server.on("/orders", serve)
    with pytest.raises(
        RetryableError, match=r"page 3 \(offset 20\): The source answered 400"
    ) as caught:
        read(make_plan(server, {"pagination": TOTAL}, rest={"concurrency": 1}))
    assert caught.value.reason is Reason.SOURCE_UNAVAILABLE


@pytest.mark.parametrize("echo", [True, False])
@pytest.mark.parametrize("pagination", [TENS, TOTAL], ids=["bare", "total"])
@pytest.mark.parametrize("plan", [{}, KEYED], ids=["no key", "key"])
@pytest.mark.parametrize("total", [10, 23])
def test_an_offset_that_the_server_ignores_is_said(
    server: RestServer, pagination: dict[str, Any], plan: dict[str, Any], total: int, echo: bool
) -> None:
    def serve(seen: Seen) -> Reply:
        more = {"offset": int(seen.query["offset"])} if echo else {}
        return page(make_rows(10), total=total, **more)

    server.on("/orders", serve)
    assert refuse(server, pagination, **plan).reason is Reason.LOOP_DETECTED
    assert len(server.requests) < 12


@pytest.mark.parametrize("concurrency", [1, 8])
@pytest.mark.parametrize("pagination", [TENS, TOTAL], ids=["bare", "wrong total"])
def test_an_offset_that_the_server_clamps_is_said(
    server: RestServer, pagination: dict[str, Any], concurrency: int
) -> None:
    rows = make_rows(33)

    def serve(seen: Seen) -> Reply:
        start = min(int(seen.query["offset"]), 23)
        return page(rows[start : start + 10], total=33)

    server.on("/orders", serve)
    error = refuse(server, pagination, rest={"concurrency": concurrency})
    assert error.reason is Reason.LOOP_DETECTED
    assert len(server.requests) < 40


def test_a_clamped_offset_is_the_end_where_exactly_the_total_came(server: RestServer) -> None:
    rows = make_rows(30)

    def serve(seen: Seen) -> Reply:
        start = min(int(seen.query["offset"]), 20)
        return page(rows[start : start + 10], total=30)

    server.on("/orders", serve)
    assert ids_of(read(make_plan(server, {"pagination": TOTAL}))) == list(range(1, 31))


def test_rows_hidden_after_the_cut_are_said_where_no_key_collapses_them(server: RestServer) -> None:
    rows = make_rows(40)

    def serve(seen: Seen) -> Reply:
        return page([row for row in _window(rows, seen) if row["id"] not in (4, 17, 18)])

    server.on("/orders", serve)
    assert "begins with 1 rows" in str(refuse(server, TENS))
    seen = ids_of(read(make_plan(server, {"pagination": TENS}, **KEYED)))
    assert sorted(set(seen)) == [row["id"] for row in rows if row["id"] not in (4, 17, 18)]


@pytest.mark.parametrize("concurrency", [1, 4])
@pytest.mark.parametrize("total", [False, True], ids=["bare", "total"])
@pytest.mark.parametrize("count", [30, 37, 40])
def test_equal_rows_by_offset_are_kept_where_the_spec_declares_them(
    server: RestServer, count: int, total: bool, concurrency: int
) -> None:
    rows = [{"id": 0}] * count
    server.on("/orders", lambda seen: page(_window(rows, seen), total=count))
    spec: dict[str, Any] = {"limit": 10, **({"totalPath": "total"} if total else {})}
    assert "set pagination.offset.idlePagesMax" in str(refuse(server, {"offset": spec}))
    plan = make_plan(
        server,
        {"pagination": {"offset": {**spec, "idlePagesMax": 3}}},
        rest={"concurrency": concurrency},
    )
    assert ids_of(read(plan)) == [0] * count


def test_equal_rows_on_short_pages_are_kept_too(server: RestServer) -> None:
    rows = [{"id": number // 8} for number in range(24)]
    server.on("/orders", lambda seen: page(_window(rows, seen, 5)))
    spec = {"limit": 10, "idlePagesMax": 1}
    assert ids_of(read(make_plan(server, {"pagination": {"offset": spec}}))) == [
        row["id"] for row in rows
    ]


def test_a_server_that_ignores_the_offset_ends_at_the_declared_number_of_pages(
    server: RestServer,
) -> None:
    server.on("/orders", page(make_rows(10)))
    error = refuse(server, {"offset": {"limit": 10, "idlePagesMax": 4}})
    assert error.reason is Reason.LOOP_DETECTED
    assert "offset 50 repeats the rows of the page before" in str(error)
