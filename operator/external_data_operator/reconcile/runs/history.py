"""What runs leave behind in a status: the history, what is blocked, and the events that report
them.

Jobs go after a day; the status remembers. So each look adds what the Jobs say to what the status
said before.
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
    """The runs, oldest first; what the pods no longer say of a failure is in the status."""
    records = {record.job: record for record in status.history}
    return [
        recall(run, record.reason, record.error) if (record := records.get(run.job)) else run
        for run in read_runs(children, task)
    ]


def merge_history(runs: Sequence[Run], status: RunHistoryStatus) -> list[RunRecord]:
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


def find_blocked_inputs(runs: Sequence[Run], status: RunHistoryStatus) -> str | None:
    """What the last run worked from, if it failed for good; remembered once its Job is gone."""
    last = find_last_run(runs)
    if last is None:
        return status.blocked_inputs
    failure = last.failure
    for_good = failure is not None and failure.failure_class is FailureClass.CONFIGURATION
    return last.inputs if for_good else None


def find_reported_until(runs: Sequence[Run], status: RunHistoryStatus) -> str | None:
    """When the newest run ended that this look reports, or that an earlier one did."""
    ended = [format_time(run.ended) for run in runs if not run.active]
    return max([*ended, status.reported_until or ""]) or None


def note_runs(runs: Sequence[Run], status: RunHistoryStatus) -> list[Note]:
    """A note for each run that began or ended since the last look."""
    news = (_note_run(run, status) for run in runs if not _was_reported(run, status))
    return [note for note in news if note is not None]


def _note_run(run: Run, status: RunHistoryStatus) -> Note | None:
    if run.active:
        message = f"Job {run.job} started ({run.trigger})."
        return None if run.job == status.active_job else Note("Normal", "SyncStarted", message)
    if run.failure is None:
        return Note("Normal", "Synced", f"Job {run.job}: {say_success(run)}")
    # While it was active its trouble was an event already: the condition holds the same words.
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
    """Whether an earlier look saw how it ended; of those of one second the history knows which."""
    if run.active:
        return False
    known = any(record.job == run.job for record in status.history)
    return known or format_time(run.ended) < (status.reported_until or "")


def say_success(run: Run) -> str:
    """What a run published, in a sentence."""
    report = run.report
    if report is None:
        return "The run published its data; its report is lost."
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
