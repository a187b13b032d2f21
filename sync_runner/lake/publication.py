"""The metadata of a publication, and whether a publication without files is necessary. Pure."""

import pyarrow as pa
from external_data_operator.api.plan import SyncOptions
from external_data_operator.api.schema import Retention

from sync_runner.lake.delta.entry import Operation
from sync_runner.lake.delta.log import Snapshot
from sync_runner.lake.delta.retention import find_missing_properties
from sync_runner.lake.delta.schema import render_table_schema
from sync_runner.lake.delta.state import State
from sync_runner.lake.mode import WriteMode
from sync_runner.lake.policy import Policy
from sync_runner.protocols import Position
from sync_runner.records.cursor import is_above


def has_news(state: State | None, position: Position | None, *, run: str, final: bool) -> bool:
    """Whether a commit without rows would record something new: the end of the run, or a new
    position although no row has changed.
    """
    if final and state is not None and state.run == run and not state.final:
        return True
    if position is None:
        return False
    if state is None or state.position is None:
        return True
    if (state.position.field, state.position.type) != (position.field, position.type):
        return True
    # The position of an earlier version may be in the future; then the new one is lower.
    return is_above(position, state.position) or is_above(state.position, position)


def find_operation(base: Snapshot | None, mode: WriteMode) -> Operation:
    """The operation of this publication in the table's history."""
    return Operation.MERGE if base is not None and mode.merges else Operation.WRITE


def find_properties(base: Snapshot | None, options: SyncOptions, policy: Policy) -> dict[str, str]:
    """Properties for the retention of old versions and files that the table does not have yet."""
    default = Retention(deleted_file_hours=policy.keep_hours, log_hours=policy.log_hours)
    known = {} if base is None else base.metadata.properties
    return find_missing_properties(known, options.retention, default=default)


def render_origin(base: Snapshot | None) -> str:
    """A table without a first complete run has no columns that readers rely on."""
    return render_table_schema(pa.schema([]) if base is None else base.origin)
