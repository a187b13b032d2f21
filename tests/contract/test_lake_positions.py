"""How far a table's rows go is in the table, whatever else a run has found."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest
from external_data_operator.api.conditions import Reason
from external_data_operator.api.cursors import CursorType
from external_data_operator.api.plan import Limits, SyncOptions
from external_data_operator.api.schema import SyncType

from sync_runner.errors import ConfigurationError
from sync_runner.protocols import Batch, Position, ReadRequest, Step
from tests.contract.lake_changes import ChangeLog, Gone, change_options
from tests.contract.lake_pod import folder_place
from tests.contract.lake_reading import read_polars, replay_log
from tests.contract.lake_rows import DieAt, Died, ListedSource, Row, Syncs, options, rows_of

ROWS: list[Row] = [{"id": 1, "seq": 1, "upd": 5}, {"id": 2, "seq": 2, "upd": 6}]


def syncs(folder: Path, sync_type: SyncType, cursor: str | None = "seq") -> Syncs:
    """Syncs of a type by id."""
    key = [] if sync_type is SyncType.APPEND else ["id"]
    return Syncs(folder_place(folder), options(sync_type, key=key, cursor=cursor))


def rows(sync: Syncs) -> list[Row]:
    """The table's rows by key."""
    store = sync.place.open()
    return sorted(read_polars(store.uri, store.options), key=lambda row: int(row["id"]))


def since(sync: Syncs, *pages: list[Row]) -> Position | None:
    """From where a run of these rows reads."""
    source = ListedSource(rows_of(*pages), sync.options.incremental_field)
    sync.read(source)
    assert source.asked is not None
    return source.asked.since


def version(folder: Path) -> int:
    """The table's newest version."""
    replay = replay_log(folder / "ns/table")
    assert replay is not None
    return replay.version


@pytest.mark.parametrize(
    ("before", "cursor"),
    [(SyncType.INCREMENTAL, "seq"), (SyncType.FULL_REFRESH, None)],
    ids=["other-cursor", "full-refresh"],
)
def test_a_new_cursor_is_kept_though_no_row_changes(
    tmp_path: Path, before: SyncType, cursor: str | None
) -> None:
    syncs(tmp_path, before, cursor)(ROWS, run="zero")
    sync = syncs(tmp_path, SyncType.INCREMENTAL, "upd")
    assert since(sync, ROWS) is None
    found = since(sync, ROWS)
    assert found is not None
    assert found.value == "6"
    last = version(tmp_path)
    assert since(sync, ROWS) == found
    assert version(tmp_path) == last
    assert rows(sync) == ROWS


def test_a_run_without_rows_behind_a_publication_in_its_middle_is_over(tmp_path: Path) -> None:
    sync = syncs(tmp_path, SyncType.INCREMENTAL)
    sync.limits = Limits(part_bytes=1)
    batches = rows_of(*([{"id": n, "seq": n} for n in range(i, i + 40)] for i in (0, 40, 80)))
    batches.append(batches[0].slice(0, 0))
    with pytest.raises(Died):
        sync.read(ListedSource(batches, "seq"), "one", DieAt(Step.CLOSED))
    again = ListedSource(batches, "seq")
    sync.read(again, "one")
    assert again.asked is None
    assert len(rows(sync)) == 120


def test_a_limit_never_shows_half_of_a_full_refresh(tmp_path: Path) -> None:
    sync = syncs(tmp_path, SyncType.FULL_REFRESH, None)
    sync([{"id": n} for n in range(10)])
    tight = replace(sync, limits=Limits(part_bytes=300, pages=1))
    with pytest.raises(ConfigurationError, match="1 pages"):
        tight([{"id": 0}], [{"id": 1}], [{"id": 2}], run="tight")
    assert [row["id"] for row in rows(sync)] == list(range(10))


def test_a_table_whose_rows_have_no_cursor_has_no_position_until_one_has(
    tmp_path: Path,
) -> None:
    sync = syncs(tmp_path, SyncType.INCREMENTAL)
    lost: Row = {"id": 9, "seq": None, "upd": 1}
    assert sync([lost], run="first").cursor is None
    assert since(sync, [lost]) is None
    sync([lost], ROWS, run="third")
    later = ListedSource(rows_of([lost | {"upd": 2}]), None)
    assert sync.read(later).cursor == "2"
    assert rows(sync) == [*ROWS, lost | {"upd": 2}]


