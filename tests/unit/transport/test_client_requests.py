"""What is sent, over which connections, and to whom it is never sent."""

import threading

import pytest
from external_data_operator.api.conditions import Reason

from sync_runner.errors import ConfigurationError, RetryableError
from sync_runner.network.hosts import AddressRules
from sync_runner.transport.messages import Request
from tests.clocks import JumpingClock
from tests.servers.replies import Reply, ok, redirect, status
from tests.servers.rest import RestServer, Seen, running_rest
from tests.unit.transport.conftest import MakeClient, bearer, read_body


def test_requests_go_over_one_connection(server: RestServer, make_client: MakeClient) -> None:
    server.on("/x", ok([]))
    client = make_client()
    for _ in range(20):
        client.fetch(Request("GET", f"{server.url}/x"), read_body)
    assert server.connections == 1


def test_a_connection_that_the_server_closed_meanwhile_is_no_failed_attempt(
    server: RestServer, make_client: MakeClient, clock: JumpingClock
) -> None:
    server.on("/x", ok([]))
    client = make_client()
    client.fetch(Request("GET", f"{server.url}/x"), read_body)
    server.script("/x", Reply(sent_bytes=0), Reply(body=b"[]", close=True))
    for _ in range(3):
        assert client.fetch(Request("GET", f"{server.url}/x"), read_body) == b"[]"
    assert clock.slept == []


@pytest.mark.parametrize(
    "reply",
    [Reply(body=b"[1]", chunked=True), Reply(body=b"[1]", unframed=True), Reply(body=b"[1]")],
    ids=["chunks", "end of connection", "length"],
)
def test_each_way_of_framing_a_body_is_read(
    server: RestServer, make_client: MakeClient, reply: Reply
) -> None:
    server.on("/x", reply)
    client = make_client()
    assert client.fetch(Request("GET", f"{server.url}/x"), read_body) == b"[1]"
    assert client.fetch(Request("GET", f"{server.url}/x"), read_body) == b"[1]"


def test_interim_answers_are_passed_over(server: RestServer, make_client: MakeClient) -> None:
    early = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
    body = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n[1]"
    server.on("/x", ok([]))
    server.script("/x", Reply(status=100, headers={}, body=early + body, unframed=True))
    assert make_client().fetch(Request("GET", f"{server.url}/x"), read_body) == b"[1]"


def test_headers_of_the_spec_and_credentials_are_sent(
    server: RestServer, make_client: MakeClient
) -> None:
    server.on("/x", ok([]))
    client = make_client(headers={"accept": "application/vnd.x+json"}, auth=bearer("t0"))
    client.fetch(Request("GET", f"{server.url}/x"), read_body)
    headers = server.requests[0].headers
    assert headers["accept"] == "application/vnd.x+json"
    assert headers["authorization"] == "Bearer t0"
    assert headers["host"] == f"127.0.0.1:{server.port}"
    assert headers["accept-encoding"] == "gzip, deflate"


@pytest.mark.parametrize("name", ["Host", "Content-Length", "transfer-encoding", "Connection"])
def test_headers_that_frame_a_request_cannot_be_set(make_client: MakeClient, name: str) -> None:
    with pytest.raises(ConfigurationError, match=name):
        make_client(headers={name: "x"})


def test_a_header_cannot_smuggle_another_one(make_client: MakeClient) -> None:
    with pytest.raises(ConfigurationError, match="X-A"):
        make_client(headers={"X-A": "1\r\nX-B: 2"})


def test_an_address_cannot_smuggle_a_request(server: RestServer, make_client: MakeClient) -> None:
    server.on("/x%20HTTP/1.1%0D%0AX:%20y", ok([1]))
    url = f"{server.url}/x HTTP/1.1\r\nX: y"
    assert make_client().fetch(Request("GET", url), read_body) == b"[1]"
    assert len(server.requests) == 1


def test_an_address_keeps_what_it_escapes_and_escapes_the_rest(
    server: RestServer, make_client: MakeClient
) -> None:
    server.on("/a%20b/%C3%BC", ok([]))
    make_client().fetch(Request("GET", f"{server.url}/a%20b/ü?q=%2B&r=é#part"), read_body)
    assert server.targets() == ["/a%20b/%C3%BC?q=%2B&r=%C3%A9"]


