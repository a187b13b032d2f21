"""What is asked again, how often, after which wait, and what is said in the end."""

import gzip
import json
from dataclasses import replace
from typing import Any

import pytest
from external_data_operator.api.conditions import Reason

from sync_runner.errors import ConfigurationError, RetryableError
from sync_runner.transport.exchange import AttemptLimits
from sync_runner.transport.failures import RejectedError, TornBodyError
from sync_runner.transport.messages import Request, Response
from tests.clocks import JumpingClock
from tests.servers.replies import Reply, compressed, hang_up, ok, reset, status
from tests.servers.rest import RestServer
from tests.unit.transport.conftest import MakeClient, read_body, read_json

GOOD = {"data": [1, 2, 3]}
QUICK = AttemptLimits(connect_s=2, read_s=0.2, total_s=0.6)
WHOLE = Reply(body=json.dumps(GOOD).encode())
FAULTS = {
    "500": status(500),
    "503": status(503),
    "429": status(429),
    "408": status(408),
    "reset": reset(),
    "closed": hang_up(),
    "torn head": Reply(body=WHOLE.body, sent_bytes=10),
    "torn body": Reply(body=WHOLE.body, sent_bytes=50),
    "reset in the body": Reply(body=WHOLE.body, sent_bytes=50, reset=True),
    "torn chunks": Reply(body=WHOLE.body, chunked=True, sent_bytes=75),
    "torn gzip": compressed(GOOD, cut=4),
    "silence": Reply(body=WHOLE.body, silence_s=1.0),
    "no status line": Reply(raw=b"SSH-2.0-OpenSSH_9.2\r\n"),
    "two lengths": Reply(body=WHOLE.body, headers={"Content-Length": "3", "content-length": "9"}),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())
def test_a_fault_that_passes_costs_a_second_and_no_rows(
    server: RestServer, make_client: MakeClient, clock: JumpingClock, fault: Reply
) -> None:
    server.on("/x", ok(GOOD))
    server.script("/x", fault)
    client = make_client(limits=QUICK)
    assert client.fetch(Request("GET", f"{server.url}/x"), read_json) == GOOD
    assert clock.slept_s == 1
    assert len(server.requests) == 2


def test_a_fault_that_stays_ends_after_five_attempts_and_their_waits(
    server: RestServer, make_client: MakeClient, clock: JumpingClock
) -> None:
    server.on("/orders", status(503))
    with pytest.raises(RetryableError) as caught:
        make_client().fetch(Request("GET", f"{server.url}/orders?key=query-secret"), read_body)
    host = f"127.0.0.1:{server.port}"
    assert str(caught.value) == f"GET /orders at {host} (5 attempts): The source answered 503."
    assert caught.value.reason is Reason.SOURCE_UNAVAILABLE
    assert len(server.requests) == 5
    assert clock.slept_s == 1 + 2 + 4 + 8


def test_a_rate_limit_that_stays_has_its_own_reason_and_obeys_the_server(
    server: RestServer, make_client: MakeClient, clock: JumpingClock
) -> None:
    server.on("/x", status(429, Retry_After="30"))
    with pytest.raises(RetryableError) as caught:
        make_client().fetch(Request("GET", f"{server.url}/x"), read_body)
    assert caught.value.reason is Reason.RATE_LIMITED
    assert clock.slept_s == 4 * 30


@pytest.mark.parametrize(
    ("code", "advice"),
    [
        (400, "Correct the path, the parameters or the body of the request."),
        (401, "Set or correct the credentials."),
        (403, "Correct the credentials, or the rights that the source gives them."),
        (404, "Correct the path, the parameters or the body of the request."),
        (410, "Correct the path, the parameters or the body of the request."),
        (422, "Correct the path, the parameters or the body of the request."),
    ],
)
def test_a_refusal_is_not_asked_again_and_says_what_to_do(
    server: RestServer, make_client: MakeClient, clock: JumpingClock, code: int, advice: str
) -> None:
    server.on("/x", status(code))
    with pytest.raises(RejectedError) as caught:
        make_client().fetch(Request("GET", f"{server.url}/x?secret=1"), read_body)
    host = server.url.removeprefix("http://")
    assert str(caught.value) == f"GET /x at {host}: The source answered {code}. {advice}"
    assert len(server.requests) == 1
    assert clock.slept == []


def test_a_body_that_the_reader_finds_torn_is_asked_for_again(
    server: RestServer, make_client: MakeClient
) -> None:
    server.on("/x", ok(GOOD))
    server.script("/x", Reply(body=b'{"data": [1, 2', unframed=True))

    def receive(response: Response) -> Any:
        try:
            return read_json(response)
        except ValueError as error:
            raise TornBodyError("broke off") from error

    assert make_client().fetch(Request("GET", f"{server.url}/x"), receive) == GOOD
    assert len(server.requests) == 2


def test_bytes_that_keep_dripping_do_not_hold_a_run_for_ever(
    server: RestServer, make_client: MakeClient
) -> None:
    server.on("/x", ok(GOOD))
    slow = Reply(body=WHOLE.body, piece_bytes=1, piece_pause_s=0.1)
    server.script("/x", slow)
    assert make_client(limits=QUICK).fetch(Request("GET", f"{server.url}/x"), read_json) == GOOD
    assert len(server.requests) == 2


