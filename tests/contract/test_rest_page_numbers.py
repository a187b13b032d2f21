"""A server that takes the offset for the number of a page loses no row in silence."""

import itertools
from collections.abc import Callable
from typing import Any

import pytest
from external_data_operator.api.conditions import Reason

from sync_runner.errors import ConfigurationError
from tests.contract.rest_reading import ids_of, make_plan, read
from tests.servers.replies import Reply, login_page, ok, status
from tests.servers.rest import RestServer, Seen
from tests.servers.tables import Row, make_rows, page

SIZE = 10
REFUSALS = {
    "refused": status(400),
    "broken": status(500),
    "empty": page([], error="offset must be a multiple of limit"),
    "error": ok({"error": "offset must be a multiple of limit"}),
    "gone": status(410),
    "none": Reply(204),
    "html": login_page(),
}
"""How servers answer an offset that is no multiple of the limit."""


def _plan(server: RestServer, param: str, **spec: Any) -> Any:
    offset = {"limit": SIZE, "offsetParam": param, **spec}
    return make_plan(server, {"pagination": {"offset": offset}}, rest={"concurrency": 1})


def _serve_pages(rows: list[Row], param: str, first: int) -> Callable[[Seen], Reply]:
    """Counts pages from `first`; what is before it is the first one."""

    def serve(seen: Seen) -> Reply:
        start = SIZE * max(0, int(seen.query[param]) - first)
        return page(rows[start : start + SIZE])

    return serve


@pytest.mark.parametrize("first", [0, 1])
@pytest.mark.parametrize("start", [0, 1])
@pytest.mark.parametrize(
    ("param", "count"),
    [
        *itertools.product(["page", "pageNo", "_page", "page[number]"], [35, 99, 104, 1004]),
        *itertools.product(["skip", "from", "page[offset]"], [35, 89, 990, 1005]),
    ],
)
def test_an_offset_that_is_the_number_of_a_page_ends_the_run(
    server: RestServer, param: str, count: int, first: int, start: int
) -> None:
    server.on("/orders", _serve_pages(make_rows(count), param, first))
    with pytest.raises(ConfigurationError) as caught:
        read(_plan(server, param, initialOffset=start))
    assert caught.value.reason is Reason.INVALID_SPEC
    assert f"offsetParam {param} as the number of a page" in str(caught.value)
    assert "pagination.cursor" in str(caught.value)


@pytest.mark.parametrize("param", ["page", "skip"])
@pytest.mark.parametrize("count", [1, 9, 10])
def test_one_page_is_read_whatever_the_parameter_counts(
    server: RestServer, param: str, count: int
) -> None:
    server.on("/orders", _serve_pages(make_rows(count), param, 0))
    assert ids_of(read(_plan(server, param))) == list(range(1, count + 1))


@pytest.mark.parametrize("param", ["page", "skip"])
@pytest.mark.parametrize("first", [0, 1])
@pytest.mark.parametrize(
    ("kind", "count"),
    [
        *itertools.product(["rows", "capped"], [9, 10, 11, 30, 57]),
        *itertools.product(["blocks", *REFUSALS], [10, 30]),
    ],
)
def test_offsets_of_all_kinds_of_servers_are_read_to_the_end(
    server: RestServer, kind: str, count: int, first: int, param: str
) -> None:
    rows = make_rows(count)

    def serve(seen: Seen) -> Reply:
        start = int(seen.query[param]) - first
        if kind in REFUSALS and start % SIZE:
            return REFUSALS[kind]
        start = start // SIZE * SIZE if kind == "blocks" else start
        return page(rows[start : start + (5 if kind == "capped" else SIZE)])

    server.on("/orders", serve)
    assert ids_of(read(_plan(server, param, initialOffset=first))) == list(range(1, count + 1))


def test_rows_that_come_or_go_while_they_are_read_are_no_page_numbers(server: RestServer) -> None:
    rows = make_rows(20)
    one_later = [*make_rows(5, first=90), *rows]

    def serve(seen: Seen) -> Reply:
        start = int(seen.query["skip"])
        found = one_later if start == 1 else rows
        return page(found[start : start + SIZE])

    server.on("/orders", serve)
    assert ids_of(read(_plan(server, "skip"))) == list(range(1, 21))
    one_later.clear()
    assert ids_of(read(_plan(server, "skip"))) == list(range(1, 21))


def test_rows_that_have_no_order_prove_nothing(server: RestServer) -> None:
    asked = itertools.count()

    def serve(seen: Seen) -> Reply:
        number = next(asked)
        rows = [row | {"asked": number} for row in make_rows(20)]
        return page(rows[int(seen.query["page"]) :][:SIZE])

    server.on("/orders", serve)
    assert len(ids_of(read(_plan(server, "page")))) == 20


def test_a_walk_of_offsets_asks_for_no_proof_without_cause(server: RestServer) -> None:
    rows = make_rows(25)
    server.on("/orders", lambda seen: page(rows[int(seen.query["skip"]) :][:SIZE]))
    read(_plan(server, "skip"))
    assert [seen.query["skip"] for seen in server.requests] == ["0", "10", "20", "25"]
    del rows[20:]
    server.requests.clear()
    read(_plan(server, "skip"))
    asked = [seen.query["skip"] for seen in server.requests]
    assert asked == ["0", "10", "20", "0", "1"], "a full page before an empty one is a cause"
