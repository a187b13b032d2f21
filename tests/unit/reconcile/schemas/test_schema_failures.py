"""A schema whose run failed: what stops its schedule, what is tried again, what is remembered."""

import copy
from dataclasses import replace

import pytest
from external_data_operator.api.conditions import Reason
from external_data_operator.api.plan import FailureClass

from tests.unit.reconcile.schemas.schema_life import (
    AWAY,
    cron_of,
    ended,
    failed,
    failure,
    look,
    success,
    trigger_of,
    with_runtime,
    with_spec,
    without_pods,
)
from tests.unit.reconcile.worlds import (
    NOW,
    build_schema,
    build_source,
    condition,
    created_jobs,
    later,
    make_ready,
    observe_schema,
    ready_of,
)


def test_a_failure_for_good_stops_the_schedule_until_something_changes():
    world = failed()
    decision, world = look(world)
    assert ready_of(decision) == ("False", "RecordsPathNotFound", True)
    assert decision.status["phase"] == "Failed"
    assert decision.status["latestError"] == "No records at data."
    assert cron_of(decision)["suspend"] is True
    assert "nextSyncAt" not in decision.status
    decision, world = look(world, later(days=3))
    assert created_jobs(decision) == []
    source = copy.deepcopy(world.source)
    source["spec"]["rest"]["streams"][0]["recordsPath"] = "data"
    decision, world = look(replace(world, source=source), later(days=3))
    assert [trigger_of(job) for job in created_jobs(decision)] == ["Retry"]
    assert cron_of(decision)["suspend"] is False
    assert ready_of(decision) == ("False", "RecordsPathNotFound", False)


def test_a_changed_secret_counts_as_a_change_too():
    _, world = look(failed())
    changed = replace(world, source=make_ready(build_source(), fingerprint="other"))
    decision, _ = look(changed)
    assert len(created_jobs(decision)) == 1


def test_a_failure_for_good_is_remembered_when_its_job_is_gone():
    _, world = look(failed())
    world = replace(world, children=replace(world.children, jobs=(), pods=()))
    decision, _ = look(world, later(days=2))
    assert ready_of(decision) == ("False", "RecordsPathNotFound", True)
    assert created_jobs(decision) == []
    assert cron_of(decision)["suspend"] is True


def test_a_failure_that_time_mends_is_tried_again_with_growing_pauses():
    world = observe_schema(build_schema(syncFrequency="7day"))
    _, world = look(world)
    now, pauses = NOW, []
    for _ in range(3):
        world = ended(world, failure(Reason.SOURCE_UNAVAILABLE, FailureClass.RETRYABLE), at=now)
        decision, world = look(world, now)
        assert ready_of(decision) == ("False", "SourceUnavailable", False)
        assert cron_of(decision)["suspend"] is False
        pauses.append(round(decision.look_again_s))
        now += later(seconds=decision.look_again_s) - NOW
        decision, world = look(world, now)
        assert [trigger_of(job) for job in created_jobs(decision)] == ["Retry"]
    assert pauses == [301, 601, 1201]


def test_a_failure_that_time_mends_is_left_to_a_schedule_that_comes_sooner():
    _, world = look(observe_schema(build_schema(syncFrequency="5min")))
    world = ended(world, failure(Reason.SOURCE_UNAVAILABLE, FailureClass.RETRYABLE))
    decision, _ = look(world, later(minutes=6))
    assert created_jobs(decision) == []


def test_a_success_after_a_failure_clears_the_error_and_starts_the_schedule_again():
    _, world = look(failed())
    _, world = look(replace(world, source=make_ready(build_source(), fingerprint="other")))
    decision, _ = look(ended(world, success(), at=later(minutes=5)), later(minutes=5))
    assert ready_of(decision) == ("True", "Synced", False)
    assert "latestError" not in decision.status
    assert [one["result"] for one in decision.status["history"]] == ["Succeeded", "Failed"]


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ({"syncType": "Incremental"}, "syncType"),
        ({"syncType": "Append"}, "syncType"),
        ({"syncType": "Incremental", "incrementalField": "at"}, "primaryKeyColumns"),
        ({"cron": "0 0 * * 7"}, "cron"),
        ({"cron": "0 0 * * 1", "timeZone": "Mars/Olympus"}, "timeZone"),
    ],
)
def test_what_the_spec_cannot_have_is_said_by_field_and_nothing_runs(spec, said):
    decision, _ = look(observe_schema(build_schema(**spec)))
    assert ready_of(decision) == ("False", "InvalidSpec", True)
    assert said in condition(decision.status, "Ready")["message"]
    assert created_jobs(decision) == []


def test_a_corrected_spec_recovers_without_any_other_help():
    _, world = look(observe_schema(build_schema(cron="0 0 * * 7")))
    schema = {**world.schema, "spec": build_schema()["spec"]}
    decision, _ = look(replace(world, schema=schema))
    assert len(created_jobs(decision)) == 1
    assert ready_of(decision) == ("Unknown", "Progressing", False)


def test_a_failure_for_good_is_remembered_when_only_its_pod_is_gone():
    _, world = look(observe_schema())
    _, world = look(ended(world, failure(), reason="PodFailurePolicy"))
    decision, _ = look(without_pods(world), later(hours=1))
    assert ready_of(decision) == ("False", "RecordsPathNotFound", True)
    assert decision.status["history"] == world.schema["status"]["history"]
    assert cron_of(decision)["suspend"] is True
    assert created_jobs(decision) == []


def test_a_pod_that_went_before_anybody_saw_it_still_failed_for_good_by_its_jobs_word():
    _, world = look(observe_schema())
    world = ended(world, failure(), reason="PodFailurePolicy")
    decision, _ = look(without_pods(world))
    assert cron_of(decision)["suspend"] is True
    assert condition(decision.status, "Stalled") is not None


def test_a_failure_for_good_may_be_mended_in_the_runtime():
    _, world = look(failed())
    decision, _ = look(with_runtime(world, {"serviceAccountName": "right"}))
    assert [trigger_of(job) for job in created_jobs(decision)] == ["Retry"]
    assert cron_of(decision)["suspend"] is False


def test_inputs_that_come_back_after_two_failures_are_tried_again():
    world = failed()
    made = []
    for pool in ("a", "b", "a", "b"):
        decision, world = look(with_runtime(world, {"nodeSelector": {"pool": pool}}))
        made.extend(job["metadata"]["name"] for job in created_jobs(decision))
        world = ended(world, failure(), at=later(minutes=len(made)))
        _, world = look(world)
    assert len(set(made)) == 4


def test_a_failure_that_nothing_will_try_again_is_stalled():
    _, world = look(failed(failure(*AWAY)))
    assert condition(world.schema["status"], "Reconciling") is not None
    decision, _ = look(with_spec(world, shouldSync=False))
    assert ready_of(decision) == ("False", "SourceUnavailable", True)


@pytest.mark.parametrize("off", [{"shouldSync": False}, {"syncFrequency": "never"}])
def test_what_stalled_for_want_of_a_schedule_goes_on_with_one_although_its_job_is_gone(off):
    _, world = look(with_spec(failed(failure(*AWAY)), **off))
    world = replace(world, children=replace(world.children, jobs=(), pods=()))
    _, world = look(world, later(days=2))
    assert condition(world.schema["status"], "Stalled") is not None
    on = with_spec(world, shouldSync=True, syncFrequency="6hour")
    for _ in range(3):
        decision, on = look(on, later(days=2))
    assert cron_of(decision)["suspend"] is False
    assert condition(decision.status, "Stalled") is None
