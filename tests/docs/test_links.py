"""Prose does not drift: links lead somewhere, listings are complete, and what is shown is valid."""

import argparse
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from external_data_operator.cli.main import build_parser
from external_data_operator.cli.manifests import read_manifests
from external_data_operator.cli.validation import find_all_problems

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    path
    for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("examples/**/*.md")]
    if path.stat().st_size
)
LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]*)(#[^)\s]*)?\)")
FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
PATHS = re.compile(
    r"`((?:operator|sync_runner|tests|docs|examples|helm|crds|dev|native|benchmarks)/[\w./-]+)`"
)


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


def anchors_of(page: Path) -> set[str]:
    """The anchors that a forge makes of headings."""
    heads = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    plain = (re.sub(r"[^\w\- ]", "", head.lower()) for head in heads)
    return {head.strip().replace(" ", "-") for head in plain}


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_every_link_of_a_page_leads_somewhere(page: Path) -> None:
    text = FENCE.sub("", page.read_text())
    for target, anchor in LINK.findall(text):
        if "://" in target or target.startswith("mailto:"):
            continue
        found = (page.parent / target).resolve() if target else page
        assert found.exists(), f"{relative(page)} links to {target}"
        if anchor and found.suffix == ".md":
            assert anchor[1:] in anchors_of(found), f"{relative(page)} links to {target}{anchor}"


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_every_file_that_a_page_names_exists(page: Path) -> None:
    for name in PATHS.findall(FENCE.sub("", page.read_text())):
        pattern = name.rstrip("/").replace("...", "*")
        assert list(ROOT.glob(pattern)), f"{relative(page)} names {name}"


def manifests_in(page: Path) -> Iterator[str]:
    for language, text in FENCE.findall(page.read_text()):
        if language == "yaml" and "apiVersion: external-data.io/" in text:
            yield text


def test_every_manifest_in_the_docs_is_valid(tmp_path: Path) -> None:
    shown = [(page, text) for page in PAGES for text in manifests_in(page)]
    assert len(shown) >= 4
    for index, (page, text) in enumerate(shown):
        file = tmp_path / f"{index}.yaml"
        file.write_text(text)
        found = find_all_problems(read_manifests([str(file)]))
        assert not found, f"{relative(page)}: {found[0]}"


def test_every_command_and_option_stands_in_the_reference() -> None:
    page = (ROOT / "docs/reference/command-line.md").read_text()
    (commands,) = (
        action
        for action in build_parser()._actions
        if isinstance(action, argparse._SubParsersAction)
    )
    for name, command in commands.choices.items():
        assert f"`{name} FILE…`" in page
        for action in command._actions:
            for option in action.option_strings:
                if option not in ("-h", "--help"):
                    assert option in page, f"{name} {option}"


def test_every_option_that_the_reference_names_exists() -> None:
    page = (ROOT / "docs/reference/command-line.md").read_text()
    (commands,) = (
        action
        for action in build_parser()._actions
        if isinstance(action, argparse._SubParsersAction)
    )
    known = {
        option
        for command in commands.choices.values()
        for action in command._actions
        for option in action.option_strings
    }
    assert set(re.findall(r"--[a-z][a-z0-9-]+", page)) <= known


def test_every_recipe_is_an_example_and_every_example_says_what_it_is_for() -> None:
    for path in sorted((ROOT / "examples").glob("**/*.yaml")):
        first = path.read_text().splitlines()[0]
        assert first.startswith("# "), f"{relative(path)} opens with a sentence"


def test_values_in_the_docs_are_values_of_the_chart() -> None:
    """Blocks of YAML that are no manifests are values of the chart."""
    values = yaml.safe_load((ROOT / "helm/external-data-operator/values.yaml").read_text())
    for page in PAGES:
        for language, text in FENCE.findall(page.read_text()):
            if language == "yaml" and "apiVersion:" not in text:
                assert set(yaml.safe_load(text)) <= set(values), relative(page)


def test_every_example_is_listed() -> None:
    page = (ROOT / "examples/README.md").read_text()
    listed = {target for target, _ in LINK.findall(page) if not target.startswith("..")}
    assert listed == {path.name for path in (ROOT / "examples").iterdir()} - {"README.md"}
