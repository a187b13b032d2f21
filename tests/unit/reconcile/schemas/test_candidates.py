"""What rows suggest is shown with the line that would declare it, and never acts."""

import json
from typing import Any

import pytest
import yaml
from external_data_operator.api.cursors import CursorType, IncrementalField, choose_cursor
from external_data_operator.api.plan import DiscoveredStream, Discovery, Plan
from external_data_operator.api.schema import SchemaSpec
from external_data_operator.api.source import SourceSpec
from external_data_operator.api.sources.rest import RestStream
from external_data_operator.cli.manifests import Manifests, read_manifests
from external_data_operator.cli.planning import Wishes, build_sync_plans
from external_data_operator.reconcile.plans.catalogue import Fresh
from external_data_operator.reconcile.plans.stream import Stream
from external_data_operator.reconcile.plans.streams import find_stream, pick_options
from external_data_operator.reconcile.schemas.candidates import find_candidates
from external_data_operator.reconcile.schemas.decide import decide_schema

from tests.unit.reconcile.worlds import (
    NOW,
    SETTINGS,
    applied,
    build_schema,
    build_source,
    keep_catalogue,
    make_ready,
    observe_schema,
    seen,
)

UPDATED = IncrementalField(name="updated_at", type=CursorType.DATE_TIME)
DAY = IncrementalField(name="day", type=CursorType.DATE)
GUESSED = Discovery(
    streams=[
        DiscoveredStream(
            name="orders",
            primary_key=["id"],
            candidate_key=["id"],
            sampled_rows=3,
            incremental_fields=[UPDATED, DAY],
        )
    ]
)
"""As an earlier version wrote it, too: with the guessed key among what is declared."""
DECLARED = {"cursorPath": "updated_at", "startParam": "since", "rowOrder": "Ascending"}


def source_with(**stream: Any) -> Any:
    """A source whose one stream declares more."""
    source = build_source(destination={"s3": {"bucket": "lake"}})
    source["spec"]["rest"]["streams"][0] |= stream
    return source


def decide(source: Any, **schema: Any) -> Any:
    """One look at a schema whose source was checked."""
    world = observe_schema(
        build_schema(**schema), source=make_ready(source), **keep_catalogue(GUESSED)
    )
    return decide_schema(seen(world), SETTINGS, NOW)


def planned(decision: Any) -> Plan:
    """The plan that the pods will get."""
    (plan,) = applied(decision, "ConfigMap")
    return Plan.model_validate_json(plan["data"]["plan.json"])


def read_as_files(folder: Any, *items: Any) -> Manifests:
    """The same objects as files."""
    file = folder / "all.yaml"
    file.write_text(yaml.safe_dump_all(items))
    return read_manifests([str(file)])


def test_a_key_that_rows_suggest_collapses_nothing_and_is_shown() -> None:
    decision = decide(source_with())
    sync = planned(decision).only.sync
    assert (str(sync.sync_type), sync.primary_key_columns) == ("FullRefresh", [])
    lines = [one["line"] for one in decision.status["candidates"]]
    assert lines == [
        "primaryKey: [id]",
        "incremental: {cursorPath: updated_at, cursorType: DateTime}",
        "incremental: {cursorPath: day, cursorType: Date}",
    ]


def test_what_is_declared_is_no_candidate_any_more() -> None:
    decision = decide(source_with(primaryKey=["id"], incremental=DECLARED))
    assert "candidates" not in decision.status
    own = decide(source_with(), primaryKeyColumns=["id"], incrementalField="day")
    assert "candidates" not in own.status


SPECS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({}, {}),
    ({"primaryKey": ["uid"]}, {}),
    ({"incremental": DECLARED}, {}),
    ({"primaryKey": ["uid"], "incremental": DECLARED}, {}),
    ({"primaryKey": ["uid"], "incremental": DECLARED}, {"incrementalField": "day"}),
    ({}, {"syncType": "Append", "incrementalField": "day", "incrementalFieldType": "Date"}),
    ({"incremental": DECLARED}, {"syncType": "FullRefresh", "primaryKeyColumns": ["a", "b"]}),
    ({"incremental": DECLARED}, {"incrementalFieldType": "Timestamp", "lookbackSeconds": 60}),
]


@pytest.mark.parametrize(("stream", "schema"), SPECS, ids=str)
def test_operator_and_command_line_plan_the_same_sync(
    tmp_path: Any, stream: dict[str, Any], schema: dict[str, Any]
) -> None:
    source = source_with(**stream)
    of_operator = planned(decide(source, **schema))
    files = read_as_files(tmp_path, source, build_schema(**schema))
    (of_command_line,) = build_sync_plans(files, Wishes())
    assert of_command_line.tables == of_operator.tables
    assert of_command_line.rest == of_operator.rest


@pytest.mark.parametrize(
    ("field", "kind", "declared", "chosen"),
    [
        (None, None, None, None),
        (None, None, DAY, ("day", "Date")),
        (None, CursorType.DATE_TIME, DAY, ("day", "DateTime")),
        ("day", None, DAY, ("day", "Date")),
        ("day", None, UPDATED, ("day", "DateTime")),
        ("seq", CursorType.INTEGER, UPDATED, ("seq", "Integer")),
        ("seq", None, None, ("seq", "DateTime")),
        ("at", None, IncrementalField(name="n", type=CursorType.INTEGER), ("at", "DateTime")),
    ],
)
def test_the_declared_type_belongs_to_the_declared_field(
    field: str | None,
    kind: CursorType | None,
    declared: IncrementalField | None,
    chosen: tuple[str, str] | None,
) -> None:
    found = choose_cursor(field, kind, declared)
    assert (None if found is None else (found.name, str(found.type))) == chosen


def test_a_moving_sync_always_has_a_type() -> None:
    spec = SchemaSpec.model_validate(
        {"sourceRef": {"name": "s"}, "stream": "t", "syncType": "Append", "incrementalField": "day"}
    )
    assert pick_options(spec, Stream("t")).incremental_field_type is CursorType.DATE_TIME


@pytest.mark.parametrize("name", ["id", "a.b", "no", "Straße nr", 'say "hi"', "x: y", "#", "7"])
def test_a_line_declares_exactly_the_field_when_it_is_copied(name: str) -> None:
    stream = Stream(
        "orders",
        candidate_key=(name,),
        sampled_rows=2,
        incremental_fields=(IncrementalField(name=name, type=CursorType.DATE),),
    )
    for candidate in find_candidates(stream):
        ((key, value),) = yaml.safe_load(candidate.line).items()
        if key == "primaryKey":
            assert value == [name]
        else:
            assert value == {"cursorPath": name, "cursorType": "Date"}


def test_a_catalogue_states_keys_and_cursors_where_rows_do_not() -> None:
    rest = SourceSpec.model_validate(build_source()["spec"])
    merged = find_stream(rest, Fresh(GUESSED), "orders")
    assert merged is not None
    assert (merged.primary_key, merged.cursor) == ((), None)
    assert json.loads(GUESSED.model_dump_json())["streams"][0]["primary_key"] == ["id"]
    assert RestStream(name="x", path="/x").primary_key == []