def test_an_append_without_any_cursor_takes_each_row_once(tmp_path: Path) -> None:
    sync = syncs(tmp_path, SyncType.APPEND)
    lost: list[Row] = [{"id": 9, "seq": None}, {"id": 9, "seq": None}, {"id": 8, "seq": None}]
    for _ in range(3):
        sync(lost)
        assert [row["id"] for row in rows(sync)] == [8, 9, 9]
    sync([*lost, {"id": 8, "seq": None}], ROWS)
    assert [row["id"] for row in rows(sync)] == [1, 2, 8, 8, 9, 9]
    sync([*lost, {"id": 8, "seq": None}])
    assert len(rows(sync)) == 6


MOMENTS: list[Row] = [
    {"id": 1, "at": "2024-01-01T00:00:00Z"},
    {"id": 2, "at": "2024-03-01T00:00:00Z"},
    {"id": 3, "at": "2999-12-31T00:00:00Z"},
]


class _Walked(ListedSource):
    """Rows by a moment, as an earlier version walked them: to the highest one, whatever it is."""

    def read(self, request: ReadRequest) -> Iterator[Batch]:
        for batch in super().read(request):
            highest = max(batch.records.column("at").to_pylist())
            yield replace(batch, position=Position(highest, CursorType.DATE_TIME, "at"))


@pytest.mark.parametrize("sync_type", [SyncType.INCREMENTAL, SyncType.APPEND])
def test_a_stored_position_after_the_present_is_that_of_the_rows_before_it(
    tmp_path: Path, sync_type: SyncType
) -> None:
    sync = syncs(tmp_path, sync_type, "at")
    sync.options = sync.options.model_copy(update={"incremental_field_type": CursorType.DATE_TIME})
    sync.read(_Walked(rows_of(MOMENTS)))
    found = since_of(sync, rows_of([{"id": 4, "at": "2024-02-01T00:00:00Z"}]))
    assert found == Position("2024-03-01T00:00:00Z", CursorType.DATE_TIME, "at")
    head = version(tmp_path)
    assert since_of(sync, rows_of(MOMENTS[1:2])) == found
    assert version(tmp_path) == head, "the position is written down once"
    assert [row["id"] for row in rows(sync)] == [1, 2, 3, 4]


def since_of(sync: Syncs, batches: list[pa.RecordBatch]) -> Position | None:
    """From where a run of these batches reads."""
    source = ListedSource(batches)
    sync.read(source)
    assert source.asked is not None
    return source.asked.since


@pytest.mark.parametrize(
    ("sync_type", "lookback_s", "read_from"),
    [
        (SyncType.INCREMENTAL, 0, "2024-03-01T00:00:00Z"),
        (SyncType.INCREMENTAL, 3600, "2024-02-29T23:00:00Z"),
        (SyncType.APPEND, 3600, "2024-02-29T23:00:00Z"),
        (SyncType.FULL_REFRESH, 3600, None),
    ],
    ids=str,
)
def test_look_back_shifts_what_is_read_and_never_the_position(
    tmp_path: Path, sync_type: SyncType, lookback_s: int, read_from: str | None
) -> None:
    sync = syncs(tmp_path, sync_type, "at")
    changes = {
        "incremental_field_type": CursorType.DATE_TIME,
        "lookback_seconds": lookback_s,
    }
    sync.options = sync.options.model_copy(update=changes)
    before = rows_of(MOMENTS[:2])
    for _ in range(2):
        sync.read(_Walked(before))
        found = since_of(sync, before)
        assert (None if found is None else found.value) == read_from


def test_a_stream_whose_table_continues_a_log_is_not_added_again_by_a_field(tmp_path: Path) -> None:
    by_log = syncs(tmp_path, SyncType.APPEND, None)
    by_log.read(_Placed(rows_of(ROWS)))
    assert since(by_log, ROWS) == Position("7", CursorType.INTEGER)
    with pytest.raises(ConfigurationError, match="a place in the source's log"):
        syncs(tmp_path, SyncType.APPEND)(ROWS, run="by-field")
    assert len(rows(by_log)) == 4


