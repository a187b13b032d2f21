"""A key that the source renames in the middle of a table's life loses no row in silence."""

from pathlib import Path

import pytest
from external_data_operator.api.conditions import Reason
from external_data_operator.api.schema import SyncType

from sync_runner.errors import ConfigurationError
from tests.contract.lake_pod import folder_place
from tests.contract.lake_reading import read_polars
from tests.contract.lake_rows import Syncs, options


def test_a_merge_whose_rows_have_lost_their_key_changes_nothing(tmp_path: Path) -> None:
    sync = Syncs(folder_place(tmp_path), options(SyncType.INCREMENTAL, key=["id"], cursor="seq"))
    sync([{"id": n, "seq": n} for n in range(20)])
    with pytest.raises(ConfigurationError) as caught:
        sync([{"ID": n, "seq": n} for n in range(20, 40)])
    assert caught.value.reason is Reason.PRIMARY_KEY_MISSING
    assert len(read_polars(str(sync.place.folder))) == 20


def test_rows_without_a_key_among_others_are_counted(tmp_path: Path) -> None:
    sync = Syncs(folder_place(tmp_path), options(SyncType.FULL_REFRESH, key=["id"]))
    said = sync.notes([{"id": n} for n in range(5)] + [{"id": None}] * 3)
    assert said == ["3 rows have no value in the primary key and count as one row."]
