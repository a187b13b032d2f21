"""The record of runs in a status: the history, the blocked inputs, and the events.

Jobs are deleted after a day, and the status remembers them. So each look merges the Jobs into the
previous status.
"""

from collections.abc import Sequence

from external_data_operator.api.conditions import ConditionType
from external_data_operator.api.plan import Failure, FailureClass
from external_data_operator.api.status import RunHistoryStatus, RunRecord
from external_data_operator.reconcile.base.status import find_condition, shorten
from external_data_operator.reconcile.base.world import Children, Note, format_time
from external_data_operator.reconcile.runs.run import (
    Run,
    RunState,
    find_last_run,
    read_runs,
    recall,
)

HISTORY_MAX = 10
_ERROR_MAX = 500


def read_known_runs(children: Children, task: str, status: RunHistoryStatus) -> list[Run]:
    """The runs, oldest first. A failure whose pod is gone is read from the status."""
    records = {record.job: record for record in status.history}
    return [
        recall(run, record.reason, record.error) if (record := records.get(run.job)) else run
        for run in read_runs(children, task)
    ]


def merge_history(runs: Sequence[Run], status: RunHistoryStatus) -> list[RunRecord]:
    """The last runs, newest first: those of the Jobs, and those of deleted Jobs from the status."""
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
    """The number of failed runs since the last that succeeded."""
    count = 0
    for record in history:
        if record.result != RunState.FAILED:
            break
        count += 1
    return count


def last_success(runs: Sequence[Run]) -> Run | None:
    """The newest run that published."""
    return next((run for run in reversed(runs) if run.state is RunState.SUCCEEDED), None)


def find_blocked_inputs(runs: Sequence[Run], status: RunHistoryStatus) -> str | None:
    """The inputs of the last run, if it failed for good; remembered after its Job is deleted."""
    last = find_last_run(runs)
    if last is None:
        return status.blocked_inputs
    failure = last.failure
    for_good = failure is not None and failure.failure_class is FailureClass.CONFIGURATION
    return last.inputs if for_good else None


def find_reported_until(runs: Sequence[Run], status: RunHistoryStatus) -> str | None:
    """End of the newest run that this look or an earlier one reported."""
    ended = [format_time(run.ended) for run in runs if not run.active]
    return max([*ended, status.reported_until or ""]) or None


def note_runs(runs: Sequence[Run], status: RunHistoryStatus) -> list[Note]:
    """A note for each run that started or ended since the last look."""
    news = (_note_run(run, status) for run in runs if not _was_reported(run, status))
    return [note for note in news if note is not None]


def _note_run(run: Run, status: RunHistoryStatus) -> Note | None:
    if run.active:
        message = f"Job {run.job} started ({run.trigger})."
        return None if run.job == status.active_job else Note("Normal", "SyncStarted", message)
    if run.failure is None:
        return Note("Normal", "Synced", f"Job {run.job}: {say_success(run)}")
    # Its trouble was an event while it was active: the condition has the same message.
    if _is_said(run.failure, status):
        return None
    return Note(
        "Warning", str(run.failure.reason), shorten(f"Job {run.job}: {run.failure.message}")
    )


def _is_said(failure: Failure, status: RunHistoryStatus) -> bool:
    ready = find_condition(status.conditions, ConditionType.READY)
    said = None if ready is None else (ready.status, ready.reason, ready.message)
    return said == ("False", failure.reason, shorten(failure.message))


def _was_reported(run: Run, status: RunHistoryStatus) -> bool:
    """Whether an earlier look saw its end. The history decides between runs of the same second."""
    if run.active:
        return False
    known = any(record.job == run.job for record in status.history)
    return known or format_time(run.ended) < (status.reported_until or "")


def say_success(run: Run) -> str:
    """The result of a run, in a sentence."""
    report = run.report
    if report is None:
        return "The run published its data, but its report is not available."
    said = f"Read {_count(report.rows, 'row')} in {report.seconds:.1f} s"
    notes = "".join(f" {note}" for one in report.tables for note in one.notes)
    tables = [one.table for one in report.tables if one.table is not None]
    if not tables:
        return f"{said}.{notes}"
    rows = _count(sum(table.rows for table in tables), "row")
    if len(tables) > 1:
        return f"{said}; {len(tables)} tables have {rows}.{notes}"
    return f"{said}; the table has {rows} at version {tables[0].version}.{notes}"


def _count(number: int, word: str) -> str:
    return f"{number:,} {word}" if number == 1 else f"{number:,} {word}s"
