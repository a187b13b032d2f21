"""Rows whose key says nothing. Pure.

Nulls are values of a key, so that all rows without one are one row. A single such row is data; a
whole batch of them is a key that the source has renamed or dropped, and its rows would be lost.
"""

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc
from external_data_operator.api.conditions import Reason

from sync_runner.errors import ConfigurationError

KEYLESS_ROWS = 10
"""Rows of a batch, all without a key, that are no accident any more."""


def count_keyless(records: pa.RecordBatch, keys: Sequence[str]) -> int:
    """The number of rows without a value in any key column; `keys` are the table's names.

    ConfigurationError(PrimaryKeyMissing) where that is every one of ten rows or more, or where a
    key holds lists or objects, which have no order.
    """
    if not keys or not records.num_rows:
        return 0
    present = {name: records.column(name) for name in keys if name in records.schema.names}
    for name, column in present.items():
        if pa.types.is_nested(column.type):
            raise _refuse(f"Primary key column {name} holds lists or objects")
    columns = list(present.values())
    if any(column.null_count == 0 for column in columns):
        return 0
    keyless = _count(columns, records.num_rows)
    if keyless == records.num_rows >= KEYLESS_ROWS:
        raise _refuse(f"None of {keyless} rows has a value in primary key {', '.join(keys)}")
    return keyless


def describe_keyless(count: int) -> tuple[str, ...]:
    """What a run says that took several rows for one."""
    if count < 2:
        return ()
    return (f"{count} rows had no value in the primary key and count as one row.",)


def _count(columns: Sequence[pa.Array], rows: int) -> int:
    if not columns:
        return rows
    is_null = columns[0].is_null()
    for column in columns[1:]:
        is_null = pc.and_(is_null, column.is_null())
    return int(pc.sum(is_null).as_py() or 0)


def _refuse(what: str) -> ConfigurationError:
    message = f"{what}. Choose columns that name every row; these rows were not published."
    return ConfigurationError(Reason.PRIMARY_KEY_MISSING, message)
