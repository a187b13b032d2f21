"""What every task is given and hands back, and how every way in which it can end becomes a report.

A pod and the command line call the same tasks: a task never raises what a report can say.
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
    Report,
    TableReport,
    Task,
)

from sync_runner.errors import RetryableError, RunError
from sync_runner.protocols import Clock, Credentials, Progress, ProgressListener
from sync_runner.transport.clock import SystemClock

_log = logging.getLogger(__name__)
_EXIT_CODES = {
    FailureClass.RETRYABLE: ExitCode.RETRYABLE,
    FailureClass.CONFIGURATION: ExitCode.CONFIGURATION,
    FailureClass.BUG: ExitCode.BUG,
}

IsStopped = Callable[[], bool]
"""Whether the run is to end, or has ended."""


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


@dataclass(frozen=True)
class Done:
    """What a task hands back."""

    report: Report
    discovery: Discovery | None = None
    """What a check found; None where it failed."""


@dataclass(frozen=True)
class Result:
    """What a task that published has to report beside its counts."""

    resumed: bool = False
    tables: list[TableReport] = field(default_factory=list)


def exit_code_of(report: Report) -> ExitCode:
    """What the process ends with."""
    return ExitCode.OK if report.failure is None else _EXIT_CODES[report.failure.failure_class]


def report_on(
    task: Task,
    given: Surroundings,
    progress: Progress,
    work: Callable[[IsStopped], Result | None],
) -> Report:
    """Does the work of a task, and says how that ended."""
    began = given.clock.monotonic()
    over = threading.Event()
    result, failure = None, None
    try:
        result = work(lambda: over.is_set() or given.stop.is_set())
    except RunError as error:
        failure = error.failure()
    except Exception as error:  # noqa: BLE001 - the edge of the runner: what is left becomes a report
        failure = _explain(error)
    finally:
        over.set()
    counts, result = progress.counts, result or Result()
    return Report(
        task=task,
        run_id=given.run_id,
        result="Succeeded" if failure is None else "Failed",
        failure=failure,
        rows=counts.rows,
        pages=counts.pages,
        bytes=counts.bytes,
        seconds=round(given.clock.monotonic() - began, 3),
        resumed=result.resumed,
        tables=result.tables,
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
