"""Rows of one key collapse to the last one, wherever they come from."""

import itertools
import json
import secrets
from contextlib import suppress
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from external_data_operator.api.conditions import Reason
from external_data_operator.api.schema import SyncType
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sync_runner.errors import ConfigurationError
from sync_runner.lake.policy import Policy
from sync_runner.protocols import Step
from sync_runner.records.decode import RecordDecoder
from tests.contract.lake_pod import SMALL, Place, folder_place
from tests.contract.lake_reading import read_polars
from tests.contract.lake_rows import DieAt, Died, ListedSource, Row, Syncs, options


def rows(place: Place) -> list[Row]:
    """The table's rows."""
    store = place.open()
    return read_polars(store.uri, store.options)


def by_id(place: Place) -> dict[Any, Any]:
    """Values by key; no key may be there twice."""
    found = rows(place)
    table = {row["id"]: row["v"] for row in found}
    assert len(table) == len(found)
    return table


def merging(place: Place) -> Syncs:
    """Merges by id."""
    return Syncs(place, options(SyncType.INCREMENTAL, key=["id"], cursor="seq"))


@pytest.mark.parametrize("sync_type", [SyncType.FULL_REFRESH, SyncType.INCREMENTAL])
@pytest.mark.parametrize("count", [4, 200], ids=["in-memory", "in-parts"])
def test_duplicates_collapse_within_a_page_across_pages_and_in_the_first_load(
    place: Place, sync_type: SyncType, count: int
) -> None:
    pages = [
        [{"id": i % count, "seq": n * 1000 + i, "v": f"{n}/{i}"} for i in range(count + 7)]
        for n in range(3)
    ]
    Syncs(place, options(sync_type, key=["id"], cursor="seq"))(*pages)
    wanted = {row["id"]: row["v"] for page in pages for row in page}
    assert by_id(place) == wanted


def test_keys_match_null_safe_alone_and_among_several(place: Place) -> None:
    sync = merging(place)
    sync([{"id": None, "seq": 1, "v": "a"}, {"id": 1, "seq": 2, "v": "b"}])
    sync([{"id": None, "seq": 3, "v": "c"}])
    assert by_id(place) == {None: "c", 1: "b"}


def test_a_key_of_several_columns_is_matched_as_a_whole(tmp_path: Path) -> None:
    place = folder_place(tmp_path)
    sync = Syncs(place, options(SyncType.INCREMENTAL, key=["a", "b"], cursor="seq"))
    sync([{"a": a, "b": b, "seq": 1, "v": 0} for a in (1, 2, None) for b in ("x", "y", None)])
    sync([{"a": 1, "b": None, "seq": 2, "v": 1}, {"a": None, "b": "x", "seq": 3, "v": 2}])
    changed = {(row["a"], row["b"]): row["v"] for row in rows(place) if row["v"]}
    assert len(rows(place)) == 9
    assert changed == {(1, None): 1, (None, "x"): 2}


def test_a_merge_rewrites_only_the_files_that_hold_its_keys(tmp_path: Path) -> None:
    place = folder_place(tmp_path)
    sync = merging(place)
    sync(*([{"id": i, "seq": i, "v": "old"} for i in range(n, n + 10)] for n in range(0, 400, 10)))
    before = {info.path for info in place.open().list("data")}
    outcome = sync([{"id": 5, "seq": 500, "v": "new"}, {"id": 7, "seq": 501, "v": "new"}])
    new = {info.path for info in place.open().list("data")} - before
    assert outcome.table is not None
    assert len(new) == 1
    assert by_id(place) == {i: "new" if i in (5, 7) else "old" for i in range(400)}


def test_rows_that_are_what_the_table_has_make_no_new_version(place: Place) -> None:
    sync = merging(place)
    first = sync([{"id": i, "seq": i, "v": "x"} for i in range(100)])
    again = sync([{"id": 99, "seq": 99, "v": "x"}])
    assert first.table is not None
    assert again.table is not None
    assert again.table.version == first.table.version
    assert (again.counts.rows, again.cursor) == (1, "99")


@pytest.mark.parametrize(
    ("text", "is_same"),
    [('{"b": null, "a":1.0}', True), ('{"a": 1}', False), ('{"a": "1", "b": null}', False)],
)
def test_a_merge_knows_json_by_what_it_says(tmp_path: Path, text: str, is_same: bool) -> None:
    sync = merging(folder_place(tmp_path))
    versions = []
    for value in ('{"a": 1, "b": null}', text):
        fields = [pa.field(name, pa.int64()) for name in ("id", "seq")]
        fields.append(pa.field("v", pa.string(), metadata={"json": "1"}))
        batch = pa.record_batch([[1, 2], [7, 7], [value, "[]"]], schema=pa.schema(fields))
        table = sync.read(ListedSource([batch], "seq")).table
        versions.append(None if table is None else table.version)
    assert (versions[0] == versions[1]) is is_same


