"""What is chosen to be made one, and what of the log goes."""

import random

from sync_runner.lake.delta.tombstones import entry_version_of
from sync_runner.lake.parquet.files import DataFile
from sync_runner.lake.parquet.stage import PartLimits
from sync_runner.lake.policy import Policy
from sync_runner.lake.upkeep import choose_groups, choose_old_log
from sync_runner.storage import ObjectInfo

BOUNDS = PartLimits(rows=1000, bytes=1 << 20)
POLICY = Policy(tier_files=4, tier_factor=8, log_entries=5)


def files(*rows: int) -> list[DataFile]:
    """Files of so many rows."""
    return [DataFile(f"data/{i}", 100 * r, r) for i, r in enumerate(rows)]


def test_few_small_files_stay() -> None:
    assert choose_groups(files(5, 5, 5), BOUNDS, POLICY) == []


def test_files_of_about_one_size_become_one() -> None:
    small = files(5, 6, 7, 4)
    assert choose_groups([*small, *files(900, 600)], BOUNDS, POLICY) == [small]


def test_files_of_very_different_sizes_do_not_meet() -> None:
    assert choose_groups(files(1, 20, 100, 400), BOUNDS, POLICY) == []


def test_what_becomes_one_stays_within_the_bounds() -> None:
    groups = choose_groups(files(*[400] * 9), BOUNDS, POLICY)
    assert groups
    assert all(sum(file.rows for file in group) <= BOUNDS.rows for group in groups)


def test_files_that_nobody_counted_stay() -> None:
    assert choose_groups(files(-1, -1, -1, -1, -1), BOUNDS, POLICY) == []


def test_a_thousand_small_additions_leave_few_files_and_rewrite_each_row_a_few_times() -> None:
    dice, live, rewritten = random.Random(1), [], 0
    for number in range(1000):
        live.append(DataFile(f"new/{number}", 100, dice.randrange(1, 9)))
        for group in choose_groups(live, BOUNDS, POLICY):
            rows = sum(file.rows for file in group)
            rewritten += rows
            live = [file for file in live if file not in group]
            live.append(DataFile(f"made/{number}", 100 * len(group), rows))
    total = sum(file.rows for file in live)
    assert len(live) < 30
    assert rewritten < 6 * total


def entries(*names: str, age: float = 0.0) -> list[ObjectInfo]:
    """Entries of a log that were written so long before the second 10,000."""
    return [ObjectInfo(f"_delta_log/{name}", 1, 10_000.0 - age) for name in names]


def log(versions: int, checkpoints: list[int], age: float) -> list[ObjectInfo]:
    """A log of so many versions."""
    names = [f"{version:020}.json" for version in range(versions)]
    names += [f"{version:020}.checkpoint.parquet" for version in checkpoints]
    return entries(*names, "_last_checkpoint", age=age)


def old(found: list[ObjectInfo], entries_max: int = 1000) -> list[str]:
    """What goes of a log that is kept for ten minutes."""
    return choose_old_log(found, 10_000.0, keep_s=600.0, entries_max=entries_max)


def up_to(version: int, *checkpoints: int) -> list[str]:
    """Paths of all entries below a version."""
    names = [f"{v:020}.json" for v in range(version)]
    names += [f"{v:020}.checkpoint.parquet" for v in checkpoints]
    return sorted(f"_delta_log/{name}" for name in names)


def test_nothing_below_the_only_checkpoint_goes() -> None:
    assert old(log(30, [20], 9_000.0)) == []


def test_old_entries_below_the_last_but_one_checkpoint_go() -> None:
    assert old(log(35, [10, 20, 30], 9_000.0)) == up_to(20, 10)


def test_young_entries_stay_but_not_too_many_of_them() -> None:
    young = log(35, [10, 20, 30], 5.0)
    assert old(young) == []
    assert old(young, entries_max=16) == up_to(20, 10)


def test_the_checkpoint_that_leads_to_the_oldest_young_version_stays() -> None:
    aged = [entry for entry in log(35, [10, 20, 30], 9_000.0) if entry_version_of(entry) < 25]
    young = [entry for entry in log(35, [10, 20, 30], 5.0) if entry_version_of(entry) >= 25]
    assert old([*aged, *young]) == up_to(20, 10)


def test_a_protected_beginning_of_the_log_goes_as_a_whole_or_not_at_all() -> None:
    found = log(35, [10, 20, 30], 9_000.0)

    def cut(whole: int) -> list[str]:
        return choose_old_log(found, 10_000.0, keep_s=600.0, entries_max=1000, whole=whole)

    assert cut(21) == []
    assert cut(20) == cut(5) == up_to(20, 10)
