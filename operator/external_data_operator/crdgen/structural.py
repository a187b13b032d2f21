"""From a pydantic model to the structural schema that the API server accepts.

JSON Schema allows more than a structural schema (`$ref`, `anyOf` with null, `const`, property
names) and some of it in another dialect (numeric `exclusiveMinimum`). One walk rewrites it,
refusing what it does not know rather than dropping it in silence.
"""

from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from external_data_operator.api.base import ApiModel, CelRule, UnionModel
from external_data_operator.crdgen.sentences import read_sentences

JsonSchema = dict[str, Any]

_DROPPED = frozenset(
    {"title", "writeOnly", "additionalItems", "propertyNames", "listMapKeys", "$defs"}
)
_KEPT = (
    "description", "type", "format", "default", "enum", "pattern", "minLength", "maxLength",
    "minimum", "maximum", "minItems", "maxItems", "minProperties", "maxProperties", "required",
)  # fmt: skip


class _Generator(GenerateJsonSchema):
    """Pydantic's own generator, adapted to structural schemas."""

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        """An optional field is one that may be absent: the API server prunes its null, so that
        `has()` is plain."""
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        """Keeps only defaults that inform a reader: no null, no empty text, list, map or
        object."""
        said = super().default_schema(schema)
        default = said.get("default")
        factory = schema.get("default_factory")
        if factory is not None and not schema.get("default_factory_takes_data"):
            made = factory()  # type: ignore[call-arg]
            default = made if isinstance(made, list) else None
        said.pop("default", None)
        return said if default in (None, "", [], {}) else {**said, "default": default}

    def sort(self, value: JsonSchemaValue, parent_key: str | None = None) -> JsonSchemaValue:  # noqa: ARG002
        """Keeps the order of the models."""
        return value

    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchemaValue:
        """Adds the rules of the class, and the sentence under each field."""
        said = super().model_schema(schema)
        cls = schema["cls"]
        assert issubclass(cls, ApiModel), "the API is made of its own models"
        for name, sentence in read_sentences(cls).items():
            if name in cls.model_fields:
                said["properties"][cls.model_fields[name].alias]["description"] = sentence
        if issubclass(cls, UnionModel):
            said |= {"minProperties": 1, "maxProperties": 1}
        if cls.cel_rules:
            said["x-kubernetes-validations"] = [_build_rule(rule) for rule in cls.cel_rules]
        return said


class _GeneratorWithoutDefaults(_Generator):
    """For a status, which the operator writes whole."""

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        """Only what the value may be."""
        return self.generate_inner(schema["schema"])


def build_structural_schema(model: type[ApiModel], *, with_defaults: bool = True) -> JsonSchema:
    """The schema of a model, with nothing left to resolve."""
    generator = _Generator if with_defaults else _GeneratorWithoutDefaults
    said = model.model_json_schema(by_alias=True, schema_generator=generator)
    return _rewrite(said, said.get("$defs", {}))


def _build_rule(rule: CelRule) -> JsonSchema:
    said: JsonSchema = {"rule": rule.rule, "message": rule.message}
    if rule.field is not None:
        said["fieldPath"] = f".{rule.field}"
    return said


def _rewrite(schema: JsonSchema, defs: JsonSchema) -> JsonSchema:
    """One node and all below it."""
    schema = _resolve(schema, defs)
    out = {key: schema[key] for key in _KEPT if key in schema}
    if "description" in out:
        out["description"] = " ".join(out["description"].split())
    unknown = set(schema) - set(_KEPT) - _DROPPED - set(_TRANSLATED)
    unknown = {key for key in unknown if not key.startswith("x-kubernetes-")}
    if unknown:
        raise ValueError(f"no structural form is known for {sorted(unknown)}")
    for key, translate in _TRANSLATED.items():
        if key in schema:
            translate(schema, out, defs)
    if "listMapKeys" in schema:
        out |= {
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": schema["listMapKeys"],
        }
    out |= {key: value for key, value in schema.items() if key.startswith("x-kubernetes-")}
    if out.get("x-kubernetes-int-or-string"):
        out.pop("type")
    if out.get("x-kubernetes-preserve-unknown-fields") and out.get("type") == "string":
        out.pop("type")  # any scalar
    return out


def _resolve(schema: JsonSchema, defs: JsonSchema) -> JsonSchema:
    """What a reference leads to; words beside the reference win."""
    while "$ref" in schema:
        beside = {key: value for key, value in schema.items() if key != "$ref"}
        schema = {**defs[schema["$ref"].rsplit("/", 1)[1]], **beside}
    return schema


def _properties(schema: JsonSchema, out: JsonSchema, defs: JsonSchema) -> None:
    out["properties"] = {name: _rewrite(said, defs) for name, said in schema["properties"].items()}


def _additional(schema: JsonSchema, out: JsonSchema, defs: JsonSchema) -> None:
    """A map of typed values, an open object, or (false) a closed one, which is what a structural
    schema is anyway."""
    allowed = schema["additionalProperties"]
    if allowed is True:
        out["x-kubernetes-preserve-unknown-fields"] = True
    elif allowed is not False:
        out["additionalProperties"] = _rewrite(allowed, defs)


def _items(schema: JsonSchema, out: JsonSchema, defs: JsonSchema) -> None:
    out["items"] = _rewrite(schema["items"], defs)


def _const(schema: JsonSchema, out: JsonSchema, _: JsonSchema) -> None:
    out["enum"] = [schema["const"]]


def _exclusive_minimum(schema: JsonSchema, out: JsonSchema, _: JsonSchema) -> None:
    out |= {"minimum": schema["exclusiveMinimum"], "exclusiveMinimum": True}


def _exclusive_maximum(schema: JsonSchema, out: JsonSchema, _: JsonSchema) -> None:
    out |= {"maximum": schema["exclusiveMaximum"], "exclusiveMaximum": True}


_TRANSLATED = {
    "properties": _properties,
    "additionalProperties": _additional,
    "items": _items,
    "const": _const,
    "exclusiveMinimum": _exclusive_minimum,
    "exclusiveMaximum": _exclusive_maximum,
}
