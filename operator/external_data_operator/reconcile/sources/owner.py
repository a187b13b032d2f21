"""What belongs to a source."""

from external_data_operator.reconcile.base import marks
from external_data_operator.reconcile.base.naming import label_value
from external_data_operator.reconcile.base.world import Object, name_of
from external_data_operator.reconcile.render.metadata import Owner


def own(source: Object) -> Owner:
    """The source as an owner."""
    labels = {marks.SOURCE_LABEL: label_value(name_of(source))}
    return Owner(source, marks.SOURCE_OWNER, labels)
