"""`external-data run`: one sync after another in this process, each with the plan that a pod would
get."""

import signal
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from external_data_operator.api.plan import Plan, Report, TablePlan, TableReport
from external_data_operator.cli.asking import find_streams
from external_data_operator.cli.display import Display, drop_empty, worst
from external_data_operator.cli.exits import CommandError, Exit
from external_data_operator.cli.planning import build_sync_plans
from external_data_operator.cli.session import CommandSession
from sync_runner.protocols import Progress
from sync_runner.tasks import Surroundings, exit_code_of, run_task

_HEAD = ("TABLE", "ROWS", "READ", "PAGES", "SECONDS", "RESULT", "ADDRESS")


def run_syncs(session: CommandSession) -> Exit:
    """Syncs every selected table. A failure does not prevent the next sync."""
    known, failed = find_streams(session)
    plans = build_sync_plans(session.manifests, session.wishes, known)
    if not plans and not failed:
        raise CommandError("no stream is enabled; name one with --stream", Exit.USAGE)
    done: list[tuple[Plan, Report]] = []
    with stopped_by_signals() as stop:
        for plan in plans:
            done.append((plan, _sync(session, plan, stop)))
            if stop.is_set():
                raise KeyboardInterrupt
    rows = [row for plan, report in done for row in _build_rows(plan, report)]
    session.display.print_table(_HEAD, rows)
    return worst([*failed, *(Exit(exit_code_of(report)) for _, report in done)])


@contextmanager
def stopped_by_signals() -> Iterator[threading.Event]:
    """An event that the first SIGINT or SIGTERM sets, for an orderly end; the second one ends at
    once."""
    stop = threading.Event()
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def on_signal(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()

    for number in before:
        signal.signal(number, on_signal)
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _sync(session: CommandSession, plan: Plan, stop: threading.Event) -> Report:
    display = session.display
    line = display.follow(_name(plan))

    def listen(progress: Progress) -> None:
        counts = progress.counts
        line.show(pages=counts.pages, rows=counts.rows, phase=progress.phase)

    given = Surroundings(
        credentials=session.credentials_of(plan),
        run_id=f"local-{uuid.uuid4()}",
        listener=listen,
        stop=stop,
        allow_shrink=session.allow_shrink,
    )
    report = run_task(plan, given).report
    line.end()
    if not stop.is_set():
        _tell(display, plan, report)
    return report


def _name(plan: Plan) -> str:
    """What a run is called: its stream, or the source whose feed it reads."""
    return plan.only.sync.stream if len(plan.tables) == 1 else plan.source


def _tell(display: Display, plan: Plan, report: Report) -> None:
    if report.failure is not None:
        display.fail(_name(plan), report.failure)
        return
    for told in report.tables:
        said = _summarise(report, told)
        display.say(event="synced", source=plan.source, stream=told.stream, **said)
        for note in told.notes:
            display.note(f"{told.stream}: {note}")


def _summarise(report: Report, told: TableReport) -> dict[str, Any]:
    of_run = {"task", "run_id", "result", "tables"}
    said = report.model_dump(mode="json", by_alias=True, exclude=of_run)
    return drop_empty(said | told.model_dump(mode="json", by_alias=True, exclude={"stream"}))


def _build_rows(plan: Plan, report: Report) -> list[list[Any]]:
    """A line for each table; a run that failed knows what it has read, but not for which."""
    unknown = TableReport(rows=report.rows if len(plan.tables) == 1 else 0)
    rows = []
    for one in plan.tables:
        told = report.find_table(one.sync.stream) or unknown
        rows.append(
            [
                one.sync.stream,
                0 if told.table is None else told.table.rows,
                told.rows,
                report.pages,
                report.seconds,
                report.result if report.failure is None else report.failure.reason,
                _say_address(one, told, report),
            ]
        )
    return rows


def _say_address(plan: TablePlan, told: TableReport, report: Report) -> str:
    if report.failure is not None:
        return ""
    return plan.target.uri if told.table is not None else "(no rows, so no table yet)"