def test_slow_bytes_within_the_bounds_are_waited_for(
    server: RestServer, make_client: MakeClient
) -> None:
    slow = Reply(body=WHOLE.body, piece_bytes=20, piece_pause_s=0.05)
    server.on("/x", slow)
    limits = AttemptLimits(read_s=2, total_s=20)
    assert make_client(limits=limits).fetch(Request("GET", f"{server.url}/x"), read_json) == GOOD
    assert len(server.requests) == 1


def test_a_page_above_the_bound_of_bytes_needs_a_person(
    server: RestServer, make_client: MakeClient
) -> None:
    server.on("/x", Reply(body=b"[" + b" " * (3 << 20) + b"]"))
    client = make_client(limits=AttemptLimits(body_bytes_max=1 << 20))
    with pytest.raises(ConfigurationError, match="larger than 1 MiB") as caught:
        client.fetch(Request("GET", f"{server.url}/x"), read_body)
    assert caught.value.reason is Reason.LIMIT_EXCEEDED
    assert len(server.requests) == 1


def test_an_endless_head_ends_the_attempt(server: RestServer, make_client: MakeClient) -> None:
    server.on("/x", Reply(headers={f"X-{n}": "a" * 1000 for n in range(3000)}))
    with pytest.raises(RetryableError, match="head of the response is longer"):
        make_client().fetch(Request("GET", f"{server.url}/x"), read_body)


def test_the_status_of_an_error_counts_however_its_body_is_packed(
    server: RestServer, make_client: MakeClient
) -> None:
    server.on("/x", replace(compressed(GOOD, "br"), status=401))
    with pytest.raises(RejectedError, match="answered 401"):
        make_client().fetch(Request("GET", f"{server.url}/x"), read_body)


def test_an_encoding_that_was_not_asked_for_needs_a_person(
    server: RestServer, make_client: MakeClient
) -> None:
    server.on("/x", compressed(GOOD, "br"))
    with pytest.raises(ConfigurationError) as caught:
        make_client().fetch(Request("GET", f"{server.url}/x"), read_body)
    assert caught.value.reason is Reason.INVALID_RESPONSE


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "raw"])
def test_compressed_bodies_arrive_unpacked(
    server: RestServer, make_client: MakeClient, encoding: str
) -> None:
    server.on("/x", compressed(GOOD, encoding))
    assert make_client().fetch(Request("GET", f"{server.url}/x"), read_json) == GOOD


@pytest.mark.parametrize("header", ["", "gzip"])
def test_a_compressed_file_needs_no_header_to_be_unpacked(
    server: RestServer, make_client: MakeClient, header: str
) -> None:
    body = gzip.compress(json.dumps(GOOD).encode())
    body, headers = (gzip.compress(body), {"Content-Encoding": header}) if header else (body, {})
    server.on("/x", Reply(body=body, headers=headers))
    assert make_client().fetch(Request("GET", f"{server.url}/x"), read_json) == GOOD


def test_a_compressed_file_without_a_header_is_bounded_and_may_break_off(
    server: RestServer, make_client: MakeClient
) -> None:
    server.on("/x", Reply(body=gzip.compress(b" " * (2 << 20))))
    client = make_client(limits=AttemptLimits(body_bytes_max=1 << 20))
    with pytest.raises(ConfigurationError, match="larger than 1 MiB"):
        client.fetch(Request("GET", f"{server.url}/x"), read_body)
    server.on("/x", Reply(body=gzip.compress(b" " * 4000)[:-3]))
    with pytest.raises(RetryableError, match=r"\(5 attempts\): The compressed body is incomplete"):
        client.fetch(Request("GET", f"{server.url}/x"), read_body)


def test_a_first_attempt_made_elsewhere_counts(
    server: RestServer, make_client: MakeClient, clock: JumpingClock
) -> None:
    server.on("/x", status(503))
    client = make_client()
    url = f"{server.url}/x"
    first = client.attempt(Request("GET", url))
    with pytest.raises(RetryableError, match="5 attempts"):
        client.fetch(Request("GET", url), read_body, first=lambda: first)
    assert len(server.requests) == 5


def test_nobody_listening_is_unreachable(make_client: MakeClient, server: RestServer) -> None:
    port = server.port
    client = make_client(f"http://127.0.0.1:{port + 1 if port < 65535 else port - 1}")
    with pytest.raises(RetryableError, match="refused") as caught:
        client.fetch(Request("GET", f"{client._settings.origin.url}/x"), read_body)
    assert caught.value.reason is Reason.UNREACHABLE


def test_a_name_that_does_not_resolve_is_unreachable(make_client: MakeClient) -> None:
    client = make_client("https://no-such-host.invalid")
    with pytest.raises(RetryableError, match="cannot be resolved") as caught:
        client.fetch(Request("GET", "https://no-such-host.invalid/x"), read_body)
    assert caught.value.reason is Reason.UNREACHABLE
