"""What belongs to a schema."""

from external_data_operator.reconcile.base import marks
from external_data_operator.reconcile.base.naming import label_value
from external_data_operator.reconcile.base.world import Object, name_of
from external_data_operator.reconcile.render.metadata import Owner


def own(schema: Object, source: str) -> Owner:
    """The schema as an owner; people also select its children by the source."""
    labels = {
        marks.SOURCE_LABEL: label_value(source),
        marks.SCHEMA_LABEL: label_value(name_of(schema)),
    }
    return Owner(schema, marks.SCHEMA_OWNER, labels)
