"""A run of a schema whose pod is killed, evicted, refused or waiting."""

from dataclasses import replace

import pytest
from external_data_operator.api.actions import ACTIONS
from external_data_operator.api.handoff import Document
from external_data_operator.api.schema import Column
from external_data_operator.reconcile.base.world import Delete, Refusal

from tests.unit.reconcile.schemas.schema_life import (
    TABLE,
    build_table,
    ended,
    look,
    success,
    synced,
    with_runtime,
    without_pods,
)
from tests.unit.reconcile.worlds import (
    build_pod,
    condition,
    created_jobs,
    later,
    log_of,
    newest_job,
    observe_schema,
    ready_of,
    with_annotation,
)


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ({"exit_code": 137, "ended_reason": "OOMKilled"}, "OutOfMemory"),
        ({"exit_code": 139}, "InternalError"),
    ],
)
def test_a_runner_that_was_killed_without_a_report_is_told_from_its_pod(how, reason):
    _, world = look(observe_schema())
    pod = build_pod(newest_job(world.children), **how)
    decision, _ = look(ended(world, pod=pod))
    assert ready_of(decision)[:2] == ("False", reason)


@pytest.mark.parametrize(
    ("message", "reason"),
    [("The node was low on memory.", "Evicted"), ("emptyDir exceeds 2Gi", "DiskFull")],
)
def test_an_evicted_pod_is_told_by_what_it_ran_out_of(message, reason):
    _, world = look(observe_schema())
    pod = build_pod(newest_job(world.children), reason="Evicted", message=message)
    decision, _ = look(ended(world, pod=pod))
    assert ready_of(decision)[:2] == ("False", reason)


def test_a_run_past_its_deadline_says_so():
    _, world = look(observe_schema())
    decision, _ = look(ended(world, reason="DeadlineExceeded"))
    assert ready_of(decision)[:2] == ("False", "DeadlineExceeded")


def test_a_pod_that_no_node_takes_is_said_while_it_waits():
    _, world = look(observe_schema())
    unscheduled = {
        "type": "PodScheduled",
        "status": "False",
        "reason": "Unschedulable",
        "message": "0/1 nodes",
    }
    pod = build_pod(newest_job(world.children), conditions=[unscheduled])
    decision, _ = look(replace(world, children=replace(world.children, pods=(pod,))))
    assert ready_of(decision) == ("False", "Unschedulable", False)
    assert condition(decision.status, "Reconciling") is not None


def test_a_refused_pod_is_said_even_where_the_last_run_succeeded():
    asked = replace(
        synced(), schema=with_annotation(synced().schema, ACTIONS["reload"].annotation, "t")
    )
    _, world = look(asked, later(minutes=1))
    refusal = Refusal(newest_job(world.children)["metadata"]["name"], "violates PodSecurity")
    decision, _ = look(replace(world, children=replace(world.children, refusals=(refusal,))))
    assert ready_of(decision) == ("False", "PodRefused", False)
    assert condition(decision.status, "Reconciling") is not None


@pytest.mark.parametrize("left", [[build_table(columns=None)], []], ids=["no-columns", "no-table"])
def test_what_did_not_fit_into_the_report_is_read_from_the_log(left):
    _, world = look(observe_schema())
    report = success(columns=None).model_copy(update={"tables": left})
    world = ended(world, report)
    wide = success(columns=[Column(name="wide", data_type="string")], cursor="c")
    logs = log_of(newest_job(world.children), Document.REPORT, wide)
    decision, _ = look(replace(world, logs=logs))
    assert [one["name"] for one in decision.status["availableColumns"]] == ["wide"]
    assert (decision.status["cursor"], decision.status["table"]["rows"]) == ("c", TABLE.rows)


def test_a_success_is_told_as_before_when_its_pod_is_gone():
    world = synced()
    decision, _ = look(without_pods(world), later(hours=1))
    assert decision.status["history"] == world.schema["status"]["history"]
    assert decision.status["conditions"] == world.schema["status"]["conditions"]


def stuck(world, how):
    job = newest_job(world.children)
    if how == "refused":
        refusals = (Refusal(job["metadata"]["name"], "exceeded quota"),)
        return replace(world, children=replace(world.children, refusals=refusals))
    return replace(world, children=replace(world.children, pods=(build_pod(job, **how),)))


UNSCHEDULABLE = {"conditions": [{"type": "PodScheduled", "reason": "Unschedulable"}]}


@pytest.mark.parametrize(
    "how",
    [
        pytest.param({"waiting": "ErrImagePull"}, id="no image"),
        pytest.param(UNSCHEDULABLE, id="no node"),
        pytest.param("refused", id="refused"),
    ],
)
def test_a_run_that_cannot_begin_is_made_anew_once_its_recipe_differs(how):
    _, world = look(observe_schema())
    old = newest_job(world.children)
    decision, world = look(stuck(world, how))
    assert created_jobs(decision) == []
    decision, world = look(with_runtime(world, {"nodeSelector": {"pool": "right"}}))
    (job,) = created_jobs(decision)
    assert job["spec"]["template"]["spec"]["nodeSelector"] == {"pool": "right"}
    gone = [one for one in decision.intents if isinstance(one, Delete)]
    assert [(one.name, one.uid) for one in gone] == [
        (old["metadata"]["name"], old["metadata"]["uid"])
    ]
    assert decision.intents.index(gone[0]) < len(decision.intents) - 1
    assert [one["metadata"]["name"] for one in world.children.jobs] == [job["metadata"]["name"]]
    decision, _ = look(world)
    assert created_jobs(decision) == []


def test_a_run_that_has_begun_is_never_made_anew():
    _, world = look(observe_schema())
    pods = (build_pod(newest_job(world.children)),)
    world = replace(world, children=replace(world.children, pods=pods))
    decision, _ = look(with_runtime(world, {"nodeSelector": {"pool": "right"}}))
    assert created_jobs(decision) == []
    assert not any(isinstance(one, Delete) for one in decision.intents)
