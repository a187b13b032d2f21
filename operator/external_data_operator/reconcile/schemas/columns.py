"""A table's columns: from the last report, or from the log of a run whose report had no room for
them."""

import json
from collections.abc import Mapping, Sequence

from pydantic import TypeAdapter, ValidationError

from external_data_operator.api.schema import Column, SchemaStatus
from external_data_operator.reconcile.runs.history import last_success
from external_data_operator.reconcile.runs.run import Run

COLUMNS_MAX = 2000
_COLUMNS = TypeAdapter(list[Column])


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
        logged = parse_columns(logs[run.job])
        if logged:
            return logged[:COLUMNS_MAX]
    return status.available_columns or list(found)[:COLUMNS_MAX]


def parse_columns(log: str) -> list[Column]:
    """The columns in a log's last line, a list or an object that holds one; empty where there are
    none."""
    lines = log.strip().split("\n")
    try:
        document = json.loads(lines[-1]) if lines else None
        listed = document.get("columns") if isinstance(document, dict) else document
        return _COLUMNS.validate_python(listed) if isinstance(listed, list) else []
    except (json.JSONDecodeError, ValidationError):
        return []
