"""Merges into files of several batches and row groups, by many kinds of keys, against a model."""

import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable
from external_data_operator.api.plan import Limits
from external_data_operator.api.schema import SyncType

from sync_runner.lake.policy import Policy
from tests.contract.lake_pod import folder_place
from tests.contract.lake_reading import read_polars
from tests.contract.lake_rows import ListedSource, Syncs, options

ROWS = 3_000
POLICY = Policy(group_rows=800, small_rows=2_000, batch_rows=150, likely_rows=20, keep_hours=0)
KEYS = {
    "whole numbers": lambda number: number,
    "text": lambda number: f"k{number:05d}",
    "decimals": lambda number: pa.scalar(number, pa.decimal128(20, 0)).as_py(),
    "text that follows no order": lambda number: f"{number * 7919 % 100_003:06d}",
}


def batch(keys: list[Any], value: int) -> pa.RecordBatch:
    """Rows with these keys."""
    columns = {"id": keys, "seq": [value] * len(keys), "v": [f"{value}"] * len(keys)}
    return pa.record_batch(columns)


def read(syncs: Syncs) -> dict[Any, str]:
    """The table; no key may be there twice."""
    found = read_polars(syncs.place.open().uri)
    table = {row["id"]: row["v"] for row in found}
    assert len(table) == len(found)
    return table


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("changed", [1, 30, 1_500], ids=["one", "some", "half"])
@pytest.mark.parametrize(
    "first", [SyncType.INCREMENTAL, SyncType.FULL_REFRESH], ids=["small files", "one large file"]
)
def test_a_merge_changes_the_rows_of_its_keys_and_no_others(
    tmp_path: Path, key: str, changed: int, first: SyncType
) -> None:
    dice = random.Random(changed)
    numbers = list(range(ROWS))
    place, limits = folder_place(tmp_path), Limits()
    earlier = Syncs(place, options(first, key=["id"], cursor="seq"), POLICY, limits=limits)
    earlier.read(ListedSource([batch([KEYS[key](n) for n in numbers], 1)], "seq"))
    sync = Syncs(
        place,
        options(SyncType.INCREMENTAL, key=["id"], cursor="seq"),
        POLICY,
        limits=limits,
        runs=1,
    )
    wanted = {KEYS[key](n): "1" for n in numbers}
    for value in (2, 3):
        picked = [KEYS[key](n) for n in dice.sample(range(ROWS + 50), changed)]
        sync.read(ListedSource([batch(picked, value)], "seq"))
        wanted |= dict.fromkeys(picked, f"{value}")
    assert read(sync) == wanted


def test_row_groups_of_wide_rows_stay_small_over_merges(tmp_path: Path) -> None:
    policy = replace(POLICY, group_rows=4_000, group_bytes=200_000)
    numbers = range(2_000)
    columns = {"id": list(numbers), "seq": [1] * 2_000, "v": ["x" * 500] * 2_000}
    how = options(SyncType.INCREMENTAL, key=["id"], cursor="seq")
    sync = Syncs(folder_place(tmp_path), how, policy, limits=Limits())
    sync.read(ListedSource([pa.record_batch(columns)], "seq"))
    for value in (2, 3):
        sync.read(ListedSource([batch([5, 900, 1_999], value)], "seq"))
    [file] = DeltaTable(sync.place.open().uri).file_uris()
    footer = pq.ParquetFile(file).metadata
    assert footer.num_rows == 2_000
    rows_max = 200_000 // 500 + policy.batch_rows
    assert all(footer.row_group(g).num_rows <= rows_max for g in range(footer.num_row_groups))


@pytest.mark.parametrize("group_rows", [4_000, 500], ids=["one row group", "several"])
@pytest.mark.parametrize("changed", [False, True], ids=["nothing changes", "a late row changes"])
def test_a_file_is_left_alone_unless_a_row_of_it_changes(
    tmp_path: Path, group_rows: int, changed: bool
) -> None:
    policy = replace(POLICY, group_rows=group_rows)
    numbers = list(range(1_900))
    first = batch(numbers, 1)
    place, limits = folder_place(tmp_path), Limits()
    whole = Syncs(place, options(SyncType.FULL_REFRESH, key=["id"]), policy, limits=limits)
    whole.read(ListedSource([first], "seq"))
    files = DeltaTable(place.open().uri).file_uris()
    assert len(files) == 1
    again = first.to_pylist()
    if changed:
        again[1_700]["v"] = "changed"
    how = options(SyncType.INCREMENTAL, key=["id"], cursor="seq")
    sync = Syncs(place, how, policy, limits=limits, runs=1)
    sync.read(ListedSource([pa.RecordBatch.from_pylist(again, first.schema)], "seq"))
    assert read(sync) == {n: "changed" if changed and n == 1_700 else "1" for n in numbers}
    assert (DeltaTable(place.open().uri).file_uris() == files) == (not changed)