def test_a_stream_that_was_added_by_a_field_does_not_continue_a_log(tmp_path: Path) -> None:
    by_field = syncs(tmp_path, SyncType.APPEND)
    by_field(ROWS)
    with pytest.raises(ConfigurationError, match="rows would be duplicated"):
        syncs(tmp_path, SyncType.APPEND, None).read(_Placed(rows_of(ROWS)))
    assert len(rows(by_field)) == 2


def test_a_stream_is_not_added_from_a_log_to_rows_that_a_full_refresh_has_read(
    tmp_path: Path,
) -> None:
    refresh = syncs(tmp_path, SyncType.FULL_REFRESH, None)
    refresh(ROWS)
    with pytest.raises(ConfigurationError, match="rows would be duplicated"):
        syncs(tmp_path, SyncType.APPEND, None).read(_Placed(rows_of(ROWS)), run="by-log")
    assert len(rows(refresh)) == 2


@pytest.mark.parametrize("first", ["field", "log"])
def test_a_merged_table_is_read_anew_once_its_position_is_of_another_kind(
    tmp_path: Path, first: str
) -> None:
    by_field = syncs(tmp_path, SyncType.INCREMENTAL)
    by_log = syncs(tmp_path, SyncType.INCREMENTAL, None)
    for turn in (0, 1):
        if (first == "field") == (turn == 0):
            sync, source = by_field, ListedSource(rows_of(ROWS), "seq")
        else:
            sync, source = by_log, _Placed(rows_of(ROWS))
        asked = []
        for run in "ab":
            sync.read(source, run=f"{turn}{run}")
            asked.append(None if source.asked is None else source.asked.since)
        assert asked[0] is None
        assert asked[1] is not None
        assert asked[1].field == sync.options.incremental_field
    assert rows(by_field) == ROWS


@pytest.mark.parametrize(
    ("before", "cursor"),
    [
        (SyncType.FULL_REFRESH, None),
        (SyncType.APPEND, "seq"),
        (SyncType.INCREMENTAL, "seq"),
        (SyncType.INCREMENTAL, None),
    ],
    ids=["full-refresh", "append", "incremental", "incremental-of-a-log"],
)
def test_changes_are_applied_to_no_table_that_another_kind_of_sync_has_filled(
    tmp_path: Path, before: SyncType, cursor: str | None
) -> None:
    earlier = syncs(tmp_path, before, cursor)
    earlier(ROWS)
    sync = Syncs(folder_place(tmp_path), change_options())
    with pytest.raises(ConfigurationError, match="delete the table's data"):
        sync.read(ChangeLog([{"id": 3}]), run="changes")
    assert rows(earlier) == ROWS


def test_changes_by_a_field_do_not_continue_a_log(tmp_path: Path) -> None:
    by_log = Syncs(folder_place(tmp_path), change_options())
    log = ChangeLog([*ROWS])
    by_log.read(log)
    by_field = replace(by_log, options=change_options(cursor="seq"))
    with pytest.raises(ConfigurationError, match="another kind of sync"):
        by_field([{"id": 3, "seq": 3}], run="by-field")
    log.changes += [Gone({"id": 1})]
    by_log.read(log)
    assert (rows(by_log), log.asked) == (ROWS[1:], [0, 2])


@pytest.mark.parametrize(
    "how", [change_options(), options(SyncType.APPEND)], ids=["changes", "append"]
)
def test_a_log_is_not_continued_by_a_table_that_no_longer_contains_its_place(
    tmp_path: Path, how: SyncOptions
) -> None:
    sync, log = Syncs(folder_place(tmp_path), how), _NoDeletes([*ROWS])
    sync.read(log)
    table = pl.DataFrame([{"id": 9, "seq": 9, "upd": 9}])
    table.write_delta(str(tmp_path / "ns/table"), mode="overwrite")
    with pytest.raises(ConfigurationError, match="no longer contains the position") as caught:
        sync.read(log)
    assert caught.value.reason is Reason.TABLE_DAMAGED


class _NoDeletes(ChangeLog):
    """A log in which nothing is deleted."""

    def read(self, request: ReadRequest) -> Iterator[Batch]:
        return (replace(batch, deleted=None) for batch in super().read(request))


class _Placed(ListedSource):
    """Rows from a log, up to its seventh entry."""

    def read(self, request: ReadRequest) -> Iterator[Batch]:
        for batch in super().read(request):
            yield replace(batch, position=Position("7", CursorType.INTEGER))