@pytest.mark.parametrize("sync_type", [SyncType.APPEND, SyncType.INCREMENTAL])
@pytest.mark.parametrize("structs", [False, True])
def test_rows_of_nulls_and_of_several_kinds_that_come_again_change_nothing(
    tmp_path: Path, sync_type: SyncType, structs: bool
) -> None:
    sync = Syncs(folder_place(tmp_path), options(sync_type, key=["id"], cursor="seq"))
    values = [{"a": None}, {"a": 1, "b": None}, None, {"b": {"c": None}}, {"b": {"c": True}}]
    kinds = ["s", {"x": 1}, None, 2.0, [True]]
    versions = []
    for cut in (1, 4):
        decoder, batches = RecordDecoder(structs=structs), []
        records = [
            {"id": n, "seq": 7, "v": v, "w": w}
            for n, (v, w) in enumerate(zip(values, kinds, strict=True))
        ]
        for page in (records[:cut], records[cut:]):
            decoder.push(json.dumps(page).encode())
            batches.append(decoder.flush())
        table = sync.read(ListedSource(batches, "seq")).table
        versions.append(None if table is None else table.version)
    assert versions[0] == versions[1]
    assert len(rows(sync.place)) == 5


def test_an_append_takes_a_row_that_comes_again_only_once(place: Place) -> None:
    sync = Syncs(place, options(SyncType.APPEND, cursor="seq"))
    sync([{"seq": i, "v": str(i)} for i in range(50)])
    sync([{"seq": 49, "v": "49"}, {"seq": 49, "v": "late"}, {"seq": 50, "v": "50"}])
    found = sorted((row["seq"], row["v"]) for row in rows(place))
    assert found == sorted([(i, str(i)) for i in range(51)] + [(49, "late")])


def json_batch(*texts: str) -> pa.RecordBatch:
    """One row at the same moment for each nested value."""
    fields = [pa.field("seq", pa.int64()), pa.field("v", pa.string(), metadata={"json": "1"})]
    return pa.record_batch([[7] * len(texts), list(texts)], schema=pa.schema(fields))


def read_values(sync: Syncs) -> list[str]:
    """The table's nested values, in order."""
    return sorted(row["v"] for row in rows(sync.place))


def test_an_append_knows_json_again_however_it_is_spelled(tmp_path: Path) -> None:
    sync = Syncs(folder_place(tmp_path), options(SyncType.APPEND, cursor="seq"))
    first = ['{"a": 1, "b": [null, {"c": "é"}]}', '{"a": 2}']
    sync.read(ListedSource([json_batch(*first)], "seq"))
    sync.read(ListedSource([json_batch('{"b":[null,{"c":"\\u00e9"}],"a":1.0}')], "seq"))
    assert read_values(sync) == first
    others = ['{"a": 2, "z": null}', '{"a": "2"}', "12"]
    sync.read(ListedSource([json_batch(*others)], "seq"))
    assert read_values(sync) == sorted([*first, *others])


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ('{"a": 9007199254740993.0}', '{"a": 9007199254740992.0}'),
        ("[1e400]", "[1e500]"),
        ('{"a": {}}', '{"a": null}'),
        ("[" * 500 + "]" * 500, "[" * 501 + "]" * 501),
        ("[" + "1" * 5000 + "]", "[" + "1" * 5001 + "]"),
    ],
    ids=["digits", "exponents", "null", "depth", "length"],
)
def test_an_append_keeps_json_that_says_something_else(
    tmp_path: Path, one: str, other: str
) -> None:
    sync = Syncs(folder_place(tmp_path), options(SyncType.APPEND, cursor="seq"))
    for texts in ([one], [one, other], [other]):
        sync.read(ListedSource([json_batch(*texts)], "seq"))
    assert read_values(sync) == sorted([one, other])


def test_an_append_that_turns_to_structs_knows_its_rows_again(tmp_path: Path) -> None:
    sync = Syncs(folder_place(tmp_path), options(SyncType.APPEND, cursor="seq"))
    first = ['{"x": 1, "y": {}}', '{"x": 0.5}', f'{{"x": {2**64}, "y": null}}']
    sync.read(ListedSource([json_batch(*first)], "seq"))
    decimals = pa.array([Decimal(1), Decimal(2**64)], pa.decimal128(38, 0))
    for members in (pa.array([1.0, 0.5]), decimals):
        structs = pa.StructArray.from_arrays([members], ["x"])
        sync.read(ListedSource([pa.record_batch({"seq": [7, 7], "v": structs})], "seq"))
    assert read_values(sync) == sorted(first)
    structs = pa.array([{"x": 1, "y": "new"}])
    sync.read(ListedSource([pa.record_batch({"seq": [7], "v": structs})], "seq"))
    assert read_values(sync) == sorted([*first, '{"x":1,"y":"new"}'])


def events(*values: str) -> list[Row]:
    """Events without a key; the number before each one's letter is its moment."""
    return [{"seq": int(value[:-1]), "v": value} for value in values]


def appending(place: Place, policy: Policy = SMALL) -> Syncs:
    """Appends by moment."""
    return Syncs(place, options(SyncType.APPEND, cursor="seq"), policy)


