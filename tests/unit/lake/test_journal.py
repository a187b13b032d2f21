"""The journal's text, and who may go on from it."""

import json
from dataclasses import replace
from typing import Any

import pytest
from external_data_operator.api.cursors import CursorType
from hypothesis import given
from hypothesis import strategies as st

from sync_runner.lake.delta.commits import parse_commit
from sync_runner.lake.delta.state import State, parse_state, render_state
from sync_runner.lake.journal import (
    AGE_MAX_S,
    Entry,
    Journal,
    is_continued,
    parse_journal,
    render_journal,
)
from sync_runner.lake.mode import Existing
from sync_runner.protocols import Counts, Position
from sync_runner.records.dedupe import Order

INTEGER = CursorType.INTEGER
JOURNAL = Journal(
    run="r",
    attempt="a",
    seq=3,
    fingerprint="f",
    updated=1000.0,
    token="t",
    ended=True,
    since=Position("1", INTEGER),
    position=Position("2024-01-01", CursorType.DATE, "day"),
    confirms="c",
    parts=(Entry("data/x.parquet", 10, 2, Order.ASCENDING),),
    counts=Counts(1, 2, 3, 4, 5.5),
)
STATE = State(
    run="r",
    attempt="a",
    seq=7,
    final=True,
    position=JOURNAL.position,
    counts=Counts(1),
    plan="p",
    confirms="c",
    existing=Existing.CHANGE,
)


def test_a_journal_comes_back_as_it_was_written() -> None:
    assert parse_journal(render_journal(JOURNAL)) == JOURNAL


@given(st.binary(max_size=200))
def test_anything_else_is_no_journal(data: bytes) -> None:
    assert parse_journal(data) is None


@pytest.mark.parametrize("cut", range(0, 300, 25))
def test_a_torn_journal_is_no_journal(cut: int) -> None:
    assert parse_journal(render_journal(JOURNAL)[:cut]) is None


@pytest.mark.parametrize(
    ("changes", "continued"),
    [
        ({}, True),
        ({"open": False}, False),
        ({"run": "other"}, False),
        ({"seq": 4}, False),
        ({"fingerprint": "g"}, False),
        ({"updated": 1000.0 - AGE_MAX_S}, False),
        ({"updated": 1101.0}, False),
    ],
    ids=str,
)
def test_only_the_same_run_plan_and_publication_goes_on_within_a_day(
    changes: dict[str, object], continued: bool
) -> None:
    journal = replace(JOURNAL, **changes)  # type: ignore[arg-type]
    assert is_continued(journal, run="r", seq=3, fingerprint="f", now=1100.0) is continued


def test_a_state_comes_back_from_a_commit_also_of_a_newer_version() -> None:
    text = render_state(STATE).replace('"run"', '"more": {"x": 1}, "run"')
    assert parse_state(render_state(STATE)) == parse_state(text) == STATE


@pytest.mark.parametrize(
    ("cursor", "position", "read"),
    [
        ("at", {"value": "5", "type": "Integer"}, {"position": Position("5", INTEGER, "at")}),
        ("at", None, {"field_without_position": "at"}),
        (None, None, {}),
        (None, {"value": "5", "type": "Integer"}, {}),
    ],
    ids=["position", "no-row-had-a-value", "full-refresh", "no-field"],
)
def test_a_commit_of_an_earlier_version_names_the_field_beside_its_position(
    cursor: str | None, position: dict[str, str] | None, read: dict[str, Any]
) -> None:
    spec = json.loads(render_state(replace(STATE, position=None, confirms=None)))
    del spec["field_without_position"], spec["confirms"]
    spec |= {"cursor": cursor, "position": position}
    found = parse_state(json.dumps(spec))
    assert found == replace(STATE, confirms=None, **{"position": None, **read})


def test_commits_of_others_tell_no_state() -> None:
    assert parse_commit('{"protocol":{}}\n{"commitInfo":{"operation":"OPTIMIZE"}}\n').state is None
    assert parse_commit("").state is None
