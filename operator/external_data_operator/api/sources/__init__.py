"""The kinds of source, one file each, and the one table that lists them.

The key of a kind is the field of a source's spec and of a plan that holds it. Everything that must
know all kinds is made from this table: both unions, the operator's adapters, the runner's mapping,
and the tests that look for an example and a page of each.
"""

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import Field
from pydantic.fields import FieldInfo

from external_data_operator.api.base import ApiModel, SpecModel
from external_data_operator.api.sources.rest import RestSource

SOURCES: Mapping[str, type[SpecModel]] = {
    "rest": RestSource,
}
"""Key → spec."""
Spec = TypeVar("Spec", bound=SpecModel)


class SourceHolder(ApiModel):
    """A model that has a field for each kind of source; see `add_kinds`."""

    @property
    def kind(self) -> str | None:
        """The key that is set; None for a document of a kind that this version does not know."""
        return next((key for key in SOURCES if getattr(self, key) is not None), None)

    @property
    def chosen(self) -> SpecModel | None:
        """The spec under that key."""
        found: SpecModel | None = None if self.kind is None else getattr(self, self.kind)
        return found

    def of_kind(self, spec: type[Spec]) -> Spec | None:
        """The chosen spec if it is this one."""
        return self.chosen if isinstance(self.chosen, spec) else None


def add_kinds(model: type[SourceHolder], *, after: str) -> None:
    """Gives the model an optional field for each kind, after the field of this name: the order is
    that of the CRD and of the reference page."""
    fields: dict[str, FieldInfo] = {}
    for name, field in model.model_fields.items():
        fields[name] = field
        if name == after:
            fields |= {key: _build_field(key, spec) for key, spec in SOURCES.items()}
    model.__pydantic_fields__ = fields
    # One that nothing has used yet is built with its kinds then.
    if model.__pydantic_complete__:
        model.model_rebuild(force=True)


def _build_field(key: str, spec: type[SpecModel]) -> FieldInfo:
    said = " ".join((spec.__doc__ or "").split())
    description = f"{said} Exactly one kind of source must be set: {', '.join(SOURCES)}."
    default: Any = Field(default=None, alias=key, description=description)
    optional: Any = spec | None
    return FieldInfo.from_annotated_attribute(optional, default)
