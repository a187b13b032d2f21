"""A key that is gone from the source leaves the table, in the order in which changes came."""

import contextlib
import random
import secrets
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from deltalake import DeltaTable
from external_data_operator.api.conditions import Reason
from external_data_operator.api.plan import Limits, SyncOptions
from external_data_operator.api.schema import SyncType
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sync_runner.errors import ConfigurationError
from sync_runner.lake.policy import Policy
from sync_runner.protocols import Batch, ReadRequest, Step
from tests.contract.lake_changes import Change, ChangeLog, Gone, apply_all, change_options
from tests.contract.lake_pod import SMALL, Place, folder_place
from tests.contract.lake_reading import read_duckdb, read_polars, replay_log
from tests.contract.lake_rows import DieAt, Died, Row, Syncs, options

LARGE = replace(SMALL, small_rows=0, small_bytes=0)
"""Nothing is merged in memory."""
EAGER = replace(SMALL, due_seconds=0.0)
"""A publication after each batch that can be published."""
WAYS = {"in-memory": SMALL, "in-parts": LARGE, "mid-run": EAGER}


def open_syncs(place: Place, policy: Policy = SMALL, *key: str, **more: Any) -> Syncs:
    """Syncs that apply changes."""
    return Syncs(place, change_options(*key), policy, **more)


def rows(place: Place, *key: str) -> dict[Any, Row]:
    """The table's rows by key, without nulls; no key may be there twice."""
    store = place.open()
    found = read_polars(store.uri, store.options)
    table = {tuple(row[one] for one in key or ("id",)): row for row in found}
    assert len(table) == len(found)
    return {name: {k: v for k, v in row.items() if v is not None} for name, row in table.items()}


def row(key: Any, value: object) -> Row:
    return {"id": key, "v": value}


def gone(key: Any) -> Gone:
    return Gone({"id": key})


ORDERS: dict[str, tuple[list[Change], dict[Any, Row]]] = {
    "a key that is there": ([gone(1)], {(2,): row(2, "a")}),
    "a key that is not there": ([gone(7)], {(1,): row(1, "a"), (2,): row(2, "a")}),
    "all keys": ([gone(1), gone(2)], {}),
    "gone, and there again": ([gone(1), row(1, "b")], {(1,): row(1, "b"), (2,): row(2, "a")}),
    "there again, and gone": ([row(1, "b"), gone(1)], {(2,): row(2, "a")}),
    "new, and gone": ([row(3, "b"), gone(3)], {(1,): row(1, "a"), (2,): row(2, "a")}),
    "gone twice, and there": (
        [gone(1), row(1, "b"), gone(1), row(1, "c")],
        {(1,): row(1, "c"), (2,): row(2, "a")},
    ),
}


@pytest.mark.parametrize("policy", WAYS.values(), ids=list(WAYS))
@pytest.mark.parametrize("page", [10, 1], ids=["one batch", "batch by batch"])
@pytest.mark.parametrize(("changes", "wanted"), ORDERS.values(), ids=list(ORDERS))
def test_the_last_change_of_a_key_is_the_one_that_holds(
    tmp_path: Path, changes: list[Change], wanted: dict[Any, Row], page: int, policy: Policy
) -> None:
    place = folder_place(tmp_path)
    sync = open_syncs(place, policy, limits=Limits(part_bytes=1))
    log = ChangeLog([row(1, "a"), row(2, "a")], page)
    sync.read(log)
    log.changes += changes
    sync.read(log)
    assert rows(place) == wanted
    assert log.asked == [0, 2]


@pytest.mark.parametrize("policy", WAYS.values(), ids=list(WAYS))
def test_a_first_load_holds_no_key_that_is_gone(place: Place, policy: Policy) -> None:
    changes: list[Change] = [row(number % 40, f"{number}") for number in range(120)]
    changes[60:60] = [gone(number) for number in range(0, 40, 3)]
    changes += [gone(number) for number in range(0, 40, 7)]
    open_syncs(place, policy).read(ChangeLog(changes))
    assert rows(place) == apply_all(changes)


def test_a_table_whose_rows_are_all_gone_continues_from_its_place(place: Place) -> None:
    sync, log = open_syncs(place), ChangeLog([row(1, "a"), gone(1)])
    assert sync.read(log).table is not None
    assert rows(place) == {}
    log.changes += [row(2, "b")]
    sync.read(log)
    assert (rows(place), log.asked) == ({(2,): row(2, "b")}, [0, 2])


def test_values_of_a_row_that_is_gone_make_no_column(tmp_path: Path) -> None:
    place = folder_place(tmp_path)
    sync, log = open_syncs(place), ChangeLog([row(1, 5), row(2, 6)])
    sync.read(log)
    log.changes += [Gone({"id": 1, "v": "text", "other": 4.5})]
    outcome = sync.read(log)
    assert [column.name for column in outcome.columns] == ["id", "v"]
    assert rows(place) == {(2,): row(2, 6)}


