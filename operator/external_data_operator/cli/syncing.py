"""`external-data run`: one sync after another in this process, each with the plan that a pod would
get."""

import signal
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from external_data_operator.api.plan import Plan, Report
from external_data_operator.cli.asking import find_streams
from external_data_operator.cli.display import Display, drop_empty, worst
from external_data_operator.cli.exits import CommandError, Exit
from external_data_operator.cli.planning import build_sync_plans
from external_data_operator.cli.session import Session
from sync_runner.protocols import Progress
from sync_runner.tasks import Surroundings, exit_code_of, run_task

_HEAD = ("TABLE", "ROWS", "READ", "PAGES", "SECONDS", "RESULT", "ADDRESS")


def run_syncs(session: Session) -> Exit:
    """Syncs every table that was asked for; one that fails does not keep the next from being
    tried."""
    known, failed = find_streams(session)
    plans = build_sync_plans(session.manifests, session.wishes, known)
    if not plans and not failed:
        raise CommandError("no stream is to be synced; name one with --stream", Exit.USAGE)
    done: list[tuple[Plan, Report]] = []
    with stopped_by_signals() as stop:
        for plan in plans:
            done.append((plan, _sync(session, plan, stop)))
            if stop.is_set():
                raise KeyboardInterrupt
    session.display.print_table(_HEAD, [_build_row(plan, report) for plan, report in done])
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


def _sync(session: Session, plan: Plan, stop: threading.Event) -> Report:
    assert plan.sync is not None, "the plan is one of a sync"
    stream, display = plan.sync.stream, session.display
    line = display.follow(stream)

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
        _tell(display, plan, stream, report)
    return report


def _tell(display: Display, plan: Plan, stream: str, report: Report) -> None:
    if report.failure is not None:
        display.fail(stream, report.failure)
    else:
        display.say(event="synced", source=plan.source, stream=stream, **_summarise(report))
        for note in report.notes:
            display.note(f"{stream}: {note}")


def _summarise(report: Report) -> dict[str, Any]:
    said = report.model_dump(mode="json", by_alias=True, exclude={"task", "run_id", "result"})
    return drop_empty(said)


def _build_row(plan: Plan, report: Report) -> list[Any]:
    table, failure = report.table, report.failure
    assert plan.sync is not None, "the plan is one of a sync"
    return [
        plan.sync.stream,
        table.rows if table is not None else 0,
        report.rows,
        report.pages,
        report.seconds,
        report.result if failure is None else failure.reason,
        _say_address(plan, report),
    ]


def _say_address(plan: Plan, report: Report) -> str:
    if report.failure is not None:
        return ""
    return plan.target.uri if report.table is not None else "(no rows, so no table yet)"
