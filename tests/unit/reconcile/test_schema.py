"""A schema from its first look to its history, one decision at a time."""

import copy
import json
from dataclasses import replace

import pytest
from external_data_operator.api.conditions import Reason
from external_data_operator.api.plan import Failure, FailureClass, Report, Task
from external_data_operator.api.schema import Column, TableStatus
from external_data_operator.reconcile import marks
from external_data_operator.reconcile.schema import decide_schema, table_claim
from external_data_operator.reconcile.world import Delete, Refusal, Suspend

from tests.unit.reconcile.worlds import (
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
    make_ready,
    newest_job,
    observe_schema,
    ready_of,
    step,
    with_annotation,
)

TABLE = TableStatus(uri="s3://lake/team/orders", version=3, rows=120, bytes=900, files=1)


def look(world, now=NOW):
    decision = decide_schema(world, SETTINGS, now)
    return decision, step(world, decision, now)


def success(rows=120, **rest):
    return Report(
        task=Task.SYNC,
        run_id="",
        result="Succeeded",
        rows=rows,
        seconds=1.5,
        table=TABLE,
        columns=[Column(name="id", data_type="long")],
        **rest,
    )


def failure(reason=Reason.RECORDS_PATH_NOT_FOUND, class_=FailureClass.CONFIGURATION):
    failed = Failure(failure_class=class_, reason=reason, message="No records at data.")
    return Report(task=Task.SYNC, run_id="", result="Failed", failure=failed)


def ended(world, report=None, at=NOW, **how):
    return replace(world, children=end_job(world.children, at=at, report=report, **how))


def synced():
    """A schema after its first run."""
    _, world = look(observe_schema())
    _, world = look(ended(world, success()))
    return world


def failed(report=None):
    """A schema whose first run failed."""
    _, world = look(observe_schema())
    return ended(world, report or failure())


def cron_of(decision):
    (cron,) = applied(decision, "CronJob")
    return cron["spec"]


def trigger_of(job):
    return job["metadata"]["annotations"][marks.TRIGGER]


def test_a_new_schema_gets_a_plan_a_schedule_and_its_first_run_at_once():
    decision, _ = look(observe_schema())
    (job,) = created_jobs(decision)
    assert trigger_of(job) == "Initial"
    assert cron_of(decision)["suspend"] is False
    (plan_map,) = applied(decision, "ConfigMap")
    plan = json.loads(plan_map["data"]["plan.json"])
    assert plan["sync"] == {
        "stream": "orders",
        "syncType": "FullRefresh",
        "lookbackSeconds": 0,
        "primaryKeyColumns": [],
    }
    assert plan["target"]["path"] == "team/orders"
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
    asked = replace(world, schema=with_annotation(world.schema, marks.RELOAD, "now"))
    decision, _ = look(asked)
    assert [trigger_of(job) for job in created_jobs(decision)] == ["Request"]


def test_a_stream_that_has_had_no_row_says_so_in_the_condition():
    note = "The stream has had no row yet, so there is no table."
    report = success(rows=0, notes=[note]).model_copy(update={"table": None})
    _, world = look(observe_schema())
    decision, _ = look(ended(world, report))
    assert ready_of(decision) == ("True", "Synced", False)
    assert condition(decision.status, "Ready")["message"] == f"Read 0 rows in 1.5 s. {note}"


def test_a_reload_runs_once_per_token():
    world = synced()
    asked = replace(world, schema=with_annotation(world.schema, marks.RELOAD, "t1"))
    decision, world = look(asked)
    assert [trigger_of(job) for job in created_jobs(decision)] == ["Request"]
    assert decision.status["handledRequests"] == {"reload": "t1"}
    world = ended(world, success(), at=later(minutes=1))
    decision, world = look(world, later(minutes=1))
    assert created_jobs(decision) == []
    again = replace(world, schema=with_annotation(world.schema, marks.RELOAD, "t2"))
    decision, _ = look(again, later(minutes=1))
    assert len(created_jobs(decision)) == 1


def test_a_reload_finds_its_own_job_again_after_a_crash_before_the_status_was_written():
    world = synced()
    asked = replace(world, schema=with_annotation(world.schema, marks.RELOAD, "t1"))
    decision, after = look(asked)
    crashed = replace(after, schema=asked.schema)
    world = ended(crashed, success(), at=later(minutes=1))
    decision, _ = look(world, later(minutes=1))
    assert created_jobs(decision) == []
    assert decision.status["handledRequests"] == {"reload": "t1"}


