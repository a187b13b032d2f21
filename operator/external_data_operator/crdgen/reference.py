"""The generated parts of the reference pages: tables of fields, and the list of reasons."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from external_data_operator.api.actions import list_actions
from external_data_operator.api.base import ApiModel, ResourceKind
from external_data_operator.api.conditions import (
    ATTENTION,
    GOOD_NEWS,
    REMEDIES,
    RETRIED,
    RETRIED_SOMETIMES,
    SENTENCES,
    Reason,
)
from external_data_operator.crdgen.structural import JsonSchema, build_structural_schema

_FLAT_FIELDS_MAX = 2
"""Objects of so few fields are rows of their parent's table, not a table of their own."""
_LENGTH_WORTH_SAYING = 256


@dataclass(frozen=True)
class _Row:
    """One field, named relative to the object of its table."""

    name: str
    schema: JsonSchema
    required: bool


def build_fields(model: type[ApiModel], *, root: str, with_defaults: bool = True) -> str:
    """A table for each object, outermost first, and below it the rules that bind the object."""
    schema = build_structural_schema(model, with_defaults=with_defaults)
    return "\n".join(_build_section(path, said) for path, said in _walk_sections(root, schema))


def build_actions(kind: ResourceKind) -> str:
    """The annotations that objects of this kind take, each with its command."""
    rows = [
        f"| `{action.annotation}` | {action.sentence} |\n" for action in list_actions(kind.kind)
    ]
    return f"| annotation | what it does |\n| --- | --- |\n{''.join(rows)}"


def build_reasons() -> str:
    """Every reason with its sentence and its remedy."""
    rows = [
        f"| `{reason}` | {'yes' if reason in ATTENTION else ''} | {_say_retried(reason)} |"
        f" {SENTENCES[reason]} | {REMEDIES.get(reason, '')} |\n"
        for reason in Reason
    ]
    head = "| reason | a person should look | retried by itself | meaning | remedy |\n"
    return f"{head}| --- | --- | --- | --- | --- |\n{''.join(rows)}"


def _say_retried(reason: Reason) -> str:
    if reason in GOOD_NEWS:
        return ""
    if reason in RETRIED_SOMETIMES:
        return "if it may pass"
    return "yes" if reason in RETRIED else "no"


def build_values(schema: JsonSchema, defaults: dict[str, Any]) -> str:
    """The values of the chart, from their JSON schema and their defaults."""
    rows = "".join(_build_value_rows("", schema, defaults))
    return f"| value | default | meaning |\n| --- | --- | --- |\n{rows}"


def _build_value_rows(path: str, schema: JsonSchema, defaults: dict[str, Any]) -> Iterator[str]:
    for name, said in schema["properties"].items():
        below = f"{path}.{name}" if path else name
        default = defaults.get(name)
        choice = f" One of {', '.join(said['enum'])}." if "enum" in said else ""
        if "properties" in said:
            yield f"| `{below}` | | {said['description']} |\n"
            yield from _build_value_rows(below, said, default or {})
        else:
            shown = "" if default in (None, "", [], {}) else f"`{json.dumps(default)}`"
            yield f"| `{below}` | {shown} | {said['description']}{choice} |\n"


def _walk_sections(path: str, schema: JsonSchema) -> Iterator[tuple[str, JsonSchema]]:
    """Objects that get a table of their own."""
    yield path, schema
    for row in _walk_rows(schema):
        is_list = "items" in row.schema
        inner = row.schema["items"] if is_list else row.schema
        if inner.get("properties") and not _is_flat(row.schema):
            yield from _walk_sections(f"{path}.{row.name}" + ("[]" if is_list else ""), inner)


def _walk_rows(schema: JsonSchema, prefix: str = "") -> Iterator[_Row]:
    """The fields of an object, and those of its flat members."""
    required = schema.get("required", ())
    for name, said in schema["properties"].items():
        yield _Row(f"{prefix}{name}", said, name in required)
        if _is_flat(said) and not _is_reference(said):
            yield from _walk_rows(said, f"{prefix}{name}.")


def _is_flat(schema: JsonSchema) -> bool:
    """A small object whose members are plain values or such objects."""
    fields = schema.get("properties", {})
    return 0 < len(fields) <= _FLAT_FIELDS_MAX and all(
        "items" not in field and ("properties" not in field or _is_flat(field))
        for field in fields.values()
    )


def _is_reference(schema: JsonSchema) -> bool:
    """An object that needs no rows because the names of its keys say all: `{name, key}`."""
    return set(schema.get("properties", ())) in ({"name"}, {"name", "key"})


def _build_section(path: str, schema: JsonSchema) -> str:
    rows = "".join(_build_row(row) for row in _walk_rows(schema))
    rules = "".join(f"- {message}\n" for message in _find_messages(schema))
    head = "| field | type | default | meaning |\n| --- | --- | --- | --- |\n"
    return f"### `{path}`\n\n{head}{rows}" + (f"\nRules:\n\n{rules}" if rules else "")


def _build_row(row: _Row) -> str:
    said = row.schema
    default = f"`{_spell(said['default'])}`" if "default" in said else ""
    default = "required" if row.required else default
    return f"| `{row.name}` | {_say_type(said)} | {default} | {said.get('description', '')} |\n"


def _find_messages(schema: JsonSchema, prefix: str = "") -> Iterator[str]:
    """What is refused beyond the types, for this object and its flat members."""
    for rule in schema.get("x-kubernetes-validations", ()):
        yield prefix + rule["message"]
    if schema.get("minProperties") == schema.get("maxProperties") == 1:
        yield f"{prefix}exactly one key is set"
    for name, said in schema.get("properties", {}).items():
        if _is_flat(said):
            step = prefix.removesuffix(": ")
            yield from _find_messages(said, f"{step}.{name}: " if step else f"{name}: ")


def _spell(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return "[" + ", ".join(map(str, value)) + "]" if isinstance(value, list) else str(value)


def _say_type(said: JsonSchema) -> str:
    if _is_reference(said):
        return "`{" + ", ".join(said["properties"]) + "}`"
    if "enum" in said:
        return ", ".join(f"`{value}`" for value in said["enum"])
    if "items" in said:
        bounds = f", at most {said['maxItems']}" if "maxItems" in said else ""
        return f"list of {_say_plural(said['items'])}{bounds}"
    if "additionalProperties" in said:
        return f"map of {_say_plural(said['additionalProperties'])}"
    if said.get("x-kubernetes-int-or-string"):
        return "quantity"
    return _say_bounds(said, said["type"])


def _say_plural(said: JsonSchema) -> str:
    if said.get("x-kubernetes-int-or-string"):
        # A quantity is checked by its validator alone; its schema has no pattern.
        return "strings or integers" if "pattern" in said else "quantities"
    return f"{said['type']}s" if "type" in said else "scalars"


def _say_bounds(said: JsonSchema, word: str) -> str:
    """A number's range; a text's length where it is short enough to matter."""
    if word in ("integer", "number"):
        above = "above" if said.get("exclusiveMinimum") else "from"
        low = f", {above} {said['minimum']}" if "minimum" in said else ""
        return word + low + (f" to {said['maximum']}" if "maximum" in said else "")
    if said.get("maxLength", _LENGTH_WORTH_SAYING) < _LENGTH_WORTH_SAYING:
        return f"{word}, at most {said['maxLength']} characters"
    return f"{word}, {said['format']}" if said.get("format") == "date-time" else word
