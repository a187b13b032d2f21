"""The protocol of a source: batches, positions and tokens, never HTTP or SQL, so that a database or
a webhook uses the same engine.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

import pyarrow as pa
from external_data_operator.api.cursors import CursorType

Token = str
"""Opaque: where a source continues after a batch. Text that can be stored in a journal; only its
own source reads it.
"""


@dataclass(frozen=True)
class Position:
    """How far a stream was read: the highest value of a field, or a place in the source's log."""

    value: str
    """Canonical text."""
    type: CursorType
    """How such values compare."""
    field: str | None = None
    """The field, as the source spells it. None for a place in a log, whose values are whole numbers
    that only rise."""


@dataclass(frozen=True)
class ReadRequest:
    """The rows that a run reads from a source."""

    since: Position | None = None
    """Read rows at or above a field's value, or entries after a place in a log; None reads
    everything. Look-back is already taken off."""
    resume: Token | None = None
    """Where an earlier attempt of the same run stopped; None starts at the beginning."""
    fields: frozenset[str] = frozenset()
    """Fields, as the source spells them, that the stream's rows had before. An object that
    shares none of them is not a row of it."""


@dataclass(frozen=True)
class Batch:
    """A bounded table of records, and where to continue after it.

    `records` carries the source's own field names; all-null columns have type null, and lists
    without an element are lists of that. Nested values are structs and lists, or JSON text in
    columns whose field metadata contains `{"json": "1"}`. Types may widen from one batch to the
    next, never narrow.
    """

    records: pa.RecordBatch
    next: Token | None
    """Where to continue after this batch; None after the last one."""
    position: Position | None = None
    """The highest position of all batches so far, if the stream has a cursor or a log."""
    settled: bool = False
    """Every record up to `position` has been read, so that it may be published in the middle of
    a run.
    """
    pages: int = 0
    bytes: int = 0
    """Pages, and bytes of their bodies, that this batch was made of."""
    replaced: Mapping[str, int] = field(default_factory=dict)
    """Characters that were not Unicode and became U+FFFD, by field; those of no field have the name
    `""`."""
    notes: tuple[str, ...] = ()
    """Sentences for people on the walk so far."""
    deleted: pa.BooleanArray | None = None
    """For each record whether the source deleted its key; such a row contains at least the
    fields of the key. Records, and batches, are in the order in which the changes happened. Where
    one is true, a table whose write mode does not apply changes ends the run."""
    confirms: Token | None = None
    """The token to pass to `confirm` after this batch, and all before it, are committed to the
    table."""


class Source(Protocol):
    """One stream that can be read."""

    def read(self, request: ReadRequest) -> Iterator[Batch]:
        """Yields batches in order; the same request and data yield the same records again.

        Raises RunError. An empty stream yields nothing or empty batches.
        """

    def confirm(self, token: Token) -> None:
        """Everything up to `token` is committed to the table: the source may discard it.

        Comes after the commit, never before it. After a crash the same token, or one before it, may
        come again. Raises RunError: the run fails then, its rows stay published, and the next run
        confirms them.
        """
