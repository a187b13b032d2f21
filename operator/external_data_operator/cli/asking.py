"""Checks for the commands: whether a source accepts the credentials, and which streams it has."""

import uuid
from collections.abc import Iterator

from external_data_operator.api.plan import Discovery, Plan, Report
from external_data_operator.cli.exits import Exit
from external_data_operator.cli.planning import (
    Known,
    build_check_plans,
    build_source_plan,
    refuse_unknown,
)
from external_data_operator.cli.session import CommandSession
from external_data_operator.reconcile.plans.catalogue import Findings, Fresh
from external_data_operator.reconcile.plans.streams import list_streams
from sync_runner.tasks import Surroundings, exit_code_of, run_task


def ask_all(session: CommandSession) -> Iterator[tuple[Plan, Exit, Discovery | None]]:
    """One check after another: how it ended, and what it found of the streams that were asked for.
    Raises CommandError, at the end, for a stream that no source has."""
    known: dict[tuple[str, str], Findings] = {}
    for plan in build_check_plans(session.manifests, session.wishes):
        report, discovery = _ask(session, plan)
        if discovery is not None:
            known[plan.namespace, plan.source] = Fresh(discovery)
            wanted = [one for one in discovery.streams if session.wishes.wants(one.name)]
            discovery = discovery.model_copy(update={"streams": wanted})
        yield plan, _conclude(session, plan, report), discovery
    refuse_unknown(session.manifests, session.wishes, known)


def find_streams(session: CommandSession) -> tuple[Known, list[Exit]]:
    """The streams of the sources whose spec does not declare them, and how those checks ended that
    failed. Raises CommandError for a stream that no source has."""
    known: dict[tuple[str, str], Findings] = {}
    failed = []
    for source in session.manifests.sources:
        if list_streams(source.spec, None) is not None:
            continue
        plan = build_source_plan(source, session.wishes)
        assert plan is not None, "a source that declares no stream stays whole"
        report, discovery = _ask(session, plan)
        if discovery is not None:
            known[source.key] = Fresh(discovery)
        else:
            failed.append(_conclude(session, plan, report))
    refuse_unknown(session.manifests, session.wishes, known)
    return known, failed


def _ask(session: CommandSession, plan: Plan) -> tuple[Report, Discovery | None]:
    given = Surroundings(credentials=session.credentials_of(plan), run_id=f"local-{uuid.uuid4()}")
    done = run_task(plan, given)
    return done.report, done.discovery


def _conclude(session: CommandSession, plan: Plan, report: Report) -> Exit:
    """Prints the failure of a check, if any."""
    if report.failure is not None:
        session.display.fail(plan.source, report.failure)
    return Exit(exit_code_of(report))
