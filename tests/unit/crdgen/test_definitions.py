"""The generated files say what the models say, in the form that the API server accepts."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from external_data_operator.api.base import ResourceKind, SpecModel
from external_data_operator.api.conditions import GOOD_NEWS, REMEDIES, SENTENCES, Reason
from external_data_operator.crdgen.definition import build_definition
from external_data_operator.crdgen.outputs import KINDS, build_outputs, find_stale
from external_data_operator.crdgen.structural import build_structural_schema

ROOT = Path(__file__).parents[3]
Node = dict[str, Any]
STRUCTURAL = frozenset({
    "description", "type", "format", "default", "enum", "pattern", "minLength", "maxLength",
    "minimum", "maximum", "exclusiveMinimum", "minItems", "maxItems", "minProperties",
    "maxProperties", "required", "properties", "items", "additionalProperties",
    "x-kubernetes-validations", "x-kubernetes-list-type", "x-kubernetes-list-map-keys",
    "x-kubernetes-int-or-string", "x-kubernetes-preserve-unknown-fields",
})  # fmt: skip


def walk(path: str, node: Node) -> Iterator[tuple[str, Node]]:
    yield path, node
    for name, inner in node.get("properties", {}).items():
        yield from walk(f"{path}.{name}", inner)
    for key in ("items", "additionalProperties"):
        if key in node:
            yield from walk(f"{path}[]", node[key])


def all_nodes() -> list[tuple[str, Node]]:
    nodes = []
    for kind in KINDS:
        version = build_definition(kind)["spec"]["versions"][0]
        nodes += list(walk(kind.kind, version["schema"]["openAPIV3Schema"]))
    return nodes


NODES = all_nodes()


def test_what_is_committed_is_what_the_models_generate() -> None:
    assert find_stale(ROOT, build_outputs()) == [], "run `make generate`"


def test_a_missing_or_edited_file_is_stale(tmp_path: Path) -> None:
    outputs = {"a/one.md": "one\n", "two.md": "two\n"}
    (tmp_path / "two.md").write_text("edited\n")
    assert find_stale(tmp_path, outputs) == ["a/one.md", "two.md"]
    (tmp_path / "two.md").write_text("two\n")
    assert find_stale(tmp_path, outputs) == ["a/one.md"]


def test_every_part_of_a_schema_is_structural() -> None:
    for path, node in NODES:
        assert set(node) <= STRUCTURAL, path
        free = ("x-kubernetes-int-or-string", "x-kubernetes-preserve-unknown-fields")
        typed = "type" in node or any(node.get(word) for word in free)
        assert typed, f"{path} has no type"


def test_every_field_has_a_sentence() -> None:
    # Elements of plain lists and maps are explained by their list, and metadata by Kubernetes.
    named = [(path, node) for path, node in NODES if not path.endswith(("[]", ".metadata"))]
    assert [path for path, node in named if not node.get("description")] == []


def test_only_bodies_and_parameters_of_requests_take_values_of_any_type() -> None:
    free = [path for path, node in NODES if node.get("x-kubernetes-preserve-unknown-fields")]
    stream = "ExternalDataSource.spec.rest.streams[]"
    assert free == [f"{stream}.params[]", f"{stream}.body"]


def test_unions_take_exactly_one_key() -> None:
    unions = [path for path, node in NODES if node.get("minProperties") == 1]
    assert unions == [
        "ExternalDataSource.spec.rest.auth",
        "ExternalDataSource.spec.rest.streams[].pagination",
    ]
    assert all(node["maxProperties"] == 1 for path, node in NODES if path in unions)


def test_keyed_lists_are_list_maps() -> None:
    keyed = {
        path: node["x-kubernetes-list-map-keys"]
        for path, node in NODES
        if node.get("x-kubernetes-list-type") == "map"
    }
    assert keyed == {
        "ExternalDataSource.spec.rest.streams": ["name"],
        "ExternalDataSource.status.conditions": ["type"],
        "ExternalDataSchema.status.conditions": ["type"],
    }


def test_every_list_and_map_of_a_spec_is_bounded() -> None:
    unbounded = [
        path
        for path, node in NODES
        if ".spec" in path
        and (
            (node.get("type") == "array" and "maxItems" not in node)
            or ("additionalProperties" in node and "maxProperties" not in node)
        )
    ]
    assert unbounded == []


def test_a_status_has_no_default_but_that_it_was_never_observed() -> None:
    defaults = {
        path: node["default"] for path, node in NODES if ".status" in path and "default" in node
    }
    assert defaults == {
        "ExternalDataSource.status": {"observedGeneration": -1},
        "ExternalDataSchema.status": {"observedGeneration": -1},
    }


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.kind)
def test_columns_and_selectable_fields_lead_to_fields_that_exist(kind: ResourceKind) -> None:
    version = build_definition(kind)["spec"]["versions"][0]
    schema = version["schema"]["openAPIV3Schema"]
    paths = [column["jsonPath"] for column in version["additionalPrinterColumns"]]
    paths += [field["jsonPath"] for field in version["selectableFields"]]
    for path in paths:
        if path.startswith(".metadata"):
            continue
        node = schema
        for step in path.replace('[?(@.type=="Ready")]', ".[]").strip(".").split("."):
            node = node["items"] if step == "[]" else node["properties"][step]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.kind)
def test_a_page_names_every_field_and_every_rule(kind: ResourceKind) -> None:
    page = build_outputs()[f"docs/reference/{kind.singular}.md"]
    for path, node in NODES:
        name = path.rsplit(".", 1)[-1].removesuffix("[]")
        parent = path.rsplit(".", 2)[-2:]
        if path.startswith(f"{kind.kind}.spec.") and parent[-1] not in ("name[]", "key[]"):
            assert name in page, path
        for rule in node.get("x-kubernetes-validations", ()):
            assert not path.startswith(kind.kind) or rule["message"] in page


def test_the_conditions_page_shows_every_reason_with_its_sentence_and_its_remedy() -> None:
    page = build_outputs()["docs/reference/conditions.md"]
    rows = {line.split(" | ", 1)[0]: line for line in page.splitlines()}
    for reason in Reason:
        assert f" {SENTENCES[reason]} |" in rows[f"| `{reason}`"]
        assert reason in GOOD_NEWS or f" {REMEDIES[reason]} |" in rows[f"| `{reason}`"]


def test_what_has_no_structural_form_is_refused_rather_than_dropped() -> None:
    class Odd(SpecModel):
        """A model."""

        value: int | str
        """One or the other."""

    with pytest.raises(ValueError, match="anyOf"):
        build_structural_schema(Odd)


def test_the_files_are_plain_yaml_without_anchors() -> None:
    for path, text in build_outputs().items():
        if path.endswith(".yaml"):
            assert "&id" not in text
            assert yaml.safe_load(text)["kind"] == "CustomResourceDefinition"
