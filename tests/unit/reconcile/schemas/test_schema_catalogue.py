"""A schema of a source whose streams only a check can tell."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from external_data_operator.api.cursors import CursorType, IncrementalField
from external_data_operator.api.plan import DiscoveredStream, Discovery, Plan
from external_data_operator.api.schema import SyncType
from external_data_operator.reconcile.base.world import Suspend
from external_data_operator.reconcile.schemas.decide import decide_schema
from external_data_operator.reconcile.schemas.observed import ObservedSchema

from tests.fakes.ledger import installed
from tests.large_catalogue import build_catalogue
from tests.unit.reconcile.worlds import (
    NOW,
    SETTINGS,
    applied,
    build_schema,
    build_source,
    condition,
    keep_catalogue,
    make_ready,
    observe_schema,
    seen,
    step,
)

ORDERS = DiscoveredStream(
    name="orders",
    primary_key=["id"],
    incremental_fields=[IncrementalField(name="at", type=CursorType.INTEGER)],
    incremental_field="at",
)


@pytest.fixture(autouse=True)
def _kind() -> Iterator[None]:
    with installed():
        yield


def observe(found: Discovery | None, stream: str = "orders") -> ObservedSchema:
    source = build_source()
    source["spec"] = {"ledger": {"path": "/books"}}
    kept = {} if found is None else keep_catalogue(found)
    return observe_schema(build_schema(stream=stream), source=make_ready(source), **kept)


def ready_of(decision: Any) -> tuple[str, str]:
    ready = condition(decision.status, "Ready")
    return ready["status"], ready["reason"]


def scheduled(world: ObservedSchema) -> ObservedSchema:
    """With its plan and its CronJob."""
    return step(world, decide_schema(seen(world), SETTINGS, NOW), NOW)


def test_the_catalogues_key_and_cursor_decide_how_a_stream_is_synced() -> None:
    decision = decide_schema(seen(observe(Discovery(streams=[ORDERS]))), SETTINGS, NOW)
    (plan,) = applied(decision, "ConfigMap")
    options = Plan.model_validate_json(plan["data"]["plan.json"]).only.sync
    assert (options.sync_type, options.primary_key_columns) == (SyncType.INCREMENTAL, ["id"])


def test_a_stream_that_the_catalogue_lacks_stops_and_keeps_its_table() -> None:
    decision = decide_schema(seen(observe(Discovery(streams=[]))), SETTINGS, NOW)
    assert ready_of(decision) == ("False", "StreamNotFound")


def test_a_schema_waits_for_the_first_catalogue() -> None:
    decision = decide_schema(seen(observe(None)), SETTINGS, NOW)
    assert ready_of(decision) == ("Unknown", "Progressing")
    assert decision.intents == ()


@pytest.mark.parametrize("lost", ["discovery", "discovery_parts"], ids=["head", "part"])
def test_a_schema_whose_catalogue_is_lost_keeps_schedule_and_plan(lost: str) -> None:
    found = build_catalogue(hashed=True, tables=900)
    world = scheduled(observe(found, found.streams[-1].name))
    assert world.children.cron_jobs
    without = replace(world, **{lost: None if lost == "discovery" else ()})
    decision = decide_schema(seen(without), SETTINGS, NOW)
    assert not any(isinstance(one, Suspend) for one in decision.intents)
    assert applied(decision, "ConfigMap") == []
    assert ready_of(decision)[1] != "StreamNotFound"
