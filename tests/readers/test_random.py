"""Tables of chance: whatever a few syncs bring, all readers see the same rows, which follow from
what was brought.
"""

import random
from pathlib import Path
from typing import Any

import pytest

from tests.contract.lake_pod import folder_place
from tests.readers.comparing import find_differences, show_all, show_clickhouse
from tests.readers.lake import RestSyncs, address_of
from tests.readers.readers import READERS, Reader
from tests.readers.tables import read_names
from tests.servers.rest import running_rest

Row = dict[str, Any]
WORDS = ("", "ada", "Bö", "渡辺", "🦀", "null", "NaN", "a\nb", "it's", '"q"', "x" * 70, "\\N", " ")


def make_value(dice: random.Random, kind: str) -> Any:
    """A value of a kind, null at times."""
    if dice.random() < 0.2:
        return None
    match kind:
        case "whole":
            return dice.choice([0, -1, 2**53 + 1, 2**63 - 1, -(2**63), dice.randrange(1000)])
        case "fraction":
            return dice.choice([0.1, -1.7e308, 5e-324, dice.random(), dice.randrange(99) + 0.5])
        case "flag":
            return dice.random() < 0.5
    return dice.choice(WORDS)


def make_syncs(dice: random.Random) -> list[list[Row]]:
    """Rows of some syncs, in which keys come again and columns come late."""
    kinds = {f"c{n} {dice.choice('äб日')}": dice.choice(("whole", "fraction", "flag", "text"))
             for n in range(dice.randrange(1, 7))}  # fmt: skip
    late = {name for name in kinds if dice.random() < 0.3}
    syncs: list[list[Row]] = []
    seq = 0
    for number in range(dice.randrange(1, 5)):
        rows = []
        for _ in range(dice.randrange(1, 40)):
            seq += 1
            row: Row = {"id": dice.randrange(50), "seq": seq}
            for name, kind in kinds.items():
                if number or name not in late:
                    row[name] = make_value(dice, kind)
            rows.append(row)
        syncs.append(rows)
    return syncs


@pytest.mark.parametrize("seed", range(8))
def test_all_readers_see_the_last_row_of_each_key(
    readers: dict[str, Reader], tmp_path: Path, seed: int
) -> None:
    syncs = make_syncs(random.Random(seed))
    place = folder_place(tmp_path)
    with running_rest() as server:
        sync = RestSyncs(server, place, key=["id"], cursor="seq")
        names = {c.name: c for rows in syncs for c in sync(rows).columns}
    state = {row["id"]: row for rows in syncs for row in rows}
    sources = list(dict.fromkeys(name for rows in syncs for row in rows for name in row))
    spelled = read_names(place)
    wanted = [{spelled[n]: row.get(n) for n in sources if n in spelled} for row in state.values()]
    assert {column for row in wanted for column in row} == set(names)
    for name in READERS:
        view = show_clickhouse if name == "clickhouse" else show_all
        rows = readers[name].read(address_of(place))
        shown = [view(row, {}) for row in wanted]
        assert find_differences(rows, shown, ("id",)) == [], name