def test_a_post_carries_its_body(server: RestServer, make_client: MakeClient) -> None:
    server.on("/x", lambda seen: Reply(body=seen.body))
    answer = make_client().fetch(Request("POST", f"{server.url}/x", body=b'{"q": 1}'), read_body)
    assert answer == b'{"q": 1}'
    assert server.requests[0].headers["content-type"] == "application/json"


def test_a_body_has_one_type(server: RestServer, make_client: MakeClient) -> None:
    server.on("/x", lambda seen: Reply(body=seen.headers["content-type"].encode()))
    request = Request("POST", f"{server.url}/x", body=b"a=1")
    form = request.with_header("content-type", "application/x-www-form-urlencoded")
    client = make_client(headers={"Content-Type": "application/vnd.x+json"})
    assert client.fetch(request, read_body) == b"application/vnd.x+json"
    assert client.fetch(form, read_body) == b"application/x-www-form-urlencoded"
    assert make_client().fetch(form, read_body) == b"application/x-www-form-urlencoded"


def test_headers_of_a_request_replace_those_of_the_client_for_it_alone(
    server: RestServer, make_client: MakeClient
) -> None:
    server.on("/x", ok([]))
    client = make_client(headers={"X-Page": "one", "X-Kept": "k"}, auth=bearer("t0"))
    request = Request("GET", f"{server.url}/x")
    client.fetch(request.with_header("x-page", "two"), read_body)
    client.fetch(request, read_body)
    assert [seen.headers["x-page"] for seen in server.requests] == ["two", "one"]
    assert [seen.headers["x-kept"] for seen in server.requests] == ["k", "k"]
    assert [seen.headers["authorization"] for seen in server.requests] == ["Bearer t0"] * 2


@pytest.mark.parametrize("header", [("X-A\r\nX-B", "1"), ("X-A", "1\r\nX-B: 2"), ("Host", "h")])
def test_a_header_of_a_request_cannot_smuggle_another_one(
    server: RestServer, make_client: MakeClient, header: tuple[str, str]
) -> None:
    request = Request("GET", f"{server.url}/x", (header,))
    with pytest.raises(ConfigurationError, match="headers: "):
        make_client().fetch(request, read_body)
    assert server.requests == []


def test_a_redirect_within_the_origin_is_followed(
    server: RestServer, make_client: MakeClient
) -> None:
    server.on("/new/x", ok([1]))
    server.on("/x", redirect("/new/x"))
    server.on("/y", redirect(f"{server.url}/x", 307))
    client = make_client(auth=bearer("t0"))
    assert client.fetch(Request("GET", f"{server.url}/y"), read_body) == b"[1]"
    assert [seen.headers["authorization"] for seen in server.requests] == ["Bearer t0"] * 3


def test_a_response_has_the_address_that_answered(
    server: RestServer, make_client: MakeClient
) -> None:
    server.on("/x", redirect("/deep/y?a=1"))
    server.on("/deep/y", ok([1]))
    response = make_client().fetch(Request("GET", f"{server.url}/x"), lambda response: response)
    assert response.url == f"{server.url}/deep/y?a=1"


@pytest.mark.parametrize(("code", "method"), [(302, "GET"), (303, "GET"), (307, "POST")])
def test_a_redirected_post_stays_one_where_http_says_so(
    server: RestServer, make_client: MakeClient, code: int, method: str
) -> None:
    server.on("/x", redirect("/y", code))
    server.on("/y", ok([]))
    make_client().fetch(Request("POST", f"{server.url}/x", body=b"{}"), read_body)
    assert [seen.method for seen in server.requests] == ["POST", method]


@pytest.mark.parametrize(
    "location",
    ["http://127.0.0.2:{port}/x", "https://127.0.0.1:{port}/x", "http://127.0.0.1:1/x", "//h/x"],
    ids=["host", "scheme", "port", "relative to the scheme"],
)
def test_a_redirect_to_another_origin_ends_the_run_and_nothing_goes_there(
    server: RestServer, make_client: MakeClient, location: str
) -> None:
    server.on("/x", redirect(location.format(port=server.port)))
    with pytest.raises(ConfigurationError, match="No request was sent there") as caught:
        make_client(auth=bearer("t0")).fetch(Request("GET", f"{server.url}/x"), read_body)
    assert caught.value.reason is Reason.OTHER_ORIGIN
    assert len(server.requests) == 1


