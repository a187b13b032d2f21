"""A source from its first look to its schemas, one decision at a time."""

import copy
import json
from dataclasses import replace

import pytest
from external_data_operator.api.conditions import Reason
from external_data_operator.api.plan import (
    DiscoveredStream,
    Discovery,
    Failure,
    FailureClass,
    Report,
    Task,
)
from external_data_operator.reconcile import marks
from external_data_operator.reconcile.checks import job_to_read
from external_data_operator.reconcile.source import decide_source
from external_data_operator.reconcile.world import (
    CopySecret,
    Data,
    Delete,
    Refusal,
    StoreCredentials,
)

from tests.unit.reconcile.worlds import (
    CREDENTIAL,
    NOW,
    SETTINGS,
    applied,
    build_pod,
    build_schema,
    build_source,
    condition,
    created_jobs,
    end_job,
    later,
    newest_job,
    observe_source,
    ready_of,
    step,
    text_of,
    with_annotation,
)

FOUND = Discovery(streams=[DiscoveredStream(name="orders")])
INLINE = {
    "rest": {
        "baseUrl": "https://api.shop.example",
        "auth": {"bearer": {"token": {"value": CREDENTIAL}}},
        "streams": [{"name": "orders", "path": "/orders"}],
    }
}


def look(world, now=NOW, settings=SETTINGS):
    decision = decide_source(world, settings, now)
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
    log = "starting\n" + found.model_dump_json(by_alias=True)
    world = replace(world, children=children, logs={newest_job(children)["metadata"]["name"]: log})
    _, world = look(world, now)
    return replace(world, logs={})


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
    assert job_to_read(world) == name
    decision, world = look(replace(world, logs={name: FOUND.model_dump_json(by_alias=True)}))
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
    assert job_to_read(world) is None


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


def test_a_missing_secret_is_named_with_its_field_and_looked_for_again():
    decision, _ = look(observe_source(secrets={}))
    assert ready_of(decision) == ("False", "SecretNotFound", False)
    assert condition(decision.status, "Reconciling") is not None
    message = condition(decision.status, "Ready")["message"]
    assert message == "Secret api does not exist (rest.auth.bearer.token)."
    assert decision.look_again_s == 5
    assert created_jobs(decision) == []


def test_a_missing_key_is_named():
    decision, _ = look(observe_source(secrets={"api": Data("1", frozenset({"tokn"}))}))
    message = condition(decision.status, "Ready")["message"]
    assert message == "Secret api has no key token (rest.auth.bearer.token)."


def test_the_pause_before_looking_for_a_secret_again_grows_to_a_minute():
    world = observe_source(secrets={})
    pauses = []
    for seconds in (0, 5, 20, 60, 300, 3600):
        decision, world = look(world, later(seconds=seconds))
        pauses.append(decision.look_again_s)
    assert pauses == [5, 5, 10, 30, 60, 60]


def test_work_goes_on_by_itself_once_the_secret_is_there():
    _, world = look(observe_source(secrets={}))
    there = replace(world, secrets={"api": Data("1", frozenset({"token"}))})
    decision, _ = look(there, later(seconds=5))
    assert len(created_jobs(decision)) == 1
    assert ready_of(decision) == ("Unknown", "Progressing", False)


def test_an_inline_credential_moves_into_an_owned_secret_before_anything_else():
    source = build_source(**INLINE)
    kept = json.dumps({"kind": "ExternalDataSource", "spec": INLINE})
    source = with_annotation(source, marks.LAST_APPLIED, kept)
    decision, _ = look(observe_source(source, secrets={}))
    (move,) = decision.intents
    assert isinstance(move, StoreCredentials)
    assert move.secret["metadata"]["name"] == "shop-credentials"
    assert move.secret["metadata"]["ownerReferences"][0]["uid"] == "source-uid"
    assert move.values["rest.auth.bearer.token"].get_secret_value() == CREDENTIAL
    assert move.patch[0] == {"op": "test", "path": "/metadata/resourceVersion", "value": "5"}
    reference = {"secretKeyRef": {"name": "shop-credentials", "key": "rest.auth.bearer.token"}}
    assert move.patch[1] == {
        "op": "replace",
        "path": "/spec/rest/auth/bearer/token",
        "value": reference,
    }
    cleaned = json.loads(move.patch[2]["value"])
    assert cleaned["spec"]["rest"]["auth"]["bearer"]["token"] == reference
    assert CREDENTIAL not in text_of(decision)
    assert CREDENTIAL not in json.dumps(move.patch)


def test_a_secret_of_that_name_that_belongs_to_somebody_else_is_left_alone():
    theirs = {"shop-credentials": Data("1", frozenset({"x"}), owner_uid=None)}
    decision, _ = look(observe_source(build_source(**INLINE), secrets=theirs))
    (move,) = decision.intents
    assert move.secret["metadata"]["name"].startswith("shop-credentials-")


def test_an_operator_that_refuses_inline_credentials_says_which_field_and_touches_nothing():
    settings = SETTINGS.model_copy(update={"reject_inline_credentials": True})
    decision, _ = look(observe_source(build_source(**INLINE), secrets={}), settings=settings)
    assert ready_of(decision) == ("False", "InlineCredentialsRefused", True)
    assert decision.intents == ()
    message = condition(decision.status, "Ready")["message"]
    assert message.startswith("rest.auth.bearer.token.value:")
    assert CREDENTIAL not in text_of(decision)


def test_our_own_secret_goes_once_the_spec_refers_to_another_one():
    ours = Data("1", frozenset({"rest.auth.bearer.token"}), owner_uid="source-uid")
    world = checked(
        observe_source(secrets={"api": Data("1", frozenset({"token"})), "shop-credentials": ours})
    )
    decision, _ = look(world)
    assert Delete("v1", "Secret", "team", "shop-credentials") in decision.intents


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


