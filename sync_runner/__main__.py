"""Starts a run in a pod: a plan and credentials from files, a report as the termination message.

Only this module reads the environment and ends the process. A bug ends it with a traceback and
Python's own exit code.
"""
# ruff: noqa: E402

import gc

# Imports make hundreds of thousands of objects that stay. Collecting garbage among them would take
# a twentieth of the CPU time of a start.
gc.disable()

import logging
import os
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from external_data_operator.api.handoff import HANDOFF_KEY, Document, Piece, build_pieces
from external_data_operator.api.plan import (
    ALLOW_SHRINK_ENV,
    CONFIG_MAPS_DIR,
    LOG_FORMAT_ENV,
    PLAN_DIR,
    PLAN_KEY,
    RUN_ID_ENV,
    SCHEMA_ENV,
    SECRETS_DIR,
    Plan,
)
from external_data_operator.logs import JsonFormatter, Subject, catch_uncaught, set_up

from sync_runner.pod import (
    MountedCredentials,
    ProgressLog,
    find_memory_limit,
    fit_discovery,
    fit_report,
    render_report,
)
from sync_runner.tasks import Done, Surroundings, exit_code_of, run_task
from sync_runner.transport.clock import SystemClock

gc.freeze()
gc.enable()

FILES_ENV = "EXTERNAL_DATA_FILES_DIR"
"""Folder with `plan`, `secrets` and `config-maps`, instead of those that a pod mounts."""
TERMINATION_LOG_ENV = "TERMINATION_LOG"
"""File of the report, instead of the one that the kubelet reads."""
_TERMINATION_LOG = "/dev/termination-log"

_log = logging.getLogger("sync_runner")


def main() -> int:
    """One run; by the exit code the Job decides whether to retry."""
    _log_about(Subject(run=os.environ.get(RUN_ID_ENV)))
    catch_uncaught()
    plan = Plan.model_validate_json((_find_dir(PLAN_DIR) / PLAN_KEY).read_bytes())
    _log_about(_find_subject(plan))
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    clock = SystemClock()
    given = Surroundings(
        credentials=MountedCredentials(_find_dir(SECRETS_DIR), _find_dir(CONFIG_MAPS_DIR)),
        run_id=os.environ[RUN_ID_ENV],
        clock=clock,
        listener=ProgressLog(clock),
        stop=stop,
        memory_bytes=find_memory_limit(),
        allow_shrink=os.environ.get(ALLOW_SHRINK_ENV) == "true",
    )
    done = run_task(plan, given)
    _tell(done, _find_subject(plan))
    return int(exit_code_of(done.report))


def _log_about(subject: Subject) -> None:
    as_json = os.environ.get(LOG_FORMAT_ENV) != "text"
    set_up(sys.stderr.write, as_json=as_json, subject=subject)


def _find_dir(mounted: str) -> Path:
    """Where a pod mounts a folder, or its namesake below the folder of the environment."""
    files = os.environ.get(FILES_ENV)
    return Path(mounted) if files is None else Path(files) / Path(mounted).name


def _tell(done: Done, subject: Subject) -> None:
    """Writes the termination message, which is the log's last line, too. What does not fit into it
    is written to standard output before."""
    if done.discovery is not None:
        _hand_over(fit_discovery(done.discovery), subject)
    report = done.report
    fitted = fit_report(report)
    if fitted != report:
        content = render_report(report)
        _hand_over(build_pieces(Document.REPORT, content) or [], subject)
    path = Path(os.environ.get(TERMINATION_LOG_ENV, _TERMINATION_LOG))
    path.write_bytes(render_report(fitted))
    said = report.result if report.failure is None else report.failure.message
    fields = fitted.model_dump(mode="json", by_alias=True, exclude_none=True)
    _log.info(said, extra={"fields": fields})


def _hand_over(pieces: Sequence[Piece], subject: Subject) -> None:
    """Lines for the operator, on standard output and in JSON whatever the log's format is."""
    formatter = JsonFormatter(subject)
    for piece in pieces:
        said = f"{piece.document} for the operator, piece {piece.number} of {piece.count}."
        fields = {HANDOFF_KEY: piece.model_dump(mode="json", by_alias=True)}
        record = {"name": _log.name, "levelname": "INFO", "msg": said, "fields": fields}
        sys.stdout.write(formatter.format(logging.makeLogRecord(record)) + "\n")
    sys.stdout.flush()


def _find_subject(plan: Plan) -> Subject:
    run_id = os.environ[RUN_ID_ENV]
    return Subject(plan.namespace, plan.source, os.environ.get(SCHEMA_ENV), run_id)


def _leave(code: int) -> NoReturn:
    """Ends the process at once: all results are in the store, and nothing else (cleanup of
    libraries, a thread that waits for a server) is worth a wait.
    """
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    _leave(main())
