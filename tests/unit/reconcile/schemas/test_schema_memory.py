"""What a status remembers of runs is written in it, and not inferred from what they left behind."""

import copy
from dataclasses import replace

from external_data_operator.api.conditions import Reason
from external_data_operator.api.plan import FailureClass

from tests.unit.reconcile.schemas.schema_life import (
    ended,
    failed,
    failure,
    look,
    success,
    synced,
    trigger_of,
    with_runtime,
    with_spec,
)
from tests.unit.reconcile.worlds import applied, created_jobs, later, observe_schema, ready_of


def is_suspended(decision):
    (cron,) = applied(decision, "CronJob")
    return cron["spec"]["suspend"]


def without_jobs(world, **gone):
    return replace(world, children=replace(world.children, jobs=(), pods=(), **gone))


def test_a_failure_for_good_is_remembered_although_somebody_deleted_its_plan():
    _, world = look(failed())
    decision, world = look(without_jobs(world, config_maps=()), later(days=2))
    assert is_suspended(decision) is True
    assert created_jobs(decision) == []
    decision, _ = look(world, later(days=3))
    assert is_suspended(decision) is True


def test_a_failure_for_good_is_remembered_by_a_schedule_of_once_a_year():
    _, world = look(with_spec(failed(), cron="0 0 1 1 *"))
    world = ended(world, failure(), at=later(minutes=1))
    _, world = look(world, later(minutes=1))
    decision, _ = look(without_jobs(world), later(days=2))
    assert ready_of(decision) == ("False", "RecordsPathNotFound", True)
    assert is_suspended(decision) is True


def test_inputs_that_change_long_after_the_job_of_a_failure_for_good_start_one_run():
    _, world = look(failed())
    _, world = look(without_jobs(world), later(days=2))
    changed = with_runtime(world, {"serviceAccountName": "right"})
    decision, changed = look(changed, later(days=3))
    assert [trigger_of(job) for job in created_jobs(decision)] == ["Retry"]
    assert is_suspended(decision) is False
    decision, _ = look(changed, later(days=3))
    assert created_jobs(decision) == []


def test_a_success_forgets_what_was_blocked():
    _, world = look(failed())
    assert world.schema["status"]["blockedInputs"]
    _, world = look(with_runtime(world, {"serviceAccountName": "right"}))
    decision, _ = look(ended(world, success(), at=later(minutes=5)), later(minutes=5))
    assert "blockedInputs" not in decision.status


def events(decision):
    return [note.message for note in decision.notes if note.type == "Warning"]


def test_a_failed_run_is_an_event_although_the_last_message_was_empty():
    world = synced()
    schema = copy.deepcopy(world.schema)
    schema["status"]["conditions"][0] |= {"status": "False", "message": "", "reason": "Evicted"}
    _, world = look(with_spec(replace(world, schema=schema)))
    schema["metadata"]["annotations"] = {"external-data.io/reload": "again"}
    _, world = look(replace(world, schema=schema))
    world = ended(world, failure(), at=later(minutes=5))
    decision, _ = look(world, later(minutes=5))
    assert [one for one in events(decision) if one.startswith("Job ")]


def test_a_trouble_that_was_an_event_is_none_again_when_it_ends_the_run():
    _, world = look(observe_schema())
    said = failure(Reason.SOURCE_UNAVAILABLE, FailureClass.RETRYABLE)
    _, world = look(ended(world, said))
    world = replace(world, schema=copy.deepcopy(world.schema))
    world.schema["status"]["history"] = []
    world.schema["status"].pop("reportedUntil", None)
    decision, _ = look(world)
    assert events(decision) == []


def test_runs_that_the_history_no_longer_holds_are_not_reported_again():
    """As after an upgrade to a version that keeps a longer history."""
    _, world = look(observe_schema())
    for count in range(1, 4):
        schema = copy.deepcopy(world.schema)
        schema["metadata"]["annotations"] = {"external-data.io/reload": str(count)}
        world = ended(replace(world, schema=schema), success(), at=later(minutes=count))
        _, world = look(world, later(minutes=count))
    schema = copy.deepcopy(world.schema)
    schema["status"]["history"] = schema["status"]["history"][:1]
    decision, _ = look(replace(world, schema=schema), later(minutes=9))
    assert [note.reason for note in decision.notes if note.reason == "Synced"] == []
