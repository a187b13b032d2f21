"""A second kind of source, a database with a log, goes through every command and every task, and is
added in the places that ARCHITECTURE.md names and in no other.
"""

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars
import pytest
from external_data_operator.api.plan import (
    FileDestination,
    Plan,
    Report,
    SyncOptions,
    TablePlan,
    TableTarget,
    Task,
)
from external_data_operator.api.schema import SyncType
from external_data_operator.cli.main import main

from sync_runner.lake.session import TableSession
from sync_runner.tasks import Surroundings, run_task
from tests.clocks import JumpingClock
from tests.contract.rest_reading import GivenCredentials
from tests.fakes.logbook import LOGBOOK, Logbook, Row, installed
from tests.fakes.tree import PLACES, TABLE, Tree, copy_tree

ROOT = Path(__file__).parents[2]
ASKS = """
from external_data_operator.api.plan import Plan
from external_data_operator.api.source import SourceSpec
from external_data_operator.reconcile.plans.kinds import find_adapter
from sync_runner.sources import load_kind
given = {"path": "/x"}
print(SourceSpec.model_validate({"logbook": given}).kind)
print(Plan.model_validate({"task": "Check", "namespace": "n", "source": "s", "target":
    {"file": {"path": "/lake"}, "path": "n"}, "logbook": given}).kind)
print(type(find_adapter("logbook")).__name__)
print(load_kind("logbook").feed is not None)
"""
MANIFEST = """\
apiVersion: external-data.io/v1alpha1
kind: ExternalDataSource
metadata: {name: plant, namespace: works}
spec:
  tablePrefix: plant_
  logbook: {path: FOLDER}
---
apiVersion: external-data.io/v1alpha1
kind: ExternalDataSchema
metadata: {name: plant-parts, namespace: works}
spec: {sourceRef: {name: plant}, stream: parts}
"""


@pytest.fixture(autouse=True)
def _kind() -> Iterator[None]:
    with installed():
        yield


@pytest.fixture
def book(tmp_path: Path) -> Logbook:
    """Parts have a key, readings have none."""
    book = Logbook(tmp_path / "book")
    book.create(parts=["id"], readings=[])
    for number in range(5):
        book.append("parts", {"id": number, "name": f"part {number}"})
        book.append("readings", {"part": number, "heat": 20 + number})
    return book


class Commands:
    """The command line, at one manifest."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self._capsys = folder, capsys
        self.file = folder / "plant.yaml"
        self.file.write_text(MANIFEST.replace("FOLDER", str(folder / "book")))

    def __call__(self, command: str, *options: str) -> tuple[int, list[dict[str, Any]]]:
        code = main([command, str(self.file), *options])
        out, _ = self._capsys.readouterr()
        said = [json.loads(line) for line in out.splitlines() if line.startswith("{")]
        return code, [one for one in said if one["event"] != "progress"]

    def run(self, *options: str) -> tuple[int, list[dict[str, Any]]]:
        return self("run", "--destination", f"file://{self.folder}/lake", *options)

    def read(self, stream: str) -> list[Row]:
        """A table's rows, by a reader that is not ours."""
        path = self.folder / "lake" / "works" / f"plant_{stream}"
        return polars.read_delta(str(path)).sort(polars.all()).to_dicts()