def test_credentials_do_not_reach_the_host_that_a_redirect_names(
    server: RestServer, make_client: MakeClient
) -> None:
    with running_rest() as thief:
        thief.on("/x", ok([1]))
        server.on("/x", redirect(f"{thief.url}/x"))
        with pytest.raises(ConfigurationError):
            make_client(auth=bearer("t0")).fetch(Request("GET", f"{server.url}/x"), read_body)
        assert thief.requests == []


def test_redirects_have_an_end(server: RestServer, make_client: MakeClient) -> None:
    server.on("/x", redirect("/x"))
    with pytest.raises(ConfigurationError, match="redirects more than 5 times") as caught:
        make_client().fetch(Request("GET", f"{server.url}/x"), read_body)
    assert caught.value.reason is Reason.REQUEST_REJECTED
    assert len(server.requests) == 6


@pytest.mark.parametrize("location", ["http://[::1/x", "http://h:port/x", "ftp://h/x"])
def test_a_redirect_to_what_is_no_address_is_said(
    server: RestServer, make_client: MakeClient, location: str
) -> None:
    server.on("/x", redirect(location))
    with pytest.raises(ConfigurationError, match="an address that is not valid") as caught:
        make_client().fetch(Request("GET", f"{server.url}/x"), read_body)
    assert caught.value.reason is Reason.INVALID_RESPONSE


def test_a_redirect_without_an_address_is_said(server: RestServer, make_client: MakeClient) -> None:
    server.on("/x", status(302))
    with pytest.raises(ConfigurationError, match="answered 302 without a Location header"):
        make_client().fetch(Request("GET", f"{server.url}/x"), read_body)


def test_a_private_host_is_refused_before_anything_is_sent(
    server: RestServer, make_client: MakeClient
) -> None:
    client = make_client(rules=AddressRules())
    with pytest.raises(
        ConfigurationError, match="plain http is allowed only for private networks in"
    ) as caught:
        client.fetch(Request("GET", f"{server.url}/x"), read_body)
    assert caught.value.reason is Reason.HOST_NOT_ALLOWED
    assert server.connections == 0


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "127.1"])
def test_every_spelling_of_a_private_address_is_refused(
    server: RestServer, make_client: MakeClient, host: str
) -> None:
    client = make_client(f"https://{host}:{server.port}", rules=AddressRules())
    with pytest.raises(ConfigurationError, match="not public"):
        client.fetch(Request("GET", f"https://{host}:{server.port}/x"), read_body)
    assert server.connections == 0


def test_proxies_of_the_environment_are_not_used(
    server: RestServer, make_client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    server.on("/x", ok([1]))
    assert make_client().fetch(Request("GET", f"{server.url}/x"), read_body) == b"[1]"


def test_a_declared_rate_spaces_the_requests_of_all_threads(
    server: RestServer, make_client: MakeClient, clock: JumpingClock
) -> None:
    server.on("/x", ok([]))
    client = make_client(per_second=4)
    began = clock.time
    threads = [
        threading.Thread(target=client.fetch, args=(Request("GET", f"{server.url}/x"), read_body))
        for _ in range(9)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(server.requests) == 9
    assert clock.time - began >= 8 * 0.25


def test_a_stop_ends_a_wait_for_the_server(server: RestServer, make_client: MakeClient) -> None:
    asked = threading.Event()

    def answer(seen: Seen) -> Reply:
        asked.set()
        return Reply(silence_s=30)

    server.on("/x", answer)
    client = make_client(is_stopped=asked.is_set)
    with pytest.raises(RetryableError) as caught:
        client.fetch(Request("GET", f"{server.url}/x"), read_body)
    assert caught.value.reason is Reason.EVICTED


def test_a_stop_ends_a_wait_between_attempts(
    server: RestServer, make_client: MakeClient, clock: JumpingClock
) -> None:
    server.on("/x", status(503, Retry_After="200"))
    client = make_client(is_stopped=lambda: clock.slept_s > 3)
    with pytest.raises(RetryableError) as caught:
        client.fetch(Request("GET", f"{server.url}/x"), read_body)
    assert caught.value.reason is Reason.EVICTED
    assert len(server.requests) == 1
