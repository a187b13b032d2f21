"""The native columns know no format, so that a second reader can fill them."""

import re
from pathlib import Path

SOURCES = Path(__file__).parents[2] / "native" / "src"


def test_columns_know_no_reader_of_a_format() -> None:
    modules = sorted((SOURCES / "columns").glob("*.rs"))
    named = {module.name: re.findall(r"crate::(\w+)", module.read_text()) for module in modules}
    assert len(named) > 5
    for module, rooms in named.items():
        assert set(rooms) <= {"columns", "failure"}, module
