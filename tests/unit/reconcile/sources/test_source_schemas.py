"""The schemas of a source: made for each stream, adopted, left out, reloaded together."""

from dataclasses import replace

from external_data_operator.api.actions import ACTIONS
from external_data_operator.api.handoff import Document
from external_data_operator.api.plan import (
    DiscoveredStream,
    Discovery,
)
from external_data_operator.reconcile.base.world import Apply, Delete

from tests.unit.reconcile.sources.source_life import FOUND, checked, look, report
from tests.unit.reconcile.worlds import (
    NOW,
    applied,
    build_schema,
    build_source,
    created_jobs,
    end_job,
    log_of,
    newest_job,
    observe_source,
    with_annotation,
)


def test_a_refresh_checks_once_more_and_is_recorded_when_answered():
    world = checked()
    asked = replace(
        world, source=with_annotation(world.source, ACTIONS["refresh-schemas"].annotation, "t1")
    )
    decision, world = look(asked)
    assert len(created_jobs(decision)) == 1
    assert "handledRequests" not in decision.status
    children = end_job(world.children, at=NOW, report=report())
    logs = log_of(newest_job(children), Document.DISCOVERY, FOUND)
    world = replace(world, children=children, logs=logs)
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
    [change] = [one for one in decision.intents if isinstance(one, Apply)]
    assert change.decided_on is ours


def test_streams_that_the_policy_leaves_out_get_no_schema():
    rest = {
        "baseUrl": "https://a.example",
        "streams": [{"name": n, "path": f"/{n}"} for n in ("a1", "a2", "b1")],
    }
    source = build_source(rest=rest, schemas={"include": ["a*"], "exclude": ["*2"]})
    found = Discovery(streams=[DiscoveredStream(name=n) for n in ("a1", "a2", "b1")])
    decision, _ = look(checked(observe_source(source), found))
    assert [one["spec"]["stream"] for one in applied(decision, "ExternalDataSchema")] == ["a1"]


def test_a_reload_is_carried_out_once_the_schemas_that_are_synced_have_reloaded():
    done = {"handledRequests": {"source-reload": "t"}}
    on, off = {**build_schema(), "status": done}, build_schema("shop-off", shouldSync=False)
    world = observe_source(
        with_annotation(build_source(), ACTIONS["reload"].annotation, "t"), schemas=(on, off)
    )
    decision, _ = look(world)
    assert decision.status["handledRequests"]["reload"] == "t"
    decision, _ = look(replace(world, schemas=(build_schema(), off)))
    assert "handledRequests" not in decision.status
