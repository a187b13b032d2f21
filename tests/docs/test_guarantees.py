"""Every test that the documentation names as a proof exists, in the file that it names."""

import re
from fnmatch import fnmatch
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    page
    for page in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    if "`test_" in page.read_text() or "`tests/" in page.read_text()
)
DEFINITION = re.compile(r"^ *(?:async )?def (test_\w+)", re.MULTILINE)
SPAN = re.compile(r"`(?:(?P<file>[\w/.]+):\s+)?(?P<name>(?:tests/|test_|…_)[\w/.*]+)`")


def find_tests() -> dict[str, list[str]]:
    """The test functions of each file, by the file's path."""
    files = (path for path in (ROOT / "tests").rglob("*.py") if path.stem != "conftest")
    return {str(path.relative_to(ROOT)): DEFINITION.findall(path.read_text()) for path in files}


def find_missing(text: str) -> list[str]:
    """Names in code spans that stand for no file and no test."""
    tests = find_tests()

    def in_file(name: str, path: str) -> bool:
        stem = name.removesuffix(".py").removesuffix("/")
        return path == f"{stem}.py" or path.endswith(f"/{stem}.py") or path.startswith(f"{stem}/")

    def holds(span: re.Match[str]) -> bool:
        name = span["name"]
        files = [path for path in tests if span["file"] is None or in_file(span["file"], path)]
        wanted = name.replace("…_", "test_*")
        return any(in_file(name, path) for path in files) or any(
            fnmatch(test, wanted) for path in files for test in tests[path]
        )

    return [span[0] for span in SPAN.finditer(text) if not holds(span)]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_each_test_that_a_page_names_exists(page: Path) -> None:
    assert find_missing(page.read_text()) == []


def test_a_name_that_stands_for_no_test_is_found() -> None:
    text = "`test_guarantees: test_nothing_*`, `test_guarantees`, `test_nowhere`, `tests/docs`"
    assert find_missing(text) == ["`test_guarantees: test_nothing_*`", "`test_nowhere`"]
