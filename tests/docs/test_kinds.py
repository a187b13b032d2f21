"""Every kind of source of the one table has a field in both unions, an adapter, code that reads it,
an example and a page."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from external_data_operator.api.auth import HttpAuth
from external_data_operator.api.plan import Plan
from external_data_operator.api.source import SourceSpec
from external_data_operator.api.sources import SOURCES
from external_data_operator.api.sources.rest import Pagination
from external_data_operator.api.sources.rest_rules import PAGE_PARAMS
from external_data_operator.reconcile.plans.kinds import find_adapter
from pydantic.alias_generators import to_camel

from sync_runner.sources import load_kind
from sync_runner.sources.rest.pagination import PAGINATIONS
from sync_runner.transport.auths import AUTHS

ROOT = Path(__file__).parents[2]
REFERENCE = (ROOT / "docs/reference/externaldatasource.md").read_text()


def example_specs() -> Iterator[dict[str, Any]]:
    for path in sorted((ROOT / "examples").glob("**/*.yaml")):
        for document in yaml.safe_load_all(path.read_text()):
            if document["kind"] == "ExternalDataSource":
                yield document["spec"]


def keys_of(union: type[Any]) -> set[str]:
    return {field.alias for field in union.model_fields.values()}


def used(key: str) -> set[str]:
    """The keys under every `key` of the examples' REST sources and streams."""
    holders = [spec["rest"] for spec in example_specs() if "rest" in spec]
    holders += [stream for rest in list(holders) for stream in rest["streams"]]
    return {name for holder in holders for name in holder.get(key, {})}


@pytest.mark.parametrize("kind", SOURCES)
def test_every_kind_of_source_has_code_and_an_example_and_a_page(kind: str) -> None:
    assert find_adapter(kind)
    assert load_kind(kind)
    assert any(kind in spec for spec in example_specs())
    assert f"### `spec.{kind}`" in REFERENCE


@pytest.mark.parametrize("union", [SourceSpec, Plan], ids=["spec", "plan"])
def test_every_kind_of_source_has_a_field_that_holds_its_spec(union: Any) -> None:
    for kind, spec in SOURCES.items():
        assert union.model_fields[kind].annotation == spec | None
        assert kind in keys_of(union)


def test_every_paginator_has_code_and_an_example_and_a_row() -> None:
    assert {to_camel(field) for field in PAGINATIONS} == keys_of(Pagination)
    assert used("pagination") == keys_of(Pagination)
    for key in keys_of(Pagination):
        assert f"| `{key}` |" in REFERENCE


def test_every_query_parameter_of_a_paginator_is_held_against_those_of_the_stream() -> None:
    specs = {
        field.alias: get_args(field.annotation)[0] for field in Pagination.model_fields.values()
    }
    own = {
        key: [name for name in keys_of(spec) if name.endswith("Param")]
        for key, spec in specs.items()
    }
    assert {key: sorted(names) for key, names in own.items() if names} == {
        key: sorted(names) for key, names in PAGE_PARAMS.items()
    }


def test_every_authentication_has_code() -> None:
    assert {to_camel(field) for field in AUTHS} == keys_of(HttpAuth)


@pytest.mark.parametrize("key", sorted(keys_of(HttpAuth)))
def test_every_way_of_authentication_has_an_example_and_a_row(key: str) -> None:
    assert key in used("auth")
    assert f"| `auth.{key}` |" in REFERENCE


def test_every_destination_has_an_example() -> None:
    named = {key for spec in example_specs() for key in spec.get("destination", {})}
    assert named == {"s3"}
    assert "### `spec.destination.s3`" in REFERENCE
