"""A source from its first look to its schemas, one decision at a time."""

import copy
import json
from dataclasses import replace

import pytest
from external_data_operator.api.conditions import Reason
from external_data_operator.api.handoff import Document
from external_data_operator.api.plan import (
    DiscoveredStream,
    Discovery,
    FailureClass,
)
from external_data_operator.reconcile.base.world import Data, Delete, Refusal
from external_data_operator.reconcile.sources.kept import job_to_read

from tests.unit.reconcile.sources.source_life import FOUND, checked, look, report
from tests.unit.reconcile.worlds import (
    CREDENTIAL,
    NOW,
    SETTINGS,
    applied,
    build_pod,
    build_source,
    condition,
    created_jobs,
    end_job,
    later,
    log_of,
    newest_job,
    observe_source,
    ready_of,
    seen,
    text_of,
)


def test_a_new_source_is_checked_by_one_job_and_says_that_it_is_under_way():
    decision, _ = look(observe_source())
    assert ready_of(decision) == ("Unknown", "Progressing", False)
    assert condition(decision.status, "Reconciling")["status"] == "True"
    assert len(created_jobs(decision)) == 1
    plan = json.loads(applied(decision, "ConfigMap")[0]["data"]["plan.json"])
    assert plan["task"] == "Check"
    assert plan["target"]["s3"]["bucket"] == "lake"


def test_the_same_look_again_makes_no_second_check():
    _, world = look(observe_source())
    decision, world = look(world)
    assert created_jobs(decision) == []
    assert len(world.children.jobs) == 1


def test_a_check_that_succeeded_makes_the_source_ready_and_a_schema_for_each_stream():
    _, world = look(observe_source())
    children = end_job(world.children, at=NOW, report=report())
    name = newest_job(children)["metadata"]["name"]
    world = replace(world, children=children)
    assert job_to_read(seen(world)) == name
    logs = log_of(newest_job(children), Document.DISCOVERY, FOUND)
    decision, world = look(replace(world, logs=logs))
    assert ready_of(decision) == ("True", "Ready", False)
    assert condition(decision.status, "CredentialsValid")["status"] == "True"
    assert condition(decision.status, "Discovered")["status"] == "True"
    assert [one["metadata"]["name"] for one in applied(decision, "ExternalDataSchema")] == [
        "shop-orders"
    ]
    assert applied(decision, "ExternalDataSchema")[0]["spec"] == {
        "sourceRef": {"name": "shop"},
        "stream": "orders",
    }
    assert {note.reason for note in decision.notes} == {"Ready", "SchemasCreated"}
    assert job_to_read(seen(world)) is None


def test_a_source_stays_ready_after_its_check_job_is_gone():
    world = checked()
    children = replace(world.children, jobs=(), pods=())
    decision, _ = look(replace(world, children=children), later(days=2))
    assert ready_of(decision) == ("True", "Ready", False)
    assert created_jobs(decision) == []


def test_what_the_check_found_is_asked_for_again_after_somebody_deleted_it():
    world = checked()
    children = replace(world.children, jobs=(), pods=(), config_maps=())
    decision, _ = look(replace(world, children=children))
    assert len(created_jobs(decision)) == 1
    assert ready_of(decision)[0] == "True"


def test_a_rotated_secret_starts_another_check_and_the_source_stays_ready_meanwhile():
    world = checked()
    rotated = replace(world, secrets={"api": Data("2", frozenset({"token"}))})
    decision, _ = look(rotated)
    assert len(created_jobs(decision)) == 1
    assert ready_of(decision) == ("True", "Ready", False)
    assert condition(decision.status, "Reconciling") is not None


def test_a_changed_spec_is_not_ready_before_it_was_checked():
    world = checked()
    source = copy.deepcopy(world.source)
    source["spec"]["rest"]["baseUrl"] = "https://other.example"
    source["metadata"]["generation"] = 2
    decision, _ = look(replace(world, source=source))
    assert ready_of(decision) == ("Unknown", "Progressing", False)
    assert decision.status["observedGeneration"] == 2


