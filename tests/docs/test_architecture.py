"""ARCHITECTURE.md shows the house as it is: every room has a row, and the order of imports is that
of the contracts."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "ARCHITECTURE.md").read_text()
PACKAGES = (ROOT / "operator" / "external_data_operator", ROOT / "sync_runner")
ROOMS = sorted(
    f"{folder.relative_to(package)}/"
    for package in PACKAGES
    for folder in package.rglob("*")
    if (folder / "__init__.py").exists()
)
CONTRACTS: list[dict[str, Any]] = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"][
    "importlinter"
]["contracts"]
LAYERS = {one["containers"][0]: one["layers"] for one in CONTRACTS if one["type"] == "layers"}
NAMES = {"the operator": "external_data_operator", "the runner": "sync_runner"}


def orders() -> dict[str, list[str]]:
    """What the page's table of imports shows, by container."""
    _, _, rest = PAGE.partition("## Who may import whom")
    table, _, _ = rest.partition("\n## ")
    rows = [re.split(r"(?<!\\)\|", line)[1:3] for line in table.splitlines() if " → " in line]
    plain = [[cell.replace("`", "").replace("\\|", "|").strip() for cell in row] for row in rows]
    return {find_container(name): order.split(" → ") for name, order in plain}


def find_container(name: str) -> str:
    path = name.rstrip("/").replace("/", ".")
    is_operators = (PACKAGES[0] / name).is_dir()
    return (
        NAMES.get(name) or f"{'external_data_operator' if is_operators else 'sync_runner'}.{path}"
    )


@pytest.mark.parametrize("room", ROOMS)
def test_every_room_has_a_row(room: str) -> None:
    assert f"`{room}`" in PAGE


def test_the_order_of_imports_is_that_of_the_contracts() -> None:
    shown = orders()
    assert {"external_data_operator", "sync_runner"} <= shown.keys()
    assert shown == {name: LAYERS[name] for name in shown}
