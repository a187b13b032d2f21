"""The data and the server of pages that every benchmark rests on."""

import hashlib
import json

import orjson
import pytest

from benchmarks.data import iter_awkward, iter_orders, iter_updates
from benchmarks.rows import Rows, Span
from benchmarks.server import STYLES, Walk

ORDERS_SHA256 = "e383935a9ca5cc0dc669605d50db329b7f9d2949fa457093928a28f9b8cc2a43"


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Rows:
    path = tmp_path_factory.mktemp("orders") / "orders.ndjson"
    path.write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in iter_orders(1000)))
    return Rows(path)


def decode(span: Span) -> list[dict[str, object]]:
    text = b"[" + b"".join(bytes(part) for part in span) + b"]"
    return list(json.loads(text))


def test_orders_are_the_same_bytes_on_every_machine() -> None:
    digest = hashlib.sha256()
    for row in iter_orders(20_000):
        digest.update(orjson.dumps(row) + b"\n")
    assert digest.hexdigest() == ORDERS_SHA256


def test_late_columns_appear_late_and_types_change() -> None:
    awkward = [json.loads(line) for line in iter_awkward(1000)]
    assert not any("rating" in row for row in awkward[:600])
    assert all("rating" in row for row in awkward[600:])
    assert {type(row["discount"]) for row in awkward} == {int, float}


def test_one_in_twenty_updates_is_a_new_row() -> None:
    ids = [json.loads(line)["id"] for line in iter_updates(100, table_rows=5000, newest=1000)]
    assert len(set(ids)) == 100
    assert sum(number > 5000 for number in ids) == 5
    assert min(ids) > 4000


@pytest.mark.parametrize(
    ("first", "end"),
    [(0, 1000), (995, 1010), (1990, 2120), (999, 1001), (9990, 10_020), (49_990, 50_000)],
)
def test_repeated_rows_have_ids_of_their_own(rows: Rows, first: int, end: int) -> None:
    assert [row["id"] for row in decode(rows.span(first, end))] == list(range(first + 1, end + 1))


def test_repeated_rows_differ_in_nothing_but_their_id(rows: Rows) -> None:
    once, again = decode(rows.span(0, 1000)), decode(rows.span(3000, 4000))
    assert [row | {"id": 0} for row in once] == [row | {"id": 0} for row in again]


def test_a_bound_is_inclusive_unless_it_is_strict(rows: Rows) -> None:
    moment = str(decode(rows.span(500, 501))[0]["updated_at"])
    assert rows.find_since(moment, 1000, strictly=False) == 500
    assert rows.find_since(moment, 1000, strictly=True) == 501
    other_form = moment.replace("Z", "000+00:00")
    assert rows.find_since(other_form, 1000, strictly=False) == 500


@pytest.mark.parametrize("style", sorted(STYLES))
def test_each_style_serves_every_row_once(rows: Rows, style: str) -> None:
    query: dict[str, str] = {}
    seen: list[object] = []
    while True:
        page = STYLES[style](Walk(rows, 0, 250, 100, query, "http://x"))
        body = decode(rows.span(page.start, min(page.start + 100, 250)))
        seen += [row["id"] for row in body]
        if len(body) < 100:
            break
        query = {"offset": str(len(seen)), "at": str(len(seen)), "cursor": f"c{len(seen):x}"}
        query["page"] = str(len(seen) // 100 + 1)
    assert seen == list(range(1, 251))
