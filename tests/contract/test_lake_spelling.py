"""An append knows objects again that are text beside other values, whichever batch they are in."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from external_data_operator.api.plan import Limits
from external_data_operator.api.schema import SyncType

from sync_runner.records.decode import RecordDecoder
from tests.contract.lake_pod import SMALL, folder_place
from tests.contract.lake_reading import read_polars
from tests.contract.lake_rows import ListedSource, Row, Syncs, options

BESIDE = {
    "text": "none",
    "a member of another kind": {"Id": "x"},
    "a list beside a list of text": ["x"],
}
VALUES: list[Any] = [
    {"Id": 7, "Plain Name": "Ada", "gone": None},
    {"Plain Name": "Ada", "Id": 7.50},
    {"Id": {"Inner Id": True, "list": [1, {"b": 2, "a": None}]}},
]


def appending(path: Path) -> Syncs:
    return Syncs(folder_place(path), options(SyncType.APPEND, cursor="seq"))


def read(sync: Syncs, *pages: list[Row]) -> None:
    """A run whose pages are decoded by one decoder."""
    decoder, batches = RecordDecoder(structs=True), []
    for page in pages:
        decoder.push(json.dumps(page).encode())
        batches.append(decoder.flush())
    sync.read(ListedSource(batches, "seq"))


def count(sync: Syncs) -> list[int]:
    return sorted(row["seq"] for row in read_polars(str(sync.place.folder)))


def event(seq: int, value: Any, more: Any = None) -> Row:
    return {"seq": seq, "v": value, "w": more}


@pytest.mark.parametrize("value", [*VALUES, VALUES], ids=json.dumps)
@pytest.mark.parametrize("beside", BESIDE.values(), ids=list(BESIDE))
def test_an_object_that_is_text_beside_others_is_known_again_alone(
    tmp_path: Path, beside: Any, value: Any
) -> None:
    sync = appending(tmp_path)
    read(sync, [event(1, beside), event(4, value), event(4, value, "other")])
    read(sync, [event(4, value), event(4, value, "other")])
    read(sync, [event(4, value), event(4, value, "other"), event(5, beside)])
    assert count(sync) == [1, 4, 4, 5]


@pytest.mark.parametrize("value", VALUES, ids=json.dumps)
def test_an_object_that_is_text_beside_others_is_known_again_on_a_page_before_them(
    tmp_path: Path, value: Any
) -> None:
    sync = appending(tmp_path)
    read(sync, [event(1, "none"), event(4, value)])
    read(sync, [event(4, value)], [event(4, value, "other"), event(5, "none")])
    assert count(sync) == [1, 4, 4, 5]


def test_an_object_that_was_a_struct_first_is_known_again_beside_others(tmp_path: Path) -> None:
    sync = appending(tmp_path)
    read(sync, [event(4, VALUES[0], VALUES[1])], [event(4, "text", "text")])
    read(sync, [event(4, "text", "text"), event(4, VALUES[0], VALUES[1]), event(5, 1, 1)])
    assert count(sync) == [4, 4, 5]


def test_of_objects_that_are_text_those_that_say_something_else_are_taken(tmp_path: Path) -> None:
    sync = appending(tmp_path)
    read(sync, [event(1, "text"), event(4, {"a": 1}), event(4, {"a": 1})])
    read(sync, [event(4, {"a": 1}), event(4, {"a": 2}), event(4, {"a": 1}), event(4, {"a": 1})])
    assert count(sync) == [1, 4, 4, 4, 4]


MIXED = [["x"], {"Id": 1}]
LOST: list[Any] = [{}, {"gone": None}, {"Id": {"gone": None}}, {"Id": 7.5, "list": []}]


@pytest.mark.parametrize("value", LOST, ids=json.dumps)
def test_an_object_beside_lists_is_known_again_alone(tmp_path: Path, value: Any) -> None:
    sync = appending(tmp_path)
    read(sync, [event(1, value) for value in MIXED] + [event(4, value), event(4, value)])
    read(sync, [event(4, value), event(4, value)])
    read(sync, [event(4, value), event(4, value), event(5, MIXED[0])])
    assert count(sync) == [1, 1, 4, 4, 5]


@pytest.mark.parametrize("value", LOST, ids=json.dumps)
def test_an_object_beside_lists_is_known_again_on_a_page_before_them(
    tmp_path: Path, value: Any
) -> None:
    sync = appending(tmp_path)
    read(sync, [event(1, value) for value in MIXED] + [event(4, value)])
    read(sync, [event(4, {"Id": "text"})], [event(4, value)], [event(5, MIXED[0])])
    assert count(sync) == [1, 1, 4, 4, 5]


@pytest.mark.parametrize("value", LOST, ids=json.dumps)
def test_an_object_that_was_a_struct_before_lists_is_known_again_beside_them(
    tmp_path: Path, value: Any
) -> None:
    sync = appending(tmp_path)
    read(sync, [event(1, {"Id": "text"})], [event(4, value)], [event(4, MIXED[0])])
    read(sync, [event(4, MIXED[0]), event(4, value), event(5, MIXED[1])])
    assert count(sync) == [1, 4, 4, 5]


@pytest.mark.parametrize(
    ("stored", "comes"),
    [
        ([{}], [{}, None]),
        ([{"Id": 7}], [{"Id": 7}, {"Id": "7"}]),
        ([None, {"Id": 7}], [{"Id": "7"}, {"Id": 7}, {}, None]),
    ],
    ids=json.dumps,
)
def test_beside_lists_an_object_goes_to_the_one_that_is_spelled_as_it_is_first(
    tmp_path: Path, stored: list[Any], comes: list[Any]
) -> None:
    sync = appending(tmp_path)
    beside = [event(1, value) for value in MIXED]
    read(sync, beside + [event(4, value) for value in stored])
    read(sync, beside + [event(4, value) for value in comes])
    found = [row["v"] for row in read_polars(str(sync.place.folder)) if row["seq"] == 4]
    said = [None if text is None else json.loads(text) for text in found]
    assert sorted(said, key=str) == sorted(comes, key=str)


@pytest.mark.parametrize(
    ("stored", "comes"),
    [
        ([{"Id": 7}], [{"Id": "7"}, {"Id": 7}]),
        ([{}], [None, {}]),
        ([{"Id": 7}, {}, {"Id": 7}], [None, {"Id": "7"}, {"Id": 7}, {"Id": 7}, {}]),
    ],
    ids=json.dumps,
)
@pytest.mark.parametrize("beside", [["x"], "text"], ids=json.dumps)
def test_an_object_goes_to_the_one_that_is_spelled_as_it_is_first_in_whichever_part_it_is(
    tmp_path: Path, stored: list[Any], comes: list[Any], beside: Any
) -> None:
    sync = appending(tmp_path)
    sync.policy, sync.limits = replace(SMALL, group_rows=1), Limits(part_bytes=1)
    others = [event(1, beside), event(1, {"Id": 1})]
    read(sync, others + [event(4, value) for value in stored])
    read(sync, others, *([event(4, value)] for value in comes))
    found = [row["v"] for row in read_polars(str(sync.place.folder)) if row["seq"] == 4]
    said = [None if text is None else json.loads(text) for text in found]
    assert sorted(said, key=str) == sorted(comes, key=str)


def test_json_that_was_never_a_struct_is_compared_by_all_that_it_says(tmp_path: Path) -> None:
    sync = appending(tmp_path)
    for values in ([{"Id": 7}, {}], [{"Id": "7"}, None]):
        decoder = RecordDecoder(structs=False)
        decoder.push(json.dumps([event(4, value) for value in values]).encode())
        sync.read(ListedSource([decoder.flush()], "seq"))
    assert count(sync) == [4, 4, 4, 4]
