"""The page on readers: its snippets run, and its versions are those of the tests."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.readers.readers import Reader, Worker
from tests.readers.tables import LakeTable

PAGE = (Path(__file__).parents[2] / "docs" / "readers.md").read_text()
EXAMPLE = "s3://lake/raw/analytics/shop_orders"
Get = Callable[[str, str], LakeTable]


def find_snippets(language: str) -> list[str]:
    """The page's blocks of a language."""
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def test_the_page_says_which_versions_were_tested(readers: dict[str, Reader]) -> None:
    told = re.findall(r"^\| ([A-Z]?\w+) \| ([\w .]+) \|", PAGE, re.MULTILINE)
    have = {name: version for name, version in told if name.lower() in readers}
    assert have == {name: readers[name.lower()].version for name in have}
    assert {name.lower() for name in have} == set(readers)


@pytest.mark.parametrize(
    ("word", "name"), [("polars", "polars"), ("deltalake", "deltalake"), ("daft", "daft")]
)
def test_the_pages_python_reads_the_table(
    tables: Get, readers: dict[str, Reader], word: str, name: str
) -> None:
    table = tables("merged", "folder")
    [code] = [text for text in find_snippets("python") if f"import {word}" in text or
              f"from {word}" in text]  # fmt: skip
    code = code.replace(EXAMPLE, table.address.uri)
    reader = readers[name]
    if isinstance(reader, Worker):
        count = reader.process.ask(code=code)[0]["rows"]
    else:
        scope: dict[str, Any] = {}
        exec(code, scope)
        count = len(scope["rows"])
    assert count == len([row for row in table.rows if row["id"] > 1])


@pytest.mark.parametrize("name", ["duckdb", "clickhouse"])
def test_the_pages_sql_reads_the_table(tables: Get, readers: dict[str, Reader], name: str) -> None:
    table = tables("merged", "folder")
    [sql] = [text for text in find_snippets("sql") if f"-- {name}" in text]
    sql = sql.replace(EXAMPLE, table.address.uri)
    sql = sql.replace("deltaLake('file://", "deltaLakeLocal('").strip().rstrip(";")
    reader = readers[name]
    assert isinstance(reader, Worker)
    rows = reader.process.ask(sql=sql, before=[])
    assert len(rows) == len([row for row in table.rows if row["id"] > 1])
