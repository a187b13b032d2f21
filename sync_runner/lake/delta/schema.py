"""Delta's names of types, and the metadata of a column about its source.

A column's metadata holds the source's own spelling of its name, and whether its text is JSON,
spelled from structs in part, or numbers; all of that survives in the table's log, so that every
run gives the same names.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

import pyarrow as pa
from external_data_operator.api.conditions import Reason
from external_data_operator.api.schema import Column

from sync_runner.errors import ConfigurationError
from sync_runner.records.columns import build_field, source_of
from sync_runner.records.widen import is_json, is_numbers, may_be_structs

_OWN = "externalData."
SOURCE_METADATA = "externalData.source"
COMMENT = "comment"
JSON = "externalData.json"
NUMBERS = "externalData.numbers"
STRUCTS = "externalData.structs"

_WORDS: tuple[tuple[str, pa.DataType], ...] = (
    ("string", pa.string()),
    ("long", pa.int64()),
    ("integer", pa.int32()),
    ("short", pa.int16()),
    ("byte", pa.int8()),
    ("double", pa.float64()),
    ("float", pa.float32()),
    ("boolean", pa.bool_()),
    ("binary", pa.binary()),
    ("date", pa.date32()),
    ("timestamp", pa.timestamp("us", "UTC")),
    ("timestamp_ntz", pa.timestamp("us")),
)
_BY_WORD = dict(_WORDS)
_BY_TYPE = {type_: word for word, type_ in _WORDS}
_DECIMAL = re.compile(r"decimal\((\d+), ?(\d+)\)")


def render_table_schema(schema: pa.Schema, *, like: str | None = None) -> str:
    """The schema as the log contains it. Every column may be null. `like` is the schema of the
    version before: metadata that others put on its columns (comments) stays. A new column whose
    name differs from its source's has that as its comment.
    """
    old: dict[str, Any] = {"type": "struct", "fields": []} if like is None else json.loads(like)
    known = {spec["name"] for spec in old["fields"]}
    fields = [
        _render_field(field, _metadata(field) | _comment(field, known=field.name in known))
        for field in schema
    ]
    struct = {"type": "struct", "fields": fields}
    _carry(old, struct)
    return json.dumps(struct, ensure_ascii=False)


def _carry(old: Any, new: Any) -> None:
    """Takes metadata of others over to the fields of the same names, at every depth."""
    if not isinstance(old, dict) or not isinstance(new, dict) or old["type"] != new["type"]:
        return
    for inner in ("elementType", "keyType", "valueType"):
        _carry(old.get(inner), new.get(inner))
    known = {spec["name"]: spec for spec in old.get("fields") or ()}
    for spec in new.get("fields") or ():
        before = known.get(spec["name"])
        if before is not None:
            theirs = before.get("metadata") or {}
            foreign = {key: theirs[key] for key in theirs if not key.startswith(_OWN)}
            spec["metadata"] = {**foreign, **spec["metadata"]}
            _carry(before["type"], spec["type"])


def parse_schema(text: str) -> pa.Schema:
    """The schema of a table, also of one that others have changed."""
    fields = []
    for spec in json.loads(text)["fields"]:
        metadata = spec.get("metadata") or {}
        source = str(metadata.get(SOURCE_METADATA, spec["name"]))
        type_ = _parse_type(spec["type"], spec["name"])
        fields.append(build_field(spec["name"], type_, source=source, **find_marks(metadata)))
    return pa.schema(fields)


def find_marks(metadata: Mapping[str, Any]) -> dict[str, bool]:
    """Whether the text of a column is JSON or numbers, by its metadata in the log."""
    has_structs = JSON in metadata and STRUCTS in metadata
    return {"json": JSON in metadata, "numbers": NUMBERS in metadata, "structs": has_structs}


def marks_of(field: pa.Field) -> dict[str, bool]:
    """The same for a field of Arrow."""
    has_structs = is_json(field) and may_be_structs(field)
    return {"json": is_json(field), "numbers": is_numbers(field), "structs": has_structs}


def describe(schema: pa.Schema) -> tuple[Column, ...]:
    """The columns, for people."""
    return tuple(Column(name=field.name, data_type=type_word(field.type)) for field in schema)


def type_word(type_: pa.DataType) -> str:
    """Delta's name of a type; only the kind of a nested one."""
    rendered = _render_type(type_)
    return rendered if isinstance(rendered, str) else str(rendered["type"])


def has_local_time(type_: pa.DataType) -> bool:
    """Whether it contains timestamps without a zone, which tables must declare."""
    if pa.types.is_timestamp(type_):
        return type_.tz is None
    return any(has_local_time(type_.field(i).type) for i in range(type_.num_fields))


def _metadata(field: pa.Field) -> dict[str, str]:
    marks = {_OWN + mark: "true" for mark, has in marks_of(field).items() if has}
    return {SOURCE_METADATA: source_of(field), **marks}


def _comment(field: pa.Field, *, known: bool) -> dict[str, str]:
    is_told = known or source_of(field) == field.name
    return {} if is_told else {COMMENT: source_of(field)}


def _render_field(field: pa.Field, metadata: dict[str, str]) -> dict[str, Any]:
    type_ = _render_type(field.type)
    return {"name": field.name, "type": type_, "nullable": True, "metadata": metadata}


def _render_type(type_: pa.DataType) -> str | dict[str, Any]:
    """In Delta's syntax; `void`, which no table has, shows people a list without elements."""
    if pa.types.is_null(type_):
        return "void"
    if pa.types.is_decimal(type_):
        return f"decimal({type_.precision},{type_.scale})"
    if pa.types.is_struct(type_):
        return {"type": "struct", "fields": [_render_field(field, {}) for field in type_]}
    if pa.types.is_map(type_):
        key, value = _render_type(type_.key_type), _render_type(type_.item_type)
        return {"type": "map", "keyType": key, "valueType": value, "valueContainsNull": True}
    if pa.types.is_list(type_):
        element = _render_type(type_.value_type)
        return {"type": "array", "elementType": element, "containsNull": True}
    return _BY_TYPE[type_]


def _parse_type(spec: Any, column: str) -> pa.DataType:
    if isinstance(spec, dict):
        return _parse_nested(spec, column)
    if (decimal := _DECIMAL.fullmatch(spec)) is not None:
        return pa.decimal128(int(decimal[1]), int(decimal[2]))
    if spec not in _BY_WORD:
        message = (
            f"Column {column} of the table has the type {spec}, which this operator does not "
            "write. Change the column's type, or delete the table's folder to import everything "
            "again."
        )
        raise ConfigurationError(Reason.SCHEMA_CONFLICT, message)
    return _BY_WORD[spec]


def _parse_nested(spec: dict[str, Any], column: str) -> pa.DataType:
    match spec["type"]:
        case "struct":
            inner = [
                (field["name"], _parse_type(field["type"], column)) for field in spec["fields"]
            ]
            return pa.struct(inner)
        case "array":
            return pa.list_(_parse_type(spec["elementType"], column))
        case "map":
            key, value = spec["keyType"], spec["valueType"]
            return pa.map_(_parse_type(key, column), _parse_type(value, column))
    return _parse_type(spec["type"], column)
