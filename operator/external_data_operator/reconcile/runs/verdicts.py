"""From an object's runs to the verdict that becomes Ready, Stalled and Reconciling.

Ready describes the last run that ended. An active run changes it only if the run is stuck, or if
no run has succeeded yet.
"""

from collections.abc import Sequence

from external_data_operator.api.conditions import ATTENTION, ConditionType, Reason
from external_data_operator.api.status import Phase, RunHistoryStatus
from external_data_operator.reconcile.base.status import Verdict, find_condition
from external_data_operator.reconcile.runs.history import say_success
from external_data_operator.reconcile.runs.run import Run, RunState, find_active, find_last_run


def judge_runs(
    runs: Sequence[Run], status: RunHistoryStatus, *, over: bool = False
) -> Verdict | None:
    """The verdict of the runs; None before the first run ended or got stuck. `over`: no run follows
    by itself."""
    active, last = find_active(runs), find_last_run(runs)
    if active is not None and active.trouble is not None and _outweighs(active, last):
        trouble = active.trouble
        say = None if trouble.stalled else "A run is in progress."
        return Verdict("False", trouble.reason, trouble.message, trouble.stalled, say)
    under_way = None if active is None else "A run is in progress."
    if last is None:
        return _remembered(status, over=over, under_way=under_way)
    if last.failure is None:
        return Verdict("True", Reason.SYNCED, _say_synced(last, status))
    if over:
        return Verdict("False", last.failure.reason, last.failure.message, stalled=True)
    say = under_way or "The next run retries."
    return Verdict("False", last.failure.reason, last.failure.message, reconciling=say)


def _say_synced(last: Run, status: RunHistoryStatus) -> str:
    """The report of the run. After its pod is deleted, the message stays as it was."""
    before = find_condition(status.conditions, ConditionType.READY)
    told = any(record.job == last.job for record in status.history[:1])
    if not last.witnessed and told and before is not None and before.reason == Reason.SYNCED:
        return before.message
    return say_success(last)


def _outweighs(active: Run, last: Run | None) -> bool:
    """A retried attempt does not change Ready if the last run succeeded. A pod that cannot start
    does, if a person should look."""
    trouble = active.trouble
    if trouble is None:
        return False
    is_news = trouble.stalled or (active.stuck and trouble.reason in ATTENTION)
    return is_news or last is None or last.state is not RunState.SUCCEEDED


def _remembered(status: RunHistoryStatus, *, over: bool, under_way: str | None) -> Verdict | None:
    """The verdict of the last run in the history, after the Jobs are deleted."""
    before = find_condition(status.conditions, ConditionType.READY)
    history = status.history
    if not history or before is None:
        return None
    record = history[0]
    if record.result == RunState.SUCCEEDED:
        message = before.message if before.status == "True" else "The last run published its data."
        return Verdict("True", Reason.SYNCED, message)
    reason = Reason(record.reason) if record.reason in set(Reason) else Reason.INTERNAL_ERROR
    say = None if over else under_way or "The next run retries."
    return Verdict("False", reason, record.error or "", stalled=over, reconciling=say)


def judge_before(*, running: bool, scheduling: bool) -> Verdict:
    """Before any run has ended."""
    if running:
        say = "The first run is in progress."
        return Verdict("Unknown", Reason.PROGRESSING, say, reconciling=say)
    if not scheduling:
        message = (
            "The table is not synced, because shouldSync, suspend of the source or syncFrequency "
            "turns scheduling off."
        )
        return Verdict("True", Reason.SUSPENDED, message)
    return Verdict(
        "Unknown",
        Reason.NEVER_SYNCED,
        "No run has finished yet.",
        reconciling="Waiting for the first run to finish.",
    )


def find_phase(*, running: bool, paused: bool, failed: bool, verdict: Verdict) -> Phase | None:
    """Running, else Paused, else by the last run; None before the first run."""
    if running:
        return Phase.RUNNING
    if paused:
        return Phase.PAUSED
    if verdict.ready == "True":
        return Phase.COMPLETED
    return Phase.FAILED if failed else None
