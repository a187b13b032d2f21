"""A table that would shrink waits for a person, whose word holds for one run."""

from dataclasses import replace

import pytest
from external_data_operator.api.actions import ACTIONS
from external_data_operator.api.conditions import Reason
from external_data_operator.api.plan import ALLOW_SHRINK_ENV, FailureClass, Plan
from external_data_operator.reconcile.base import marks

from tests.unit.reconcile.schemas.schema_life import ended, failed, failure, look, success, synced
from tests.unit.reconcile.worlds import (
    applied,
    build_pod,
    build_schema,
    condition,
    created_jobs,
    later,
    newest_job,
    observe_schema,
    ready_of,
    with_annotation,
)

HELD = failure(Reason.TABLE_WOULD_SHRINK)


def allow(world, token="agreed"):
    return replace(world, schema=with_annotation(world.schema, marks.SHRINK_ALLOWED, token))


def env_of(spec):
    (container,) = spec["template"]["spec"]["containers"]
    return {one["name"]: one.get("value") for one in container["env"]}


def may_shrink(job):
    return env_of(job["spec"]).get(ALLOW_SHRINK_ENV) == "true"


def cron_env(decision):
    (cron,) = applied(decision, "CronJob")
    return env_of(cron["spec"]["jobTemplate"]["spec"])


def test_a_table_that_would_shrink_stops_its_schedule_until_a_person_acts():
    decision, world = look(failed(HELD))
    assert ready_of(decision) == ("False", "TableWouldShrink", True)
    assert applied(decision, "CronJob")[0]["spec"]["suspend"] is True
    for hours in (1, 30):
        decision, world = look(world, later(hours=hours))
        assert created_jobs(decision) == []


def test_the_annotation_starts_one_run_that_may_shrink_the_table():
    _, world = look(failed(HELD))
    decision, world = look(allow(world), later(minutes=5))
    (job,) = created_jobs(decision)
    assert may_shrink(job)
    assert ALLOW_SHRINK_ENV not in cron_env(decision)
    assert decision.status["handledRequests"] == {"allow-shrink": "agreed"}
    decision, world = look(ended(world, success(rows=0), at=later(minutes=6)), later(minutes=6))
    assert created_jobs(decision) == []
    assert applied(decision, "CronJob")[0]["spec"]["suspend"] is False
    assert ready_of(decision) == ("True", "Synced", False)


def test_a_reload_does_not_let_a_table_shrink():
    _, world = look(failed(HELD))
    asked = replace(
        world, schema=with_annotation(world.schema, ACTIONS["reload"].annotation, "again")
    )
    (job,) = created_jobs(look(asked)[0])
    assert not may_shrink(job)


def test_the_word_holds_for_the_run_that_takes_the_place_of_a_failed_one():
    _, world = look(allow(synced()))
    outage = failure(Reason.SOURCE_UNAVAILABLE, FailureClass.RETRYABLE)
    world = ended(world, outage, at=later(minutes=1))
    for minutes in range(1, 240):
        decision, after = look(world, later(minutes=minutes))
        if created_jobs(decision):
            break
        world = after
    (retry,) = created_jobs(decision)
    assert retry["metadata"]["annotations"][marks.TRIGGER] == "Retry"
    assert may_shrink(retry)


def test_a_stuck_run_that_may_shrink_its_table_is_not_made_again_and_again():
    _, world = look(allow(synced()))
    job = newest_job(world.children)
    waiting = {"state": {"waiting": {"reason": "ImagePullBackOff"}}, "image": "runner:1"}
    pod = build_pod(job, containerStatuses=[waiting])
    stuck = replace(world, children=replace(world.children, pods=(pod,)))
    assert created_jobs(look(stuck)[0]) == []


@pytest.mark.parametrize("percent", [None, 0, 40])
def test_the_plan_carries_the_guard_that_the_spec_states(percent):
    spec = {} if percent is None else {"shrinkGuardPercent": percent}
    decision, _ = look(observe_schema(build_schema(**spec)))
    plan = Plan.model_validate_json(applied(decision, "ConfigMap")[0]["data"]["plan.json"])
    assert plan.only.sync.shrink_guard_percent == percent
    assert condition(decision.status, "Stalled") is None
