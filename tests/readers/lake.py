"""Tables by the whole engine: a real HTTP server, the native decoder, parts, commits, upkeep."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pyarrow as pa
from external_data_operator.api.cursors import CursorType
from external_data_operator.api.plan import Limits
from external_data_operator.api.schema import SyncType

from sync_runner.lake import open_table
from sync_runner.lake.policy import Policy
from sync_runner.pipeline import Outcome, run_stream
from sync_runner.protocols import Progress
from sync_runner.sources.rest.source import RestReader
from sync_runner.transport.clock import SystemClock
from tests.contract.lake_pod import SMALL, Place
from tests.contract.lake_rows import ListedSource, Syncs, options
from tests.contract.rest_reading import GivenCredentials, make_plan, write_to
from tests.readers.readers import Address
from tests.servers.rest import RestServer
from tests.servers.tables import Table

Row = dict[str, Any]
PARTS = replace(SMALL, tier_files=100)
"""Small row groups, and files that stay apart: statistics have something to skip."""


@dataclass
class RestSyncs:
    """Syncs of rows that a server hands out, page by page, into one place."""

    server: RestServer
    place: Place
    key: Sequence[str] = ()
    cursor: str | None = None
    nested: str = "Json"
    policy: Policy = PARTS
    page_rows: int = 8
    runs: int = field(default=0)

    def __call__(self, rows: Sequence[Row]) -> Outcome:
        """One sync of exactly these rows."""
        self.runs += 1
        self.server.on("/orders", Table(list(rows), "cursor", page_default=self.page_rows))
        plan = make_plan(self.server, self._stream(), sync=self._options())
        limits = Limits(part_bytes=300, batch_rows=self.page_rows)
        plan = write_to(plan, self.place.target).model_copy(update={"limits": limits})
        clock = SystemClock()
        source = RestReader(
            plan, credentials=GivenCredentials(), clock=clock, is_stopped=lambda: False
        )
        table = open_table(self.place.open(), plan, f"run-{self.runs}", clock, policy=self.policy)
        return run_stream(
            source, table, limits, clock, progress=Progress(), listener=lambda _: None
        )

    def _stream(self) -> dict[str, Any]:
        stream: dict[str, Any] = {
            "pagination": {"cursor": {"cursorPath": "meta.next", "cursorParam": "at"}},
            "nestedValues": self.nested,
        }
        if self.cursor is not None:
            stream["incremental"] = {
                "cursorPath": self.cursor, "startParam": "since", "cursorType": "Integer",
            }  # fmt: skip
        return stream | ({"primaryKey": list(self.key)} if self.key else {})

    def _options(self) -> dict[str, Any]:
        if self.cursor is None:
            return {"syncType": SyncType.FULL_REFRESH, "primaryKeyColumns": list(self.key)}
        kind = SyncType.INCREMENTAL if self.key else SyncType.APPEND
        return {
            "syncType": kind,
            "primaryKeyColumns": list(self.key),
            "incrementalField": self.cursor,
            "incrementalFieldType": CursorType.INTEGER,
        }


def write_typed(place: Place, *batches: pa.RecordBatch) -> None:
    """Appends from a source that knows its types, one file for each batch."""
    how = options(SyncType.APPEND, cursor="id")
    sync = Syncs(place, how, policy=PARTS)
    for batch in batches:
        sync.read(ListedSource([batch], "id"))


def address_of(place: Place) -> Address:
    """Where its table is."""
    return Address.of(place.open())
