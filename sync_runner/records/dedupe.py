"""Keys: which rows carry the same one, and whether rows come in the order of theirs.

A key of one column is that column; a key of several becomes one column of bytes that no two
different keys share. Nulls are values here: two rows without a value have the same key. So have
two of NaN, and zero has no sign.
"""

from collections.abc import Sequence
from enum import StrEnum

import pyarrow as pa
import pyarrow.compute as pc

from sync_runner.records.numeric import ColumnValues


class Order(StrEnum):
    """How the keys of a sequence of rows follow each other."""

    ASCENDING = "ascending"
    DESCENDING = "descending"
    NONE = "none"


def build_keys(records: pa.Table | pa.RecordBatch, names: Sequence[str]) -> pa.Array:
    """One array with the key of each row."""
    columns = [_without_sign(_flat(records.column(name))) for name in names]
    if len(columns) == 1:
        return columns[0]
    return pc.binary_join_element_wise(*(_as_bytes(column) for column in columns), b"|")


def find_order(keys: pa.Array) -> Order:
    """Strictly ascending, strictly descending, or neither; with one row both, and then
    ascending.
    """
    if keys.null_count:
        return Order.NONE
    before, after = keys.slice(0, max(0, len(keys) - 1)), keys.slice(1)
    if pc.all(pc.less(before, after), min_count=0).as_py():
        return Order.ASCENDING
    if pc.all(pc.greater(before, after), min_count=0).as_py():
        return Order.DESCENDING
    return Order.NONE


def find_last_of_keys(keys: pa.Array) -> pa.Array | None:
    """Numbers of the rows that are the last of their key, ascending; None where every row is."""
    if find_order(keys) is not Order.NONE:
        return None
    rows = pa.arange(0, len(keys))
    last = pa.table({"key": keys, "row": rows}).group_by("key").aggregate([("row", "max")])
    if last.num_rows == len(keys):
        return None
    found = last.column("row_max").combine_chunks()
    return found.take(pc.sort_indices(found))


def match(keys: ColumnValues, wanted: pa.Array) -> ColumnValues:
    """For each key whether it is among the wanted ones."""
    return pc.is_in(keys, value_set=wanted)


def pick_bounds(sample: pa.Array, pieces: int) -> pa.Array:
    """Values that cut the range of all keys into about equal pieces, ascending, fewer than
    `pieces`; for `find_pieces`.
    """
    known = pc.unique(_searchable(sample.drop_null()))
    ordered = known.take(pc.sort_indices(known))
    cuts = sorted({len(ordered) * i // pieces for i in range(1, pieces)})
    return ordered.take(pa.array([cut for cut in cuts if cut], pa.int64()))


def find_pieces(keys: ColumnValues, bounds: pa.Array) -> ColumnValues:
    """For each key the number of its piece: 0 to len(bounds); without a value 0."""
    return pc.fill_null(pc.search_sorted(bounds, _searchable(_flat(keys)), side="right"), 0)


def _searchable(keys: pa.Array) -> pa.Array:
    """The keys in a type that Arrow searches by. Decimals may fall together, which leaves equal
    keys in one piece all the same.
    """
    if pa.types.is_decimal(keys.type):
        return pc.cast(keys, pa.float64())
    return pc.cast(keys, pa.uint8()) if pa.types.is_boolean(keys.type) else keys


def _as_bytes(column: pa.Array) -> pa.Array:
    """Each value with its length before it, so that joined values cannot be cut differently."""
    if pa.types.is_binary(column.type):
        value = column
    else:
        value = pc.cast(pc.cast(column, pa.string()), pa.binary())
    length = pc.cast(pc.cast(pc.binary_length(value), pa.string()), pa.binary())
    return pc.fill_null(pc.binary_join_element_wise(length, value, b":"), b"-")


def _without_sign(column: pa.Array) -> pa.Array:
    """Minus zero becomes zero, whose bits Arrow compares."""
    return pc.add(column, 0.0) if pa.types.is_floating(column.type) else column


def _flat(column: ColumnValues) -> pa.Array:
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
