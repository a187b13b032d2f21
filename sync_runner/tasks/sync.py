"""A sync: one stream into one table."""

from external_data_operator.api.plan import Limits, Plan, Task

from sync_runner.lake import give_memory_back, open_table
from sync_runner.lake.policy import Policy
from sync_runner.pipeline import Outcome, run_stream
from sync_runner.protocols import Progress
from sync_runner.sources import find_kind
from sync_runner.tasks.destinations import open_destination
from sync_runner.tasks.reporting import Done, IsStopped, Surroundings, report_on

_OWN_BYTES = 192 << 20
"""What a run takes beside the page at hand, measured."""
_PAGE_SHARE = 3
_PAGE_BYTES_MIN = 16 << 20
_PAGE_BYTES_MAX = 1 << 30


def sync(plan: Plan, given: Surroundings) -> Done:
    """One sync. Raises nothing that a report can say."""
    limits = bound_pages(plan.limits, given.memory_bytes)
    plan = plan.model_copy(update={"limits": limits})
    progress = Progress()
    give_memory_back()

    def work(is_stopped: IsStopped) -> Outcome:
        store = open_destination(plan, given.credentials)
        policy = Policy(may_shrink=given.allow_shrink)
        table = open_table(store, plan, given.run_id, given.clock, policy=policy)
        source = find_kind(plan).open(
            plan, credentials=given.credentials, clock=given.clock, is_stopped=is_stopped
        )
        return run_stream(
            source, table, plan, given.clock, progress=progress, listener=given.listener
        )

    return Done(report_on(Task.SYNC, given, progress, work))


def bound_pages(limits: Limits, memory_bytes: int | None) -> Limits:
    """The limits with pages that fit into the memory: the body, its columns, and what Parquet takes
    are there at once. What is refused by its size is said; what the kernel kills is not."""
    if memory_bytes is None:
        return limits
    fit = (memory_bytes - _OWN_BYTES) // _PAGE_SHARE
    return limits.model_copy(update={"page_bytes": min(max(fit, _PAGE_BYTES_MIN), _PAGE_BYTES_MAX)})