def test_a_reload_waits_for_the_run_under_way():
    _, world = look(observe_schema())
    asked = replace(world, schema=with_annotation(world.schema, marks.RELOAD, "t1"))
    decision, world = look(asked)
    assert created_jobs(decision) == []
    assert "handledRequests" not in decision.status
    decision, _ = look(ended(world, success()))
    assert [trigger_of(job) for job in created_jobs(decision)] == ["Request"]


def test_a_sources_reload_reaches_each_schema_that_is_synced():
    world = synced()
    asked = replace(world, source=with_annotation(world.source, marks.RELOAD, "all-1"))
    decision, world = look(asked)
    assert len(created_jobs(decision)) == 1
    assert decision.status["handledRequests"] == {"source-reload": "all-1"}
    off = observe_schema(build_schema(shouldSync=False), source=asked.source)
    decision, _ = look(off)
    assert created_jobs(decision) == []


def test_a_reload_of_a_new_schema_is_its_first_run():
    schema = with_annotation(build_schema(), marks.RELOAD, "t1")
    decision, _ = look(observe_schema(schema))
    assert [trigger_of(job) for job in created_jobs(decision)] == ["Request"]


def test_without_its_source_a_schema_stops_everything_that_it_started():
    _, world = look(observe_schema())
    decision, world = look(replace(world, source=None))
    assert ready_of(decision) == ("False", "SourceNotFound", False)
    assert {one.kind for one in decision.intents if isinstance(one, Delete)} == {"Job", "CronJob"}
    assert world.children.jobs == ()


def test_a_source_that_is_not_ready_stops_the_schedule_and_not_the_run():
    _, world = look(observe_schema())
    source = copy.deepcopy(world.source)
    source["status"]["conditions"][0] |= {"status": "False", "reason": "Unreachable"}
    decision, world = look(replace(world, source=source))
    assert ready_of(decision) == ("False", "SourceNotReady", False)
    assert "Unreachable" in condition(decision.status, "Ready")["message"]
    assert decision.intents == (Suspend("team", "shop-orders"),)
    assert len(world.children.jobs) == 1
    decision, _ = look(replace(world, source=make_ready(build_source())))
    assert cron_of(decision)["suspend"] is False


def test_a_source_that_was_not_checked_yet_makes_a_schema_wait():
    decision, _ = look(observe_schema(source=build_source()))
    assert ready_of(decision) == ("Unknown", "Progressing", False)
    assert decision.intents == ()


def test_a_source_under_a_new_check_leaves_a_schema_as_it_is():
    world = synced()
    source = copy.deepcopy(world.source)
    source["metadata"]["generation"] = 2
    decision, _ = look(replace(world, source=source))
    assert ready_of(decision) == ("True", "Synced", False)
    assert decision.intents == ()
    assert decision.status["nextSyncAt"] == world.schema["status"]["nextSyncAt"]


def test_a_stream_that_vanished_leaves_table_and_history_in_place():
    world = synced()
    source = copy.deepcopy(world.source)
    source["spec"]["rest"]["streams"][0]["name"] = "sales"
    decision, _ = look(replace(world, source=source))
    assert ready_of(decision) == ("False", "StreamNotFound", True)
    assert decision.status["table"]["rows"] == 120
    assert len(decision.status["history"]) == 1
    assert decision.intents == (Suspend("team", "shop-orders"),)


def test_the_younger_of_two_schemas_for_one_table_does_not_run():
    decision, _ = look(observe_schema(rivals=("older",)))
    assert ready_of(decision) == ("False", "TableTaken", True)
    assert decision.intents == ()


def test_two_sources_of_one_table_are_told_to_part_by_a_prefix():
    decision, _ = look(observe_schema(rivals=("older",)))
    message = condition(decision.status, "Ready")["message"]
    assert "older writes to the same table orders;" in message
    assert "tablePrefix" in message


def test_two_streams_of_one_table_are_told_to_change_a_name():
    world = observe_schema(rivals=("older",))
    source = copy.deepcopy(world.source)
    source["spec"]["rest"]["streams"].append({"name": "orders_", "path": "/archive"})
    decision, _ = look(replace(world, source=source))
    message = condition(decision.status, "Ready")["message"]
    assert "rename one of the streams orders_ and orders of source shop" in message
    assert "tablePrefix" not in message


def test_two_streams_whose_names_fall_together_claim_the_same_table():
    source = build_source()
    one, other = build_schema(stream="orderItems"), build_schema(stream="order_items")
    assert table_claim(source, one, SETTINGS) == table_claim(source, other, SETTINGS)
    prefixed = build_source(tablePrefix="x_")
    assert table_claim(prefixed, one, SETTINGS) != table_claim(source, one, SETTINGS)


