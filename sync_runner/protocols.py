"""What the pipeline asks for: sources, credentials, a clock, and somewhere to tell how it goes.

It speaks of batches, positions and tokens, never of HTTP or SQL, so that a database or a webhook
uses the same engine.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

import pyarrow as pa
from external_data_operator.api.meta import CertificateRef, SecretValue
from external_data_operator.api.schema import Column, TableStatus
from external_data_operator.api.sources.rest import CursorType

Token = str
"""Opaque: where a source goes on after a batch. Text that survives a journal; only its own
source reads it.
"""


@dataclass(frozen=True)
class Position:
    """How far a stream was read: the highest cursor value, as canonical text, and how such
    values compare.
    """

    value: str
    type: CursorType


@dataclass(frozen=True)
class ReadRequest:
    """What a run wants of a source."""

    since: Position | None = None
    """Read what is newer; None reads everything. Look-back is already taken off."""
    resume: Token | None = None
    """Where an earlier attempt of the same run stopped; None starts at the beginning."""
    fields: frozenset[str] = frozenset()
    """Fields, as the source spells them, that the stream's rows had before. What shares none of
    them is no row of it."""


@dataclass(frozen=True)
class Batch:
    """A bounded table of records, and where to go on behind it.

    `records` carries the source's own field names; all-null columns have type null, and lists
    without an element are lists of that. Nested values are structs and lists, or JSON text in
    columns whose field metadata says `{"json": "1"}`. Types may widen from one batch to the next,
    never narrow.
    """

    records: pa.RecordBatch
    next: Token | None
    """Where to go on after this batch; None behind the last one."""
    position: Position | None = None
    """The highest cursor value of all batches so far, where the stream has a cursor."""
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


class Source(Protocol):
    """One stream that can be read."""

    def read(self, request: ReadRequest) -> Iterator[Batch]:
        """Yields batches in order; the same request and data yield the same records again.

        Raises RunError. An empty stream yields nothing or empty batches.
        """


class Credentials(Protocol):
    """Reads credentials at the moment of use, so that a rotated Secret is seen."""

    def secret(self, value: SecretValue) -> str:
        """The credential; ConfigurationError(SecretNotFound) naming Secret and key where it is
        missing.
        """

    def certificate(self, ref: CertificateRef) -> str:
        """The PEM bundle; the same error."""

    def keys_of(self, secret_name: str) -> dict[str, str]:
        """All keys of a Secret (destination credentials); the same error."""


class Clock(Protocol):
    """Time, so that tests can bend it; the transport alone sleeps."""

    def now(self) -> float:
        """Seconds since the epoch."""

    def monotonic(self) -> float:
        """Seconds that never go backwards."""

    def sleep(self, seconds: float) -> None:
        """Waits."""


@dataclass
class Progress:
    """Counters of a run; the pipeline adds, a terminal or the log shows."""

    pages: int = 0
    rows: int = 0
    bytes: int = 0
    parts: int = 0
    phase: str = "starting"
    notes: list[str] = field(default_factory=list)


class ProgressListener(Protocol):
    """Is told whenever the counters moved."""

    def __call__(self, progress: Progress) -> None:
        """Must return quickly."""


class Step(StrEnum):
    """The points of a run between which it may die. A test observes them, and ends the process
    at one.
    """

    BEGUN = "begun"
    """Table and journal were read; nothing was written."""
    WRITING = "writing"
    """A part is encoded and about to be uploaded."""
    UPLOADED = "uploaded"
    """A part lies in the store, and no journal names it."""
    JOURNALED = "journaled"
    """The journal names every part so far."""
    STAGED = "staged"
    """The source has been read to its end."""
    PREPARED = "prepared"
    """All files of the next commit lie in the store."""
    COMMITTED = "committed"
    """The commit is in the log; nobody was told."""
    CLOSED = "closed"
    """The journal says that the run is over."""
    COMPACTING = "compacting"
    """A compacted file lies in the store."""
    COMPACTED = "compacted"
    """The compaction is in the log."""
    SWEEPING = "sweeping"
    """Some files that nobody refers to are gone."""
    CHECKPOINTED = "checkpointed"
    """The log has a new checkpoint."""


class Steps(Protocol):
    """Is told when a run comes past a step."""

    def __call__(self, step: Step) -> None:
        """Usually does nothing."""


def no_steps(step: Step) -> None:
    """Nobody observes."""


@dataclass(frozen=True)
class Counts:
    """What a run has read, over all its pods."""

    pages: int = 0
    rows: int = 0
    bytes: int = 0
    parts: int = 0
    seconds: float = 0.0


@dataclass(frozen=True)
class Start:
    """Where a run stands when it begins."""

    position: Position | None = None
    """How far the table's rows go, where the sync type continues it: what to read from."""
    fields: frozenset[str] = frozenset()
    """Fields of the table's rows, as the source spells them."""
    resume: Token | None = None
    """Where an earlier pod of this run stopped."""
    extracted: bool = False
    """An earlier pod of this run has read the source to its end."""
    resumed: bool = False
    finished: bool = False
    """An earlier pod of this run has published everything; there is nothing to read."""
    counts: Counts = Counts()


@dataclass(frozen=True)
class Published:
    """What a run leaves behind. No table is made of a stream that never had a row."""

    table: TableStatus | None = None
    position: Position | None = None
    columns: tuple[Column, ...] = ()
    notes: tuple[str, ...] = ()
    """Sentences on the table that a person may want to know."""


class Destination(Protocol):
    """One table that a run writes. Every method raises RunError."""

    def begin(self, *, fresh: bool = False) -> Start:
        """Reads where table and journal stand; `fresh` throws the journal away."""

    def write(self, batch: Batch, *, seconds: float) -> int:
        """Takes the next batch; `seconds` is how long the run has been at work. Returns its
        parts so far.
        """

    def is_due(self) -> bool:
        """Whether so much is staged that publishing in the middle of the run is worth its cost."""

    def publish(self) -> None:
        """Makes everything written so far visible in one commit, in the middle of the run."""

    def finish(self) -> Published:
        """Makes the rest visible, closes the journal, and looks after the table."""
