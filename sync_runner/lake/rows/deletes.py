"""Rows whose key the source deleted, from the batch to the commit.

Staged rows are marked in a column of its own, whose name no column of a table can have. It exists
only if a row is marked: batches, parts and runs without deletes do not have it, and a part that has
it is never published as it is.
"""

from collections.abc import Collection, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from sync_runner.lake.parquet.files import open_file, read_groups
from sync_runner.lake.parquet.parts import Part
from sync_runner.lake.rows.replaced import Replaced
from sync_runner.storage import ObjectStore

MARK = "deleted="
"""Delta allows no `=` in a column's name."""


def clear_deleted(
    records: pa.RecordBatch, deleted: pa.BooleanArray, keys: Collection[str]
) -> pa.RecordBatch:
    """The records with only the key in deleted ones: other values of a deleted row must not add
    columns. `keys` are the source's fields."""
    rows = pc.if_else(deleted, pa.scalar(None, pa.int64()), pa.arange(0, records.num_rows))
    columns = [
        column if name in keys else column.take(rows)
        for name, column in zip(records.schema.names, records.columns, strict=True)
    ]
    return pa.RecordBatch.from_arrays(columns, schema=records.schema)


def mark_deleted(records: pa.RecordBatch, deleted: pa.BooleanArray) -> pa.RecordBatch:
    """The records with the mark."""
    return records.append_column(pa.field(MARK, pa.bool_()), deleted)


def read_mark(rows: pa.Table) -> pa.ChunkedArray | None:
    """Whether each row is deleted; None if no row is."""
    return pc.fill_null(rows.column(MARK), False) if MARK in rows.schema.names else None  # noqa: FBT003 - the value of a row without the mark


def find_marked(store: ObjectStore, staged: Sequence[Part]) -> Replaced:
    """The rows of staged parts that are deleted, which no file of the table may contain."""
    found: Replaced = {}
    for part in staged:
        if MARK in part.schema.names:
            groups = read_groups(open_file(store, part), [MARK])
            rows = [
                pc.add(pc.indices_nonzero(read_mark(table)).cast(pa.int32()), first)
                for first, table in groups
            ]
            found[part.path] = pa.chunked_array(rows).cast(pa.int32()).combine_chunks()
    return found


def join_replaced(one: Replaced, other: Replaced) -> Replaced:
    """The rows of both."""
    joined = {**one, **other}
    for path in one.keys() & other.keys():
        rows = pc.unique(pa.concat_arrays([one[path], other[path]]))
        joined[path] = rows.take(pc.sort_indices(rows))
    return joined
