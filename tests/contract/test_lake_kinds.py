"""Values of several kinds in one column end as the same column wherever the run publishes, and
wherever its pods die.
"""

import json
import secrets
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from external_data_operator.api.conditions import Reason
from external_data_operator.api.schema import SyncType
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sync_runner.errors import ConfigurationError
from sync_runner.protocols import Batch, ReadRequest, Step
from sync_runner.records.decode import RecordDecoder
from tests.contract.lake_pod import SMALL, folder_place
from tests.contract.lake_reading import read_polars
from tests.contract.lake_rows import DieAt, Died, ListedSource, Syncs, options, rows_of

EAGER = replace(SMALL, due_seconds=0.0)
KINDS = [SyncType.APPEND, SyncType.INCREMENTAL]


@dataclass
class CutSource(ListedSource):
    """A source whose run publishes behind these of its batches, and nowhere else before its end."""

    places: frozenset[int] = field(default_factory=frozenset)

    def read(self, request: ReadRequest) -> Iterator[Batch]:
        """See `protocols.Source`."""
        first = int(request.resume or 0)
        for number, batch in enumerate(super().read(request), first):
            yield replace(batch, settled=number in self.places)


def syncs(folder: Path, sync_type: SyncType) -> Syncs:
    """Syncs by seq that publish whenever they may."""
    key = ["id"] if sync_type is SyncType.INCREMENTAL else []
    how = options(sync_type, key=key, cursor="seq")
    return Syncs(folder_place(folder / secrets.token_hex(4)), how, EAGER)


def rows(sync: Syncs) -> list[dict[str, Any]]:
    """The table's rows, those without a value left out, by id."""
    found = read_polars(sync.place.open().uri)
    plain = [{k: v for k, v in row.items() if v is not None} for row in found]
    return sorted(plain, key=lambda row: row["id"])


def read(
    sync: Syncs, batches: Sequence[pa.RecordBatch], *places: int, run: str | None = None
) -> tuple[dict[str, str], list[dict[str, Any]]]:
    """The columns and rows after a run that publishes at these places."""
    outcome = sync.read(CutSource(batches, "seq", places=frozenset(places)), run)
    return {column.name: column.data_type for column in outcome.columns}, rows(sync)


def decode(values: Sequence[Any], size: int, *, structs: bool = False) -> list[pa.RecordBatch]:
    """A row for each value, in pages of one decoder."""
    decoder, batches = RecordDecoder(structs=structs), []
    records = [{"id": n, "seq": n, "v": value} for n, value in enumerate(values, 1)]
    for first in range(0, len(records), size):
        decoder.push(json.dumps(records[first : first + size]).encode())
        batches.append(decoder.flush())
    return batches


MIXES = {
    "text after long": [1, 2, "x", 3],
    "long after text": ["x", 1, True],
    "fraction beside a large whole": [2**60 + 1, 0.5, 7],
    "whole doubles, then long": [1.0, 2**60 + 1, 3],
    "a number of no type, then text": [1, 10**400, "x"],
    "object after long": [5, {"a": 1}, [2]],
    "text after objects": [{"b": 1, "a": 2}, "x", [1.0]],
    "boolean, then long": [True, 2, None],
}


@pytest.mark.parametrize("sync_type", KINDS)
@pytest.mark.parametrize("values", MIXES.values(), ids=list(MIXES))
def test_kinds_that_meet_after_a_publication_of_the_run_become_what_they_would_without(
    tmp_path: Path, sync_type: SyncType, values: list[Any]
) -> None:
    batches = decode(values, 1)
    wanted = read(syncs(tmp_path, sync_type), batches)
    for place in range(len(batches) - 1):
        assert read(syncs(tmp_path, sync_type), batches, place) == wanted
    assert read(syncs(tmp_path, sync_type), batches, *range(len(batches))) == wanted


@pytest.mark.parametrize("sync_type", KINDS)
def test_a_column_that_a_later_run_brings_is_free_until_that_run_is_over(
    tmp_path: Path, sync_type: SyncType
) -> None:
    sync = syncs(tmp_path, sync_type)
    sync([{"id": 0, "seq": 0}])
    types, found = read(sync, decode([1, {"a": 1}, "x"], 1), 0, 1)
    assert types["v"] == "string"
    assert [row.get("v") for row in found] == [None, "1", '{"a": 1}', "x"]


