"""Tables and runs of the version before: what its commits and journals say is understood, or read
again.
"""

import json
from pathlib import Path
from typing import Any

import pytest
from external_data_operator.api.schema import SyncType

from sync_runner.protocols import Step
from tests.contract.lake_pod import folder_place
from tests.contract.lake_reading import read_polars
from tests.contract.lake_rows import DieAt, Died, ListedSource, Row, Syncs, options, rows_of

ROWS: list[Row] = [{"id": n, "seq": n} for n in range(300)]
PAGES = [ROWS[at : at + 100] for at in (0, 100, 200)]


def build_syncs(folder: Path, sync_type: SyncType) -> Syncs:
    """Syncs by a numeric cursor."""
    key = [] if sync_type is SyncType.APPEND else ["id"]
    return Syncs(folder_place(folder), options(sync_type, key=key, cursor="seq"))


def read_ids(sync: Syncs) -> list[int]:
    """The table's keys."""
    store = sync.place.open()
    return sorted(int(row["id"]) for row in read_polars(store.uri, store.options))


def age(place: Any) -> Any:
    """A position as the version before wrote it."""
    return None if place is None else {"value": place["value"], "type": place["type"]}


def age_commit(log: Path) -> None:
    """Makes the newest commit one of the version before."""
    file = max(log.glob("*.json"))
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    for info in (line["commitInfo"] for line in lines if "commitInfo" in line):
        state = json.loads(info["externalData"])
        state["cursor"] = state["position"]["field"]
        state["position"] = age(state["position"])
        del state["confirms"], state["field_without_position"]
        info["externalData"] = json.dumps(state)
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))


@pytest.mark.parametrize("sync_type", [SyncType.APPEND, SyncType.INCREMENTAL], ids=str)
def test_a_table_of_the_version_before_is_continued_where_it_ended(
    tmp_path: Path, sync_type: SyncType
) -> None:
    sync = build_syncs(tmp_path, sync_type)
    sync(*PAGES[:2])
    age_commit(tmp_path / "ns/table/_delta_log")
    source = ListedSource(rows_of(*PAGES), "seq")
    outcome = sync.read(source)
    assert source.asked is not None
    assert source.asked.since is not None
    assert (source.asked.since.value, source.asked.since.field) == ("199", "seq")
    assert (outcome.cursor, read_ids(sync)) == ("299", list(range(300)))


@pytest.mark.parametrize("sync_type", list(SyncType), ids=str)
def test_a_run_that_the_version_before_began_reads_again_what_it_had_staged(
    tmp_path: Path, sync_type: SyncType
) -> None:
    sync = build_syncs(tmp_path, sync_type)
    with pytest.raises(Died):
        sync(*PAGES, run="upgraded", steps=DieAt(Step.PREPARED))
    file = tmp_path / "ns/table/_staging/journal.json"
    journal = json.loads(file.read_text())
    assert journal["open"]
    del journal["confirms"]
    # The plan had another shape, and so another fingerprint.
    changes = {name: age(journal[name]) for name in ("since", "position")}
    file.write_text(json.dumps(journal | changes | {"fingerprint": "of the plan's old shape"}))
    source = ListedSource(rows_of(*PAGES), "seq")
    sync.read(source, "upgraded")
    assert source.asked is not None
    assert (source.asked.resume, read_ids(sync)) == (None, list(range(300)))
