"""Rows without a value in any primary key column. Pure.

Null is a value of a key, so that all rows without a key count as one row. A single such row is
data; a whole batch of them means that the source has renamed or dropped the key, and its rows would
be lost.
"""

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc
from external_data_operator.api.conditions import Reason

from sync_runner.errors import ConfigurationError

KEYLESS_ROWS = 10
"""If all rows of a batch of this size lack a key, the key is wrong."""


def count_keyless(records: pa.RecordBatch, keys: Sequence[str]) -> int:
    """The number of rows without a value in any key column; `keys` are the table's names.

    ConfigurationError(PrimaryKeyMissing) if that is each of ten rows or more, or if a key contains
    lists or objects, which have no order.
    """
    if not keys or not records.num_rows:
        return 0
    present = {name: records.column(name) for name in keys if name in records.schema.names}
    for name, column in present.items():
        if pa.types.is_nested(column.type):
            raise _refuse(f"Primary key column {name} contains lists or objects")
    columns = list(present.values())
    if any(column.null_count == 0 for column in columns):
        return 0
    keyless = _count(columns, records.num_rows)
    if keyless == records.num_rows >= KEYLESS_ROWS:
        columns_named = f"column{'s' if len(keys) > 1 else ''} {', '.join(keys)}"
        raise _refuse(f"None of {keyless} rows has a value in primary key {columns_named}")
    return keyless


def describe_keyless(count: int) -> tuple[str, ...]:
    """The note of a run that counted several rows as one."""
    if count < 2:
        return ()
    return (f"{count} rows have no value in the primary key and count as one row.",)


def _count(columns: Sequence[pa.Array], rows: int) -> int:
    if not columns:
        return rows
    is_null = columns[0].is_null()
    for column in columns[1:]:
        is_null = pc.and_(is_null, column.is_null())
    return int(pc.sum(is_null).as_py() or 0)


def _refuse(what: str) -> ConfigurationError:
    message = f"{what}. Choose columns that every row has. The rows were not published."
    return ConfigurationError(Reason.PRIMARY_KEY_MISSING, message)
