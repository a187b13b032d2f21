"""The objects that a run needs besides a source and a table: credentials, a clock, and listeners
for its progress.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from external_data_operator.api.meta import CertificateRef, SecretValue


class Credentials(Protocol):
    """Reads credentials when they are used, so that a rotated Secret is used."""

    def secret(self, value: SecretValue) -> str:
        """The credential; ConfigurationError(SecretNotFound) with Secret and key if it is
        missing.
        """

    def certificate(self, ref: CertificateRef) -> str:
        """The PEM bundle; the same error."""

    def keys_of(self, secret_name: str) -> dict[str, str]:
        """All keys of a Secret (destination credentials); the same error."""


IsStopped = Callable[[], bool]
"""Whether the run was asked to stop, or has ended."""


class Clock(Protocol):
    """Time, so that tests can control it; only the transport sleeps."""

    def now(self) -> float:
        """Seconds since the epoch."""

    def monotonic(self) -> float:
        """Seconds that never go backwards."""

    def sleep(self, seconds: float) -> None:
        """Waits."""


@dataclass(frozen=True)
class Counts:
    """Numbers of a run over all its pods: from the pipeline they get into the journal, the commit
    and the report."""

    pages: int = 0
    rows: int = 0
    bytes: int = 0
    parts: int = 0
    seconds: float = 0.0


@dataclass
class Progress:
    """The progress of a run; the pipeline updates it, a terminal or the log shows it, and the
    report contains its last state."""

    counts: Counts = field(default_factory=Counts)
    phase: str = "starting"
    notes: list[str] = field(default_factory=list)
    """Sentences on the walk and on the data that a person may want to know."""


class ProgressListener(Protocol):
    """Is called whenever the counters change."""

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
    """A part is in the store, but not in the journal."""
    JOURNALED = "journaled"
    """The journal lists every part so far."""
    STAGED = "staged"
    """The source has been read to its end."""
    PREPARED = "prepared"
    """All files of the next commit are in the store."""
    COMMITTED = "committed"
    """The commit is in the log, but not reported."""
    CLOSED = "closed"
    """The journal is closed."""
    COMPACTING = "compacting"
    """A compacted file is in the store."""
    COMPACTED = "compacted"
    """The compaction is in the log."""
    SWEEPING = "sweeping"
    """Some files without a reference are deleted."""
    CHECKPOINTED = "checkpointed"
    """The log has a new checkpoint."""


class Steps(Protocol):
    """Is called when a run reaches a step."""

    def __call__(self, step: Step) -> None:
        """Usually does nothing."""


def no_steps(step: Step) -> None:
    """Ignores the step."""
