"""Wires a source and a lake into one run, and turns every way in which that can end into a report.

Only here do the rooms of the runner meet. A pod and the command line call the same functions: a
run never raises what a report can say.
"""

import errno
import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from external_data_operator.api.conditions import Reason
from external_data_operator.api.plan import (
    Discovery,
    ExitCode,
    Failure,
    FailureClass,
    Limits,
    Plan,
    Report,
    Task,
)

from sync_runner.checking import discover
from sync_runner.errors import ConfigurationError, RetryableError, RunError
from sync_runner.lake import check_destination, give_memory_back, open_table
from sync_runner.lake.policy import Policy
from sync_runner.lake.schema import describe
from sync_runner.network.failures import ConnectError
from sync_runner.network.hosts import build_rules
from sync_runner.network.sockets import require_all_allowed
from sync_runner.pipeline import Outcome, run_stream
from sync_runner.protocols import Clock, Credentials, Progress, ProgressListener
from sync_runner.sources import find_kind
from sync_runner.storage import ObjectStore, open_store
from sync_runner.transport.clock import SystemClock
from sync_runner.transport.origin import parse_origin

_log = logging.getLogger(__name__)
_OWN_BYTES = 192 << 20
"""What a run takes beside the page at hand, measured."""
_PAGE_SHARE = 3
_PAGE_BYTES_MIN = 16 << 20
_PAGE_BYTES_MAX = 1 << 30
_EXIT_CODES = {
    FailureClass.RETRYABLE: ExitCode.RETRYABLE,
    FailureClass.CONFIGURATION: ExitCode.CONFIGURATION,
    FailureClass.BUG: ExitCode.BUG,
}


def ignore(progress: Progress) -> None:
    """Nobody wants to know how it goes."""


@dataclass(frozen=True)
class Surroundings:
    """What a run is given besides its plan."""

    credentials: Credentials
    run_id: str
    clock: Clock = field(default_factory=SystemClock)
    listener: ProgressListener = ignore
    stop: threading.Event = field(default_factory=threading.Event)
    """Set by whoever wants the run to end; it does so within seconds, and can be repeated."""
    memory_bytes: int | None = None
    """At which the process is killed, where that is known."""
    allow_shrink: bool = False
    """Whether a full refresh may leave the table with few rows or none."""


def bound_pages(limits: Limits, memory_bytes: int | None) -> Limits:
    """The limits with pages that fit into the memory: the body, its columns, and what Parquet takes
    are there at once. What is refused by its size is said; what the kernel kills is not."""
    if memory_bytes is None:
        return limits
    fit = (memory_bytes - _OWN_BYTES) // _PAGE_SHARE
    return limits.model_copy(update={"page_bytes": min(max(fit, _PAGE_BYTES_MIN), _PAGE_BYTES_MAX)})


def run(plan: Plan, given: Surroundings) -> Report:
    """One sync. Raises nothing that a report can say."""
    limits = bound_pages(plan.limits, given.memory_bytes)
    plan = plan.model_copy(update={"limits": limits})
    progress = Progress()
    give_memory_back()

    def work(is_stopped: Callable[[], bool]) -> Outcome:
        store = _open_store(plan, given.credentials)
        policy = Policy(may_shrink=given.allow_shrink)
        table = open_table(store, plan, given.run_id, given.clock, policy=policy)
        source = find_kind(plan).open(
            plan, credentials=given.credentials, clock=given.clock, is_stopped=is_stopped
        )
        return run_stream(
            source, table, plan, given.clock, progress=progress, listener=given.listener
        )

    return _run_reported(Task.SYNC, given, progress, work)


def check(plan: Plan, given: Surroundings) -> tuple[Report, Discovery | None]:
    """One check, and what it found; None where it failed. Raises nothing that a report can say."""
    found: list[Discovery] = []

    def work(is_stopped: Callable[[], bool]) -> None:
        probe = find_kind(plan).probe(
            plan, credentials=given.credentials, clock=given.clock, is_stopped=is_stopped
        )
        discovery = discover(probe.read_samples(), describe)
        check_destination(_open_store(plan, given.credentials))
        found.append(discovery)

    report = _run_reported(Task.CHECK, given, Progress(), work)
    return report, found[0] if found else None


def exit_code_of(report: Report) -> ExitCode:
    """What the process ends with."""
    return ExitCode.OK if report.failure is None else _EXIT_CODES[report.failure.failure_class]


def _run_reported(
    task: Task,
    given: Surroundings,
    progress: Progress,
    work: Callable[[Callable[[], bool]], Outcome | None],
) -> Report:
    began = given.clock.monotonic()
    over = threading.Event()
    outcome, failure = None, None
    try:
        outcome = work(lambda: over.is_set() or given.stop.is_set())
    except RunError as error:
        failure = error.failure()
    except Exception as error:  # noqa: BLE001 - the edge of the runner: what is left becomes a report
        failure = _explain(error)
    finally:
        over.set()
    return _build_report(
        Report(
            task=task,
            run_id=given.run_id,
            result="Succeeded" if failure is None else "Failed",
            failure=failure,
            rows=progress.rows,
            pages=progress.pages,
            bytes=progress.bytes,
            notes=progress.notes,
            seconds=round(given.clock.monotonic() - began, 3),
        ),
        outcome,
    )


def _build_report(report: Report, outcome: Outcome | None) -> Report:
    if outcome is None:
        return report
    return report.model_copy(
        update={
            "rows": outcome.rows,
            "pages": outcome.pages,
            "bytes": outcome.bytes,
            "resumed": outcome.resumed,
            "table": outcome.table,
            "cursor": outcome.cursor,
            "columns": outcome.columns,
        }
    )


def _explain(error: Exception) -> Failure:
    """What the machine ran out of, or a bug of ours: its traceback goes to the log, its text
    nowhere else."""
    if isinstance(error, MemoryError):
        message = "the run needed more memory than there is"
        return RetryableError(Reason.OUT_OF_MEMORY, message).failure()
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return RetryableError(Reason.DISK_FULL, "the scratch space is full").failure()
    _log.error("a bug in the runner", exc_info=error)
    return Failure(
        failure_class=FailureClass.BUG,
        reason=Reason.INTERNAL_ERROR,
        message=f"a bug in the runner ({type(error).__name__}); the pod's log holds the traceback",
    )


def _open_store(plan: Plan, credentials: Credentials) -> ObjectStore:
    """The table's folder; a user's own endpoint is held against the host rules before it is
    used."""
    target = plan.target
    if target.s3 is not None and target.s3.endpoint and not target.trusted:
        _require_endpoint_allowed(target.s3.endpoint, plan)
    return open_store(target, credentials)


def _require_endpoint_allowed(endpoint: str, plan: Plan) -> None:
    try:
        rules = build_rules(plan.network.private_cidrs)
        require_all_allowed(parse_origin(endpoint).endpoint, rules)
    except ValueError as error:
        message = f"destination.s3.endpoint: {error}"
        raise ConfigurationError(Reason.INVALID_DESTINATION, message) from error
    except ConnectError as error:
        message = f"destination.s3.endpoint: {error}"
        if plan.task is Task.CHECK:
            raise ConfigurationError(Reason.INVALID_DESTINATION, message) from error
        raise RetryableError(Reason.STORAGE_UNAVAILABLE, message) from error
    except ConfigurationError as error:
        message = f"destination.s3.endpoint: {error}"
        raise ConfigurationError(error.reason, message) from error
