"""What runs leave behind in a schema's status: the history, the table, the columns, and the
events that tell of them.

Jobs go after a day; the status remembers. So each look adds what the Jobs say to what the status
said before.
"""

import json
from collections.abc import Mapping, Sequence

from pydantic import TypeAdapter, ValidationError

from external_data_operator.api.schema import Column, RunRecord, SchemaStatus
from external_data_operator.reconcile.base.status import HISTORY_MAX, shorten
from external_data_operator.reconcile.base.world import Children, Note, format_time
from external_data_operator.reconcile.runs.run import Run, RunState, read_runs, recall

COLUMNS_MAX = 2000
_ERROR_MAX = 500
_COLUMNS = TypeAdapter(list[Column])


def read_known_runs(children: Children, task: str, status: SchemaStatus) -> list[Run]:
    """The runs, oldest first; what the pods no longer say of a failure is in the status."""
    records = {record.job: record for record in status.history}
    return [
        recall(run, record.reason, record.error) if (record := records.get(run.job)) else run
        for run in read_runs(children, task)
    ]


def merge_history(runs: Sequence[Run], status: SchemaStatus) -> list[RunRecord]:
    """The last runs, newest first: what the Jobs say, and what the status knew of Jobs that are
    gone."""
    records = {record.job: record for record in status.history}
    news = (run for run in runs if not run.active and (run.witnessed or run.job not in records))
    records.update({run.job: _record(run) for run in news})
    newest = sorted(
        records.values(), key=lambda one: (one.finished_at or "", one.job), reverse=True
    )
    return newest[:HISTORY_MAX]


def _record(run: Run) -> RunRecord:
    failure, report = run.failure, run.report
    return RunRecord(
        job=run.job,
        trigger=run.trigger,
        started_at=None if run.started is None else format_time(run.started),
        finished_at=format_time(run.ended),
        result=str(run.state),
        reason=None if failure is None else str(failure.reason),
        rows=0 if report is None else report.rows,
        bytes=0 if report is None else report.bytes,
        error=None if failure is None else shorten(failure.message, _ERROR_MAX),
    )


def failures_in_a_row(history: Sequence[RunRecord]) -> int:
    """How many of the newest runs failed."""
    count = 0
    for record in history:
        if record.result != RunState.FAILED:
            break
        count += 1
    return count


def last_success(runs: Sequence[Run]) -> Run | None:
    """The newest run that published."""
    return next((run for run in reversed(runs) if run.state is RunState.SUCCEEDED), None)


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


def note_runs(runs: Sequence[Run], status: SchemaStatus) -> list[Note]:
    """A note for each run that began or ended since the last look."""
    known = {record.job for record in status.history}
    notes = []
    for run in runs:
        if _is_past(run, status):
            continue
        if run.active and run.job != status.active_job:
            notes.append(Note("Normal", "SyncStarted", f"Job {run.job} started ({run.trigger})."))
        elif run.state is RunState.SUCCEEDED and run.job not in known:
            notes.append(Note("Normal", "Synced", f"Job {run.job}: {say_success(run)}"))
        elif run.failure is not None and run.job not in known:
            message = shorten(f"Job {run.job}: {run.failure.message}")
            notes.append(Note("Warning", str(run.failure.reason), message))
    return notes


def _is_past(run: Run, status: SchemaStatus) -> bool:
    """Whether the run ended before all that a full history remembers, so that it was told long
    ago."""
    full = len(status.history) >= HISTORY_MAX
    return full and not run.active and format_time(run.ended) <= _oldest(status)


def _oldest(status: SchemaStatus) -> str:
    return min(record.finished_at or "" for record in status.history)


def say_success(run: Run) -> str:
    """What a run published, in a sentence."""
    report = run.report
    if report is None:
        return "The run published its data; its report is lost."
    said = f"Read {_count(report.rows, 'row')} in {report.seconds:.1f} s"
    notes = "".join(f" {note}" for note in report.notes)
    if report.table is None:
        return f"{said}.{notes}"
    table = report.table
    rows = _count(table.rows, "row")
    return f"{said}; the table has {rows} at version {table.version}.{notes}"


def _count(number: int, word: str) -> str:
    return f"{number:,} {word}" if number == 1 else f"{number:,} {word}s"
