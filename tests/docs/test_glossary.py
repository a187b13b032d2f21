"""Our words have one meaning each: no public name is defined twice, except those that mean the same
in each module."""

import re
from pathlib import Path

from dev.names import PAGE, build_page, find_homonyms, find_names

ROOT = Path(__file__).parents[2]
GLOSSARY = (ROOT / "docs/glossary.md").read_text()


def shared_names() -> set[str]:
    """Names that the glossary lists as meaning the same in several modules."""
    section = GLOSSARY.partition("## Names that several modules share")[2].partition("\n## ")[0]
    return set(re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE))


def test_no_public_name_stands_for_two_things() -> None:
    found = find_homonyms(find_names())
    unknown = {name: modules for name, modules in found.items() if name not in shared_names()}
    assert unknown == {}, "choose a name that says which of the two is meant"


def test_the_glossary_lists_no_shared_name_that_is_defined_once() -> None:
    assert shared_names() <= set(find_homonyms(find_names()))


def test_a_name_that_two_modules_define_is_found(tmp_path: Path) -> None:
    for module, text in {
        "sync_runner/one.py": "class Place:\n    '''A page.'''\n",
        "sync_runner/rooms/two.py": "Place = tuple[str, str]\n",
        "operator/external_data_operator/three.py": "from x import Place\n_Own = int\n",
    }.items():
        path = tmp_path / module
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    names = find_names(tmp_path)
    assert find_homonyms(names) == {"Place": ["sync_runner.one", "sync_runner.rooms.two"]}
    assert "| `Place` | `sync_runner.one` | A page. |" in build_page(names)


def test_the_list_of_names_is_generated_from_the_code() -> None:
    assert (ROOT / PAGE).read_text() == build_page(find_names()), "run `make generate`"


def test_every_term_has_one_row() -> None:
    terms = re.findall(r"^\| \*\*(.+?)\*\* \|", GLOSSARY, re.MULTILINE)
    assert len(terms) == len(set(terms))
    assert len(terms) > 20
