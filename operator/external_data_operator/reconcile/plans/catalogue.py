"""The result of a check in ConfigMaps: an index, and the streams in compressed chunks.

A ConfigMap ends at 1 MiB, and a database of 2,000 tables is 8 MB of JSON. So the streams are
compressed, some dozen at a time, and divided into the number of objects that they need: the head,
which has the index, and others that the head names. The others are named by their content and never
change, so that a head and the objects that it names always belong together, whenever the operator
dies between two writes. A look at one schema unpacks one chunk and parses one stream.
"""

import base64
import json
import zlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Protocol

from pydantic import ValidationError

from external_data_operator.api.base import ApiModel
from external_data_operator.api.handoff import Document, find_document
from external_data_operator.api.plan import DiscoveredStream, Discovery
from external_data_operator.reconcile.base.naming import OBJECT_NAME_MAX, hash_of, suffixed
from external_data_operator.reconcile.base.world import Object, name_of

INDEX_KEY = "index"
_CHUNK_KEY = "chunk-"
_CHUNK_BYTES = 64 << 10
"""Of the text of one chunk, about."""
_STREAM_BYTES_MAX = 512 << 10
"""A stream whose text is longer is kept without its columns."""
_OBJECT_CHARS_MAX = 900 << 10
"""Of the base64 in one object, which the API server keeps as three quarters of that."""
_UNPACKED_BYTES_MAX = 64 << 20
_NOTES_MAX = 3
_CACHED = 32
_TOO_LONG = "Its columns are not listed, because the list is too long; the first sync lists them."


class Index(ApiModel):
    """The head's table of contents."""

    objects: list[str]
    """Names of the other ConfigMaps."""
    streams: list[tuple[str, int, int]]
    """Name, chunk and line of each stream, in the source's order."""
    notes: list[str]
    """The first sentences on streams that a person may want to know."""
    notes_count: int


@dataclass(frozen=True)
class Packed:
    """The keys of the head and of the other objects, each in base64."""

    head: Mapping[str, str]
    others: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


class Findings(Protocol):
    """The streams that a check found, wherever they are kept."""

    @property
    def names(self) -> Collection[str]:
        """In the source's order."""

    def find(self, name: str) -> DiscoveredStream | None:
        """The stream; None if the source has none of that name or it cannot be read."""


@dataclass(frozen=True)
class Fresh:
    """What a check of this process found."""

    discovery: Discovery

    @cached_property
    def names(self) -> Mapping[str, DiscoveredStream]:
        """The streams in the source's order."""
        return {one.name: one for one in self.discovery.streams}

    def find(self, name: str) -> DiscoveredStream | None:
        """The stream; None if the source has none of that name."""
        return self.names.get(name)


@dataclass(frozen=True)
class Catalogue:
    """What a check found: all names at once, each stream when it is asked for."""

    index: Index
    chunks: Mapping[str, str]

    @property
    def notes(self) -> Sequence[str]:
        """Sentences that a person may want to know, and how many more there are."""
        more = self.index.notes_count - len(self.index.notes)
        return (*self.index.notes, f"{more} more notes.") if more else self.index.notes

    @cached_property
    def names(self) -> Mapping[str, tuple[int, int]]:
        """The streams in the source's order, and where each is."""
        return {name: (chunk, line) for name, chunk, line in self.index.streams}

    def find(self, name: str) -> DiscoveredStream | None:
        """The stream; None if the source has none of that name or the chunk cannot be read."""
        if name not in self.names:
            return None
        chunk, line = self.names[name]
        text = _unpack(self.chunks.get(f"{_CHUNK_KEY}{chunk}", ""))
        try:
            lines = (text or b"").split(b"\n")
            return DiscoveredStream.model_validate_json(lines[line])
        except (IndexError, ValidationError):
            return None


def discovery_name(source: str) -> str:
    """Name of the head."""
    return suffixed(source, "discovery", length_max=OBJECT_NAME_MAX)


def find_discovery(log: str, run: str) -> Discovery | None:
    """The result of a check in the log of its pod; None unless it is complete."""
    content = find_document(log, Document.DISCOVERY, run)
    try:
        return None if content is None else Discovery.model_validate_json(content)
    except ValidationError:
        return None


