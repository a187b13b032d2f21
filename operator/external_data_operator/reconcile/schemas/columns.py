"""A table's columns: from the last report, or from the log of a run whose report had no room for
them."""

from collections.abc import Mapping, Sequence

from external_data_operator.api.schema import Column, SchemaStatus
from external_data_operator.reconcile.base.parsing import find_report
from external_data_operator.reconcile.runs.history import last_success
from external_data_operator.reconcile.runs.run import Run

COLUMNS_MAX = 2000


def run_to_read(runs: Sequence[Run], status: SchemaStatus) -> str | None:
    """The Job whose columns did not fit into its report, as long as nobody has read its log."""
    run = last_success(runs)
    if run is None or run.report is None or run.report.columns is not None:
        return None
    known = any(record.job == run.job for record in status.history)
    return None if known or run.report.table is None else run.job


def read_columns(
    runs: Sequence[Run], logs: Mapping[str, str], found: Sequence[Column], status: SchemaStatus
) -> list[Column]:
    """The table's columns: by the last report, else its log, else what was known, else what a
    check saw."""
    run = last_success(runs)
    if run is not None and run.report is not None and run.report.columns:
        return run.report.columns[:COLUMNS_MAX]
    if run is not None and run.job in logs:
        handed = find_report(logs[run.job], run.uid)
        if handed is not None and handed.columns:
            return handed.columns[:COLUMNS_MAX]
    return status.available_columns or list(found)[:COLUMNS_MAX]
