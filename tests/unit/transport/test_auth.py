"""Whatever lets a request in: it sees the request before it goes, and the answer when it comes."""

import hashlib
import hmac
import json
from contextlib import closing
from dataclasses import dataclass, field, replace

import pytest
from external_data_operator.api.conditions import Reason

from sync_runner.errors import ConfigurationError
from sync_runner.network.hosts import build_rules
from sync_runner.transport.client import Client, ClientSettings
from sync_runner.transport.messages import Request, Response
from sync_runner.transport.origin import parse_origin
from tests.clocks import JumpingClock
from tests.servers.replies import Reply, ok, redirect, status
from tests.servers.rest import RestServer, Seen, running_rest
from tests.unit.transport.conftest import MakeClient, bearer, read_body

REFUSED = Response(401, {}, b"")


def _sent(token: str) -> Request:
    return Request("GET", "https://h.example/x").with_header("Authorization", f"Bearer {token}")


class TestBearer:
    def test_a_rotated_token_is_read_again_at_a_401(
        self, server: RestServer, make_client: MakeClient, clock: JumpingClock
    ) -> None:
        server.on("/x", ok([1]))
        server.token = "new"
        client = make_client(auth=bearer("old", "new"))
        for _ in range(2):
            assert client.fetch(Request("GET", f"{server.url}/x"), read_body) == b"[1]"
        assert len(server.requests) == 3
        assert clock.slept == []

    def test_a_token_that_stays_wrong_is_sent_once(
        self, server: RestServer, make_client: MakeClient
    ) -> None:
        server.token = "right"
        client = make_client(auth=bearer("wrong"))
        with pytest.raises(ConfigurationError, match="answered 401") as caught:
            client.fetch(Request("GET", f"{server.url}/x"), read_body)
        assert caught.value.reason is Reason.CREDENTIALS_REJECTED
        assert len(server.requests) == 1
        assert "wrong" not in str(caught.value)

    def test_a_request_that_another_answer_made_out_of_date_is_sent_again(self) -> None:
        auth = bearer("old", "new")
        assert auth.challenged(_sent("old"), REFUSED)
        assert auth.challenged(_sent("old"), REFUSED)
        assert not auth.challenged(_sent("new"), REFUSED)

    def test_only_a_401_makes_it_read_the_token(self) -> None:
        auth = bearer("old", "new")
        assert not auth.challenged(_sent("old"), Response(403, {}, b""))
        assert auth.prepare(Request("GET", "https://h.example/x")) == _sent("old")

    def test_its_header_is_built_once_for_all_pages(
        self, server: RestServer, make_client: MakeClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        server.on("/x", ok([]))
        auth = bearer("t0")
        prepared: list[Request] = []

        def prepare(request: Request) -> Request:
            prepared.append(request)
            return request.with_header("Authorization", "Bearer t0")

        monkeypatch.setattr(auth, "prepare", prepare)
        client = make_client(auth=auth)
        for _ in range(20):
            client.fetch(Request("GET", f"{server.url}/x"), read_body)
        assert len(prepared) == 1
        assert {seen.headers["authorization"] for seen in server.requests} == {"Bearer t0"}


@dataclass
class QueryKey:
    """A key in the query."""

    key: str
    is_static = False

    def prepare(self, request: Request) -> Request:
        sign = "&" if "?" in request.url else "?"
        return request._replace(url=f"{request.url}{sign}api_key={self.key}")

    def challenged(self, sent: Request, response: Response) -> bool:
        return False


def test_a_key_in_the_query_is_sent_and_nowhere_to_be_read(
    server: RestServer, make_client: MakeClient
) -> None:
    server.on("/y", ok([1]))
    server.on("/x", redirect("/y?a=1"))
    client = make_client(auth=QueryKey("k1-secret"))
    response = client.fetch(Request("GET", f"{server.url}/x"), lambda response: response)
    assert server.targets() == ["/x?api_key=k1-secret", "/y?a=1&api_key=k1-secret"]
    assert response.url == f"{server.url}/y?a=1"
    with pytest.raises(ConfigurationError, match="answered 404") as caught:
        client.fetch(Request("GET", f"{server.url}/z"), read_body)
    assert "k1-secret" not in str(caught.value)


class BodyKey(QueryKey):
    """A key in the body."""

    def prepare(self, request: Request) -> Request:
        return request._replace(body=json.dumps({"key": self.key}).encode())


def test_a_key_in_the_body_has_the_length_that_is_sent(
    server: RestServer, make_client: MakeClient
) -> None:
    server.on("/x", lambda seen: Reply(body=seen.body))
    client = make_client(auth=BodyKey("k1"))
    request = Request("POST", f"{server.url}/x", body=b"{}")
    assert client.fetch(request, read_body) == b'{"key": "k1"}'


@dataclass
class Signature:
    """A signature over everything that is sent, as SigV4's is."""

    key: bytes
    is_static = False

    def prepare(self, request: Request) -> Request:
        headers = {name.lower(): value for name, value in request.headers}
        target = "/" + request.url.split("/", 3)[3]
        return request.with_header(
            "X-Signature",
            sign(self.key, request.method, target, headers.get("content-type", ""), request.body),
        )

    def challenged(self, sent: Request, response: Response) -> bool:
        return False


def sign(key: bytes, method: str, target: str, content_type: str, body: bytes) -> str:
    text = f"{method} {target} {content_type} ".encode() + body
    return hmac.new(key, text, hashlib.sha256).hexdigest()


def _verify(seen: Seen) -> Reply:
    content_type = seen.headers.get("content-type", "")
    expected = sign(b"k", seen.method, seen.target, content_type, seen.body)
    return ok([1]) if seen.headers["x-signature"] == expected else status(403)


@pytest.mark.parametrize(
    "request_of",
    [
        lambda url: Request("GET", f"{url}/x?q=a b&r=\xfc#part"),
        lambda url: Request("POST", f"{url}/x", body=b'{"page": 2}'),
        lambda url: Request("POST", f"{url}/x", (("content-type", "text/plain"),), b"page=2"),
        lambda url: Request("GET", f"{url}/moved"),
    ],
    ids=["odd address", "json", "another type", "redirect"],
)
def test_a_signature_covers_what_is_sent(
    server: RestServer, make_client: MakeClient, request_of: object
) -> None:
    server.on("/x", _verify)
    server.on("/moved", redirect("/x?from=moved"))
    assert callable(request_of)
    client = make_client(auth=Signature(b"k"))
    assert client.fetch(request_of(server.url), read_body) == b"[1]"


@dataclass
class Nonce:
    """A nonce of the server's in each request, as Digest has it."""

    nonce: str = ""
    is_static = False
    asked: list[int] = field(default_factory=list)

    def prepare(self, request: Request) -> Request:
        return request.with_header("X-Nonce", self.nonce) if self.nonce else request

    def challenged(self, sent: Request, response: Response) -> bool:
        self.asked.append(response.status)
        self.nonce = response.headers.get("x-next-nonce", "")
        return response.status == 401


def test_what_a_challenge_brings_is_sent_with_the_same_request_and_all_after_it(
    server: RestServer, make_client: MakeClient, clock: JumpingClock
) -> None:
    refused = replace(status(401), headers={"X-Next-Nonce": "n1"})
    server.on("/x", lambda seen: ok([1]) if seen.headers.get("x-nonce") == "n1" else refused)
    client = make_client(auth=Nonce())
    for _ in range(3):
        assert client.fetch(Request("GET", f"{server.url}/x"), read_body) == b"[1]"
    assert [seen.headers.get("x-nonce") for seen in server.requests] == [None, "n1", "n1", "n1"]
    assert clock.slept == []


def test_a_challenge_is_answered_once(server: RestServer, make_client: MakeClient) -> None:
    server.on("/x", status(401))
    auth = Nonce()
    with pytest.raises(ConfigurationError, match="answered 401") as caught:
        make_client(auth=auth).fetch(Request("GET", f"{server.url}/x"), read_body)
    assert caught.value.reason is Reason.CREDENTIALS_REJECTED
    assert len(server.requests) == 2
    assert auth.asked == [401]


@dataclass
class Login:
    """A token that another server hands out for a password, and again once it has expired."""

    server: RestServer
    clock: JumpingClock
    token: str = ""
    is_static = True

    def prepare(self, request: Request) -> Request:
        self.token = self.token or self._log_in()
        return request.with_header("Authorization", f"Bearer {self.token}")

    def challenged(self, sent: Request, response: Response) -> bool:
        self.token = ""
        return response.status == 401

    def _log_in(self) -> str:
        settings = ClientSettings(parse_origin(self.server.url), build_rules(["127.0.0.0/8"]))
        with closing(Client(settings, clock=self.clock, is_stopped=lambda: False)) as client:
            request = Request("POST", f"{self.server.url}/token", body=b'{"password": "p"}')
            return client.fetch(request, read_body).decode()


def test_a_token_of_another_server_is_fetched_when_it_is_needed_and_when_it_has_expired(
    server: RestServer, make_client: MakeClient, clock: JumpingClock
) -> None:
    server.on("/x", ok([1]))
    with running_rest() as issuer:
        issuer.script("/token", Reply(body=b"t1"), Reply(body=b"t2"))
        client = make_client(auth=Login(issuer, clock))
        for token in ("t1", "t1", "t2", "t2"):
            server.token = token
            assert client.fetch(Request("GET", f"{server.url}/x"), read_body) == b"[1]"
        assert len(issuer.requests) == 2
