"""Rows whose empty values were no column yet when they came first, and come again once they are."""

import json
import secrets
from pathlib import Path
from typing import Any

import pytest
from external_data_operator.api.schema import SyncType
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sync_runner.records.decode import RecordDecoder
from tests.contract.lake_pod import folder_place
from tests.contract.lake_reading import read_polars
from tests.contract.lake_rows import ListedSource, Row, Syncs, options


def appending(path: Path) -> Syncs:
    """Appends by moment."""
    return Syncs(folder_place(path), options(SyncType.APPEND, cursor="seq"))


def read(sync: Syncs, *pages: list[Row], structs: bool = True) -> int | None:
    """The table's version after a run over these pages, each decoded on its own."""
    batches = []
    for page in pages:
        decoder = RecordDecoder(structs=structs)
        decoder.push(json.dumps(page).encode())
        batches.append(decoder.flush())
    table = sync.read(ListedSource(batches, "seq")).table
    return None if table is None else table.version


def event(seq: int, value: Any) -> Row:
    """An event without a key."""
    return {"seq": seq, "kind": "opened", "v": value}


def count(sync: Syncs) -> list[int]:
    """The table's moments, in order."""
    return sorted(row["seq"] for row in read_polars(str(sync.place.folder)))


EMPTY = [
    ([], ["red"]),
    ([], [0.25]),
    ([], [{"n": 3}]),
    ([], "none"),
    ([], True),
    ([], 12.75),
    ([[], []], [["red"]]),
    ([[]], ["red"]),
    ([None, None], ["red"]),
    ([{}], [{"n": 3}]),
    ([{"n": []}, {}], [{"n": ["red"]}]),
    ({}, {"n": 3}),
    ({}, "none"),
    ({"n": None, "o": {}}, 4),
    ({"n": []}, {"n": ["red"]}),
    ({"n": {"o": [[]]}}, {"n": {"o": [["red"]]}}),
    ({"n": {"o": []}, "p": 1}, {"n": {"o": ["red"]}, "p": 2}),
    ({"n": [], "p": 1}, {"n": "red", "p": 1}),
    ({"n": {}, "p": 1}, {"n": 7, "p": 1}),
    ([{"n": [], "p": 1}, {"n": []}], [{"n": ["red"], "p": 1}]),
]


@pytest.mark.parametrize(("empty", "typed"), EMPTY, ids=[json.dumps(pair) for pair in EMPTY])
def test_a_row_whose_empty_value_gets_a_type_later_comes_once(
    tmp_path: Path, empty: Any, typed: Any
) -> None:
    sync = appending(tmp_path)
    first, second = event(4, empty), event(5, typed)
    read(sync, [first])
    read(sync, [first, second])
    assert count(sync) == [4, 5]
    version = read(sync, [second])
    assert read(sync, [first, second]) == version
    assert count(sync) == [4, 5]


@pytest.mark.parametrize("times", [1, 2, 4])
def test_of_equal_events_with_an_empty_value_those_that_are_new_are_taken(
    tmp_path: Path, times: int
) -> None:
    sync = appending(tmp_path)
    read(sync, [event(4, [])] * 2)
    read(sync, [event(4, [])] * times + [event(5, ["red"])])
    assert count(sync) == [4] * max(2, times) + [5]


def test_an_event_goes_to_the_one_that_is_spelled_as_it_is_before_any_other(
    tmp_path: Path,
) -> None:
    sync = appending(tmp_path)
    read(sync, [event(4, None), event(4, ["red"])])
    read(sync, [event(4, []), event(4, None), event(4, ["red"])])
    found = [row["v"] for row in read_polars(str(sync.place.folder))]
    assert sorted(found, key=str) == [None, ["red"], []]


@pytest.mark.parametrize(
    ("stored", "comes"),
    [
        ([["red"], []], [["red"], None]),
        ([["red"], []], [["red"], ["blue"]]),
        ([["red"], None], [["red"], [None, "blue"]]),
        ([{"n": ["red"]}, {"n": []}], [{"n": ["red"]}, {"n": ["blue"]}]),
        ([{"n": ["red"]}, {"n": []}], [{"n": ["red"]}, {"n": None}]),
        (["none", None], ["none", '["[]"]']),
        (["none", None], ["none", "[1"]),
        (["none", "[]"], ["none", "{}"]),
    ],
    ids=str,
)
def test_an_event_that_says_something_else_is_an_event_of_its_own(
    tmp_path: Path, stored: list[Any], comes: list[Any]
) -> None:
    sync = appending(tmp_path)
    read(sync, [event(4, value) for value in stored])
    read(sync, [event(4, value) for value in comes])
    assert count(sync) == [4, 4, 4]


def test_an_empty_value_that_came_as_a_struct_is_known_again_as_json(tmp_path: Path) -> None:
    sync = appending(tmp_path)
    read(sync, [event(4, []), event(4, {"n": None})])
    read(sync, [event(4, {"n": None}), event(4, []), event(5, ["red"])], structs=False)
    assert count(sync) == [4, 4, 5]


@pytest.mark.parametrize(("empty", "typed"), EMPTY, ids=[json.dumps(pair) for pair in EMPTY])
def test_a_merge_takes_a_late_type_once_and_then_changes_nothing(
    tmp_path: Path, empty: Any, typed: Any
) -> None:
    place = folder_place(tmp_path)
    sync = Syncs(place, options(SyncType.INCREMENTAL, key=["seq"], cursor="seq"))
    read(sync, [event(4, empty)])
    version = read(sync, [event(4, empty), event(5, typed)])
    again = Syncs(place, options(SyncType.INCREMENTAL, key=["seq"], cursor="seq"), runs=9)
    assert read(again, [event(4, empty), event(5, typed)]) == version
    assert count(sync) == [4, 5]


TAGS = st.none() | st.lists(st.sampled_from([None, "red"]), max_size=2)
PLACE = st.fixed_dictionaries({}, optional={"tags": TAGS, "name": st.sampled_from([None, "red"])})
THING = st.fixed_dictionaries({}, optional={"tags": TAGS, "place": PLACE, "all": st.lists(TAGS)})
THINGS = st.none() | THING
EVENTS = st.lists(st.tuples(THINGS, TAGS, st.lists(PLACE, max_size=2)), min_size=3, max_size=7)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(EVENTS, st.sets(st.integers(1, 6), max_size=2))
def test_an_append_holds_each_event_once_whenever_its_members_get_their_types(
    tmp_path: Path, values: list[tuple[Any, ...]], cuts: set[int]
) -> None:
    sync = appending(tmp_path / secrets.token_hex(4))
    events = [{"seq": 4, "v": v, "tags": tags, "w": w} for v, tags, w in values]
    for end in sorted({cut for cut in cuts if cut < len(events)} | {len(events)}):
        read(sync, events[:end])
        assert count(sync) == [4] * end
