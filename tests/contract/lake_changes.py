"""A log of changes that a test writes down: rows that come, and keys that are gone."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
from external_data_operator.api.plan import SyncOptions
from external_data_operator.api.schema import SyncType

from sync_runner.protocols import Batch, ReadRequest
from tests.contract.lake_log import place
from tests.contract.lake_rows import Row, options
from tests.contract.lake_world import build_batch


@dataclass(frozen=True)
class Gone:
    """A key that is deleted."""

    key: Row


Change = Row | Gone


def change_options(*key: str, **more: Any) -> SyncOptions:
    """A sync that applies changes by this key."""
    how = options(SyncType.INCREMENTAL, key=key or ("id",), **more)
    return how.model_copy(update={"applies_changes": True})


def build_changes(changes: Sequence[Change]) -> tuple[pa.RecordBatch, pa.BooleanArray]:
    """The batch of some changes."""
    rows = [change.key if isinstance(change, Gone) else change for change in changes]
    deleted = [isinstance(change, Gone) for change in changes]
    return build_batch(rows), pa.array(deleted, pa.bool_())


@dataclass
class ChangeLog:
    """Changes `1, 2, …`, read in batches from after the place that is asked for."""

    changes: list[Change] = field(default_factory=list)
    page: int = 10
    asked: list[int] = field(default_factory=list)
    """After which change each walk began."""
    confirmed: list[str] = field(default_factory=list)

    def read(self, request: ReadRequest) -> Iterator[Batch]:
        """See `protocols.Source`."""
        since = 0 if request.since is None else int(request.since.value)
        at = since if request.resume is None else int(request.resume)
        self.asked.append(at)
        while at < len(self.changes):
            records, deleted = build_changes(self.changes[at : at + self.page])
            at += records.num_rows
            following = str(at) if at < len(self.changes) else None
            yield Batch(
                records,
                following,
                place(at),
                settled=True,
                pages=1,
                bytes=records.nbytes,
                deleted=deleted,
                confirms=str(at),
            )

    def confirm(self, token: str) -> None:
        """Keeps what it is told."""
        self.confirmed.append(token)


def apply_all(changes: Sequence[Change], *key: str) -> dict[Any, Row]:
    """What a table must hold after these changes, by key."""
    names = key or ("id",)
    table: dict[Any, Row] = {}
    for change in changes:
        row = change.key if isinstance(change, Gone) else change
        name = tuple(row.get(one) for one in names)
        table.pop(name, None)
        if not isinstance(change, Gone):
            table[name] = change
    return table
