"""Keys of every kind name rows, over as many parts as there are."""

import json
from decimal import Decimal
from pathlib import Path

import polars
import pyarrow as pa
import pytest
from external_data_operator.api.schema import SyncType

from tests.contract.lake_pod import folder_place
from tests.contract.lake_reading import read_duckdb, read_polars
from tests.contract.lake_rows import ListedSource, Syncs, options


@pytest.mark.parametrize(
    ("sync_type", "keys"),
    [
        (SyncType.FULL_REFRESH, [*range(100), *(f"a{n}" for n in range(100))]),
        (SyncType.FULL_REFRESH, [Decimal(10**25 + n) for n in range(200)]),
        (SyncType.INCREMENTAL, [Decimal(10**25 + n) for n in range(200)]),
    ],
    ids=["number-then-text", "decimal", "decimal-merged"],
)
def test_the_last_row_of_each_key_stays(
    tmp_path: Path, sync_type: SyncType, keys: list[object]
) -> None:
    cursor = "seq" if sync_type is SyncType.INCREMENTAL else None
    sync = Syncs(folder_place(tmp_path), options(sync_type, key=["id"], cursor=cursor))
    rows = [{"id": key, "seq": n} for n, key in enumerate([*keys, *keys[150:]])]
    sync(*(rows[i : i + 20] for i in range(0, len(rows), 20)))
    store = sync.place.open()
    found = read_polars(store.uri, store.options)
    wanted = {str(row["id"]): row["seq"] for row in rows}
    assert {str(row["id"]): row["seq"] for row in found} == wanted
    assert len(found) == len(wanted)


def escape(folder: Path) -> None:
    """Another writer spells the log's characters as escapes, which JSON allows."""
    for path in (folder / "_delta_log").glob("*.json"):
        lines = [json.loads(line) for line in path.read_text().split("\n")]
        path.write_text("\n".join(map(json.dumps, lines)))


@pytest.mark.parametrize("letter", ["𠮷", "😀", "\U00030001", "\U0010fffd"])
@pytest.mark.parametrize("is_escaped", [False, True])
def test_keys_of_letters_above_the_first_planes_are_found_again(
    tmp_path: Path, letter: str, *, is_escaped: bool
) -> None:
    sync = Syncs(folder_place(tmp_path), options(SyncType.INCREMENTAL, key=["id"], cursor="seq"))
    for seq in range(4):
        sync([{"id": f"{letter}{n}", "seq": seq} for n in range(3)], run=f"run {seq}")
        if is_escaped:
            escape(sync.place.folder)
    store = sync.place.open()
    found = {(row["id"], row["seq"]) for row in read_polars(store.uri, store.options)}
    assert len(read_polars(store.uri, store.options)) == 3
    assert found == {(f"{letter}{n}", 3) for n in range(3)}


@pytest.mark.parametrize("name", ["𠮷野", "\U00030001"])
def test_readers_see_columns_and_bounds_of_letters_above_the_first_planes(
    tmp_path: Path, name: str
) -> None:
    sync = Syncs(folder_place(tmp_path), options(SyncType.APPEND, key=[], cursor="seq"))
    sync([{"seq": 1, "v": name}])
    sync([{"seq": 2, "v": name, name: 7}], run="a column more")
    table = polars.scan_delta(str(sync.place.folder))
    assert table.filter(polars.col("v") == name).collect().height == 2
    assert table.filter(polars.col(name) == 7).collect().height == 1
    assert [row[name] for row in read_duckdb(sync.place.folder) if row["seq"] == 2] == [7]


def json_rows(*rows: tuple[str, str]) -> pa.RecordBatch:
    """Rows whose key is JSON text; `seq` counts them."""
    fields = [pa.field("key", pa.string(), metadata={"json": "1"}), pa.field("v", pa.string())]
    columns = [[row[0] for row in rows], [row[1] for row in rows], list(range(len(rows)))]
    return pa.record_batch(columns, schema=pa.schema([*fields, pa.field("seq", pa.int64())]))


SPELLINGS = [
    '{"a": 1, "b": [2.50, "é"]}',
    '{"b":[2.5,"\\u00e9"],"a":1.0}',
    '{"b":[25e-1,"é"],"a":1}',
]
OTHERS = ['{"a":1,"b":null}', '{"a":"1"}', "[1,2]", "[2,1]", '{"a":12345678901234567890.10}', "{"]


@pytest.mark.parametrize("sync_type", [SyncType.FULL_REFRESH, SyncType.INCREMENTAL])
@pytest.mark.parametrize("repeat", [1, 60], ids=["in-memory", "in-parts"])
@pytest.mark.parametrize("keys", [["key"], ["key", "v"]], ids=["alone", "with another"])
def test_keys_of_json_are_one_where_they_say_the_same(
    tmp_path: Path, sync_type: SyncType, repeat: int, keys: list[str]
) -> None:
    sync = Syncs(folder_place(tmp_path), options(sync_type, key=keys, cursor="seq"))
    batches = [json_rows(*((text, "v") for text in [*OTHERS, spelling])) for spelling in SPELLINGS]
    for _ in range(2):
        sync.read(ListedSource(batches * repeat, "seq"))
    found = [row["key"] for row in read_polars(sync.place.open().uri)]
    other = ['{"a":12345678901234567890.1}' if "5678" in text else text for text in OTHERS]
    assert sorted(found) == sorted([*other, '{"a":1,"b":[2.5,"é"]}'])


def test_json_that_names_no_row_stays_as_the_source_spelled_it(tmp_path: Path) -> None:
    sync = Syncs(folder_place(tmp_path), options(SyncType.FULL_REFRESH, key=["seq"]))
    sync.read(ListedSource([json_rows((SPELLINGS[0], "v"))]))
    assert [row["key"] for row in read_polars(sync.place.open().uri)] == SPELLINGS[:1]
