"""Readers that nobody here wrote see every row and every value of the seven tables."""

from collections.abc import Callable
from pathlib import Path

import pytest
from deltalake import DeltaTable

from tests.contract.lake_pod import folder_place
from tests.readers.comparing import find_differences, show_all, show_clickhouse
from tests.readers.filters import Where
from tests.readers.lake import RestSyncs, address_of
from tests.readers.readers import READERS, Reader
from tests.readers.tables import TABLES, LakeTable
from tests.servers.rest import running_rest

Get = Callable[[str, str], LakeTable]
VIEWS = {"clickhouse": show_clickhouse}


@pytest.mark.parametrize("where", ["folder", "bucket"])
@pytest.mark.parametrize("name", list(TABLES))
@pytest.mark.parametrize("reader", READERS)
def test_a_reader_sees_every_row_and_every_value(
    tables: Get, readers: dict[str, Reader], reader: str, name: str, where: str
) -> None:
    table = tables(name, where)
    view = VIEWS.get(reader, show_all)
    wanted = [view(row, table.nested) for row in table.rows]
    assert len(wanted) > 5
    rows = readers[reader].read(table.address)
    assert len(rows) == len(wanted)
    assert find_differences(rows, wanted, table.key) == []


def test_the_tables_are_what_their_names_say(tables: Get) -> None:
    def log(name: str) -> list[Path]:
        return sorted((Path(tables(name, "folder").address.path) / "_delta_log").iterdir())

    assert not any(path.name == f"{0:020}.json" for path in log("compacted"))
    assert any(path.name.endswith(".checkpoint.parquet") for path in log("compacted"))
    for name in ("types", "merged", "appended", "composite"):
        files = DeltaTable(tables(name, "folder").address.uri).file_uris()
        assert len(files) > 2, name
    merged = "".join(p.read_text() for p in log("merged") if p.suffix == ".json")
    assert '"remove"' in merged


@pytest.mark.parametrize("reader", READERS)
def test_a_table_without_rows_is_a_table(
    readers: dict[str, Reader], reader: str, tmp_path: Path
) -> None:
    place = folder_place(tmp_path)
    with running_rest() as server:
        sync = RestSyncs(server, place)
        sync([{"id": 1, "v": "x"}])
        sync([])
    assert readers[reader].read(address_of(place)) == []
    assert readers[reader].read(address_of(place), Where("id", ">", 0, "long")) == []


@pytest.mark.parametrize("reader", READERS)
def test_names_of_any_script_are_columns(
    tables: Get, readers: dict[str, Reader], reader: str
) -> None:
    rows = readers[reader].read(tables("awkward", "folder").address)
    assert {"日本", "имя", "naïve", "straße"} <= set(rows[0])
