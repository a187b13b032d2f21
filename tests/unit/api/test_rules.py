"""What the models refuse, and that no rule is said in one place only."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from external_data_operator.api.base import ApiModel, CelRule, SpecModel, UnionModel
from external_data_operator.api.problems import find_problems
from external_data_operator.api.schema import SCHEMA, SchemaSpec
from external_data_operator.api.source import SOURCE, SourceSpec
from pydantic import ValidationError

from tests.unit.api.refusals import (
    ACCEPTED,
    MODELS_ALONE,
    REFUSALS,
    UNKNOWN_FIELDS,
    Refusal,
)

SPECS: dict[str, type[ApiModel]] = {SOURCE.kind: SourceSpec, SCHEMA.kind: SchemaSpec}


def parse(case: Refusal) -> ApiModel:
    return SPECS[case.kind].model_validate_json(json.dumps(without_nulls(case.spec)), strict=True)


def without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: without_nulls(inner) for key, inner in value.items() if inner is not None}
    return value


def all_models(root: type[ApiModel] = ApiModel) -> Iterator[type[ApiModel]]:
    for model in root.__subclasses__():
        yield model
        yield from all_models(model)


def all_rules() -> set[CelRule]:
    return {rule for model in all_models() for rule in model.cel_rules}


@pytest.mark.parametrize(
    "case", [*REFUSALS, *UNKNOWN_FIELDS, *MODELS_ALONE], ids=lambda case: case.id
)
def test_a_wrong_spec_is_refused_and_its_field_is_named(case: Refusal) -> None:
    with pytest.raises(ValidationError) as refused:
        parse(case)
    problems = find_problems(refused.value, below=("spec",))
    assert case.field in [problem.path for problem in problems]
    assert case.message in [*(problem.message for problem in problems), ""]


@pytest.mark.parametrize("case", ACCEPTED, ids=lambda case: case.id)
def test_a_neighbour_of_a_wrong_spec_is_accepted(case: Refusal) -> None:
    parse(case)


def test_every_rule_has_a_counter_example() -> None:
    checked = {rule.message for rule in all_rules() if not rule.update_only}
    assert checked == {case.message for case in REFUSALS if case.message}


def test_no_model_checks_across_fields_but_by_a_rule_that_the_api_server_checks_too() -> None:
    validators = {
        (model.__name__, name)
        for model in all_models()
        for name in model.__pydantic_decorators__.model_validators
    }
    # The last one reads what a version before has written, which the API server never sees.
    names = {"_rules_hold", "_exactly_one", "_read_earlier"}
    assert {name for _, name in validators} == names
    assert {model for model, name in validators if name == "_read_earlier"} == {"Plan", "Report"}
    unions = {model for model, name in validators if name == "_exactly_one"}
    assert unions == {"UnionModel", *(model.__name__ for model in all_models(UnionModel))}


def test_no_spec_checks_a_field_but_where_the_schema_says_the_same() -> None:
    for model in all_models(SpecModel):
        for decorator in model.__pydantic_decorators__.field_validators.values():
            for name in decorator.info.fields:
                extra = model.model_fields[name].json_schema_extra
                assert isinstance(extra, dict)
                assert "listMapKeys" in extra, f"{model.__name__}.{name} has a check of its own"


def test_a_refusal_holds_no_value_of_the_spec() -> None:
    secret = "s3cr3t-of-the-user"
    spec = {
        "rest": {"baseUrl": secret, "auth": {"bearer": {"token": {"value": secret, "x": secret}}}}
    }
    with pytest.raises(ValidationError) as refused:
        SourceSpec.model_validate(spec)
    assert secret not in str(refused.value)
    assert secret not in repr(find_problems(refused.value))


def test_a_rule_without_a_check_is_refused_at_import() -> None:
    with pytest.raises(ValueError, match="holds"):
        CelRule("has(self.a)", "a is needed")


def test_a_union_says_which_of_its_keys_is_set() -> None:
    spec = SourceSpec.model_validate(
        {"rest": {"baseUrl": "https://a.example", "streams": [
            {"name": "a", "path": "/", "pagination": {"nextUrl": {"nextUrlPath": "next"}}},
        ]}}
    )  # fmt: skip
    assert spec.rest is not None
    assert spec.rest.streams[0].pagination.key == "nextUrl"
    assert spec.kind == "rest"


def test_amounts_may_be_written_as_numbers() -> None:
    spec = {"rest": {"baseUrl": "https://a.example", "streams": [{"name": "a", "path": "/"}]}}
    runtime = {"resources": {"requests": {"cpu": 1, "memory": "1Gi"}}}
    parsed = SourceSpec.model_validate_json(json.dumps({**spec, "runtime": runtime}), strict=True)
    assert parsed.runtime.resources.requests == {"cpu": "1", "memory": "1Gi"}


def test_a_jsonpath_means_the_same_in_every_field_of_a_row() -> None:
    stream = {
        "name": "a",
        "path": "/",
        "primaryKey": ["$.id", "$['meta'].tenant", "it's"],
        "incremental": {"cursorPath": "$.meta.at"},
        "params": {"page_size": 25, "state": "open", "active": True, "ratio": 0.5, "tiny": 1e-7},
    }
    spec = SourceSpec.model_validate_json(
        json.dumps({"rest": {"baseUrl": "https://a.example", "streams": [stream]}}), strict=True
    )
    assert spec.rest is not None
    parsed = spec.rest.streams[0]
    assert parsed.primary_key == ["id", "meta.tenant", "it's"]
    assert parsed.incremental is not None
    assert parsed.incremental.cursor_path == "meta.at"
    assert parsed.params == {
        "page_size": "25", "state": "open", "active": "true", "ratio": "0.5", "tiny": "0.0000001",
    }  # fmt: skip
    schema = SchemaSpec.model_validate(
        {
            "sourceRef": {"name": "a"},
            "stream": "a",
            "incrementalField": "$.at",
            "primaryKeyColumns": ["$.id"],
            "enabledColumns": ["$.x", "y"],
        }
    )
    assert (schema.incremental_field, schema.primary_key_columns) == ("at", ["id"])
    assert schema.enabled_columns == ["x", "y"]


def test_a_column_to_keep_that_cannot_be_followed_is_refused() -> None:
    spec = {"sourceRef": {"name": "a"}, "stream": "a", "enabledColumns": ["id", "$..x"]}
    with pytest.raises(ValidationError, match="a name is missing between two dots"):
        SchemaSpec.model_validate(spec)


def test_a_row_field_that_cannot_be_followed_is_refused() -> None:
    spec = {"sourceRef": {"name": "a"}, "stream": "a", "primaryKeyColumns": ["$.ids[0]"]}
    with pytest.raises(ValidationError, match="a path must contain only keys"):
        SchemaSpec.model_validate(spec)


@pytest.mark.parametrize("value", [[1], {"a": 1}, [], {}, None])
def test_a_parameter_is_a_scalar(value: Any) -> None:
    stream = {"name": "a", "path": "/", "params": {"p": value}}
    spec = {"rest": {"baseUrl": "https://a.example", "streams": [stream]}}
    with pytest.raises(ValidationError):
        SourceSpec.model_validate_json(json.dumps(spec), strict=True)


@pytest.mark.parametrize("value", ["a\r\nX-Evil: 1", "a\nb", "\0", "\x7f", "zł", "a\u2028b"])
def test_a_header_that_no_request_can_carry_is_refused(value: str) -> None:
    stream = {"name": "a", "path": "/"}
    spec = {"baseUrl": "https://a.example", "headers": {"X-A": value}, "streams": [stream]}
    with pytest.raises(ValidationError) as refused:
        SourceSpec.model_validate({"rest": spec})
    assert [str(found) for found in find_problems(refused.value)] == [
        "rest.headers.X-A: must match ^[\\t\\x20-\\x7e\\x80-\\xff]*$"
    ]