@pytest.fixture
def commands(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Commands:
    return Commands(tmp_path, capsys)


def test_validate_takes_a_schema_of_a_stream_that_only_the_catalogue_knows(
    commands: Commands,
) -> None:
    assert commands("validate")[0] == 0


def test_check_names_the_streams_of_the_catalogue(commands: Commands, book: Logbook) -> None:
    code, (said,) = commands("check")
    assert (code, said["streams"]) == (0, ["parts", "readings"])


def test_discover_tells_the_catalogues_keys_and_columns(commands: Commands, book: Logbook) -> None:
    code, said = commands("discover")
    assert code == 0
    assert [(one["name"], one["primaryKey"], one["hasLog"]) for one in said] == [
        ("parts", ["id"], True),
        ("readings", [], True),
    ]
    assert [column["name"] for column in said[0]["columns"]] == ["id", "name"]


def test_preview_shows_rows(commands: Commands, book: Logbook) -> None:
    code, said = commands("preview", "--stream", "readings")
    assert (code, [one["row"] for one in said]) == (0, [{"part": 0, "heat": 20}])


def test_run_fills_two_tables_from_one_feed_and_confirms_what_they_hold(
    commands: Commands, book: Logbook
) -> None:
    code, said = commands.run()
    assert code == 0
    assert [(one["stream"], one["rows"], one["cursor"]) for one in said] == [
        ("parts", 5, "9"),
        ("readings", 5, "10"),
    ]
    assert (book.walks, book.confirmed) == ([0], 10)
    book.append("parts", {"id": 0, "name": "new"}, {"id": 9, "name": "part 9"})
    code, said = commands.run()
    assert (code, [one["rows"] for one in said]) == (0, [2, 0])
    assert (book.walks, book.confirmed) == ([0, 10], 12)
    names = ["new", "part 1", "part 2", "part 3", "part 4", "part 9"]
    assert [row["name"] for row in commands.read("parts")] == names
    assert [row["heat"] for row in commands.read("readings")] == [20, 21, 22, 23, 24]


def test_run_takes_keys_out_of_a_table_that_the_log_names_as_deleted(
    commands: Commands, book: Logbook
) -> None:
    book.append("parts", {"id": 1}, {"id": 2}, deleted=True)
    book.append("parts", {"id": 2, "name": "back"})
    assert commands.run()[0] == 0
    assert [row["name"] for row in commands.read("parts")] == [
        "part 0",
        "back",
        "part 3",
        "part 4",
    ]
    book.append("parts", {"id": 0}, {"id": 7}, deleted=True)
    code, said = commands.run()
    assert (code, said[0]["rows"], book.confirmed) == (0, 2, 15)
    assert [row["name"] for row in commands.read("parts")] == ["back", "part 3", "part 4"]


def test_a_feed_that_breaks_off_confirms_nothing_that_a_table_lacks(
    commands: Commands, book: Logbook
) -> None:
    book.break_after(7)
    assert commands.run()[0] == 75
    assert book.confirmed == 0
    book.break_after(None)
    assert commands.run()[0] == 0
    assert (book.walks, book.confirmed, len(commands.read("readings"))) == ([0, 0], 10, 5)


def build_plan(home: Path, *streams: str, folder: str = "book") -> Plan:
    """A sync of these streams, as the operator would plan it."""
    keys = {"parts": ["id"], "readings": []}
    kinds = {"parts": SyncType.INCREMENTAL, "readings": SyncType.APPEND}
    tables = [
        TablePlan(
            sync=SyncOptions(stream=name, sync_type=kinds[name], primary_key_columns=keys[name]),
            target=TableTarget(file=FileDestination(path=str(home / "lake")), path=name),
        )
        for name in streams
    ]
    return Plan.model_validate(
        {
            "task": Task.SYNC,
            "namespace": "works",
            "source": "plant",
            "logbook": {"path": str(home / folder)},
            "tables": tables,
        }
    )


class HurryingClock(JumpingClock):
    """Minutes pass between any two looks at it, so that each batch becomes a part."""

    def monotonic(self) -> float:
        self.time += 400
        return super().monotonic()


def run(plan: Plan, run_id: str, clock: JumpingClock | None = None) -> Report:
    """One pod."""
    given = Surroundings(GivenCredentials(), run_id, clock or JumpingClock())
    return run_task(plan, given).report


def test_a_stream_of_it_continues_from_its_token_where_a_pod_failed(
    tmp_path: Path,
) -> None:
    book = Logbook(tmp_path / "alone")
    book.create(readings=[])
    book.append("readings", *({"part": number, "heat": 20 + number} for number in range(10)))
    plan, clock = build_plan(tmp_path, "readings", folder="alone"), HurryingClock()
    book.break_after(9)
    assert run(plan, "one", clock).failure is not None
    assert book.confirmed == 9, "what is published in the middle of a run is confirmed there"
    book.break_after(None)
    report = run(plan, "one", clock)
    assert (report.failure, report.resumed, report.rows) == (None, True, 10)
    assert book.walks == [0, 9]
    (told,) = report.tables
    assert told.table is not None
    assert (told.table.rows, book.confirmed) == (10, 10)


def test_a_run_of_one_table_alone_leaves_what_the_others_need(
    commands: Commands, book: Logbook
) -> None:
    assert commands.run("--stream", "parts")[0] == 0
    assert book.confirmed == 0
    assert commands.run()[0] == 0
    assert (book.confirmed, len(commands.read("parts")), len(commands.read("readings"))) == (
        10,
        5,
        5,
    )


def test_what_one_table_lacks_is_read_again_and_the_other_skips_it(
    tmp_path: Path, book: Logbook, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = build_plan(tmp_path, "parts", "readings")
    finish = TableSession.finish
    done: list[TableSession] = []

    def finish_one(session: TableSession) -> Any:
        if done:
            raise MemoryError
        done.append(session)
        return finish(session)

    with monkeypatch.context() as patch:
        patch.setattr(TableSession, "finish", finish_one)
        assert run(plan, "one").failure is not None
    assert book.confirmed == 0
    report = run(plan, "one")
    assert (report.failure, book.confirmed) == (None, 10)
    assert [(one.stream, one.rows) for one in report.tables] == [("parts", 0), ("readings", 5)]
    assert [one.table.rows for one in report.tables if one.table] == [5, 5]


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Tree:
    """The product with the kind in it."""
    tree = copy_tree(tmp_path_factory.mktemp("product"))
    tree.add_kind()
    return tree


def find_places() -> list[str]:
    """The places that ARCHITECTURE.md names, in its order."""
    text = (ROOT / "ARCHITECTURE.md").read_text()
    (recipe,) = re.findall(r"## Adding a kind of source\n\n(.*?one example)\.", text, re.DOTALL)
    return re.findall(r"`[^`]+`|one example", recipe)


def test_adding_the_kind_touches_the_five_places_that_the_architecture_names(tree: Tree) -> None:
    spec, table, file, adapter, code, example = find_places()
    assert (table, file) == ("`SOURCES`", "`api/sources/__init__.py`")
    assert [spec, adapter, code, example] == list(PLACES)
    changes = dict(tree.list_changes())
    added = {path for files in PLACES.values() for path in files.values()}
    assert changes.keys() == added | {TABLE}
    assert [line for line in changes[TABLE] if "import" not in line] == [
        '    "logbook": LogbookSource,'
    ]
    assert len(changes[TABLE]) == 2


def test_the_import_contracts_hold_with_the_kind_in_the_product(tree: Tree) -> None:
    said = tree.run(str(Path(sys.executable).with_name("lint-imports")), "--no-cache")
    assert "0 broken" in said


def test_both_processes_know_the_kind_without_anything_else(tree: Tree) -> None:
    said = tree.run("-c", ASKS)
    assert said.split() == ["logbook", "logbook", "LogbookAdapter", "True"]


def test_adding_the_kind_in_this_process_changes_the_same_places() -> None:
    own = {"`api/sources/<kind>.py`", "one example"}
    assert {*LOGBOOK.places} == {*find_places()} - own - {"`api/sources/__init__.py`"}