@pytest.mark.parametrize("policy", [SMALL, LARGE], ids=["in-memory", "in-parts"])
def test_keys_leave_a_table_that_is_written_anew_in_wider_types(
    tmp_path: Path, policy: Policy
) -> None:
    place = folder_place(tmp_path)
    sync, log = open_syncs(place, policy), ChangeLog([row(number, number) for number in range(9)])
    sync.read(log)
    log.changes += [gone(3), row(4, 0.5), gone(5)]
    sync.read(log)
    wanted = apply_all(log.changes)
    assert rows(place) == {key: row(key[0], float(one["v"])) for key, one in wanted.items()}


def test_files_without_a_key_that_is_gone_stay_as_they_are(tmp_path: Path) -> None:
    place = folder_place(tmp_path)
    sync = open_syncs(place, limits=Limits(part_bytes=1))
    log = ChangeLog([row(number, "x" * 50) for number in range(200)], page=20)
    sync.read(log)
    before = set(DeltaTable(place.open().uri).file_uris())
    log.changes += [gone(5)]
    sync.read(log)
    after = set(DeltaTable(place.open().uri).file_uris())
    assert len(before) > 3
    assert len(before - after) == len(after - before) == 1
    log.changes += [gone(1_000)]
    version = DeltaTable(place.open().uri).version()
    sync.read(log)
    assert set(DeltaTable(place.open().uri).file_uris()) == after
    assert DeltaTable(place.open().uri).version() == version + 1, "the place moves on"


KEYS: dict[str, tuple[list[Any], list[Any]]] = {
    "none": ([None, 1, 2], [None]),
    "text": (["", "a", "ä"], ["", "ä"]),
    "zeros": ([0.0, 1.5], [-0.0]),
    "no number": ([float("nan"), 1.5], [float("nan")]),
    "booleans": ([True, False], [False]),
}


@pytest.mark.parametrize("policy", [SMALL, LARGE], ids=["in-memory", "in-parts"])
@pytest.mark.parametrize(("keys", "deleted"), KEYS.values(), ids=list(KEYS))
def test_keys_of_every_kind_are_found(
    tmp_path: Path, keys: list[Any], deleted: list[Any], policy: Policy
) -> None:
    place = folder_place(tmp_path)
    sync, log = open_syncs(place, policy), ChangeLog([row(key, "a") for key in keys])
    sync.read(log)
    log.changes += [gone(key) for key in deleted]
    sync.read(log)
    assert len(rows(place)) == len(keys) - len(deleted)


def test_a_key_of_several_columns_is_gone_as_a_whole(tmp_path: Path) -> None:
    place = folder_place(tmp_path)
    sync = open_syncs(place, SMALL, "a", "b")
    pairs = [(a, b) for a in (1, 2, None) for b in ("x", "y", None)]
    log = ChangeLog([{"a": a, "b": b, "v": "1"} for a, b in pairs])
    sync.read(log)
    log.changes += [Gone({"a": 1, "b": None}), Gone({"b": "x"}), Gone({"a": 2, "b": "y"})]
    sync.read(log)
    assert set(rows(place, "a", "b")) == {*pairs} - {(1, None), (None, "x"), (2, "y")}


@pytest.mark.parametrize("policy", [SMALL, LARGE], ids=["in-memory", "in-parts"])
def test_keys_of_json_are_found_however_they_are_spelled(tmp_path: Path, policy: Policy) -> None:
    place = folder_place(tmp_path)
    sync = open_syncs(place, policy)
    for number, (text, deleted) in enumerate(
        [('{"a": 1, "b": 2}', False), ('{"a": 3}', False), ('{"b":2,"a":1.0}', True)]
    ):
        sync.read(_Json(number, text, deleted))
    assert [one["id"] for one in rows(place).values()] == ['{"a":3}']


class _Json:
    """One change of a key that is JSON."""

    def __init__(self, number: int, text: str, deleted: bool) -> None:
        self._log = ChangeLog([*[row("", "")] * number, row(text, "v")])
        self._deleted = pa.array([deleted])

    def read(self, request: ReadRequest) -> Any:
        for batch in self._log.read(request):
            field = pa.field("id", pa.string(), metadata={"json": "1"})
            schema = batch.records.schema.set(0, field)
            records = pa.RecordBatch.from_arrays(batch.records.columns, schema=schema)
            yield replace(batch, records=records, deleted=self._deleted)

    def confirm(self, token: str) -> None:
        """Keeps nothing."""


def test_a_field_that_is_named_like_the_mark_is_a_column_as_any_other(tmp_path: Path) -> None:
    place = folder_place(tmp_path)
    sync = open_syncs(place, replace(LARGE, due_parts=10**9), limits=Limits(part_bytes=1))
    log = ChangeLog([{"id": number, "v": "a"} for number in range(90)], page=15)
    log.changes[20] = gone(3)
    log.changes += [{"id": number, "deleted=": True} for number in range(5)]
    with pytest.raises(Died):
        sync.read(log, "same", DieAt(Step.JOURNALED, nth=3))
    outcome = sync.read(log, "same")
    assert log.asked[1] > 20, "the journal was continued, and has a part with the mark"
    assert [column.name for column in outcome.columns] == ["id", "v", "deleted"]
    wanted = apply_all(log.changes)
    assert rows(place) == {
        key: {name.removesuffix("="): value for name, value in one.items()}
        for key, one in wanted.items()
    }


