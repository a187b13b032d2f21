"""What a run does to a table's rows follows from its options, and is asked of nothing else."""

import re
from pathlib import Path

import pytest
from external_data_operator.api.conditions import Reason
from external_data_operator.api.cursors import CursorType
from external_data_operator.api.plan import SyncOptions
from external_data_operator.api.schema import SyncType

import sync_runner
from sync_runner.errors import ConfigurationError
from sync_runner.lake.mode import Existing, WriteMode, decide_mode
from sync_runner.protocols import Position

INTEGER = CursorType.INTEGER
MODES = {
    "full refresh": (
        SyncOptions(stream="s"),
        WriteMode(Existing.REPLACE),
    ),
    "full refresh with a key": (
        SyncOptions(stream="s", primary_key_columns=["a", "b"]),
        WriteMode(Existing.REPLACE, ("a", "b")),
    ),
    "full refresh knows no cursor": (
        SyncOptions(stream="s", incremental_field="at", incremental_field_type=INTEGER),
        WriteMode(Existing.REPLACE),
    ),
    "append has no key": (
        SyncOptions(
            stream="s",
            sync_type=SyncType.APPEND,
            primary_key_columns=["a"],
            incremental_field="at",
            incremental_field_type=INTEGER,
        ),
        WriteMode(Existing.APPEND, (), "at", INTEGER),
    ),
    "append from a log": (
        SyncOptions(stream="s", sync_type=SyncType.APPEND),
        WriteMode(Existing.APPEND),
    ),
    "incremental": (
        SyncOptions(
            stream="s",
            sync_type=SyncType.INCREMENTAL,
            primary_key_columns=["a"],
            incremental_field="at",
        ),
        WriteMode(Existing.MERGE, ("a",), "at"),
    ),
    "incremental from a log": (
        SyncOptions(stream="s", sync_type=SyncType.INCREMENTAL, primary_key_columns=["a"]),
        WriteMode(Existing.MERGE, ("a",)),
    ),
    "changes": (
        SyncOptions(
            stream="s",
            sync_type=SyncType.INCREMENTAL,
            primary_key_columns=["a"],
            applies_changes=True,
        ),
        WriteMode(Existing.CHANGE, ("a",)),
    ),
    "full refresh applies no changes": (
        SyncOptions(stream="s", applies_changes=True),
        WriteMode(Existing.REPLACE),
    ),
}
ANSWERS = {
    Existing.REPLACE: ["can_reread", "removes_rows"],
    Existing.MERGE: ["can_reread", "keeps_rows", "merges", "removes_rows"],
    Existing.CHANGE: [
        "applies_changes",
        "can_reread",
        "keeps_rows",
        "merges",
        "needs_own_rows",
        "removes_rows",
    ],
    Existing.APPEND: ["counts_equal_rows", "keeps_rows", "needs_own_rows"],
}
"""The questions that each mode answers with yes."""
QUESTIONS = sorted({name for names in ANSWERS.values() for name in names})


@pytest.mark.parametrize(("options", "mode"), MODES.values(), ids=list(MODES))
def test_the_options_decide_the_mode(options: SyncOptions, mode: WriteMode) -> None:
    assert decide_mode(options) == mode


def test_rows_are_merged_by_a_key_or_not_at_all() -> None:
    with pytest.raises(ConfigurationError) as caught:
        decide_mode(SyncOptions(stream="s", sync_type=SyncType.INCREMENTAL))
    assert caught.value.reason is Reason.PRIMARY_KEY_MISSING


@pytest.mark.parametrize("existing", list(Existing))
def test_each_mode_answers_the_questions_of_its_readers(existing: Existing) -> None:
    mode = WriteMode(existing)
    assert [name for name in QUESTIONS if getattr(mode, name)] == ANSWERS[existing]


def test_events_by_a_field_are_compared_with_those_of_others() -> None:
    assert not WriteMode(Existing.APPEND, field="at").needs_own_rows


@pytest.mark.parametrize(
    ("existing", "before", "reached", "wanted"),
    [
        (Existing.MERGE, None, "5", "5"),
        (Existing.MERGE, "7", "5", "7"),
        (Existing.APPEND, "5", "7", "7"),
        (Existing.APPEND, "5", None, "5"),
        (Existing.REPLACE, "5", "7", None),
    ],
)
def test_a_position_moves_with_the_data_and_never_backwards(
    existing: Existing, before: str | None, reached: str | None, wanted: str | None
) -> None:
    def place(value: str | None) -> Position | None:
        return None if value is None else Position(value, INTEGER, "at")

    assert WriteMode(existing).position_of(place(before), place(reached)) == place(wanted)


def test_nothing_else_in_the_lake_and_the_pipeline_asks_for_the_sync_type() -> None:
    [root] = sync_runner.__path__
    modules = [path for room in ("lake", "pipeline") for path in Path(root, room).rglob("*.py")]
    asking = [path.name for path in modules if re.search(r"SyncType|sync_type", path.read_text())]
    assert asking == ["mode.py"]
