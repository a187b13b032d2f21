"""Stages of a source's life that several tests start from."""

from dataclasses import replace

from external_data_operator.api.handoff import Document
from external_data_operator.api.plan import (
    DiscoveredStream,
    Discovery,
    Failure,
    FailureClass,
    Report,
    Task,
)
from external_data_operator.reconcile.sources.decide import decide_source

from tests.unit.reconcile.worlds import (
    NOW,
    SETTINGS,
    end_job,
    log_of,
    newest_job,
    observe_source,
    seen,
    step,
)

FOUND = Discovery(streams=[DiscoveredStream(name="orders")])


def look(world, now=NOW, settings=SETTINGS):
    decision = decide_source(seen(world), settings, now)
    return decision, step(world, decision, now)


def report(reason=None, failure_class=FailureClass.CONFIGURATION, message="It says no."):
    if reason is None:
        return Report(task=Task.CHECK, run_id="", result="Succeeded")
    failure = Failure(failure_class=failure_class, reason=reason, message=message)
    return Report(task=Task.CHECK, run_id="", result="Failed", failure=failure)


def checked(world=None, found=FOUND, now=NOW):
    """A source after a check that succeeded."""
    _, world = look(world or observe_source(), now)
    children = end_job(world.children, at=now, report=report())
    logs = log_of(newest_job(children), Document.DISCOVERY, found)
    world = replace(world, children=children, logs=logs)
    _, world = look(world, now)
    return replace(world, logs={})
