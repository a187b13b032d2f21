"""A new paginator or authentication is its own file and one line of a table: here are some that the
project does not have, and none of them touches another file."""

import hashlib
import hmac
import json
import re
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any

import pytest
from external_data_operator.api.auth import BearerAuth
from external_data_operator.api.sources.rest import NonePagination

from sync_runner.sources.rest.pagination import PAGINATIONS
from sync_runner.sources.rest.pagination.page import (
    Counted,
    PageRequest,
    PageResponse,
)
from sync_runner.transport.auths import AUTHS
from sync_runner.transport.auths.context import AuthContext
from sync_runner.transport.messages import Request, Response
from tests.contract.rest_reading import GivenCredentials, ids_of, make_plan, read
from tests.servers.replies import Reply, ok, status
from tests.servers.rest import RestServer, Seen, running_rest

ROWS = [{"id": number} for number in range(1, 451)]
SIZE = 100
SMALL = {"batchRows": 200}
BEARER = {"auth": {"bearer": {"token": {"secretKeyRef": {"name": "api", "key": "token"}}}}}
SECRET = GivenCredentials({("api", "token"): "k1-secret"})


@pytest.fixture
def server() -> Iterator[RestServer]:
    with running_rest() as server:
        yield server


class _Plain:
    """What the paginators below have in common."""

    paths: Sequence[str] = ()
    fields: Sequence[str] = ()
    key = "none"
    what = "the link"
    idle_pages_max = 10

    def __init__(self, spec: NonePagination) -> None:
        self.spec = spec

    def find_fault(self, sent: PageRequest, page: PageResponse) -> str | None:
        return None


class LinkPages(_Plain):
    """The Link header holds the address of the next page (RFC 8288)."""

    def build_first(self, request: Request) -> PageRequest:
        return PageRequest(request)

    def find_next(self, sent: PageRequest, page: PageResponse) -> PageRequest | None:
        found = re.search(r'<([^>]*)>; rel="next"', page.headers.get("link", ""))
        return PageRequest(sent.request._replace(url=found[1])) if found else None


class NumberPages(_Plain):
    """A number in the body of a POST, which can be told before a page came."""

    def build_first(self, request: Request) -> PageRequest:
        return self._ask(request, Counted(at=1))

    def find_next(self, sent: PageRequest, page: PageResponse) -> PageRequest | None:
        return self.guess_next(sent, page) if page.rows else None

    def guess_next(self, sent: PageRequest, last: PageResponse) -> PageRequest | None:
        assert sent.counted is not None
        received = sent.counted.received + last.rows
        return self._ask(sent.request, Counted(sent.counted.at + 1, received))

    def ask_from(self, sent: PageRequest, received: int) -> None:
        """Pages begin where they begin."""

    def _ask(self, request: Request, counted: Counted) -> PageRequest:
        body = json.loads(request.body) | {"page": counted.at}
        return PageRequest(request._replace(body=json.dumps(body).encode()), counted)


class ScrollPages(_Plain):
    """A token that goes back in the body of a POST to another path."""

    paths = ("scroll",)
    fields = ("scrollPath",)

    def build_first(self, request: Request) -> PageRequest:
        return PageRequest(request)

    def find_next(self, sent: PageRequest, page: PageResponse) -> PageRequest | None:
        (token,) = page.values
        if not page.rows:
            return None
        base = sent.request.url.partition("/orders")[0]
        body = json.dumps({"scroll": token.text}).encode()
        return PageRequest(Request("POST", f"{base}/orders/scroll", body=body))


def _slice(begin: int) -> list[dict[str, int]]:
    return ROWS[begin : begin + SIZE]


def _answer_linked(seen: Seen) -> Reply:
    begin = int(seen.query.get("at", "0"))
    reply = ok({"data": _slice(begin)})
    if begin + SIZE >= len(ROWS):
        return reply
    link = f'<http://{seen.headers["host"]}/orders?at={begin + SIZE}>; rel="next"'
    return replace(reply, headers={**reply.headers, "Link": link})


def _answer_numbered(seen: Seen) -> Reply:
    asked = json.loads(seen.body)
    assert asked["filter"] == "open"
    return ok({"data": _slice((asked["page"] - 1) * SIZE)})


def _answer_scrolled(seen: Seen) -> Reply:
    begin = int(json.loads(seen.body)["scroll"]) if seen.body else 0
    return ok({"data": _slice(begin), "scroll": str(begin + SIZE)})


