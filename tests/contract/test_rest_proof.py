"""What does not prove the end of a stream ends no run with success, and publishes nothing."""

from pathlib import Path
from typing import Any

import polars
import pytest
from external_data_operator.api.conditions import Reason
from external_data_operator.api.plan import FailureClass, Report

from sync_runner.tasks import Surroundings, run_task
from tests.clocks import JumpingClock
from tests.contract.rest_reading import (
    GivenCredentials,
    ids_of,
    in_folder,
    make_plan,
    read,
    write_to,
)
from tests.servers.replies import Reply, ok
from tests.servers.rest import RestServer
from tests.servers.tables import Table, make_rows, page

CURSOR = {"cursor": {"cursorPath": "meta.next", "cursorParam": "at"}}
OFFSET = {"offset": {"limit": 100}}
UNPROVEN: dict[str, Reply] = {
    "no byte": Reply(),
    "blank": Reply(body=b" \n"),
    "no byte, chunked": Reply(chunked=True),
    "no byte, ends with the connection": Reply(unframed=True),
    "ends after the head": Reply(raw=b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", close=True),
    "breaks off": Reply(body=b'{"data": [{"id": 901}', unframed=True),
    "breaks off as announced": Reply(body=b'{"data": [{"id": 901}'),
    "null": Reply(body=b"null"),
    "null rows": ok({"data": None}),
    "no rows": ok({"data": {}}),
    "object": ok({}),
    "202": Reply(202, b"{}"),
    "202 with rows": Reply(202, b'{"data": []}'),
    "206": Reply(206, b'{"data": []}'),
    "error": ok({"error": "slow down", "code": 17}),
    "error below the path": ok({"data": {"error": "slow down", "code": 17}}),
    "error for the list": ok({"data": "Max calls per sec rate limit reached"}),
}


class Lake:
    """Runs that write into a folder."""

    def __init__(self, server: RestServer, folder: Path) -> None:
        self.server, self.folder, self.runs = server, folder, 0

    def run(self, stream: dict[str, Any] | None = None) -> Report:
        self.runs += 1
        plan = make_plan(self.server, stream or {})
        given = Surroundings(GivenCredentials(), f"run-{self.runs}", JumpingClock())
        return run_task(write_to(plan, in_folder(self.folder)), given).report

    def ids(self) -> list[int]:
        table = polars.read_delta(str(self.folder / "analytics" / "orders"))
        return sorted(table["id"].to_list())

    @property
    def has_table(self) -> bool:
        return (self.folder / "analytics" / "orders" / "_delta_log").exists()


@pytest.fixture
def lake(server: RestServer, tmp_path: Path) -> Lake:
    return Lake(server, tmp_path)


@pytest.mark.parametrize("reply", UNPROVEN.values(), ids=UNPROVEN.keys())
@pytest.mark.parametrize("pagination", [CURSOR, OFFSET], ids=["cursor", "offset"])
def test_a_page_that_proves_nothing_is_asked_for_again(
    server: RestServer, reply: Reply, pagination: dict[str, Any]
) -> None:
    server.on("/orders", Table(make_rows(230), next(iter(pagination))))
    server.script("/orders", None, reply, reply, None, reply, None)
    plan = make_plan(server, {"pagination": pagination}, rest={"concurrency": 1})
    assert ids_of(read(plan)) == list(range(1, 231))


@pytest.mark.parametrize("reply", UNPROVEN.values(), ids=UNPROVEN.keys())
def test_a_page_that_never_proves_anything_leaves_the_table_as_it_was(
    server: RestServer, lake: Lake, reply: Reply
) -> None:
    server.on("/orders", page(make_rows(3)))
    assert lake.run().failure is None
    server.on("/orders", reply)
    asked = len(server.requests)
    failure = lake.run().failure
    assert failure is not None
    assert failure.failure_class is FailureClass.RETRYABLE
    assert len(server.requests) - asked == 5
    assert lake.ids() == [1, 2, 3]


def test_an_error_object_as_the_list_leaves_the_table_as_it_was(
    server: RestServer, lake: Lake
) -> None:
    stream = {"recordsPath": None}
    server.on("/orders", ok(make_rows(3)))
    assert lake.run(stream).failure is None
    for body in ({"fault": "s3cr3t"}, {"reply": "s3cr3t", "n": 1}, [{"reply": "s3cr3t"}]):
        server.on("/orders", ok(body))
        failure = lake.run(stream).failure
        assert failure is not None
        assert failure.reason is Reason.INVALID_RESPONSE
        assert ('"fault"' in failure.message) != ('"reply"' in failure.message)
        assert "s3cr3t" not in failure.message
    assert lake.ids() == [1, 2, 3]


def test_a_first_run_makes_no_table_of_an_error_or_an_envelope(
    server: RestServer, lake: Lake
) -> None:
    for body in ({"error": {"code": 3}}, {"message": "x"}, {"orders": make_rows(2), "total": 2}):
        server.on("/orders", ok(body))
        assert lake.run({"recordsPath": None}).failure is not None
    assert not lake.has_table
    assert "recordsPath: orders" in str(lake.run({"recordsPath": None}).failure)


def test_a_stream_of_one_object_goes_on(server: RestServer, lake: Lake) -> None:
    stream = {"recordsPath": None}
    server.on("/orders", ok({"id": 7, "state": "open", "lines": [{"n": 1}]}))
    assert lake.run(stream).failure is None
    server.on("/orders", ok({"id": 8, "state": "open", "note": "new"}))
    assert lake.run(stream).failure is None
    assert lake.ids() == [8]


def test_an_edited_spec_may_lead_to_rows_of_other_fields(server: RestServer, lake: Lake) -> None:
    server.on("/orders", ok({"id": 1, "inner": [{"id": 2, "sort": "x"}]}))
    assert lake.run({"recordsPath": "$"}).failure is None
    server.on("/orders", ok({"inner": [{"sku": 2, "sort": "x"}]}))
    report = lake.run({"recordsPath": "inner"})
    assert report.failure is None
    server.on("/orders", ok({"inner": [{"left": 2}]}))
    failure = lake.run({"recordsPath": "inner"}).failure
    assert failure is not None
    assert failure.reason is Reason.INVALID_RESPONSE


@pytest.mark.parametrize("name", ["no byte", "blank", "null", "null rows", "no rows", "object"])
def test_an_empty_body_empties_a_table_only_where_the_spec_says_so(
    server: RestServer, lake: Lake, name: str
) -> None:
    server.on("/orders", page(make_rows(3)))
    assert lake.run().failure is None
    server.on("/orders", UNPROVEN[name])
    assert lake.run({"emptyBody": "EmptyPage"}).failure is None
    assert lake.ids() == []


def test_204_is_an_empty_page(server: RestServer, lake: Lake) -> None:
    server.on("/orders", page(make_rows(3)))
    assert lake.run().failure is None
    server.on("/orders", Reply(raw=b"HTTP/1.1 204 No Content\r\n\r\n"))
    assert lake.run().failure is None
    assert lake.ids() == []


def test_a_202_is_waited_for_as_long_as_the_server_asks(server: RestServer) -> None:
    server.on("/orders", page(make_rows(2)))
    server.script("/orders", Reply(202, b"{}", {"Retry-After": "40"}))
    clock = JumpingClock()
    assert ids_of(read(make_plan(server, {}), clock=clock)) == [1, 2]
    assert sum(clock.slept) == pytest.approx(40, abs=1)


@pytest.mark.parametrize(
    "body",
    [b'{"data": [{"id": 1},]}', b'{"data": []} x', b'{"data": []}\n{"data": []}'],
    ids=["a comma too many", "garbage", "JSON lines"],
)
def test_what_is_wrong_in_the_middle_is_said_once_with_its_place(
    server: RestServer, body: bytes
) -> None:
    server.on("/orders", Reply(body=body))
    with pytest.raises(
        Exception, match=r"not valid JSON: .* at byte \d+ \(line \d+, column \d+"
    ) as caught:
        read(make_plan(server, {}))
    assert getattr(caught.value, "reason", None) is Reason.INVALID_RESPONSE
    assert len(server.requests) == 1


def test_characters_that_were_not_whole_are_counted_in_the_report(
    server: RestServer, lake: Lake
) -> None:
    body = rb'{"data": [{"id": 1, "t": "\ud83d"}, {"id": 2, "t": "\ude00 \ud83d"}, {"id": 3}]}'
    server.on("/orders", Reply(body=body))
    (told,) = lake.run().tables
    assert told.notes == ["3 characters in column t were not valid Unicode and became U+FFFD."]
    server.on("/orders", Reply(body=b'{"data": [{"id": 1, "t": "\xe9"}]}'))
    (told,) = lake.run().tables
    assert told.notes == ["1 byte of the responses was not valid Unicode and became U+FFFD."]


def test_a_declared_charset_is_read(server: RestServer) -> None:
    body = '{"data": [{"id": 1, "t": "Zoë"}]}'.encode("latin-1")
    server.on("/orders", Reply(body=body, headers={"Content-Type": "text/json; charset=latin1"}))
    batches = read(make_plan(server, {}))
    assert batches[0].records.column("t").to_pylist() == ["Zoë"]
