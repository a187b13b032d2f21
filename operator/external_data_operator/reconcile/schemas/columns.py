"""What the last run left in a schema's table: from its report, or from its log where the report
had no room for it."""

from collections.abc import Mapping, Sequence

from external_data_operator.api.plan import TableReport
from external_data_operator.api.schema import Column, SchemaStatus
from external_data_operator.reconcile.runs.history import last_success
from external_data_operator.reconcile.runs.reports import find_logged_report
from external_data_operator.reconcile.runs.run import Run

STATUS_COLUMNS_MAX = 2000


def run_to_read(runs: Sequence[Run], stream: str, status: SchemaStatus) -> str | None:
    """The Job whose report has no room for the table or its columns, until its log was read."""
    run = last_success(runs)
    if run is None or run.report is None:
        return None
    told = run.report.find_table(stream)
    if told is not None and (told.columns is not None or told.table is None):
        return None
    known = any(record.job == run.job for record in status.history)
    return None if known else run.job


def find_table(runs: Sequence[Run], logs: Mapping[str, str], stream: str) -> TableReport | None:
    """What the last run that published left in the table of a stream."""
    run = last_success(runs)
    if run is None or run.report is None:
        return None
    handed = find_logged_report(logs[run.job], run.uid) if run.job in logs else None
    whole = None if handed is None else handed.find_table(stream)
    return whole or run.report.find_table(stream)


def pick_columns(
    told: TableReport | None, found: Sequence[Column], status: SchemaStatus
) -> list[Column]:
    """The table's columns: by the last run, else what was known, else what a check saw."""
    if told is not None and told.columns:
        return told.columns[:STATUS_COLUMNS_MAX]
    return status.available_columns or list(found)[:STATUS_COLUMNS_MAX]
