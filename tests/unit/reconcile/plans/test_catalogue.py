"""What a check found fits into ConfigMaps, however much it is, and one stream is found in it."""

import base64
import json

import pytest
from external_data_operator.api.plan import DiscoveredStream, Discovery
from external_data_operator.api.schema import Column
from external_data_operator.reconcile.plans.catalogue import (
    find_object_names,
    pack_catalogue,
    read_catalogue,
)

from tests.large_catalogue import TABLES, build_catalogue
from tests.unit.reconcile.worlds import keep_catalogue

CONFIG_MAP_BYTES = 1 << 20
REQUEST_BYTES = 1_500_000


def read(kept):
    return read_catalogue(kept["discovery"], kept["discovery_parts"])


def objects_of(kept):
    return [kept["discovery"], *kept["discovery_parts"]]


@pytest.mark.parametrize(("hashed", "objects"), [(False, 1), (True, 2)], ids=["words", "hashes"])
def test_all_columns_of_2000_tables_are_kept_in_as_many_objects_as_they_need(hashed, objects):
    found = build_catalogue(hashed=hashed)
    kept = keep_catalogue(found)
    assert len(objects_of(kept)) >= objects
    for item in objects_of(kept):
        values = item["binaryData"].values()
        assert sum(len(base64.b64decode(value)) for value in values) < CONFIG_MAP_BYTES
        assert len(json.dumps(item)) < REQUEST_BYTES
    catalogue = read(kept)
    assert list(catalogue.names) == [stream.name for stream in found.streams]
    some = found.streams[::20]
    assert [catalogue.find(stream.name) for stream in some] == some


def test_a_small_catalogue_is_one_object_and_empty_ones_are_known():
    kept = keep_catalogue(Discovery(streams=[DiscoveredStream(name="orders")]))
    assert kept["discovery_parts"] == ()
    assert read(kept).find("orders") == DiscoveredStream(name="orders")
    assert read(kept).find("items") is None
    assert list(read(keep_catalogue(Discovery(streams=[]))).names) == []


def test_a_catalogue_of_which_an_object_is_missing_is_none():
    kept = keep_catalogue(build_catalogue(hashed=True))
    names = find_object_names(kept["discovery"])
    assert len(names) >= 1
    assert read({**kept, "discovery_parts": kept["discovery_parts"][1:]}) is None
    assert read({**kept, "discovery": None}) is None
    assert read({**kept, "discovery": {"metadata": {"name": "x"}, "data": {"index": "x"}}}) is None


def test_the_same_catalogue_gives_the_same_objects_and_another_one_others():
    first, again = (pack_catalogue("db", build_catalogue(hashed=True)) for _ in range(2))
    assert first == again
    *others, last = build_catalogue(hashed=True).streams
    last = last.model_copy(update={"columns": [Column(name="new", data_type="long")]})
    changed = Discovery(streams=[*others, last])
    assert pack_catalogue("db", changed).others.keys() != first.others.keys()


def test_a_chunk_that_cannot_be_read_hides_its_streams_and_no_others():
    kept = keep_catalogue(build_catalogue(hashed=False))
    head = kept["discovery"]
    spoilt = {**head, "binaryData": {**head["binaryData"], "chunk-0": "AAAA"}}
    catalogue = read({**kept, "discovery": spoilt})
    names = list(catalogue.names)
    assert catalogue.find(names[0]) is None
    assert catalogue.find(names[-1]) is not None
    assert len(names) == TABLES


def test_a_stream_that_fits_into_no_object_loses_its_columns_and_says_so():
    columns = [Column(name=f"{number}-{'x' * 400}", data_type="long") for number in range(2000)]
    wide = DiscoveredStream(name="wide", primary_key=["id"], columns=columns)
    catalogue = read(keep_catalogue(Discovery(streams=[wide, DiscoveredStream(name="slim")])))
    found = catalogue.find("wide")
    assert (found.columns, found.primary_key) == ([], ["id"])
    assert "first sync lists them" in found.notes[0]
    assert catalogue.find("slim").notes == []


def test_the_first_notes_are_kept_with_the_number_of_the_others():
    streams = [DiscoveredStream(name=f"s{n}", notes=["It is empty."]) for n in range(5)]
    notes = read(keep_catalogue(Discovery(streams=streams))).notes
    assert list(notes) == [
        "s0: It is empty.", "s1: It is empty.", "s2: It is empty.", "2 more notes.",
    ]  # fmt: skip
