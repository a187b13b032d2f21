"""Numbers on their way from a response's text to the table, through the engine itself: in any order
of batches and runs no digit is lost, and keys are compared exactly.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import polars as pl
import pyarrow as pa
import pytest
from deltalake import DeltaTable
from external_data_operator.api.conditions import Reason
from external_data_operator.api.cursors import CursorType
from external_data_operator.api.schema import SyncType
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from sync_runner.errors import ConfigurationError
from sync_runner.lake.policy import Policy
from sync_runner.protocols import Batch, Position, ReadRequest, Token
from sync_runner.records.decode import RecordDecoder
from tests.contract.lake_pod import SMALL, Place, folder_place
from tests.contract.lake_rows import ListedSource, Syncs, options
from tests.unit.records.decode_model import read_number

Spelled = str
"""A number as its source spells it."""
BIG = "9007199254740993"
LONG = "12345678901234567890"
ROUND = "1152921504606847000"
"""What readers see of a float that is 2^60."""
TINY = replace(SMALL, small_rows=3, piece_rows=4)
"""Few rows become parts, and keys are compared in pieces."""
FULL, APPEND, MERGE = SyncType.FULL_REFRESH, SyncType.APPEND, SyncType.INCREMENTAL


def decode(pages: Sequence[str], *, structs: bool = False) -> list[pa.RecordBatch]:
    """One batch for each page, by one decoder."""
    decoder = RecordDecoder(structs=structs)
    batches = []
    for page in pages:
        decoder.push(page.encode())
        batches.append(decoder.flush())
    return batches


def spell_rows(*rows: dict[str, Spelled]) -> str:
    """A page's body."""
    spelled = [",".join(f"{json.dumps(k)}:{v}" for k, v in row.items()) for row in rows]
    return "[" + ",".join("{" + row + "}" for row in spelled) + "]"


def value_of(spelled: Spelled) -> Any:
    """What a number is: exact, or a word. Of 17 digits that only a double could have written the
    double counts, which readers print in fewer digits.
    """
    if not Decimal(spelled).is_finite():
        return str(Decimal(spelled))
    number = read_number(spelled)
    return Decimal(repr(number) if isinstance(number, float) else spelled)


def read_found(found: Any) -> Any:
    """What a table has."""
    number = Decimal(repr(found) if isinstance(found, float) else str(found))
    return number if number.is_finite() else str(number)


def table_of(place: Place) -> list[dict[str, Any]]:
    """The table's rows, by Polars."""
    return pl.read_delta(place.open().uri).to_dicts()


def read_sorted(place: Place) -> list[dict[str, Any]]:
    """The same by id."""
    return sorted(table_of(place), key=lambda row: row["id"])


def bounds_of(place: Place, column: str) -> list[tuple[str, Any, Any]]:
    """The table's files, each with the bounds that the log has of a column."""
    actions = pa.table(DeltaTable(place.open().uri).get_add_actions(flatten=True)).to_pylist()
    return [(row["path"], row[f"min.{column}"], row[f"max.{column}"]) for row in actions]


def type_of(place: Place, column: str) -> str:
    """The type of a column in the log."""
    return str(pl.scan_delta(place.open().uri).collect_schema()[column])


def sync_of(
    place: Place, sync_type: SyncType, *, key: Sequence[str] = ("id",), policy: Policy = SMALL
) -> Syncs:
    """Syncs of rows that are written as text; no cursor, so that every run reads everything."""
    keys = key if sync_type is not APPEND else ()
    return Syncs(place, options(sync_type, key=keys), policy)


def run(sync: Syncs, *pages: str) -> None:
    """One sync of these pages, each a batch."""
    sync.read(ListedSource(decode(pages)))


@dataclass
class OneBatch:
    """A source of one batch, whose position is given."""

    records: pa.RecordBatch
    position: Position

    def read(self, request: ReadRequest) -> Iterator[Batch]:
        """See `protocols.Source`."""
        yield Batch(self.records, None, self.position, True, pages=1, bytes=self.records.nbytes)

    def confirm(self, token: Token) -> None:
        """It forgets nothing."""