def pack_catalogue(source: str, discovery: Discovery) -> Packed:
    """What is to be kept of a discovery of this source."""
    chunks, places = _build_chunks([_bound(one) for one in discovery.streams])
    notes = [f"{one.name}: {note}" for one in discovery.streams for note in one.notes]
    index = Index(objects=[], streams=places, notes=notes[:_NOTES_MAX], notes_count=len(notes))
    room = _OBJECT_CHARS_MAX - len(_pack_index(index))
    head, *others = _fill_objects(chunks, room)
    named = {_name_object(source, chunk): chunk for chunk in others}
    index = index.model_copy(update={"objects": list(named)})
    return Packed({INDEX_KEY: _pack_index(index), **head}, named)


def find_object_names(head: Object | None) -> Sequence[str]:
    """The other ConfigMaps that belong to this head."""
    index = _find_index(head)
    return () if index is None else index.objects


def read_catalogue(head: Object | None, others: Sequence[Object]) -> Catalogue | None:
    """The catalogue of this head; None if there is none, or one of its objects is missing."""
    index = _find_index(head)
    if head is None or index is None:
        return None
    by_name = {name_of(one): one for one in others}
    if any(name not in by_name for name in index.objects):
        return None
    objects = (head, *(by_name[name] for name in index.objects))
    return Catalogue(index, {key: text for one in objects for key, text in _blobs(one).items()})


def _blobs(item: Object) -> Mapping[str, str]:
    return item.get("binaryData") or {}


def _find_index(head: Object | None) -> Index | None:
    return None if head is None else _read_index(str(_blobs(head).get(INDEX_KEY, "")))


@lru_cache(maxsize=_CACHED)
def _read_index(packed: str) -> Index | None:
    """Cached, because each schema of the source asks for it at each look."""
    try:
        return Index.model_validate_json(_unpack(packed) or b"")
    except ValidationError:
        return None


def _pack_index(index: Index) -> str:
    return _pack(index.model_dump_json(by_alias=True).encode())


def _bound(stream: DiscoveredStream) -> str:
    text = stream.model_dump_json(by_alias=True, exclude_none=True)
    if len(text.encode()) <= _STREAM_BYTES_MAX:
        return text
    bare = {"columns": [], "notes": [*stream.notes, _TOO_LONG]}
    return stream.model_copy(update=bare).model_dump_json(by_alias=True, exclude_none=True)


def _build_chunks(texts: Sequence[str]) -> tuple[list[str], list[tuple[str, int, int]]]:
    """The chunks, and chunk and line of each stream."""
    chunks: list[str] = []
    places: list[tuple[str, int, int]] = []
    lines: list[str] = []
    size = 0
    for text in texts:
        places.append((json.loads(text)["name"], len(chunks), len(lines)))
        lines.append(text)
        size += len(text)
        if size >= _CHUNK_BYTES:
            chunks.append(_pack("\n".join(lines).encode()))
            lines, size = [], 0
    if lines:
        chunks.append(_pack("\n".join(lines).encode()))
    return chunks, places


def _fill_objects(chunks: Sequence[str], room: int) -> Iterator[dict[str, str]]:
    """The chunks by their keys, in as few objects as possible; the first has only this room."""
    found: dict[str, str] = {}
    for number, chunk in enumerate(chunks):
        if len(chunk) > room:
            yield found
            found, room = {}, _OBJECT_CHARS_MAX
        found[f"{_CHUNK_KEY}{number}"] = chunk
        room -= len(chunk)
    yield found


def _name_object(source: str, chunks: Mapping[str, str]) -> str:
    content = hash_of(json.dumps(chunks, sort_keys=True))
    return suffixed(source, f"discovery-{content}", length_max=OBJECT_NAME_MAX)


def _pack(content: bytes) -> str:
    return base64.b64encode(zlib.compress(content)).decode()


def _unpack(packed: str) -> bytes | None:
    try:
        unpacker = zlib.decompressobj()
        content = unpacker.decompress(base64.b64decode(packed), _UNPACKED_BYTES_MAX)
    except (ValueError, zlib.error):
        return None
    return content if unpacker.eof else None
