"""What a schema takes from its source, and the table that it may have to share."""

import copy
from dataclasses import replace

import pytest
from external_data_operator.reconcile.base.world import Delete, ResourceKey, Suspend
from external_data_operator.reconcile.schemas.rivals import table_claim

from tests.unit.reconcile.schemas.schema_life import cron_of, look, synced
from tests.unit.reconcile.worlds import (
    SETTINGS,
    build_schema,
    build_source,
    condition,
    make_ready,
    observe_schema,
    ready_of,
)

OLDER = ResourceKey("ExternalDataSchema", "team", "older")


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
    decision, _ = look(observe_schema(rivals=(OLDER,)))
    assert ready_of(decision) == ("False", "TableTaken", True)
    assert decision.intents == ()


def test_two_sources_of_one_table_are_told_to_part_by_a_prefix():
    decision, _ = look(observe_schema(rivals=(OLDER,)))
    message = condition(decision.status, "Ready")["message"]
    assert "older writes to the same table orders." in message
    assert "tablePrefix" in message


def test_two_streams_of_one_table_are_told_to_differ_before_either_runs():
    world = observe_schema()
    source = copy.deepcopy(world.source)
    source["spec"]["rest"]["streams"].append({"name": "orders_", "path": "/archive"})
    decision, _ = look(replace(world, source=source))
    assert ready_of(decision)[:2] == ("False", "InvalidSpec")
    message = condition(decision.status, "Ready")["message"]
    assert message.startswith("The spec is not valid: rest.streams: names of streams must differ")


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


def test_the_source_says_how_often_where_the_schema_does_not():
    source = make_ready(build_source(schemas={"defaults": {"syncFrequency": "5min"}}))
    decision, _ = look(observe_schema(source=source))
    assert cron_of(decision)["schedule"].endswith("-59/5 * * * *")


def test_an_object_of_another_kind_that_writes_to_the_table_is_named_with_its_kind():
    query = ResourceKey("ExternalDataQuery", "team", "report")
    decision, _ = look(observe_schema(rivals=(query,)))
    ready = decision.status["conditions"][0]
    assert ready["reason"] == "TableTaken"
    assert ready["message"].startswith("ExternalDataQuery report writes to the same table")