LAKE = {"s3": {"bucket": "lake", "credentialsSecretRef": {"name": "lake"}}}
LAKE_SETTINGS = type(SETTINGS)(namespace="ops", runner_image="r:1", default_destination=LAKE)
KEYS = frozenset({"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"})


def with_copy(version="1", owner="source-uid", copied_from="9"):
    """A source with a copy of the default lake's credentials."""
    world = observe_source(default_secret=Data("9", KEYS))
    mine = Data(version, KEYS, owner_uid=owner, copied_from=copied_from)
    return replace(world, secrets={**world.secrets, "shop-destination": mine})


@pytest.mark.parametrize(
    "world",
    [
        pytest.param(observe_source(default_secret=Data("9", KEYS)), id="missing"),
        pytest.param(with_copy(copied_from="8"), id="old"),
        pytest.param(with_copy(owner=None), id="not ours"),
    ],
)
def test_the_default_destinations_credentials_are_copied_before_anything_else(world):
    decision, _ = look(world, settings=LAKE_SETTINGS)
    (copied,) = decision.intents
    assert isinstance(copied, CopySecret)
    assert (copied.from_namespace, copied.from_name) == ("ops", "lake")
    assert copied.secret["metadata"]["name"] == "shop-destination"
    assert decision.look_again_s is not None


def test_with_its_copy_a_source_is_checked_and_once_more_with_another_copy():
    decision, world = look(with_copy(), settings=LAKE_SETTINGS)
    assert not [one for one in decision.intents if isinstance(one, CopySecret | Delete)]
    (first,) = created_jobs(decision)
    decision, _ = look(replace(world, secrets=with_copy("2").secrets), settings=LAKE_SETTINGS)
    (second,) = created_jobs(decision)
    assert first["metadata"]["name"] != second["metadata"]["name"]


def test_a_missing_secret_of_the_default_destination_is_the_administrators_to_make():
    s3 = {"s3": {"bucket": "lake", "credentialsSecretRef": {"name": "lake"}}}
    settings = type(SETTINGS)(namespace="ops", runner_image="r:1", default_destination=s3)
    decision, _ = look(observe_source(), settings=settings)
    assert (
        "Secret lake does not exist in namespace ops"
        in condition(decision.status, "Ready")["message"]
    )


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
    assert condition(decision.status, "Ready")["message"] == "exceeded quota: pods"


def test_a_refresh_checks_once_more_and_is_recorded_when_answered():
    world = checked()
    asked = replace(world, source=with_annotation(world.source, marks.REFRESH_SCHEMAS, "t1"))
    decision, world = look(asked)
    assert len(created_jobs(decision)) == 1
    assert "handledRequests" not in decision.status
    children = end_job(world.children, at=NOW, report=report())
    log = FOUND.model_dump_json(by_alias=True)
    world = replace(world, children=children, logs={newest_job(children)["metadata"]["name"]: log})
    decision, world = look(world)
    assert decision.status["handledRequests"] == {"refresh-schemas": "t1"}
    decision, _ = look(replace(world, logs={}))
    assert created_jobs(decision) == []


def test_a_users_schema_is_adopted_and_ours_gives_way():
    ours = build_schema()
    ours["metadata"]["ownerReferences"] = [{"uid": "source-uid", "controller": True}]
    theirs = build_schema("my-orders")
    decision, _ = look(replace(checked(), schemas=(theirs,)))
    assert applied(decision, "ExternalDataSchema") == []
    decision, _ = look(replace(checked(), schemas=(ours, theirs)))
    deleted = [one.name for one in decision.intents if isinstance(one, Delete)]
    assert deleted == ["shop-orders"]


def test_fields_that_somebody_else_has_set_are_left_out_of_ours():
    source = build_source(schemas={"enable": "None"})
    ours = build_schema(shouldSync=True)
    ours["metadata"]["ownerReferences"] = [{"uid": "source-uid", "controller": True}]
    world = replace(checked(observe_source(source)), schemas=(ours,))
    decision, _ = look(world)
    assert applied(decision, "ExternalDataSchema")[0]["spec"]["shouldSync"] is False
    ours["metadata"]["managedFields"] = [
        {"manager": "kubectl-edit", "fieldsV1": {"f:spec": {"f:shouldSync": {}}}}
    ]
    decision, _ = look(world)
    assert "shouldSync" not in applied(decision, "ExternalDataSchema")[0]["spec"]


def test_streams_that_the_policy_leaves_out_get_no_schema():
    rest = {
        "baseUrl": "https://a.example",
        "streams": [{"name": n, "path": f"/{n}"} for n in ("a1", "a2", "b1")],
    }
    source = build_source(rest=rest, schemas={"include": ["a*"], "exclude": ["*2"]})
    found = Discovery(streams=[DiscoveredStream(name=n) for n in ("a1", "a2", "b1")])
    decision, _ = look(checked(observe_source(source), found))
    assert [one["spec"]["stream"] for one in applied(decision, "ExternalDataSchema")] == ["a1"]


def test_the_status_says_what_the_first_pages_lack():
    notes = ["cursorPath next is not in the first page."]
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


def test_a_reload_is_carried_out_once_the_schemas_that_are_synced_have_reloaded():
    done = {"handledRequests": {"source-reload": "t"}}
    on, off = {**build_schema(), "status": done}, build_schema("shop-off", shouldSync=False)
    world = observe_source(with_annotation(build_source(), marks.RELOAD, "t"), schemas=(on, off))
    decision, _ = look(world)
    assert decision.status["handledRequests"]["reload"] == "t"
    decision, _ = look(replace(world, schemas=(build_schema(), off)))
    assert "handledRequests" not in decision.status


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
