"""The journal: the parts that a run has staged, so that the next pod resumes after the last one.

The journal is one small object beside the table. Only a process that has read its last version can
replace it: of two runs that stage at the same time, the second takes the journal over, and the
first detects that at its next part and stops. Schemas and statistics are in the footers of the
parts, so that the journal stays small. It is never removed: a run that ends closes it.
"""

import json
from dataclasses import asdict, dataclass, field, replace

from sync_runner.errors import SupersededError
from sync_runner.lake.delta.state import parse_counts, parse_position
from sync_runner.protocols import Counts, Position, Token
from sync_runner.records.dedupe import Order
from sync_runner.storage import ObjectStore

JOURNAL_PATH = "_staging/journal.json"
AGE_MAX_S = 24 * 3600.0
_FORMAT = 1
_TAKEOVERS_MAX = 3


@dataclass(frozen=True)
class Entry:
    """A part that is in the store, but not in a commit yet."""

    path: str
    size: int
    rows: int
    order: Order = Order.NONE


@dataclass(frozen=True)
class Journal:
    """The progress of a run. `seq` is the publication that it continues from: 0 if the table has
    no publication.
    """

    run: str
    attempt: str
    seq: int
    fingerprint: str
    updated: float
    open: bool = True
    token: Token | None = None
    ended: bool = False
    """Whether the source has been read to its end."""
    since: Position | None = None
    """The position that the run reads from."""
    position: Position | None = None
    confirms: Token | None = None
    """The token to confirm to the source after the parts are published."""
    parts: tuple[Entry, ...] = ()
    counts: Counts = field(default_factory=Counts)
    save: int = 0
    """The number of saves, so that no two versions are equal."""


def render_journal(journal: Journal) -> bytes:
    """Text for the store."""
    return json.dumps({"format": _FORMAT, **asdict(journal)}, ensure_ascii=False).encode()


def parse_journal(data: bytes) -> Journal | None:
    """Parses a journal; None if it is incomplete or of another format: the run then restarts."""
    try:
        spec = json.loads(data)
        if spec.pop("format") != _FORMAT:
            return None
        parts = tuple(Entry(**{**part, "order": Order(part["order"])}) for part in spec["parts"])
        typed = {
            "parts": parts,
            "since": parse_position(spec["since"]),
            "position": parse_position(spec["position"]),
            "counts": parse_counts(spec["counts"]),
        }
        return Journal(**{**spec, **typed})
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def is_continued(
    journal: Journal | None, *, run: str, seq: int, fingerprint: str, now: float
) -> bool:
    """Whether a new pod of `run` resumes from the journal: same run, same plan, same table, not
    older than a day.
    """
    if journal is None or not journal.open:
        return False
    same = (journal.run, journal.seq, journal.fingerprint) == (run, seq, fingerprint)
    return same and 0 <= now - journal.updated < AGE_MAX_S


class JournalFile:
    """The journal in the store, and the version of it that this process has read."""

    def __init__(self, store: ObjectStore) -> None:
        """Reads nothing yet."""
        self._store = store
        self._tag: str | None = None
        self._saves = 0
        self.held = False
        """Whether this process wrote the last version that it knows."""

    def load(self) -> Journal | None:
        """The journal, if there is a readable one."""
        stored = self._store.find(JOURNAL_PATH)
        self._tag = None if stored is None else stored.tag
        return None if stored is None else parse_journal(stored.data)

    def save(self, journal: Journal, *, began: float) -> None:
        """Writes the next version; SupersededError if another process has written since
        `began`.
        """
        self._saves += 1
        data = render_journal(replace(journal, save=self._saves))
        for _ in range(_TAKEOVERS_MAX):
            tag = self._put(data)
            if tag is not None:
                self._tag, self.held = tag, True
                return
            found = self.load()
            if self.held or (found is not None and found.open and found.updated >= began):
                break
        raise SupersededError(
            "Another process wrote this table's journal after this run had begun: it continues the "
            "run, or started the next one. This run stopped and changed nothing."
        )

    def _put(self, data: bytes) -> str | None:
        if self._tag is None:
            return self._store.create(JOURNAL_PATH, data)
        return self._store.replace(JOURNAL_PATH, data, tag=self._tag)
