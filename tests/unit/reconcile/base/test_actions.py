"""Actions are the rows of one table; an action that it does not enable has a warning."""

from dataclasses import replace
from pathlib import Path

import pytest
from external_data_operator.api.actions import ACTIONS, Action, list_actions
from external_data_operator.api.plan import Task
from external_data_operator.controllers import CONTROLLERS

from tests.unit.reconcile.schemas.schema_life import look as look_at_schema
from tests.unit.reconcile.schemas.schema_life import synced
from tests.unit.reconcile.sources.source_life import checked
from tests.unit.reconcile.sources.source_life import look as look_at_source
from tests.unit.reconcile.worlds import build_schema, created_jobs, with_annotation

PAGES = Path(__file__).parents[4] / "docs/reference"
LATER = [name for name, action in ACTIONS.items() if not action.enabled]


def ask(world, own, look, action):
    """The decision after the annotation was set, and the one after that was carried out."""
    item = with_annotation(getattr(world, own), action.annotation, "now")
    return look(type(world)(**{**vars(world), own: item}))


@pytest.mark.parametrize("name", ACTIONS)
def test_an_action_is_on_kinds_that_the_operator_reconciles(name):
    action = ACTIONS[name]
    assert action.on
    assert {*action.on, *action.passed_on} <= set(CONTROLLERS)


WRONG_KIND = [name for name in ACTIONS if "ExternalDataSchema" not in ACTIONS[name].on]


def warnings_of(decision):
    return [note.message for note in decision.notes if note.reason == "ActionUnsupported"]


@pytest.mark.parametrize("name", [*LATER, *WRONG_KIND])
def test_an_unsupported_action_starts_nothing_and_has_one_warning_for_each_token(name):
    decision, world = ask(synced(), "schema", look_at_schema, ACTIONS[name])
    assert created_jobs(decision) == []
    (message,) = warnings_of(decision)
    assert f"external-data.io/{name} has no effect on an ExternalDataSchema. " in message
    assert message.endswith(".")
    decision, world = look_at_schema(world)
    assert warnings_of(decision) == []
    world.schema["metadata"]["annotations"][ACTIONS[name].annotation] = "later"
    decision, _ = look_at_schema(world)
    assert warnings_of(decision) == [message]


@pytest.mark.parametrize("name", LATER)
def test_an_unsupported_action_names_an_alternative(name):
    assert ACTIONS[name].instead.split()[0] in ("Set", "Use")


def test_an_action_of_another_kind_has_a_warning_on_a_source():
    decision, world = ask(checked(), "source", look_at_source, ACTIONS["allow-shrink"])
    (message,) = warnings_of(decision)
    assert "external-data.io/allow-shrink has no effect on an ExternalDataSource. " in message
    assert message.endswith("Use it on an ExternalDataSchema.")
    decision, _ = look_at_source(world)
    assert warnings_of(decision) == []


@pytest.mark.parametrize(
    "name", [one.name for one in list_actions("ExternalDataSchema") if one.runs is Task.SYNC]
)
def test_an_action_that_runs_a_sync_starts_one_job_and_is_recorded(name):
    decision, world = ask(synced(), "schema", look_at_schema, ACTIONS[name])
    assert len(created_jobs(decision)) == 1
    assert world.schema["status"]["handledRequests"] == {name: "now"}
    decision, _ = look_at_schema(world)
    assert created_jobs(decision) == []


FURTHER = Action("look-closer", ("ExternalDataSource",), "Checks more.", runs=Task.CHECK)
PASSED = Action(
    "catch-up",
    ("ExternalDataSource", "ExternalDataSchema"),
    "Syncs all.",
    runs=Task.SYNC,
    passed_on=("ExternalDataSource",),
)


OF_SOURCES = [*list_actions("ExternalDataSource"), FURTHER, PASSED]


def by_name(actions):
    return pytest.mark.parametrize("action", actions, ids=lambda one: one.name)


@by_name([one for one in OF_SOURCES if not one.passed_on])
def test_an_action_that_runs_a_check_starts_one_job_and_is_recorded_once_it_is_answered(
    monkeypatch, action
):
    monkeypatch.setitem(ACTIONS, action.name, action)
    decision, world = ask(checked(), "source", look_at_source, action)
    assert len(created_jobs(decision)) == 1
    assert "handledRequests" not in world.source["status"]
    world = checked(world)
    assert world.source["status"]["handledRequests"] == {action.name: "now"}
    decision, _ = look_at_source(world)
    assert created_jobs(decision) == []


def test_two_actions_that_run_a_check_are_answered_by_one(monkeypatch):
    monkeypatch.setitem(ACTIONS, FURTHER.name, FURTHER)
    world = checked()
    for action in (ACTIONS["refresh-schemas"], FURTHER):
        world = replace(world, source=with_annotation(world.source, action.annotation, "now"))
    world = checked(world)
    done = {"refresh-schemas": "now", FURTHER.name: "now"}
    assert world.source["status"]["handledRequests"] == done


@by_name([one for one in OF_SOURCES if one.passed_on])
def test_an_action_that_is_passed_on_is_recorded_once_every_schema_has_carried_it_out(
    monkeypatch, action
):
    monkeypatch.setitem(ACTIONS, action.name, action)
    done = {"handledRequests": {f"source-{action.name}": "now"}}
    world = replace(checked(), schemas=({**build_schema(), "status": done},))
    _, world = ask(world, "source", look_at_source, action)
    assert world.source["status"]["handledRequests"] == {action.name: "now"}
    _, world = ask(replace(checked(), schemas=(build_schema(),)), "source", look_at_source, action)
    assert "handledRequests" not in world.source["status"]


@pytest.mark.parametrize("kind", CONTROLLERS)
def test_a_kinds_page_lists_its_enabled_actions_and_no_others(kind):
    page = (PAGES / f"{kind.lower()}.md").read_text()
    listed = {name for name, one in ACTIONS.items() if f"| `{one.annotation}` |" in page}
    assert listed == {one.name for one in list_actions(kind)}
