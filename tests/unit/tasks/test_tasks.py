"""Every way in which a run can end becomes a report, and a report an exit code."""

import errno
import logging
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from external_data_operator.api.conditions import Reason
from external_data_operator.api.plan import (
    ExitCode,
    Failure,
    FailureClass,
    Limits,
    Plan,
    Report,
    Task,
)

from sync_runner import errors
from sync_runner.errors import ConfigurationError, RetryableError, SupersededError
from sync_runner.protocols import Progress
from sync_runner.tasks import TASKS, Done, Surroundings, exit_code_of, run_task
from sync_runner.tasks.sync import bound_pages
from tests.clocks import JumpingClock
from tests.contract.rest_reading import GivenCredentials, in_folder, make_plan, write_to
from tests.servers.replies import Reply
from tests.servers.rest import RestServer, running_rest
from tests.servers.tables import Table, make_rows


@pytest.fixture
def server() -> Iterator[RestServer]:
    with running_rest() as server:
        server.on("/orders", Table(make_rows(10), "single"))
        yield server


@pytest.fixture
def plan(server: RestServer, tmp_path: Path) -> Plan:
    return write_to(make_plan(server, {}), in_folder(tmp_path, "a/orders"))


def _given(**changes: Any) -> Surroundings:
    given = Surroundings(GivenCredentials(), run_id="run-1", clock=JumpingClock())
    return replace(given, **changes)


def _fail_with(error: BaseException) -> Surroundings:
    def listen(progress: Progress) -> None:
        if progress.counts.rows:
            raise error

    return _given(listener=listen)


ENDS: list[tuple[BaseException, FailureClass, Reason]] = [
    (RetryableError(Reason.RATE_LIMITED, "m"), FailureClass.RETRYABLE, Reason.RATE_LIMITED),
    (ConfigurationError(Reason.INVALID_SPEC, "m"), FailureClass.CONFIGURATION, Reason.INVALID_SPEC),
    (SupersededError("m"), FailureClass.RETRYABLE, Reason.SUPERSEDED),
    (MemoryError(), FailureClass.RETRYABLE, Reason.OUT_OF_MEMORY),
    (OSError(errno.ENOSPC, "No space"), FailureClass.RETRYABLE, Reason.DISK_FULL),
    (OSError(errno.EIO, "path-secret"), FailureClass.BUG, Reason.INTERNAL_ERROR),
    (KeyError("value-secret"), FailureClass.BUG, Reason.INTERNAL_ERROR),
]


@pytest.mark.parametrize(("error", "kind", "reason"), ENDS, ids=lambda value: repr(value)[:30])
def test_an_error_anywhere_becomes_a_report_with_what_was_read(
    plan: Plan,
    error: BaseException,
    kind: FailureClass,
    reason: Reason,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.ERROR):
        report = run_task(plan, _fail_with(error)).report
    assert report.failure is not None
    assert (report.failure.failure_class, report.failure.reason) == (kind, reason)
    assert (report.result, report.rows, report.pages) == ("Failed", 10, 1)
    assert "secret" not in report.failure.message
    assert ("Traceback" in caplog.text) is (kind is FailureClass.BUG)


def test_what_a_person_interrupts_is_not_a_report(plan: Plan) -> None:
    with pytest.raises(KeyboardInterrupt):
        run_task(plan, _fail_with(KeyboardInterrupt()))


def test_a_run_that_succeeds_reports_the_table(plan: Plan, tmp_path: Path) -> None:
    report = run_task(plan, _given()).report
    assert report.failure is None
    (told,) = report.tables
    assert told.table is not None
    assert (told.table.uri, told.table.rows) == (f"file://{tmp_path}/a/orders", 10)
    assert told.columns is not None
    assert [column.name for column in told.columns][:2] == ["id", "name"]


def test_every_class_of_failure_has_an_exit_code() -> None:
    codes = {}
    for kind in FailureClass:
        failure = Failure(failure_class=kind, reason=Reason.INTERNAL_ERROR, message="")
        report = Report(task=Task.SYNC, run_id="r", result="Failed", failure=failure)
        codes[kind] = exit_code_of(report)
    assert codes == {
        FailureClass.RETRYABLE: ExitCode.RETRYABLE,
        FailureClass.CONFIGURATION: ExitCode.CONFIGURATION,
        FailureClass.BUG: ExitCode.BUG,
    }
    assert exit_code_of(Report(task=Task.SYNC, run_id="r", result="Succeeded")) == ExitCode.OK


def test_every_error_of_the_runner_says_the_exit_code_of_its_class() -> None:
    for error in vars(errors).values():
        if isinstance(error, type) and issubclass(error, errors.RunError):
            failure = Failure(
                failure_class=error.failure_class, reason=Reason.INTERNAL_ERROR, message=""
            )
            report = Report(task=Task.SYNC, run_id="r", result="Failed", failure=failure)
            assert exit_code_of(report) == error.exit_code


@pytest.mark.parametrize(
    ("memory_mib", "page_mib"), [(None, 256), (256, 21), (512, 106), (1024, 277), (64, 16)]
)
def test_a_page_may_take_what_the_memory_limit_leaves(
    memory_mib: int | None, page_mib: int
) -> None:
    memory_bytes = None if memory_mib is None else memory_mib << 20
    assert bound_pages(Limits(), memory_bytes).page_bytes >> 20 == page_mib


def test_a_page_that_does_not_fit_into_the_memory_is_refused_by_its_size(
    server: RestServer, plan: Plan
) -> None:
    server.on("/orders", Reply(body=b'{"data": [' + b" " * (17 << 20) + b"]}"))
    report = run_task(plan, _given(memory_bytes=128 << 20)).report
    assert report.failure is not None
    assert report.failure.reason is Reason.LIMIT_EXCEEDED
    assert "larger than 16 MiB" in report.failure.message
    assert "runtime.resources.limits.memory" in report.failure.message
    assert run_task(plan, _given(run_id="run-2")).report.failure is None


def test_every_task_has_its_file() -> None:
    assert set(TASKS) == set(Task)


def test_a_new_task_is_one_line_of_the_table(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    def count(_: Plan, given: Surroundings) -> Done:
        return Done(Report(task=Task.CHECK, run_id=given.run_id, result="Succeeded", rows=7))

    monkeypatch.setitem(TASKS, "Count", count)  # type: ignore[arg-type]
    counted = plan.model_copy(update={"task": "Count"})
    assert run_task(counted, _given()).report.rows == 7


def test_tasks_load_no_kind_of_source_before_a_plan_names_one() -> None:
    code = (
        "import sys, sync_runner.tasks, external_data_operator.api.sources as api;"
        "loaded = [key for key in api.SOURCES if f'sync_runner.sources.{key}' in sys.modules];"
        "sys.exit(f'loaded: {loaded}' if loaded else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
