"""Which columns a table has, and under which names."""

from pathlib import Path

import pytest
from deltalake import DeltaTable
from external_data_operator.api.schema import SyncType

from tests.contract.lake_columns import rows
from tests.contract.lake_pod import folder_place
from tests.contract.lake_reading import read_polars
from tests.contract.lake_rows import Syncs, full, options


def test_a_replaced_table_drops_what_is_not_enabled_any_more(tmp_path: Path) -> None:
    place = folder_place(tmp_path)
    full(place)([{"id": 1, "Kept": 1, "gone": 1}])
    how = options(SyncType.FULL_REFRESH, enabled_columns=["id", "Kept"])
    outcome = Syncs(place, how)([{"id": 1}], run="another")
    assert [column.name for column in outcome.columns] == ["id", "kept"]


def test_names_stay_over_runs_and_the_log_keeps_the_sources_spelling(tmp_path: Path) -> None:
    sync = full(folder_place(tmp_path))
    sync([{"userId": 1, "id": 1}])
    sync([{"user_id": 2, "id": 1, "userId": 1}])
    fields = DeltaTable(str(sync.place.folder)).schema().fields
    spelled = {field.metadata["externalData.source"]: field.name for field in fields}
    assert spelled["userId"] == "user_id"
    assert spelled["user_id"].startswith("user_id_")


@pytest.mark.parametrize(
    ("enabled", "wanted"),
    [(None, {"key_id", "seq", "a", "b"}), ([], {"key_id", "seq"}), (["b"], {"key_id", "seq", "b"})],
    ids=["all", "none", "one"],
)
def test_enabled_columns_are_kept_and_keys_and_cursor_always(
    tmp_path: Path, enabled: list[str] | None, wanted: set[str]
) -> None:
    place = folder_place(tmp_path)
    how = options(SyncType.INCREMENTAL, key=["key.id"], cursor="seq", enabled_columns=enabled)
    outcome = Syncs(place, how)([{"key.id": 1, "seq": 1, "a": 1, "b": 2}])
    assert {column.name for column in outcome.columns} == wanted


def test_rows_whose_kept_columns_are_all_null_are_rows_all_the_same(tmp_path: Path) -> None:
    how = options(SyncType.FULL_REFRESH, enabled_columns=["a"])
    sync = Syncs(folder_place(tmp_path), how)
    outcome = sync([{"a": None, "b": 1}] * 30, [{"a": "x", "b": 1}])
    assert outcome.table is not None
    assert outcome.table.rows == 31
    assert len(read_polars(str(sync.place.folder))) == 31


def test_letters_of_any_script_stay_in_the_names_of_columns_and_members(tmp_path: Path) -> None:
    sync = full(folder_place(tmp_path))
    sync([{"id": 1, "日本": "x", "Größe": {"שם": 2}}])
    wanted = [{"id": 1, "日本": "x", "größe": {"שם": 2}}]
    assert rows(sync.place) == read_polars(str(sync.place.folder)) == wanted


def test_a_table_keeps_the_names_that_it_has(tmp_path: Path) -> None:
    sync = full(folder_place(tmp_path))
    sync([{"id": 1, "Größe": 1}])
    log = sync.place.folder / "_delta_log" / f"{0:020}.json"
    log.write_text(log.read_text().replace('"größe', '"grosse').replace('\\"größe', '\\"grosse'))
    sync([{"id": 2, "Größe": 2}])
    assert rows(sync.place) == [{"id": 2, "grosse": 2}]
