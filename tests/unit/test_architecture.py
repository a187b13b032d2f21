"""The house keeps its shape: import contracts have no gaps, and every name is used."""

import ast
import re
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from external_data_operator.api.sources import SOURCES

ROOT = Path(__file__).parents[2]
PACKAGES = {
    "external_data_operator": ROOT / "operator" / "external_data_operator",
    "sync_runner": ROOT / "sync_runner",
}
CONTRACTS: list[dict[str, Any]] = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"][
    "importlinter"
]["contracts"]
BY_NAME = {contract["name"]: contract for contract in CONTRACTS}
IMPORTERS = [name for name in BY_NAME if name.startswith(("One importer", "Only the network"))]
LISTED = {
    "The runner sees only the API models and the shape of log lines": (
        "forbidden_modules",
        {"__init__", "api", "logs"},
    ),
    "Only the command line runs the runner in the operator's package": (
        "source_modules",
        {"__init__", "cli"},
    ),
}
"""Contracts that list the operator's modules, and those that they leave out on purpose."""
CALLED_BY_LIBRARIES = {
    "emit",  # logging
    "ignore_aliases",  # yaml
    "model_config", "nullable_schema",  # pydantic
    "readable", "seek", "seekable",  # pyarrow, of a file
}  # fmt: skip
READ_BY_TESTS = {"verbs"}
"""The rights of the operator, which the chart's tests compare with the chart's."""


def modules_of(package: str) -> set[str]:
    """The top-level modules and folders."""
    paths = PACKAGES[package].iterdir()
    return {path.stem for path in paths if path.suffix == ".py" or (path / "__init__.py").exists()}


@pytest.mark.parametrize("package", PACKAGES)
def test_every_top_level_module_has_a_layer(package: str) -> None:
    (contract,) = [one for one in CONTRACTS if one.get("containers") == [package]]
    assert contract["exhaustive"]
    layers = {name for layer in contract["layers"] for name in layer.split(" | ")}
    assert layers | {"__init__"} >= modules_of(package)


@pytest.mark.parametrize("name", IMPORTERS)
def test_a_contract_of_one_importer_holds_for_the_whole_package(name: str) -> None:
    contract = BY_NAME[name]
    assert set(contract["source_modules"]) <= PACKAGES.keys()
    assert all(" -> " in one for one in contract["ignore_imports"]), "and names its one exception"


@pytest.mark.parametrize("name", LISTED)
def test_a_contract_that_lists_modules_lists_every_one(name: str) -> None:
    key, left_out = LISTED[name]
    package = "external_data_operator"
    listed = {module.removeprefix(f"{package}.") for module in BY_NAME[name][key]}
    assert listed == modules_of(package) - left_out


def rooms_of(kind: str) -> tuple[str, ...]:
    """Where the spec of a kind of source may be imported: the rooms of the kind."""
    operator = "operator/external_data_operator"
    return (
        f"{operator}/api/sources/",
        f"{operator}/reconcile/plans/kinds/{kind}.py",
        f"sync_runner/sources/{kind}/",
    )


@pytest.mark.parametrize("kind", SOURCES)
def test_only_the_rooms_of_a_kind_of_source_import_its_spec(kind: str) -> None:
    own = re.compile(rf"external_data_operator\.api\.sources\.{kind}(_\w+)?")
    importers = {
        str(file.relative_to(ROOT))
        for file, tree in parse_all().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and own.fullmatch(node.module or "")
    }
    assert importers, "the pattern finds them"
    assert {one for one in importers if not one.startswith(rooms_of(kind))} == set()


@cache
def parse_all() -> Mapping[Path, ast.Module]:
    files = (file for folder in PACKAGES.values() for file in folder.rglob("*.py"))
    return {file: ast.parse(file.read_text()) for file in files}


def count_uses() -> Counter[str]:
    """How often each name is read; an import alone is no use."""
    uses: Counter[str] = Counter()
    for tree in parse_all().values():
        for node in ast.walk(tree):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
                uses[node.id] += 1
            elif isinstance(node, ast.Attribute):
                uses[node.attr] += 1
            elif isinstance(node, ast.alias) and node.asname:
                uses[node.name] += 1  # what follows uses the other name
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                uses[node.value] += 1  # getattr, __all__, a type in quotes
    return uses


def find_public(body: list[ast.stmt]) -> Iterator[str]:
    """Functions, classes, methods, constants and fields."""
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name
        elif isinstance(node, ast.ClassDef):
            yield node.name
            yield from find_public(node.body)
        elif isinstance(node, ast.Assign):
            yield from (one.id for one in node.targets if isinstance(one, ast.Name))
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            yield node.target.id


def test_every_public_name_of_the_product_is_used_by_the_product() -> None:
    uses = count_uses()
    known = CALLED_BY_LIBRARIES | READ_BY_TESTS
    unused = {
        f"{file.relative_to(ROOT)}: {name}"
        for file, tree in parse_all().items()
        if "api" not in file.parts  # its fields are what users write and read
        for name in find_public(tree.body)
        if not name.startswith("_") and not uses[name] and name not in known
    }
    assert unused == set()


def find_attributes(owner: str, name: str) -> set[str]:
    """The files that read this attribute of this module."""
    return {
        str(file.relative_to(ROOT))
        for file, tree in parse_all().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and node.attr == name
        and isinstance(node.value, ast.Name)
        and node.value.id == owner
    }


def test_each_process_reads_its_environment_in_one_place() -> None:
    assert find_attributes("os", "environ") == {
        "operator/external_data_operator/__main__.py",
        "sync_runner/__main__.py",
    }
    assert find_attributes("os", "getenv") == set()


def test_one_module_of_the_runner_sleeps() -> None:
    assert find_attributes("time", "sleep") == {"sync_runner/transport/clock.py"}
