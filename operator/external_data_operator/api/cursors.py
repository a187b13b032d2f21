"""Cursor types and row order, of every kind of source, and which field is the cursor of a sync.

The operator, the command line and the runner ask here, so that name, type and start parameter
always belong to one field.
"""

from enum import StrEnum

from external_data_operator.api.base import ApiModel


class CursorType(StrEnum):
    """Type of the values of a cursor, which decides their order and format."""

    INTEGER = "Integer"
    NUMERIC = "Numeric"
    DATE_TIME = "DateTime"
    DATE = "Date"
    TIMESTAMP = "Timestamp"
    OBJECT_ID = "ObjectId"


class RowOrder(StrEnum):
    """Order of the cursor in which a source returns rows."""

    ASCENDING = "Ascending"
    DESCENDING = "Descending"
    UNORDERED = "Unordered"


DEFAULT_TYPE = CursorType.DATE_TIME
"""Type of a field that has no declared type; `cursorType` has the same default."""


class IncrementalField(ApiModel):
    """A possible cursor."""

    name: str
    """Name of the field, or its path in a row."""
    type: CursorType
    """Type of its values."""


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
