"""What the first rows of a stream suggest: which fields could be the cursor, and which one could
name a row. Pure, and never acted on: a person declares what a run may rely on.

A candidate for the cursor has a name that people give to such fields and values that are moments,
dates or numbers since the epoch; both, because a wrong cursor loses rows.
"""

from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc
from external_data_operator.api.cursors import CursorType, IncrementalField

from sync_runner.errors import ConfigurationError, RunError
from sync_runner.records.cursor_column import order_values

_CURSOR_NAMES = (
    "updated_at",
    "updatedat",
    "modified_at",
    "modifiedat",
    "last_modified",
    "lastmodified",
    "updated",
    "modified",
    "created_at",
    "createdat",
    "created",
)
"""In the order of preference, in small letters."""
_KEY_NAME = "id"
_DATE_CHARS = 10
_EPOCH_MIN = 100_000_000


@dataclass(frozen=True)
class Sample:
    """One stream as its source declares it, and its first rows where they could be read."""

    name: str
    description: str | None = None
    primary_key: list[str] = field(default_factory=list)
    cursor: IncrementalField | None = None
    """What the source's spec declares."""
    records: pa.RecordBatch | None = None
    notes: tuple[str, ...] = ()
    """Sentences on what the first page lacks."""
    unread: RunError | None = None
    """Why its first rows could not be read, where they were asked for."""
    has_log: bool = False
    """Whether the source keeps a log of what happens in the stream."""


def find_cursors(sample: Sample) -> list[IncrementalField]:
    """The declared cursor, then the fields that could be one, the likeliest first."""
    found = [] if sample.cursor is None else [sample.cursor]
    if sample.records is None:
        return found
    named = [
        (_CURSOR_NAMES.index(name.lower()), name)
        for name in sample.records.schema.names
        if name.lower() in _CURSOR_NAMES
    ]
    for _, name in sorted(named):
        kind = _find_kind(sample.records.column(name), name)
        if kind is not None and all(name != known.name for known in found):
            found.append(IncrementalField(name=name, type=kind))
    return found


def find_candidate_key(sample: Sample) -> list[str]:
    """The field `id`, if no key is declared and every row has an `id` of its own. More rows may
    prove it wrong.
    """
    records = sample.records
    if sample.primary_key or records is None or _KEY_NAME not in records.schema.names:
        return []
    column = records.column(_KEY_NAME)
    if not (pa.types.is_integer(column.type) or pa.types.is_string(column.type)):
        return []
    is_unique = column.null_count == 0 and pc.count_distinct(column).as_py() == len(column)
    return [_KEY_NAME] if is_unique and len(column) else []


def _find_kind(column: pa.Array, name: str) -> CursorType | None:
    present = column.drop_null()
    if len(present) == 0:
        return None
    if pa.types.is_integer(column.type):
        return CursorType.TIMESTAMP if pc.min(present).as_py() >= _EPOCH_MIN else None
    if not pa.types.is_string(column.type):
        return None
    is_date = pc.max(pc.utf8_length(present)).as_py() == _DATE_CHARS
    kind = CursorType.DATE if is_date else CursorType.DATE_TIME
    try:
        values = order_values(present, kind, name=name)
    except ConfigurationError:
        return None
    return kind if values.null_count == 0 else None