UNFIT = {
    "append": options(SyncType.APPEND),
    "full refresh": options(SyncType.FULL_REFRESH),
    "keyed full refresh": options(SyncType.FULL_REFRESH, key=["id"]),
    "merge": options(SyncType.INCREMENTAL, key=["id"]),
}


@pytest.mark.parametrize("how", UNFIT.values(), ids=list(UNFIT))
def test_a_deleted_row_for_a_table_that_applies_no_changes_is_an_error_that_says_what_to_set(
    tmp_path: Path, how: SyncOptions
) -> None:
    place = folder_place(tmp_path)
    log = ChangeLog([row(1, "a"), row(2, "a"), gone(1)], page=2)
    with pytest.raises(ConfigurationError) as found:
        Syncs(place, how, SMALL).read(log)
    assert found.value.reason is Reason.INVALID_SPEC
    for word in (place.open().uri, "primaryKeyColumns", "syncType: Incremental"):
        assert word in str(found.value)
    assert log.confirmed == []
    assert replay_log(Path(place.folder)) is None


def test_a_table_that_applies_no_changes_takes_a_log_without_deleted_rows(tmp_path: Path) -> None:
    place = folder_place(tmp_path)
    Syncs(place, options(SyncType.APPEND), SMALL).read(ChangeLog([row(1, "a"), row(2, "a")]))
    assert rows(place) == {(1,): row(1, "a"), (2,): row(2, "a")}


def test_a_part_without_deletes_is_published_as_it_was_staged(tmp_path: Path) -> None:
    place = folder_place(tmp_path)
    sync = open_syncs(place, LARGE, limits=Limits(part_bytes=1))
    uploads: list[Step] = []
    sync.read(ChangeLog([row(number, "x") for number in range(100)]), steps=uploads.append)
    replay = replay_log(Path(place.folder))
    assert replay is not None
    assert len(replay.files) == uploads.count(Step.UPLOADED)


class _Silent(ChangeLog):
    """Says of some rows nothing at all."""

    def read(self, request: ReadRequest) -> Any:
        for batch in super().read(request):
            yield _unsure(batch)


def _unsure(batch: Batch) -> Batch:
    assert batch.deleted is not None
    return replace(batch, deleted=pa.array([one or None for one in batch.deleted.to_pylist()]))


def test_a_row_of_which_nothing_is_said_stays(tmp_path: Path) -> None:
    place = folder_place(tmp_path)
    open_syncs(place).read(_Silent([row(1, "a"), row(2, "a"), gone(1)]))
    assert rows(place) == {(2,): row(2, "a")}


_CHANGES = st.lists(
    st.one_of(
        st.tuples(st.integers(0, 12), st.integers(0, 3)).map(lambda pair: row(*pair)),
        st.integers(0, 14).map(gone),
    ),
    max_size=40,
)


@settings(
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    runs=st.lists(_CHANGES, min_size=1, max_size=4),
    page=st.sampled_from([1, 4, 40]),
    way=st.sampled_from(sorted(WAYS)),
    died=st.sampled_from([None, Step.WRITING, Step.JOURNALED, Step.PREPARED, Step.COMMITTED]),
)
def test_any_sequence_of_changes_leaves_what_the_source_has(
    tmp_path: Path, runs: list[list[Change]], page: int, way: str, died: Step | None
) -> None:
    place = folder_place(tmp_path / secrets.token_hex(4))
    sync, log = open_syncs(place, WAYS[way], limits=Limits(part_bytes=1)), ChangeLog(page=page)
    for number, changes in enumerate(runs):
        log.changes += changes
        if died is not None:
            with contextlib.suppress(Died):
                sync.read(log, f"run-{number}", DieAt(died))
        sync.read(log, f"run-{number}")
        wanted = apply_all(log.changes)
        assert {one["id"]: one.get("v") for one in read_duckdb(place.folder)} == {
            one["id"]: one["v"] for one in wanted.values()
        }


@pytest.mark.parametrize("seed", range(3))
def test_large_changes_leave_what_the_source_has_over_compactions(place: Place, seed: int) -> None:
    dice = random.Random(seed)
    sync = open_syncs(place, replace(SMALL, piece_rows=50), limits=Limits(part_bytes=2_000))
    log = ChangeLog(page=70)
    for _ in range(5):
        for number in range(dice.choice([20, 400])):
            key = dice.randrange(300)
            log.changes.append(gone(key) if dice.random() < 0.3 else row(key, f"{number}"))
        sync.read(log)
        assert rows(place) == apply_all(log.changes)
    assert log.confirmed[-1] == str(len(log.changes))
