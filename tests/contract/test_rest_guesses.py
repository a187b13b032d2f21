"""Pages are asked for ahead where the style allows it, in bounds, and never at the price of a
row."""

import threading
from typing import Any

import pytest
from external_data_operator.api.conditions import Reason

from sync_runner.errors import RetryableError
from sync_runner.protocols import Batch, ReadRequest
from tests.clocks import JumpingClock
from tests.contract.rest_reading import ids_of, make_plan, open_source, read
from tests.contract.test_rest_walk import CURSOR, OFFSET
from tests.servers.replies import Reply, reset, status
from tests.servers.rest import RestServer, Seen
from tests.servers.tables import Table, make_rows


class Gauge:
    """A table that knows how many requests it is answering at once."""

    def __init__(self, table: Table, wait_for: int) -> None:
        self.table = table
        self.highest = 0
        self._now = 0
        self._wait_for = wait_for
        self._changed = threading.Condition()

    def __call__(self, seen: Seen) -> Reply:
        with self._changed:
            self._now += 1
            self.highest = max(self.highest, self._now)
            self._changed.notify_all()
            self._changed.wait_for(lambda: self.highest >= self._wait_for, timeout=0.05)
            self._now -= 1
        return self.table(seen)


def _plan(server: RestServer, concurrency: int, **rest: Any) -> Any:
    return make_plan(server, {"pagination": OFFSET}, rest={"concurrency": concurrency, **rest})


def test_as_many_requests_are_under_way_as_the_spec_allows(server: RestServer) -> None:
    gauge = Gauge(Table(make_rows(6000)), wait_for=8)
    server.on("/orders", gauge)
    assert ids_of(read(_plan(server, 8))) == list(range(1, 6001))
    assert gauge.highest == 8


def test_a_concurrency_of_one_asks_for_one_page_at_a_time(server: RestServer) -> None:
    gauge = Gauge(Table(make_rows(2000)), wait_for=1)
    server.on("/orders", gauge)
    read(_plan(server, 1))
    assert gauge.highest == 1


def test_tokens_are_never_guessed(server: RestServer) -> None:
    gauge = Gauge(Table(make_rows(2000), "cursor"), wait_for=1)
    server.on("/orders", gauge)
    read(make_plan(server, {"pagination": CURSOR}, rest={"concurrency": 8}))
    assert gauge.highest == 1
    assert len(server.requests) == 20


def test_few_requests_are_wasted_where_pages_vary(server: RestServer) -> None:
    rows = make_rows(3000)

    def serve(seen: Seen) -> Reply:
        start = int(seen.query["offset"])
        return Table(rows, page_max=60 + start % 41)(seen)

    server.on("/orders", serve)
    assert ids_of(read(_plan(server, 8))) == list(range(1, 3001))
    needed = len(set(server.targets()))
    assert len(server.requests) <= needed + 5
    assert len(server.requests) < 3 * 3000 / 60


@pytest.mark.parametrize("seed", range(6))
def test_faults_among_guesses_lose_and_double_nothing(server: RestServer, seed: int) -> None:
    server.on("/orders", Table(make_rows(3000)))
    faults = [status(503), reset(), status(429, Retry_After="2"), Reply(body=b'{"data": [')]
    steps = [faults[(seed + n) % 4] if (n * 7 + seed) % 5 == 0 else None for n in range(60)]
    server.script("/orders", *steps)
    assert ids_of(read(_plan(server, 8))) == list(range(1, 3001))


def test_a_fault_that_stays_ends_the_walk_behind_the_rows_before_it(server: RestServer) -> None:
    table = Table(make_rows(3000))

    def serve(seen: Seen) -> Reply:
        return status(503) if int(seen.query["offset"]) >= 2000 else table(seen)

    server.on("/orders", serve)
    plan = make_plan(
        server, {"pagination": OFFSET}, rest={"concurrency": 8}, limits={"batchRows": 500}
    )
    batches: list[Batch] = []
    with pytest.raises(RetryableError, match="5 attempts") as caught:
        batches.extend(open_source(plan).read(ReadRequest()))
    assert caught.value.reason is Reason.SOURCE_UNAVAILABLE
    assert ids_of(batches) == list(range(1, 2001))


def test_guesses_keep_to_a_declared_rate(server: RestServer) -> None:
    clock = JumpingClock()
    server.on("/orders", Table(make_rows(2000)))
    began = clock.time
    read(_plan(server, 8, rate={"requestsPerSecond": 10}), clock=clock)
    assert clock.time - began >= (len(server.requests) - 1) / 10 - 0.001


def test_a_reader_that_stops_early_leaves_no_thread_behind(server: RestServer) -> None:
    server.on("/orders", Table(make_rows(5000)))
    plan = make_plan(
        server, {"pagination": OFFSET}, rest={"concurrency": 8}, limits={"batchRows": 500}
    )
    batches = open_source(plan).read(ReadRequest())
    next(batches)
    batches.close()  # type: ignore[attr-defined]
    for thread in threading.enumerate():
        if thread.name.startswith("page"):
            thread.join(timeout=10)
            assert not thread.is_alive()