@pytest.mark.parametrize("count", [0, 300], ids=["in-memory", "in-parts"])
def test_of_equal_events_at_the_boundary_an_append_takes_those_that_are_new(
    tmp_path: Path, count: int
) -> None:
    sync = appending(folder_place(tmp_path))
    more = [f"{i}z" for i in range(9, 9 + count)]
    sync(events("6a", "7a", "7b", "7b"))
    sync(events("7a", "7a"), events("7a", "7b", "8c", "8c", *more))
    found = sorted(row["v"] for row in rows(sync.place))
    assert found == sorted(["6a", *["7a"] * 3, "7b", "7b", "8c", "8c", *more])
    sync(events("8c", *more))
    assert sorted(row["v"] for row in rows(sync.place)) == found


EVENTS = st.lists(st.integers(0, 11), min_size=1, max_size=14)
EAGER = replace(SMALL, due_seconds=0.0)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(EVENTS, min_size=1, max_size=3), st.integers(1, 5), st.integers(1, 8))
def test_an_append_holds_what_its_source_holds_wherever_it_publishes_and_dies(
    tmp_path: Path, grown: list[list[int]], page: int, death: int
) -> None:
    """Three moments with four values each, so that equal events are common; each run reads all
    that is not below the table's highest moment, and the first pod of each may die.
    """
    sync = appending(folder_place(tmp_path / secrets.token_hex(4)), EAGER)
    source: list[Row] = []
    least = 0
    for number, values in enumerate(grown):
        source += [{"seq": max(least, value // 4), "v": value % 4} for value in values]
        source.sort(key=lambda row: int(row["seq"]))
        least = source[-1]["seq"]
        pages = [source[at : at + page] for at in range(0, len(source), page)]
        with suppress(Died):
            sync(*pages, run=f"run {number}", steps=DieAt(Step.COMMITTED, death))
        sync(*pages, run=f"run {number}")
        found = sorted((row["seq"], row["v"]) for row in rows(sync.place))
        assert found == sorted((row["seq"], row["v"]) for row in source)


def test_an_append_that_finds_nothing_new_makes_no_new_version(place: Place) -> None:
    sync = Syncs(place, options(SyncType.APPEND, cursor="seq"))
    first = sync([{"seq": i, "v": i} for i in range(50)])
    again = sync([{"seq": i, "v": i} for i in range(40, 50)])
    assert first.table is not None
    assert again.table is not None
    assert again.table.version == first.table.version


def test_an_append_does_not_collapse_by_key(tmp_path: Path) -> None:
    place = folder_place(tmp_path)
    sync = Syncs(place, options(SyncType.APPEND, key=["id"], cursor="seq"))
    sync([{"id": 1, "seq": 1, "v": "a"}, {"id": 1, "seq": 2, "v": "b"}])
    assert len(rows(place)) == 2


@pytest.mark.parametrize("sync_type", [SyncType.FULL_REFRESH, SyncType.INCREMENTAL])
def test_rows_that_all_lack_a_key_column_fail(tmp_path: Path, sync_type: SyncType) -> None:
    place = folder_place(tmp_path)
    sync = Syncs(place, options(sync_type, key=["uuid"], cursor="seq"))
    with pytest.raises(ConfigurationError, match="uuid") as caught:
        sync([{"id": 1, "seq": 1}])
    assert caught.value.reason is Reason.PRIMARY_KEY_MISSING


def test_an_incremental_sync_without_a_key_is_refused(tmp_path: Path) -> None:
    sync = Syncs(folder_place(tmp_path), options(SyncType.INCREMENTAL, cursor="seq"))
    with pytest.raises(ConfigurationError) as caught:
        sync([{"id": 1, "seq": 1}])
    assert caught.value.reason is Reason.PRIMARY_KEY_MISSING


def test_rows_that_all_lack_the_cursor_fail(tmp_path: Path) -> None:
    sync = merging(folder_place(tmp_path))
    with pytest.raises(ConfigurationError, match="seq") as caught:
        sync.read(ListedSource([pa.record_batch({"id": [1]})], None))
    assert caught.value.reason is Reason.CURSOR_FIELD_MISSING


KEYS = st.one_of(st.none(), st.integers(0, 60))


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.lists(st.lists(KEYS, min_size=1, max_size=40), max_size=4), min_size=1, max_size=4)
)
def test_any_sequence_of_syncs_leaves_the_last_row_of_each_key(
    tmp_path: Path, runs: list[list[list[int | None]]]
) -> None:
    place = folder_place(tmp_path / secrets.token_hex(4))
    sync = merging(place)
    wanted: dict[int | None, int] = {}
    numbers = itertools.count()
    for pages in runs:
        if any(key is not None for page in pages for key in page):
            batches = [[{"id": key, "v": next(numbers)} for key in page] for page in pages]
            wanted |= {row["id"]: row["v"] for batch in batches for row in batch}
            sync(*([row | {"seq": row["v"]} for row in batch] for batch in batches))
    assert not wanted or by_id(place) == wanted
