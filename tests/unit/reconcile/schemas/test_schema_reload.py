"""A person asks for a run of a schema, or of all schemas of a source."""

from dataclasses import replace

from external_data_operator.api.actions import ACTIONS

from tests.unit.reconcile.schemas.schema_life import ended, look, success, synced, trigger_of
from tests.unit.reconcile.worlds import (
    build_schema,
    created_jobs,
    later,
    observe_schema,
    with_annotation,
)


def test_a_reload_runs_once_per_token():
    world = synced()
    asked = replace(world, schema=with_annotation(world.schema, ACTIONS["reload"].annotation, "t1"))
    decision, world = look(asked)
    assert [trigger_of(job) for job in created_jobs(decision)] == ["Request"]
    assert decision.status["handledRequests"] == {"reload": "t1"}
    world = ended(world, success(), at=later(minutes=1))
    decision, world = look(world, later(minutes=1))
    assert created_jobs(decision) == []
    again = replace(world, schema=with_annotation(world.schema, ACTIONS["reload"].annotation, "t2"))
    decision, _ = look(again, later(minutes=1))
    assert len(created_jobs(decision)) == 1


def test_a_reload_finds_its_own_job_again_after_a_crash_before_the_status_was_written():
    world = synced()
    asked = replace(world, schema=with_annotation(world.schema, ACTIONS["reload"].annotation, "t1"))
    decision, after = look(asked)
    crashed = replace(after, schema=asked.schema)
    world = ended(crashed, success(), at=later(minutes=1))
    decision, _ = look(world, later(minutes=1))
    assert created_jobs(decision) == []
    assert decision.status["handledRequests"] == {"reload": "t1"}


def test_a_reload_waits_for_the_run_under_way():
    _, world = look(observe_schema())
    asked = replace(world, schema=with_annotation(world.schema, ACTIONS["reload"].annotation, "t1"))
    decision, world = look(asked)
    assert created_jobs(decision) == []
    assert "handledRequests" not in decision.status
    decision, _ = look(ended(world, success()))
    assert [trigger_of(job) for job in created_jobs(decision)] == ["Request"]


def test_a_sources_reload_reaches_each_schema_that_is_synced():
    world = synced()
    asked = replace(
        world, source=with_annotation(world.source, ACTIONS["reload"].annotation, "all-1")
    )
    decision, world = look(asked)
    assert len(created_jobs(decision)) == 1
    assert decision.status["handledRequests"] == {"source-reload": "all-1"}
    off = observe_schema(build_schema(shouldSync=False), source=asked.source)
    decision, _ = look(off)
    assert created_jobs(decision) == []


def test_a_reload_of_a_new_schema_is_its_first_run():
    schema = with_annotation(build_schema(), ACTIONS["reload"].annotation, "t1")
    decision, _ = look(observe_schema(schema))
    assert [trigger_of(job) for job in created_jobs(decision)] == ["Request"]