INCREMENTAL = {"cursorPath": "updated_at", "startParam": "since"}


@pytest.mark.parametrize(
    ("stream", "spec", "expected"),
    [
        ({"primaryKey": ["id"], "incremental": INCREMENTAL}, {}, "Incremental"),
        ({"incremental": INCREMENTAL}, {}, "Append"),
        ({"primaryKey": ["id"]}, {}, "FullRefresh"),
        ({"incremental": INCREMENTAL}, {"primaryKeyColumns": ["id"]}, "Incremental"),
        (
            {"primaryKey": ["id"], "incremental": INCREMENTAL},
            {"syncType": "FullRefresh"},
            "FullRefresh",
        ),
        ({"primaryKey": ["id"], "incremental": INCREMENTAL}, {"syncType": "Append"}, "Append"),
    ],
)
def test_the_sync_type_is_picked_as_a_careful_person_would_and_the_spec_wins(
    stream, spec, expected
):
    source = build_source()
    source["spec"]["rest"]["streams"][0] |= stream
    decision, _ = look(observe_schema(build_schema(**spec), source=make_ready(source)))
    assert decision.status["syncType"] == expected


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
    asked = replace(synced(), schema=with_annotation(synced().schema, marks.RELOAD, "t"))
    _, world = look(asked, later(minutes=1))
    refusal = Refusal(newest_job(world.children)["metadata"]["name"], "violates PodSecurity")
    decision, _ = look(replace(world, children=replace(world.children, refusals=(refusal,))))
    assert ready_of(decision) == ("False", "PodRefused", False)
    assert condition(decision.status, "Reconciling") is not None


def test_the_history_keeps_the_last_ten_runs():
    world = synced()
    for hour in range(1, 15):
        world = replace(world, schema=with_annotation(world.schema, marks.RELOAD, f"t{hour}"))
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


def test_columns_that_did_not_fit_into_the_report_are_read_from_the_logs_last_line():
    _, world = look(observe_schema())
    report = success().model_copy(update={"columns": None})
    world = ended(world, report)
    job = newest_job(world.children)["metadata"]["name"]
    log = 'done\n{"columns": [{"name": "wide", "dataType": "string"}]}\n'
    decision, _ = look(replace(world, logs={job: log}))
    assert [one["name"] for one in decision.status["availableColumns"]] == ["wide"]


def test_the_source_says_how_often_where_the_schema_does_not():
    source = make_ready(build_source(schemas={"defaults": {"syncFrequency": "5min"}}))
    decision, _ = look(observe_schema(source=source))
    assert cron_of(decision)["schedule"].endswith("-59/5 * * * *")


def without_pods(world):
    return replace(world, children=replace(world.children, pods=()))


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


def test_a_success_is_told_as_before_when_its_pod_is_gone():
    world = synced()
    decision, _ = look(without_pods(world), later(hours=1))
    assert decision.status["history"] == world.schema["status"]["history"]
    assert decision.status["conditions"] == world.schema["status"]["conditions"]


def with_runtime(world, runtime):
    source = make_ready(build_source(runtime=runtime))
    return replace(world, source=source)


def test_a_failure_for_good_may_be_mended_in_the_runtime():
    _, world = look(failed())
    decision, _ = look(with_runtime(world, {"serviceAccountName": "right"}))
    assert [trigger_of(job) for job in created_jobs(decision)] == ["Retry"]
    assert cron_of(decision)["suspend"] is False


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


def test_inputs_that_come_back_after_two_failures_are_tried_again():
    world = failed()
    made = []
    for pool in ("a", "b", "a", "b"):
        decision, world = look(with_runtime(world, {"nodeSelector": {"pool": pool}}))
        made.extend(job["metadata"]["name"] for job in created_jobs(decision))
        world = ended(world, failure(), at=later(minutes=len(made)))
        _, world = look(world)
    assert len(set(made)) == 4


AWAY = (Reason.SOURCE_UNAVAILABLE, FailureClass.RETRYABLE)


def with_spec(world, **spec):
    schema = copy.deepcopy(world.schema)
    schema["spec"] |= spec
    return replace(world, schema=schema)


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


def test_runs_older_than_a_full_history_are_not_announced_again():
    world = synced()
    for hour in range(1, 12):
        asked = with_annotation(world.schema, marks.RELOAD, str(hour))
        _, world = look(replace(world, schema=asked), later(hours=hour))
        _, world = look(ended(world, success(), at=later(hours=hour)), later(hours=hour))
    assert len(world.children.jobs) == 12
    decision, _ = look(world, later(hours=12))
    assert decision.notes == ()