INTEGERS = st.one_of(
    st.integers(-9, 9),
    st.integers(2**53 - 2, 2**53 + 2),
    st.integers(-(2**63) - 2, -(2**63) + 2),
    st.integers(-(2**66), 2**66),
    st.integers(10**37, 10**41),
).map(str)
FRACTIONS = st.one_of(
    st.decimals(-1000, 1000, places=2).map(str),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.floats(-1, 1).map(lambda value: f"{value:.3e}"),
    st.integers(10**17, 10**19).map("0.{}".format),
    st.integers(10**17, 10**18).map(lambda value: f"{value // 100}.{value % 100:02}"),
    st.sampled_from(
        ["2.0", "-0.0", "7e2", "1E20", "1e400", "-1e-400", "1e-30", "NaN", "-Infinity"]
    ),
)
COMMON = st.sampled_from(["1", "2", "0.5", "1.0", BIG, "12345678901234567890", "null"])
NUMBERS = INTEGERS | FRACTIONS | COMMON | COMMON
PRESENT = NUMBERS.filter(lambda spelled: spelled != "null")
RUNS = st.lists(
    st.lists(st.lists(NUMBERS, min_size=1, max_size=3), min_size=1, max_size=3),
    min_size=1,
    max_size=3,
)
PROPERTY = settings(
    database=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@PROPERTY
@given(
    runs=RUNS,
    sync_type=st.sampled_from([FULL, APPEND, MERGE]),
    policy=st.sampled_from([SMALL, TINY]),
)
@example(runs=[[["1", "2"]], [["0.5"], [BIG]]], sync_type=MERGE, policy=SMALL)
@example(runs=[[["0.5"]], [[BIG]]], sync_type=APPEND, policy=SMALL)
@example(runs=[[[BIG]], [["0.5"]]], sync_type=APPEND, policy=SMALL)
@example(runs=[[["1.5"]], [["1e400"]], [["2.0"]]], sync_type=MERGE, policy=SMALL)
def test_each_number_of_a_table_is_that_of_its_source(
    runs: list[list[list[Spelled]]], sync_type: SyncType, policy: Policy
) -> None:
    with TemporaryDirectory() as folder:
        place = folder_place(Path(folder))
        sync = sync_of(place, sync_type, policy=policy)
        wanted: dict[int, Spelled] = {}
        for pages in runs:
            if sync_type is FULL:
                wanted.clear()
            bodies = []
            for page in pages:
                rows = dict(enumerate(page, start=len(wanted)))
                wanted |= rows
                bodies.append(spell_rows(*({"id": str(i), "v": v} for i, v in rows.items())))
            run(sync, *bodies)
        found = {row["id"]: row.get("v") for row in table_of(place)}
        assert len(found) == len(wanted)
        for row, spelled in wanted.items():
            if spelled == "null":
                assert found[row] is None
            else:
                assert read_found(found[row]) == value_of(spelled), (spelled, found[row])


@PROPERTY
@given(
    runs=st.lists(
        st.lists(
            st.lists(
                PRESENT,
                min_size=1,
                max_size=4,
            ),
            min_size=1,
            max_size=3,
        ),
        min_size=1,
        max_size=3,
    ),
    sync_type=st.sampled_from([FULL, MERGE]),
    policy=st.sampled_from([SMALL, TINY]),
)
@example(runs=[[["0.0"]], [["-0.0"]]], sync_type=MERGE, policy=SMALL)
@example(runs=[[["NaN", "1"]], [["NaN", "1.0"]]], sync_type=MERGE, policy=SMALL)
@example(runs=[[[BIG, "9007199254740992"]], [["0.5"]], [[BIG]]], sync_type=MERGE, policy=SMALL)
@example(
    runs=[[["12345678901234567890"]], [["12345678901234567891"], ["0.25"]]],
    sync_type=MERGE,
    policy=SMALL,
)
@example(runs=[[["1e400", "5"]], [["5.0"]]], sync_type=MERGE, policy=SMALL)
@example(runs=[[["6.406e-01"]], [["6.406e-01", BIG]]], sync_type=MERGE, policy=SMALL)
@example(
    runs=[[["1152921504606847000.0"]], [["1152921504606847000"]]], sync_type=MERGE, policy=SMALL
)
@example(runs=[[["0.1"], ["0.1", BIG]]], sync_type=FULL, policy=SMALL)
def test_two_keys_are_one_only_where_their_numbers_are(
    runs: list[list[list[Spelled]]], sync_type: SyncType, policy: Policy
) -> None:
    with TemporaryDirectory() as folder:
        place = folder_place(Path(folder))
        sync = sync_of(place, sync_type, policy=policy)
        wanted: dict[Any, int] = {}
        count = 0
        for pages in runs:
            if sync_type is FULL:
                wanted.clear()
            bodies = []
            for page in pages:
                rows = list(enumerate(page, start=count))
                count += len(rows)
                wanted |= {value_of(key): number for number, key in rows}
                bodies.append(spell_rows(*({"id": key, "n": str(n)} for n, key in rows)))
            run(sync, *bodies)
        found = [(read_found(row["id"]), row["n"]) for row in table_of(place)]
        assert (len(found), dict(found)) == (len(wanted), wanted)


def test_files_of_ids_above_int64_have_bounds_and_are_left_alone_by_other_ids(
    tmp_path: Path,
) -> None:
    place = folder_place(tmp_path)
    sync = sync_of(place, MERGE)
    for first in (2**63, 2**64):
        run(sync, spell_rows(*({"id": str(first + i), "v": "1.5"} for i in range(4))))
    before = {low: path for path, low, _ in bounds_of(place, "id")}
    assert set(before) == {2**63, 2**64}
    run(sync, spell_rows({"id": str(2**64 + 1), "v": "2.5"}))
    after = {low: path for path, low, _ in bounds_of(place, "id")}
    assert after[Decimal(2**63)] == before[Decimal(2**63)]
    assert after[Decimal(2**64)] != before[Decimal(2**64)]
    found = {row["id"]: row["v"] for row in table_of(place)}
    assert (len(found), found[Decimal(2**64 + 1)]) == (8, 2.5)


def test_a_filter_on_decimals_finds_its_row(tmp_path: Path) -> None:
    place = folder_place(tmp_path)
    sync = sync_of(place, MERGE)
    for first in (0, 5):
        run(
            sync,
            spell_rows(*({"id": str(i), "v": f"{2**63 + i}.25"} for i in range(first, first + 5))),
        )
    assert all(low is not None for _, low, _ in bounds_of(place, "v"))
    for i in range(10):
        wanted = pl.col("v") == Decimal(f"{2**63 + i}.25")
        assert pl.scan_delta(place.open().uri).filter(wanted).collect()["id"].to_list() == [i]


def test_numbers_that_are_encoded_and_in_no_part_yet_are_looked_at(tmp_path: Path) -> None:
    place = folder_place(tmp_path)
    sync = sync_of(place, MERGE, policy=TINY)
    run(sync, spell_rows({"id": "0.5", "v": "1"}))
    run(sync, spell_rows(*({"id": key, "v": "2"} for key in (BIG, "1", "2", "3"))))
    found = {read_found(row["id"]): row["v"] for row in table_of(place)}
    assert found == {Decimal("0.5"): 1, **dict.fromkeys([Decimal(BIG), 1, 2, 3], 2)}


def test_a_published_column_of_doubles_stays_one_for_whole_numbers(tmp_path: Path) -> None:
    place = folder_place(tmp_path)
    sync = sync_of(place, MERGE)
    run(sync, spell_rows({"id": "1", "v": "1.0"}, {"id": "2", "v": "2.0"}))
    run(sync, spell_rows({"id": "3", "v": "3"}))
    assert type_of(place, "v") == "Float64"
    assert [row["v"] for row in read_sorted(place)] == [1.0, 2.0, 3.0]


def test_a_published_column_of_longs_stays_one_for_floats_that_are_whole(tmp_path: Path) -> None:
    place = folder_place(tmp_path)
    sync = sync_of(place, MERGE)
    run(sync, spell_rows({"id": "1", "v": BIG}))
    run(sync, spell_rows({"id": "2", "v": "3.0"}, {"id": "1.0", "v": "4e2"}))
    assert type_of(place, "v") == "Int64"
    assert [row["v"] for row in read_sorted(place)] == [400, 3]


def test_a_column_of_numbers_that_becomes_text_stays_text_of_numbers(tmp_path: Path) -> None:
    place = folder_place(tmp_path)
    sync = sync_of(place, MERGE, key=("k",))
    run(sync, spell_rows({"k": "5", "v": "1"}, {"k": "2.5", "v": "2"}))
    run(sync, spell_rows({"k": "1e400", "v": "3"}))
    run(sync, spell_rows({"k": "5.0", "v": "4"}, {"k": "2.50", "v": "5"}))
    found = {row["k"]: row["v"] for row in table_of(place)}
    assert found == {"5": 4, "2.5": 5, "1e400": 3}


def test_text_in_a_column_of_numbers_is_a_conflict_still(tmp_path: Path) -> None:
    sync = sync_of(folder_place(tmp_path), MERGE)
    run(sync, spell_rows({"id": "1", "v": "1"}))
    with pytest.raises(ConfigurationError) as caught:
        run(sync, spell_rows({"id": "2", "v": "1e400"}, {"id": "3", "v": '"x"'}))
    assert caught.value.reason is Reason.SCHEMA_CONFLICT


def test_numbers_inside_structs_keep_their_digits_over_batches(tmp_path: Path) -> None:
    place = folder_place(tmp_path)
    sync = sync_of(place, FULL)
    bodies = [
        spell_rows({"id": "1", "v": '{"a":1,"b":[0.5]}'}),
        spell_rows({"id": "2", "v": f'{{"a":0.25,"b":[{BIG}]}}'}),
    ]
    sync.read(ListedSource(decode(bodies, structs=True)))
    one, two = (row["v"] for row in read_sorted(place))
    assert (one["a"], two["a"]) == (1.0, 0.25)
    assert (one["b"], two["b"]) == ([Decimal("0.5")], [Decimal(BIG)])


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("5", "0.5"),
        ("0.5", BIG),
        ("7.0", "12345678901234567890"),
        ("12345678901234567890.25", "1e300"),
        ("0.25", "1e400"),
    ],
)
def test_an_append_whose_cursor_becomes_wider_knows_its_rows_again(
    tmp_path: Path, before: str, after: str
) -> None:
    place = folder_place(tmp_path)
    sync = Syncs(place, options(APPEND, cursor="at"))
    first, second = {"id": "1", "at": before}, {"id": "2", "at": after}
    position = Position("0", CursorType.NUMERIC, "at")
    for body in (spell_rows(first), spell_rows(first, second)):
        sync.read(OneBatch(decode([body])[0], position))
    found = {row["id"]: read_found(row["at"]) for row in table_of(place)}
    assert found == {1: value_of(before), 2: value_of(after)}
    assert len(table_of(place)) == 2