POST = {"method": "POST", "body": {"filter": "open"}}
STYLES: dict[str, tuple[type[_Plain], dict[str, Any], Any]] = {
    "link": (LinkPages, {}, _answer_linked),
    "number in a body": (NumberPages, POST, _answer_numbered),
    "scroll in a body": (ScrollPages, {}, _answer_scrolled),
}


@pytest.mark.parametrize("style", STYLES)
def test_a_paginator_is_a_file_and_a_line(
    server: RestServer, monkeypatch: pytest.MonkeyPatch, style: str
) -> None:
    pages, stream, answer = STYLES[style]
    monkeypatch.setitem(PAGINATIONS, "none", pages)
    server.on("/orders", answer)
    server.on("/orders/scroll", answer)
    plan = make_plan(server, stream, limits=SMALL)
    batches = read(plan)
    assert ids_of(batches) == list(range(1, 451))
    for index, batch in enumerate(batches[:-1]):
        assert ids_of(read(plan, resume=batch.next)) == ids_of(batches[index + 1 :])


def test_what_foresees_its_pages_asks_for_several_at_once(
    server: RestServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(PAGINATIONS, "none", NumberPages)
    server.on("/orders", _answer_numbered)
    assert ids_of(read(make_plan(server, POST))) == list(range(1, 451))
    assert server.connections > 1


@dataclass
class SignedRequests:
    """A signature over target and body."""

    spec: BearerAuth
    context: AuthContext
    is_static = False

    def prepare(self, request: Request) -> Request:
        key = self.context.credentials.secret(self.spec.token)
        target = "/" + request.url.split("/", 3)[3]
        return request.with_header("X-Signature", _sign(key, target, request.body))

    def challenged(self, sent: Request, response: Response) -> bool:
        return False


def _sign(key: str, target: str, body: bytes) -> str:
    return hmac.new(key.encode(), target.encode() + b" " + body, hashlib.sha256).hexdigest()


@dataclass
class IssuedToken:
    """A token that another server hands out, as in OAuth 2, and again once it has expired."""

    spec: BearerAuth
    context: AuthContext
    issuer: str
    token: str = ""
    is_static = True

    def prepare(self, request: Request) -> Request:
        if not self.token:
            with closing(self.context.open_client(self.issuer)) as client:
                secret = self.context.credentials.secret(self.spec.token)
                asked = Request("POST", f"{self.issuer}/token", body=json.dumps(secret).encode())
                self.token = client.fetch(asked, lambda response: response.body.decode())
        return request.with_header("Authorization", f"Bearer {self.token}")

    def challenged(self, sent: Request, response: Response) -> bool:
        self.token = ""
        return response.status == 401


def test_an_authentication_is_a_file_and_a_line(
    server: RestServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def answer(seen: Seen) -> Reply:
        expected = _sign("k1-secret", seen.target, seen.body)
        return _answer_numbered(seen) if seen.headers["x-signature"] == expected else status(403)

    monkeypatch.setitem(PAGINATIONS, "none", NumberPages)
    monkeypatch.setitem(AUTHS, "bearer", SignedRequests)
    server.on("/orders", answer)
    plan = make_plan(server, {**POST, "params": {"q": "a b&c=ü"}}, rest=BEARER, limits=SMALL)
    batches = read(plan, credentials=SECRET)
    assert ids_of(batches) == list(range(1, 451))
    assert not any("signature" in (batch.next or "").lower() for batch in batches)


def test_a_login_at_another_server_is_a_file_and_a_line(
    server: RestServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def expire(seen: Seen) -> Reply:
        server.token = "t2"
        return status(401)

    with running_rest() as issuer:
        issuer.script("/token", Reply(body=b"t1"), Reply(body=b"t2"))
        monkeypatch.setitem(
            AUTHS,
            "bearer",
            lambda spec, context: IssuedToken(spec, context, issuer.url),
        )
        monkeypatch.setitem(PAGINATIONS, "none", LinkPages)
        server.token = "t1"
        server.on("/orders", _answer_linked)
        server.script("/orders", None, None, expire)
        plan = make_plan(server, {}, rest=BEARER, limits=SMALL)
        assert ids_of(read(plan, credentials=SECRET)) == list(range(1, 451))
        assert [json.loads(seen.body) for seen in issuer.requests] == ["k1-secret"] * 2
