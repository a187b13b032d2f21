"""A sync: one stream of the source into one table, or one feed of it into many."""

from external_data_operator.api.plan import Limits, Plan, TablePlan, TableReport, Task

from sync_runner.lake import give_memory_back, open_table
from sync_runner.lake.policy import Policy
from sync_runner.lake.table import LakeTable
from sync_runner.pipeline import Outcome, TableOutcome, run_feed, run_stream
from sync_runner.protocols import Feed, IsStopped, Progress, Source
from sync_runner.sources import find_kind
from sync_runner.tasks.destinations import open_destination
from sync_runner.tasks.reporting import Done, Result, Surroundings, report_on

_OWN_BYTES = 192 << 20
"""Memory of a run without its current page, measured."""
_PAGE_SHARE = 3
_PAGE_BYTES_MIN = 16 << 20
_PAGE_BYTES_MAX = 1 << 30


def sync(plan: Plan, given: Surroundings) -> Done:
    """One sync. Errors become the report's failure."""
    limits = bound_pages(plan.limits, given.memory_bytes)
    plan = plan.model_copy(update={"limits": limits})
    progress = Progress()
    give_memory_back()

    def work(is_stopped: IsStopped) -> Result:
        kind = find_kind(plan)
        session = {"credentials": given.credentials, "clock": given.clock, "is_stopped": is_stopped}
        # A log that fills several tables is read once, and confirmed once all of them have it.
        feed = kind.feed(plan, **session)
        if feed is not None:
            return _read_feed(feed, plan, given, progress)
        return _read_stream(kind.open(plan, **session), plan, given, progress)

    return Done(report_on(Task.SYNC, given, progress, work))


def _read_stream(source: Source, plan: Plan, given: Surroundings, progress: Progress) -> Result:
    outcome = run_stream(
        source,
        _open_table(plan, plan.only, given),
        plan.limits,
        given.clock,
        progress=progress,
        listener=given.listener,
    )
    report = _report_stream(plan.only.sync.stream, outcome, progress)
    return Result(outcome.resumed, [report])


def _read_feed(feed: Feed, plan: Plan, given: Surroundings, progress: Progress) -> Result:
    tables = {one.sync.stream: _open_table(plan, one, given) for one in plan.tables}
    outcome = run_feed(
        feed, tables, plan.limits, given.clock, progress=progress, listener=given.listener
    )
    reports = [_report_table(stream, one) for stream, one in outcome.tables.items()]
    return Result(outcome.resumed, reports)


def _open_table(plan: Plan, table: TablePlan, given: Surroundings) -> LakeTable:
    store = open_destination(plan, table.target, given.credentials)
    policy = Policy(may_shrink=given.allow_shrink)
    return open_table(store, plan.narrow(table), given.run_id, given.clock, policy=policy)


def _report_stream(stream: str, outcome: Outcome, progress: Progress) -> TableReport:
    return TableReport(
        stream=stream,
        rows=outcome.counts.rows,
        table=outcome.table,
        cursor=outcome.cursor,
        notes=progress.notes,
        columns=outcome.columns,
    )


def _report_table(stream: str, outcome: TableOutcome) -> TableReport:
    published = outcome.published
    return TableReport(
        stream=stream,
        rows=outcome.rows,
        table=published.table,
        cursor=None if published.position is None else published.position.value,
        notes=list(outcome.notes),
        columns=list(published.columns),
    )


def bound_pages(limits: Limits, memory_bytes: int | None) -> Limits:
    """The limits with pages that fit into the memory, which holds the body, its columns and the
    Parquet encoder's buffers at once. A page that is refused by its size gets a message; a process
    that the kernel kills does not."""
    if memory_bytes is None:
        return limits
    fit = (memory_bytes - _OWN_BYTES) // _PAGE_SHARE
    return limits.model_copy(update={"page_bytes": min(max(fit, _PAGE_BYTES_MIN), _PAGE_BYTES_MAX)})
