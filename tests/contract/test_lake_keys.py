"""Keys of every kind name rows, over as many parts as there are."""

from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest
from external_data_operator.api.schema import SyncType

from tests.contract.lake_pod import folder_place
from tests.contract.lake_reading import read_polars
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
