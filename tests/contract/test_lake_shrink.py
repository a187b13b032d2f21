"""A full refresh that would empty a table is held back: nothing changes until a person lets it
through."""

from dataclasses import replace
from pathlib import Path

import pytest
from external_data_operator.api.conditions import Reason
from external_data_operator.api.plan import Limits
from external_data_operator.api.schema import SyncType

from sync_runner.errors import ConfigurationError
from tests.contract.lake_pod import folder_place
from tests.contract.lake_reading import read_polars, replay_log
from tests.contract.lake_rows import Row, Syncs, options


def make(count: int) -> list[Row]:
    """So many rows, each with a key of its own."""
    return [{"id": number, "name": f"row {number}"} for number in range(count)]


def refreshes(folder: Path, percent: int | None = None) -> Syncs:
    """Full refreshes of one table."""
    wanted = options(SyncType.FULL_REFRESH, key=["id"], shrink_guard_percent=percent)
    return Syncs(folder_place(folder), wanted)


def count_rows(sync: Syncs) -> int:
    """The table's rows as a reader sees them."""
    store = sync.place.open()
    return len(read_polars(store.uri, store.options))


def version(folder: Path) -> int:
    """The table's newest version."""
    replay = replay_log(folder / "ns/table")
    assert replay is not None
    return replay.version


@pytest.mark.parametrize(
    ("percent", "before", "after", "is_held"),
    [
        (None, 100, 0, True),
        (None, 99, 0, False),
        (None, 400, 1, False),
        (50, 101, 50, True),
        (50, 100, 50, False),
        (50, 99, 1, False),
        (100, 120, 119, True),
        (100, 120, 120, False),
        (100, 120, 300, False),
        (1, 100, 0, True),
        (0, 300, 0, False),
    ],
)
def test_a_full_refresh_is_held_back_by_how_few_rows_it_would_leave(
    tmp_path: Path, percent: int | None, before: int, after: int, is_held: bool
) -> None:
    sync = refreshes(tmp_path, percent)
    sync(make(before))
    last = version(tmp_path)
    if is_held:
        with pytest.raises(ConfigurationError) as caught:
            sync(make(after))
        assert caught.value.reason is Reason.TABLE_WOULD_SHRINK
        assert f"{after:,} of the table's {before:,} rows" in str(caught.value)
        assert "external-data.io/allow-shrink" in str(caught.value)
        assert "--allow-shrink" in str(caught.value)
        assert version(tmp_path) == last
        assert count_rows(sync) == before
    else:
        sync(make(after))
        assert count_rows(sync) == after


def test_rows_that_collapse_by_key_count_once(tmp_path: Path) -> None:
    sync = refreshes(tmp_path, 90)
    sync(make(150))
    with pytest.raises(ConfigurationError, match="10 of the table's 150 rows"):
        sync(*[make(10)] * 20)
    assert count_rows(sync) == 150


def test_a_run_of_several_parts_is_counted_as_a_whole(tmp_path: Path) -> None:
    sync = replace(refreshes(tmp_path, 50), limits=Limits(part_bytes=1))
    sync(make(500))
    pages = [make(500)[first : first + 40] for first in range(0, 240, 40)]
    with pytest.raises(ConfigurationError, match="240 of the table's 500 rows"):
        sync(*pages)
    assert count_rows(sync) == 500


def test_a_run_that_was_allowed_to_may_empty_the_table_once(tmp_path: Path) -> None:
    sync = refreshes(tmp_path)
    sync(make(200))
    replace(sync, allow_shrink=True, runs=5)([])
    assert count_rows(sync) == 0
    sync(make(200), run="filled-again")
    with pytest.raises(ConfigurationError):
        sync([], run="emptied-again")
    assert count_rows(sync) == 200


def test_a_run_without_any_batch_is_held_back_too(tmp_path: Path) -> None:
    sync = refreshes(tmp_path)
    sync(make(100))
    with pytest.raises(ConfigurationError, match="0 of the table's 100 rows"):
        sync()
    sync(make(100))
    assert count_rows(sync) == 100


@pytest.mark.parametrize("sync_type", [SyncType.INCREMENTAL, SyncType.APPEND])
def test_merges_and_appends_are_never_held_back(tmp_path: Path, sync_type: SyncType) -> None:
    key = ["id"] if sync_type is SyncType.INCREMENTAL else []
    wanted = options(sync_type, key=key, cursor="id", shrink_guard_percent=100)
    sync = Syncs(folder_place(tmp_path), wanted)
    sync(make(150))
    sync(make(1))
    assert count_rows(sync) == 150
