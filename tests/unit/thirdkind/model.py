"""ExternalDataQuery: a kind of resource that exists in tests alone."""

from typing import Annotated

from external_data_operator.api.base import ResourceKind, SpecModel
from external_data_operator.api.meta import ObjectRef
from external_data_operator.api.status import ObjectStatus
from pydantic import Field


class QuerySpec(SpecModel):
    """What a user wants of a query."""

    source_ref: ObjectRef
    """The source whose tables it reads."""
    text: Annotated[str, Field(min_length=1)]
    """The query."""


QUERY = ResourceKind(
    kind="ExternalDataQuery",
    plural="externaldataqueries",
    short_name="edq",
    description="A query over the tables of a source.",
    spec=QuerySpec,
    status=ObjectStatus,
    columns=(),
    selectable_fields=(),
)
