"""The schemas that a source creates for its streams: one for each stream without a schema, with
only the fields that no other manager has set.

A schema of a user counts for its stream, whatever its name is; the operator then deletes its own.
In a schema of the operator, a field that another manager has set belongs to that manager from then
on. So a change carries the schema that it was decided on: by an older view, a forced apply would
take a field back whose new owner the decision had not seen, and the ownership would be lost.
"""

from collections.abc import Collection
from dataclasses import replace

from external_data_operator.api.source import EnablePolicy, SourceSpec
from external_data_operator.reconcile.base import marks
from external_data_operator.reconcile.base.naming import schema_names
from external_data_operator.reconcile.base.world import (
    Apply,
    Delete,
    Intent,
    Note,
    Object,
    controller_uid,
    is_going,
    name_of,
    namespace_of,
    uid_of,
)
from external_data_operator.reconcile.plans.streams import is_wanted
from external_data_operator.reconcile.render.config import render_schema_object
from external_data_operator.reconcile.sources.observed import ObservedSource
from external_data_operator.reconcile.sources.owner import own

_NAMED_MAX = 5


def decide_schemas(
    observed: ObservedSource, spec: SourceSpec, streams: Collection[str]
) -> tuple[list[Intent], list[Note]]:
    """The schemas of the source's streams, and a note if schemas are new."""
    uid = uid_of(observed.source)
    by_stream: dict[str, list[Object]] = {}
    for schema in observed.schemas:
        by_stream.setdefault(str(schema["spec"].get("stream")), []).append(schema)
    intents: list[Intent] = []
    for stream, schemas in by_stream.items():
        ours = [one for one in schemas if controller_uid(one) == uid]
        if len(ours) < len(schemas):
            intents.extend(_give_way(ours))
            continue
        fields = _fields(spec, stream)
        intents.extend(_update(observed, one, fields) for one in ours if not is_going(one))
    new = [name for name in streams if name not in by_stream and is_wanted(spec.schemas, name)]
    names = schema_names(name_of(observed.source), new, set(observed.schema_names))
    intents.extend(_make(observed, names[stream], stream, _fields(spec, stream)) for stream in new)
    return intents, _notes(list(names.values()))


def _give_way(schemas: list[Object]) -> list[Intent]:
    return [
        Delete(one["apiVersion"], one["kind"], namespace_of(one), name_of(one), uid_of(one))
        for one in schemas
    ]


def _fields(spec: SourceSpec, stream: str) -> Object:
    """The fields that the source's policy sets, as few as possible, since other managers may set
    the rest."""
    enabled = spec.schemas.enable is EnablePolicy.ALL and is_wanted(spec.schemas, stream)
    return {} if enabled else {"shouldSync": False}


def _update(observed: ObservedSource, schema: Object, fields: Object) -> Intent:
    others = foreign_fields(schema)
    free = {key: value for key, value in fields.items() if key not in others}
    made = _make(observed, name_of(schema), schema["spec"]["stream"], free)
    return replace(made, decided_on=schema)


def _make(observed: ObservedSource, name: str, stream: str, fields: Object) -> Apply:
    source = observed.source
    owner = own(source)
    spec = {"sourceRef": {"name": name_of(source)}, "stream": stream, **fields}
    return Apply(render_schema_object(owner, name, spec))


def foreign_fields(schema: Object) -> set[str]:
    """The fields of the spec that another manager has set."""
    found: set[str] = set()
    for entry in schema["metadata"].get("managedFields") or []:
        if entry.get("manager") == marks.FIELD_MANAGER or entry.get("subresource"):
            continue
        keys = (entry.get("fieldsV1") or {}).get("f:spec") or {}
        found.update(key.removeprefix("f:") for key in keys)
    return found


def _notes(names: list[str]) -> list[Note]:
    if not names:
        return []
    rest = f" and {len(names) - _NAMED_MAX} more" if len(names) > _NAMED_MAX else ""
    said = ", ".join(names[:_NAMED_MAX]) + rest
    return [
        Note(
            "Normal",
            "SchemasCreated",
            f"Created an ExternalDataSchema for each new stream: {said}.",
        )
    ]
