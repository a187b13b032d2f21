"""Keys of every kind name rows, over as many parts as there are."""

from decimal import Decimal
from pathlib import Path

import pytest
from external_data_operator.api.schema import SyncType

from tests.contract.lake_pod import folder_place
from tests.contract.lake_reading import read_polars
from tests.contract.lake_rows import Syncs, options


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
