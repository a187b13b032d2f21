"""Which field is the cursor of a sync, and how its values compare. The operator, the command line
and the runner ask here, so that name, type and start parameter always belong to one field.
"""

from external_data_operator.api.schema import IncrementalField
from external_data_operator.api.sources.rest import CursorType, RestIncremental

DEFAULT_TYPE = CursorType.DATE_TIME
"""Of a field that nobody gave a type; `cursorType` has the same default."""


def choose_cursor(
    field: str | None, type_: CursorType | None, declared: IncrementalField | None
) -> IncrementalField | None:
    """The schema's own field, else the declared one; None if there is neither.

    The declared type belongs to the declared field: another field has the type that the schema
    states, or DateTime.
    """
    if field is None and declared is None:
        return None
    if declared is not None and field in (None, declared.name):
        return IncrementalField(name=declared.name, type=type_ or declared.type)
    assert field is not None, "one of the two is there"
    return IncrementalField(name=field, type=type_ or DEFAULT_TYPE)


def find_declared(incremental: RestIncremental | None) -> IncrementalField | None:
    """The cursor that a REST stream declares."""
    if incremental is None:
        return None
    return IncrementalField(name=incremental.cursor_path, type=incremental.cursor_type)
