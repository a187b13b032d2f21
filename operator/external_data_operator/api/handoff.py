"""How a document that fits into no termination message goes from a run's pod to the operator: as
lines of the pod's log.

A catalogue of 2,000 tables is 8 MB of JSON, which repeats itself; a container runtime cuts a line
at 16 KiB, and the kubelet begins a new file at 10 MiB and serves only the newest. So a document is
compressed and cut into pieces that are one line each, on standard output, whatever the log's format
is. The digest shows whether all pieces of one document are present.
"""

import base64
import hashlib
import json
import zlib
from collections.abc import Iterator
from enum import StrEnum

from pydantic import Field, ValidationError

from external_data_operator.api.base import ApiModel

HANDOFF_KEY = "handoff"
"""The member of a log line that holds a piece."""
PACKED_BYTES_MAX = 6 << 20
"""Of all pieces together; below 8 MiB, which is what the operator reads of a log."""
DOCUMENT_BYTES_MAX = 64 << 20
"""Of a document, unpacked."""
_PIECE_CHARS = 12_000
_PIECES_MAX = PACKED_BYTES_MAX // _PIECE_CHARS + 1
_LEVEL = 6


class Document(StrEnum):
    """What is handed over."""

    DISCOVERY = "Discovery"
    """What a check found."""
    REPORT = "Report"
    """A report of more than 4,096 bytes."""


class Piece(ApiModel):
    """One line's part of a document."""

    document: Document
    digest: str
    """Of the packed document."""
    number: int = Field(ge=1)
    count: int = Field(ge=1, le=_PIECES_MAX)
    data: str
    """Base64; all pieces in order are the document, compressed by zlib."""


def build_pieces(document: Document, content: bytes) -> list[Piece] | None:
    """The document in pieces; None for one that is too large to be handed over."""
    packed = base64.b64encode(zlib.compress(content, _LEVEL)).decode()
    if len(content) > DOCUMENT_BYTES_MAX or len(packed) > PACKED_BYTES_MAX:
        return None
    digest = _digest(packed)
    parts = [packed[at : at + _PIECE_CHARS] for at in range(0, len(packed), _PIECE_CHARS)]
    return [
        Piece(document=document, digest=digest, number=number, count=len(parts), data=part)
        for number, part in enumerate(parts, 1)
    ]


def find_document(log: str, document: Document, run: str) -> bytes | None:
    """The last document of this type in a log that the run has handed over whole."""
    found: dict[str, dict[int, Piece]] = {}
    for piece in _find_pieces(log, run):
        if piece.document is document:
            found.setdefault(piece.digest, {})[piece.number] = piece
    for digest, pieces in reversed(found.items()):
        numbers = range(1, next(iter(pieces.values())).count + 1)
        if all(number in pieces for number in numbers):
            packed = "".join(pieces[number].data for number in numbers)
            return _unpack(packed) if _digest(packed) == digest else None
    return None


def _find_pieces(log: str, run: str) -> Iterator[Piece]:
    for text in log.split("\n"):
        if f'"{HANDOFF_KEY}"' not in text:
            continue
        try:
            line = json.loads(text)
            if isinstance(line, dict) and line.get("run") == run:
                yield Piece.model_validate(line.get(HANDOFF_KEY))
        except (json.JSONDecodeError, ValidationError):
            # A line that was cut, or is not ours; the digest finds what is missing.
            continue


def _unpack(packed: str) -> bytes | None:
    try:
        unpacker = zlib.decompressobj()
        content = unpacker.decompress(base64.b64decode(packed), DOCUMENT_BYTES_MAX)
    except (ValueError, zlib.error):
        return None
    return content if unpacker.eof else None


def _digest(packed: str) -> str:
    return hashlib.sha256(packed.encode()).hexdigest()[:16]
