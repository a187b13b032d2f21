"""The API server's refusals become our errors, with its sentence but never with a Secret's
content.
"""

import asyncio
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from external_data_operator.cluster.api import Api
from external_data_operator.cluster.kinds import CONFIG_MAPS, SECRETS, ApiKinds
from external_data_operator.controllers import CONTROLLERS
from external_data_operator.errors import (
    AlreadyExistsError,
    ClusterError,
    ConflictError,
    FieldConflictError,
    ForbiddenError,
    InvalidError,
    NotFoundError,
    StaleError,
)
from kubernetes.aio.client.api_client import ApiClient
from kubernetes.aio.client.configuration import Configuration

HUSH = "hush-hush"


class Refusing(ThreadingHTTPServer):
    """Answers everything with one status and a sentence that repeats a value."""

    status = 200
    reason = ""
    body: bytes | None = None


@pytest.fixture
def server() -> Iterator[Refusing]:
    class Handler(BaseHTTPRequestHandler):
        def answer(self):
            self.rfile.read(int(self.headers.get("Content-Length", "0")))
            sentence = {"reason": self.server.reason, "message": f'Invalid value: "{HUSH}"'}
            body = self.server.body or json.dumps(sentence).encode()
            self.send_response(self.server.status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PATCH = do_DELETE = answer  # noqa: N815 - the library calls them so

        def log_message(self, *_):
            """Says nothing."""

    with Refusing(("127.0.0.1", 0), Handler) as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.05,))
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def ask(server, request):
    """The error that a request ends with, and what was counted."""
    counted = []

    async def scenario():
        host = f"http://127.0.0.1:{server.server_address[1]}"
        api = Api(
            ApiClient(Configuration(host=host)),
            ApiKinds(CONTROLLERS),
            lambda *answer: counted.append(answer),
        )
        try:
            with pytest.raises(ClusterError) as refused:
                await request(api)
        finally:
            await api.close()
        return refused.value

    return asyncio.run(scenario()), counted


@pytest.mark.parametrize(
    ("status", "reason", "expected"),
    [
        (403, "Forbidden", ForbiddenError),
        (404, "NotFound", NotFoundError),
        (409, "Conflict", ConflictError),
        (409, "AlreadyExists", AlreadyExistsError),
        (422, "Invalid", InvalidError),
        (500, "InternalError", ClusterError),
    ],
)
def test_each_refusal_has_its_error_and_keeps_the_servers_sentence(
    server, status, reason, expected
):
    server.status, server.reason = status, reason
    error, counted = ask(server, lambda api: api.get(CONFIG_MAPS, "team", "x"))
    assert type(error) is expected
    assert error.status == status
    assert HUSH in str(error)
    assert counted == [("GET", status)]


def test_a_sentence_about_a_secret_is_never_repeated(server):
    server.status, server.reason = 422, "Invalid"
    error, _ = ask(server, lambda api: api.merge(SECRETS, "team", "x", {"data": {"a": HUSH}}))
    assert HUSH not in str(error)


def test_a_sentence_about_a_spec_that_may_hold_a_credential_is_never_repeated(server):
    server.status, server.reason = 422, "Invalid"
    source = {"kind": "ExternalDataSource", "metadata": {"namespace": "team", "name": "shop"}}
    error, _ = ask(server, lambda api: api.json_patch(source, [{"op": "test"}]))
    assert isinstance(error, StaleError)
    assert HUSH not in str(error)


SEEN = {
    "kind": "ExternalDataSchema",
    "metadata": {"namespace": "team", "name": "orders", "uid": "u", "resourceVersion": "7"},
}
HELD = {"causes": [{"reason": "FieldManagerConflict", "field": ".spec.shouldSync"}]}


@pytest.mark.parametrize(
    ("same", "details", "expected"),
    [(SEEN, None, StaleError), (SEEN, HELD, FieldConflictError), (None, None, ConflictError)],
    ids=["another version", "another manager's field", "no precondition"],
)
def test_a_conflict_of_versions_is_not_one_of_field_managers(server, same, details, expected):
    server.status = 409
    server.body = json.dumps({"reason": "Conflict", "details": details}).encode()
    error, _ = ask(server, lambda api: api.apply(SEEN, same))
    assert type(error) is expected


def test_no_answer_at_all_is_an_error_of_the_cluster(server):
    server.shutdown()
    server.server_close()
    error, counted = ask(server, lambda api: api.get(CONFIG_MAPS, "team", "x"))
    assert type(error) is ClusterError
    assert counted == [("GET", 0)]


@pytest.mark.parametrize("status", [200, 502])
def test_a_page_that_is_no_json_is_an_error_of_the_cluster(server, status):
    server.status, server.body = status, b"<html>bad gateway</html>"
    error, _ = ask(server, lambda api: api.get(CONFIG_MAPS, "team", "x"))
    assert type(error) is ClusterError
    assert "html" not in str(error)
