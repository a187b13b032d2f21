"""Runs of one table that meet at the worst moment: one wins, and nothing of the winner is lost."""

from pathlib import Path

import pytest
from external_data_operator.api.schema import SyncType

from sync_runner.errors import SupersededError
from sync_runner.protocols import Step
from tests.contract.lake_pod import folder_place
from tests.contract.lake_reading import read_polars
from tests.contract.lake_rows import ActAt, DieAt, Died, ListedSource, Row, Syncs, options, rows_of


def syncs(folder: Path, sync_type: SyncType) -> Syncs:
    """Syncs of a type by id and seq."""
    key = [] if sync_type is SyncType.APPEND else ["id"]
    return Syncs(folder_place(folder), options(sync_type, key=key, cursor="seq"))


def rows(sync: Syncs) -> list[Row]:
    """The table's rows by key."""
    store = sync.place.open()
    return sorted(read_polars(store.uri, store.options), key=lambda row: int(row["id"]))


MEETING = [SyncType.APPEND, SyncType.INCREMENTAL]


@pytest.mark.parametrize("sync_type", MEETING, ids=str)
@pytest.mark.parametrize("theirs", ["x", 7], ids=["same-type", "another-type"])
@pytest.mark.parametrize("when", [Step.PREPARED, Step.GROWN], ids=str)
def test_of_two_runs_that_bring_the_same_new_column_one_publishes(
    tmp_path: Path, sync_type: SyncType, theirs: object, when: Step
) -> None:
    sync = syncs(tmp_path, sync_type)
    sync([{"id": 1, "seq": 1}])
    news = [{"id": 2, "seq": 2, "new": theirs}, {"id": 3, "seq": 2, "new": theirs}]
    rival = ActAt(when, lambda: sync(news, run="rival"))
    with pytest.raises(SupersededError):
        sync([row | {"new": "x"} for row in news], run="slow", steps=rival)
    assert [(row["id"], str(row["new"])) for row in rows(sync)] == [
        (1, "None"),
        (2, str(theirs)),
        (3, str(theirs)),
    ]


@pytest.mark.parametrize("sync_type", MEETING, ids=str)
def test_a_column_that_a_dead_rival_has_added_is_taken_for_what_it_is(
    tmp_path: Path, sync_type: SyncType
) -> None:
    sync = syncs(tmp_path, sync_type)
    sync([{"id": 1, "seq": 1}])

    def add_and_die() -> None:
        with pytest.raises(Died):
            sync.read(
                ListedSource(rows_of([{"id": 2, "seq": 2, "new": 7}]), "seq"),
                "rival",
                DieAt(Step.GROWN),
            )

    news = [{"id": 2, "seq": 2, "new": 8}]
    sync(news, run="slow", steps=ActAt(Step.PREPARED, add_and_die))
    assert rows(sync) == [{"id": 1, "seq": 1, "new": None}, *news]
