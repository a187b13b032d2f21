"""The inputs and results that all tasks share, and the report of every way in which a task can end.

A pod and the command line call the same tasks, so that errors end in the report and are not raised.
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
from sync_runner.protocols import Clock, Credentials, IsStopped, Progress, ProgressListener
from sync_runner.transport.clock import SystemClock

_log = logging.getLogger(__name__)
_EXIT_CODES = {
    FailureClass.RETRYABLE: ExitCode.RETRYABLE,
    FailureClass.CONFIGURATION: ExitCode.CONFIGURATION,
    FailureClass.BUG: ExitCode.BUG,
}


def ignore(progress: Progress) -> None:
    """Drops the progress."""


@dataclass(frozen=True)
class Surroundings:
    """The inputs of a run besides its plan."""

    credentials: Credentials
    run_id: str
    clock: Clock = field(default_factory=SystemClock)
    listener: ProgressListener = ignore
    stop: threading.Event = field(default_factory=threading.Event)
    """Set it to stop the run; the run ends within seconds, and can be repeated."""
    memory_bytes: int | None = None
    """The limit at which the kernel ends the process; None if unknown."""
    allow_shrink: bool = False
    """Whether a full refresh may leave the table with few rows or none."""


@dataclass(frozen=True)
class Done:
    """The result of a task."""

    report: Report
    discovery: Discovery | None = None
    """The result of a check; None if it failed."""


@dataclass(frozen=True)
class Result:
    """What a task reports besides its counts, if it published."""

    resumed: bool = False
    tables: list[TableReport] = field(default_factory=list)


def exit_code_of(report: Report) -> ExitCode:
    """The exit code of the process."""
    return ExitCode.OK if report.failure is None else _EXIT_CODES[report.failure.failure_class]


def report_on(
    task: Task,
    given: Surroundings,
    progress: Progress,
    work: Callable[[IsStopped], Result | None],
) -> Report:
    """Does the work of a task and reports its end."""
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
    """Memory or disk ran out, or the runner has a bug. A bug's text may contain rows, so that it
    goes with its traceback to the log and nowhere else."""
    if isinstance(error, MemoryError):
        message = "The run needed more memory than is available. Raise its memory limit."
        return RetryableError(Reason.OUT_OF_MEMORY, message).failure()
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        message = "The scratch disk of the run is full."
        return RetryableError(Reason.DISK_FULL, message).failure()
    _log.error("The runner has a bug.", exc_info=error)
    return Failure(
        failure_class=FailureClass.BUG,
        reason=Reason.INTERNAL_ERROR,
        message=(
            f"The runner has a bug ({type(error).__name__}). The log of the run contains the "
            "traceback; please report it."
        ),
    )