@pytest.mark.parametrize(
    ("failure", "stalled", "valid"),
    [
        ((Reason.CREDENTIALS_REJECTED, FailureClass.CONFIGURATION), True, "False"),
        ((Reason.UNREACHABLE, FailureClass.CONFIGURATION), False, "Unknown"),
        ((Reason.UNREACHABLE, FailureClass.RETRYABLE), False, "Unknown"),
        ((Reason.HOST_NOT_ALLOWED, FailureClass.CONFIGURATION), True, "Unknown"),
        ((Reason.INVALID_DESTINATION, FailureClass.CONFIGURATION), True, "Unknown"),
        ((Reason.DESTINATION_FORBIDDEN, FailureClass.CONFIGURATION), True, "Unknown"),
        ((Reason.STORAGE_UNAVAILABLE, FailureClass.RETRYABLE), False, "Unknown"),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else None,
)
def test_a_failed_check_says_why_and_whether_a_person_must_act(failure, stalled, valid):
    _, world = look(observe_source())
    children = end_job(world.children, at=NOW, report=report(*failure))
    decision, _ = look(replace(world, children=children))
    assert ready_of(decision) == ("False", str(failure[0]), stalled)
    assert condition(decision.status, "Ready")["message"] == "It says no."
    assert condition(decision.status, "CredentialsValid")["status"] == valid
    assert (condition(decision.status, "Reconciling") is None) == stalled
    assert decision.status["latestError"] == "It says no."
    assert [note.type for note in decision.notes] == ["Warning"]


def test_credentials_are_unproved_where_a_source_answered_with_something_else():
    _, world = look(observe_source())
    failed = report(Reason.RECORDS_PATH_NOT_FOUND, FailureClass.CONFIGURATION)
    decision, _ = look(replace(world, children=end_job(world.children, at=NOW, report=failed)))
    found = condition(decision.status, "CredentialsValid")
    assert (found["status"], found["reason"]) == ("Unknown", "RecordsPathNotFound")
    assert found["message"] == "No check has proved the credentials yet."


def test_a_failed_check_is_repeated_with_growing_pauses_and_never_at_once():
    _, world = look(observe_source())
    now, pauses = NOW, []
    for _ in range(4):
        failed = report(Reason.STORAGE_UNAVAILABLE, FailureClass.RETRYABLE)
        world = replace(world, children=end_job(world.children, at=now, report=failed))
        decision, _ = look(world, now)
        assert created_jobs(decision) == []
        pauses.append(decision.look_again_s)
        now += later(seconds=decision.look_again_s) - NOW
        decision, world = look(world, now)
        assert len(created_jobs(decision)) == 1
    assert pauses == [15, 30, 60, 120]


def test_what_only_a_person_can_mend_is_asked_for_again_slowly():
    _, world = look(observe_source())
    failed = report(Reason.CREDENTIALS_REJECTED)
    decision, _ = look(replace(world, children=end_job(world.children, at=NOW, report=failed)))
    assert decision.look_again_s == 600
    away = report(Reason.UNREACHABLE)
    decision, _ = look(replace(world, children=end_job(world.children, at=NOW, report=away)))
    assert decision.look_again_s == 15


def test_a_job_with_a_pod_is_not_polled():
    decision, world = look(observe_source())
    assert decision.look_again_s is not None
    pod = build_pod(newest_job(world.children))
    decision, _ = look(replace(world, children=replace(world.children, pods=(pod,))))
    assert decision.look_again_s is None


def test_checks_that_are_over_are_cleared_away_but_for_the_last_three():
    _, world = look(observe_source())
    now = NOW
    for _ in range(6):
        failed = report(Reason.STORAGE_UNAVAILABLE, FailureClass.RETRYABLE)
        world = replace(world, children=end_job(world.children, at=now, report=failed))
        now += later(hours=1) - NOW
        _, world = look(world, now)
        _, world = look(world, now)
    assert len(world.children.jobs) == 4
    assert len(world.children.config_maps) == 1


def test_an_invalid_spec_is_said_by_field_and_never_with_its_value():
    source = build_source()
    source["spec"]["rest"]["streams"] = []
    source["spec"]["rest"]["auth"]["bearer"]["token"] = {"value": CREDENTIAL, "valeu": CREDENTIAL}
    decision, _ = look(observe_source(source))
    assert ready_of(decision) == ("False", "InvalidSpec", True)
    message = condition(decision.status, "Ready")["message"]
    assert "rest.streams" in message
    assert CREDENTIAL not in text_of(decision)


def test_without_any_destination_the_field_is_named():
    settings = SETTINGS.model_copy(update={"default_destination": None})
    decision, _ = look(observe_source(), settings=settings)
    assert ready_of(decision) == ("False", "InvalidSpec", True)
    assert "destination" in condition(decision.status, "Ready")["message"]


def test_an_image_that_cannot_be_pulled_is_said_and_stays_said_after_the_deadline():
    _, world = look(observe_source())
    stuck = build_pod(newest_job(world.children), waiting="ImagePullBackOff")
    world = replace(world, children=replace(world.children, pods=(stuck,)))
    decision, world = look(world)
    assert ready_of(decision) == ("False", "ImagePullFailed", False)
    assert condition(decision.status, "Reconciling") is not None
    ended = end_job(
        replace(world.children, pods=()), at=later(minutes=5), reason="DeadlineExceeded"
    )
    decision, _ = look(replace(world, children=ended), later(minutes=5))
    assert ready_of(decision) == ("False", "ImagePullFailed", False)
    assert condition(decision.status, "Reconciling") is not None


def test_a_pod_that_the_cluster_refuses_is_said_in_the_clusters_words():
    _, world = look(observe_source())
    refusal = Refusal(newest_job(world.children)["metadata"]["name"], "exceeded quota: pods")
    decision, _ = look(replace(world, children=replace(world.children, refusals=(refusal,))))
    assert ready_of(decision) == ("False", "PodRefused", False)
    assert condition(decision.status, "Reconciling") is not None
    message = condition(decision.status, "Ready")["message"]
    assert message == "The cluster refused the pod: exceeded quota: pods."


def test_the_status_says_what_the_first_pages_lack():
    notes = ["cursorPath next was not found in the first page."]
    found = Discovery(streams=[DiscoveredStream(name="orders", notes=notes)])
    _, world = look(checked(found=found))
    ready = next(one for one in world.source["status"]["conditions"] if one["type"] == "Ready")
    assert ready["status"] == "True"
    assert ready["message"] == f"The source was checked; it has 1 stream. orders: {notes[0]}"


def test_a_source_that_is_being_deleted_is_left_alone():
    source = build_source()
    source["metadata"]["deletionTimestamp"] = "2026-03-04T10:00:00Z"
    decision, _ = look(observe_source(source))
    assert decision.intents == ()
    assert decision.status is None


def test_nothing_is_written_when_nothing_happened():
    world = checked()
    first, world = look(world, later(minutes=1))
    second, _ = look(world, later(minutes=30))
    assert first.status == second.status == world.source["status"]
    assert second.notes == ()


def test_a_failed_check_is_remembered_when_its_pod_is_gone():
    _, world = look(observe_source())
    refused = report(Reason.CREDENTIALS_REJECTED)
    ended = end_job(world.children, at=NOW, report=refused, reason="PodFailurePolicy")
    _, world = look(replace(world, children=ended))
    world = replace(world, children=replace(world.children, pods=()))
    decision, _ = look(world, later(minutes=1))
    assert decision.status["conditions"] == world.source["status"]["conditions"]
    assert created_jobs(decision) == []


def test_a_check_whose_output_cannot_be_read_is_repeated_with_growing_pauses():
    _, world = look(observe_source())
    now, asked = NOW, []
    for minutes in range(60):
        if newest_job(world.children).get("status") is None:
            children = end_job(world.children, at=now, report=report())
            world = replace(world, children=children)
        now = later(minutes=minutes + 1)
        decision, world = look(world, now)
        asked.extend([minutes + 1] * len(created_jobs(decision)))
        assert ready_of(decision) == ("False", "InternalError", False)
    assert asked == [5, 15, 35]


def test_a_changed_runtime_is_checked_too():
    world = checked()
    source = copy.deepcopy(world.source)
    source["spec"]["runtime"] = {"serviceAccountName": "right"}
    decision, _ = look(replace(world, source=source))
    assert len(created_jobs(decision)) == 1


def test_a_source_that_was_ready_stays_so_while_no_node_takes_its_next_check():
    world = checked()
    _, world = look(replace(world, secrets={"api": Data("2", frozenset({"token"}))}))
    busy = {"conditions": [{"type": "PodScheduled", "reason": "Unschedulable"}]}
    pod = build_pod(newest_job(world.children), **busy)
    decision, _ = look(replace(world, children=replace(world.children, pods=(pod,))))
    assert ready_of(decision) == ("True", "Ready", False)
    assert condition(decision.status, "Reconciling") is not None


def test_a_plan_from_before_is_kept_for_the_check_that_is_made_now():
    _, world = look(observe_source())
    ended = end_job(world.children, at=NOW, report=report(Reason.UNREACHABLE))
    world = replace(world, children=ended)
    now = later(hours=1)
    (coming,) = created_jobs(look(world, now)[0])
    (plan,) = (m for m in applied(look(world, now)[0], "ConfigMap") if "plan" in str(m["data"]))
    there = copy.deepcopy(plan)
    there["metadata"] |= {"uid": "left", "creationTimestamp": NOW.isoformat()}
    maps = (*world.children.config_maps, there)
    world = replace(world, children=replace(world.children, config_maps=maps))
    decision, _ = look(world, now)
    gone = [one.name for one in decision.intents if isinstance(one, Delete)]
    assert coming["metadata"]["name"] not in gone