@pytest.mark.parametrize("sync_type", KINDS)
@pytest.mark.parametrize("places", [(), (0,), (0, 1)], ids=str)
def test_what_the_table_had_when_the_run_began_is_a_conflict_wherever_it_publishes(
    tmp_path: Path, sync_type: SyncType, places: tuple[int, ...]
) -> None:
    sync = syncs(tmp_path, sync_type)
    sync([{"id": 0, "seq": 0, "v": 1}])
    with pytest.raises(ConfigurationError, match=r"Column v is long .* sends string") as caught:
        read(sync, decode([2, 10**400, "x"], 1), *places)
    assert caught.value.reason is Reason.SCHEMA_CONFLICT
    with pytest.raises(ConfigurationError, match=r"Column v is long .* sends string"):
        read(sync, decode([2, 10**400, "x"], 1))


def test_a_run_that_is_over_has_settled_its_columns(tmp_path: Path) -> None:
    sync = syncs(tmp_path, SyncType.APPEND)
    read(sync, decode([1, 2, 3], 1), 0, 1)
    with pytest.raises(ConfigurationError, match=r"Column v is long .* sends string"):
        sync([{"id": 9, "seq": 9, "v": "x"}])


def test_a_load_that_took_two_runs_is_one_load(tmp_path: Path) -> None:
    sync = syncs(tmp_path, SyncType.APPEND)
    batches = decode([1, 2, "x"], 1)
    source = CutSource(batches, "seq", places=frozenset({0}))
    with pytest.raises(Died):
        sync.read(source, "dead", DieAt(Step.STAGED))
    assert read(sync, batches)[0]["v"] == "string"
    assert [row["v"] for row in rows(sync)] == ["1", "2", "x"]


@pytest.mark.parametrize("sync_type", KINDS)
def test_members_and_elements_of_the_run_take_every_kind_too(
    tmp_path: Path, sync_type: SyncType
) -> None:
    values: list[Any] = [{"a": 1.0, "t": [1]}, {"a": 2**60 + 1, "t": ["x"]}, {"a": "y"}, {"b": 1}]
    batches = rows_of(*([{"id": n, "seq": n, "v": v}] for n, v in enumerate(values, 1)))
    wanted = read(syncs(tmp_path, sync_type), batches)
    assert read(syncs(tmp_path, sync_type), batches, 0, 1, 2) == wanted
    sync = syncs(tmp_path, sync_type)
    sync([{"id": 0, "seq": 0, "v": {"b": 7}}])
    other = syncs(tmp_path, sync_type)
    other([{"id": 0, "seq": 0, "v": {"b": 7}}])
    assert read(sync, batches, 0, 1, 2) == read(other, batches)


def test_a_key_that_turns_to_text_after_a_publication_names_the_same_rows(tmp_path: Path) -> None:
    pages = rows_of(
        [{"id": 1, "seq": 1}, {"id": 2, "seq": 2}], [{"id": "a", "seq": 3}, {"id": "2", "seq": 4}]
    )
    wanted = read(syncs(tmp_path, SyncType.INCREMENTAL), pages)
    assert read(syncs(tmp_path, SyncType.INCREMENTAL), pages, 0) == wanted
    assert [row["seq"] for row in wanted[1]] == [1, 4, 3]


VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.sampled_from([1, -7, 2**53 + 1, 1.0, 0.25, 1e300, 10**30, 10**400]),
    st.sampled_from(["", "x", "1", '{"a": 1}', "true"]),
    st.sampled_from([{"a": 1}, {"a": "x", "b": [1]}, [1.0], ["x", None]]),
)
STEPS = [Step.WRITING, Step.UPLOADED, Step.PREPARED, Step.COMMITTED, Step.JOURNALED, Step.STAGED]


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.lists(VALUES, min_size=2, max_size=9),
    st.integers(1, 3),
    st.sets(st.integers(0, 8)),
    st.tuples(st.sampled_from(KINDS), st.booleans()),
    st.tuples(st.sampled_from(STEPS), st.integers(1, 4)),
)
def test_a_table_is_the_same_wherever_its_run_publishes_and_dies(
    tmp_path: Path,
    values: list[Any],
    size: int,
    places: set[int],
    how: tuple[SyncType, bool],
    death: tuple[Step, int],
) -> None:
    sync_type, has_rows = how
    batches = decode(values, size)
    plain, cut = syncs(tmp_path, sync_type), syncs(tmp_path, sync_type)
    if has_rows:
        plain([{"id": 0, "seq": 0}])
        cut([{"id": 0, "seq": 0}])
    with suppress(Died):
        source = CutSource(batches, "seq", places=frozenset(places))
        cut.read(source, "one", DieAt(*death))
    assert read(cut, batches, *places, run="one") == read(plain, batches)
