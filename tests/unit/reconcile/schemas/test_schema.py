"""A schema from its first look to its history, one decision at a time."""

import copy
import json
from dataclasses import replace

import pytest
from external_data_operator.api.actions import ACTIONS

from tests.unit.reconcile.schemas.schema_life import (
    cron_of,
    ended,
    look,
    success,
    synced,
    trigger_of,
)
from tests.unit.reconcile.worlds import (
    applied,
    build_schema,
    build_source,
    condition,
    created_jobs,
    later,
    make_ready,
    observe_schema,
    ready_of,
    with_annotation,
)


def test_a_new_schema_gets_a_plan_a_schedule_and_its_first_run_at_once():
    decision, _ = look(observe_schema())
    (job,) = created_jobs(decision)
    assert trigger_of(job) == "Initial"
    assert cron_of(decision)["suspend"] is False
    (plan_map,) = applied(decision, "ConfigMap")
    plan = json.loads(plan_map["data"]["plan.json"])
    (table,) = plan["tables"]
    assert table["sync"] == {
        "stream": "orders",
        "syncType": "FullRefresh",
        "lookbackSeconds": 0,
        "primaryKeyColumns": [],
    }
    assert table["target"]["path"] == "team/orders"
    assert ready_of(decision) == ("Unknown", "Progressing", False)
    assert decision.status["phase"] == "Running"
    assert decision.status["activeJob"] == job["metadata"]["name"]
    assert decision.status["nextSyncAt"] > "2026-03-04T10"


def test_the_first_run_is_made_once_however_often_one_looks():
    _, world = look(observe_schema())
    for minutes in (0, 1, 60):
        decision, world = look(world, later(minutes=minutes))
        assert created_jobs(decision) == []
    assert len(world.children.jobs) == 1


def test_a_run_that_published_is_told_in_full():
    _, world = look(observe_schema())
    decision, _ = look(ended(world, success(cursor="2026-01-01"), at=later(seconds=9)))
    status = decision.status
    assert ready_of(decision) == ("True", "Synced", False)
    assert status["phase"] == "Completed"
    assert status["lastSyncedAt"] == "2026-03-04T10:00:09Z"
    assert status["table"]["rows"] == 120
    assert status["availableColumns"] == [{"name": "id", "dataType": "long", "nullable": True}]
    assert status["cursor"] == "2026-01-01"
    assert "activeJob" not in status
    (record,) = status["history"]
    assert (record["result"], record["trigger"], record["rows"]) == ("Succeeded", "Initial", 120)
    assert [note.reason for note in decision.notes] == ["Synced"]


def test_nothing_is_written_when_nothing_happened():
    world = synced()
    first, world = look(world, later(minutes=1))
    second, _ = look(world, later(minutes=2))
    assert first.status == second.status == world.schema["status"]
    assert second.notes == ()


@pytest.mark.parametrize(
    ("spec", "source_spec"),
    [({"shouldSync": False}, {}), ({"syncFrequency": "never"}, {}), ({}, {"suspend": True})],
    ids=["shouldSync is false", "the frequency is never", "the source is suspended"],
)
def test_what_is_not_to_be_synced_has_a_suspended_schedule_and_no_first_run(spec, source_spec):
    source = make_ready(build_source(**source_spec))
    decision, world = look(observe_schema(build_schema(**spec), source=source))
    assert created_jobs(decision) == []
    assert cron_of(decision)["suspend"] is True
    assert decision.status["phase"] == "Paused"
    assert ready_of(decision) == ("True", "Suspended", False)
    asked = replace(
        world, schema=with_annotation(world.schema, ACTIONS["reload"].annotation, "now")
    )
    decision, _ = look(asked)
    assert [trigger_of(job) for job in created_jobs(decision)] == ["Request"]


def test_a_stream_that_has_had_no_row_says_so_in_the_condition():
    note = "The stream has had no rows yet, so the table does not exist."
    report = success(rows=0, notes=[note], table=None)
    _, world = look(observe_schema())
    decision, _ = look(ended(world, report))
    assert ready_of(decision) == ("True", "Synced", False)
    assert condition(decision.status, "Ready")["message"] == f"Read 0 rows in 1.5 s. {note}"


def test_the_history_keeps_the_last_ten_runs():
    world = synced()
    for hour in range(1, 15):
        world = replace(
            world, schema=with_annotation(world.schema, ACTIONS["reload"].annotation, f"t{hour}")
        )
        _, world = look(world, later(hours=hour))
        world = ended(world, success(rows=hour), at=later(hours=hour))
        _, world = look(world, later(hours=hour))
        world = replace(world, children=replace(world.children, jobs=(), pods=()))
    history = world.schema["status"]["history"]
    assert [one["rows"] for one in history] == list(range(14, 4, -1))


def test_old_plans_go_but_for_one_that_a_job_may_just_be_made_from():
    world = synced()
    for number in range(4):
        source = copy.deepcopy(world.source)
        source["spec"]["rest"]["baseUrl"] = f"https://{number}.example"
        _, world = look(replace(world, source=source), later(minutes=number))
        _, world = look(world, later(minutes=number))
    assert len(world.children.config_maps) == 2


def test_runs_older_than_a_full_history_are_not_announced_again():
    world = synced()
    for hour in range(1, 12):
        asked = with_annotation(world.schema, ACTIONS["reload"].annotation, str(hour))
        _, world = look(replace(world, schema=asked), later(hours=hour))
        _, world = look(ended(world, success(), at=later(hours=hour)), later(hours=hour))
    assert len(world.children.jobs) == 12
    decision, _ = look(world, later(hours=12))
    assert decision.notes == ()
