"""Documents that go from a pod to the operator in lines of its log arrive whole or not at all."""

import json

import pytest
from external_data_operator.api import handoff
from external_data_operator.api.handoff import Document, build_pieces, find_document

from tests.large_catalogue import build_catalogue

CRI_LINE_BYTES = 16 << 10
LOG_BYTES = 8 << 20


def log_of(content: bytes, document: Document = Document.DISCOVERY, run: str = "run") -> list[str]:
    pieces = build_pieces(document, content)
    assert pieces is not None
    head = {"time": "2026-01-01T00:00:00.000Z", "level": "info", "message": "x", "run": run}
    dumped = (piece.model_dump(mode="json", by_alias=True) for piece in pieces)
    return [json.dumps({**head, "handoff": piece}) for piece in dumped]


@pytest.mark.parametrize("hashed", [False, True], ids=["words", "hashes"])
def test_a_catalogue_of_2000_tables_fits_into_lines_that_no_runtime_cuts(hashed: bool) -> None:
    content = build_catalogue(hashed=hashed).model_dump_json(by_alias=True).encode()
    assert len(content) > 6 << 20
    lines = log_of(content)
    assert max(map(len, lines)) < CRI_LINE_BYTES
    assert sum(map(len, lines)) < LOG_BYTES
    assert find_document("\n".join(lines), Document.DISCOVERY, "run") == content


CONTENT = json.dumps(list(range(30_000))).encode()


@pytest.mark.parametrize(
    "spoil",
    [
        lambda lines: lines[1:],
        lambda lines: lines[:-1],
        lambda lines: [lines[0], lines[1][:4000], *lines[2:]],
        lambda lines: [line.replace('"run": "run"', '"run": "other"') for line in lines],
        lambda lines: [lines[0].replace('"data": "', '"data": "AAAA'), *lines[1:]],
        lambda lines: ["handoff", '{"handoff": 3, "run": "run"}', '["handoff"]'],
    ],
    ids=["first", "last", "cut", "another run", "changed", "nothing"],
)
def test_a_document_of_which_a_piece_is_missing_is_none(spoil) -> None:
    lines = log_of(CONTENT)
    assert len(lines) > 2
    assert find_document("\n".join(spoil(lines)), Document.DISCOVERY, "run") is None


def test_other_lines_and_other_documents_may_be_between_the_pieces() -> None:
    lines = [line for one in log_of(CONTENT) for line in (one, "Traceback: handoff", "{}")]
    log = "\n".join([*log_of(b"report", Document.REPORT), *lines])
    assert find_document(log, Document.DISCOVERY, "run") == CONTENT
    assert find_document(log, Document.REPORT, "run") == b"report"


def test_of_two_documents_the_last_whole_one_counts() -> None:
    lines = [*log_of(b"first"), *log_of(b"second"), *log_of(CONTENT)[1:]]
    assert find_document("\n".join(lines), Document.DISCOVERY, "run") == b"second"


def test_what_unpacks_to_more_than_the_bound_is_neither_sent_nor_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lines = log_of(bytes(2 << 20))
    monkeypatch.setattr(handoff, "DOCUMENT_BYTES_MAX", 1 << 20)
    assert build_pieces(Document.DISCOVERY, bytes(2 << 20)) is None
    assert find_document("\n".join(lines), Document.DISCOVERY, "run") is None
