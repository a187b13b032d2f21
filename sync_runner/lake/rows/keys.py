"""A table's key: reads it from files, and finds by ranges the files that may have a wanted key."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from sync_runner.lake.parquet.files import DataFile, Range, open_file, read_groups
from sync_runner.lake.rows.shape import align_table
from sync_runner.records.dedupe import build_keys
from sync_runner.storage import ObjectStore

Ranges = Mapping[str, Range]
_WHOLE_MAX = 2**53


@dataclass(frozen=True)
class PrimaryKey:
    """The columns that identify a row, in the types that the table will have."""

    schema: pa.Schema

    @property
    def names(self) -> list[str]:
        """Names of the columns."""
        return list(self.schema.names)

    def of(self, table: pa.Table) -> pa.Array:
        """The key of each row of an aligned table."""
        return build_keys(table, self.names)

    def ranges_of(self, table: pa.Table) -> dict[str, Range]:
        """The range of each column in the rows of a table."""
        return {name: _range_of(table.column(name)) for name in self.names}

    def read(
        self, store: ObjectStore, file: DataFile, have: pa.Schema, within: Ranges
    ) -> Iterator[tuple[int, pa.Array]]:
        """Keys of the row groups that may contain one of `within`, each with the number of its
        first row.
        """
        parquet = open_file(store, file)
        groups = [g for g in range(parquet.num_row_groups) if self._may_hold(parquet, g, within)]
        for first, table in read_groups(parquet, self.names, groups):
            yield first, self.of(align_table(table, have, self.schema))

    def _may_hold(self, parquet: pq.ParquetFile, group: int, within: Ranges) -> bool:
        row_group = parquet.metadata.row_group(group)
        ranges = {}
        for index in range(row_group.num_columns):
            column = row_group.column(index)
            if column.path_in_schema in within:
                ranges[column.path_in_schema] = _range_in(column.statistics)
        return overlap(ranges, within, self.names)


def overlap(one: Ranges, other: Ranges, names: Sequence[str]) -> bool:
    """Whether both may have a key in common: unknown ranges overlap with everything."""
    return all(_touch(one.get(name), other.get(name)) for name in names)


def _touch(one: Any, other: Any) -> bool:
    if one is None or other is None:
        return True
    if type(one[0]) is not type(other[0]) and not is_comparable((*one, *other)):
        return True
    return bool(one[0] <= other[1] and other[0] <= one[1])


def is_comparable(bounds: Iterable[Any]) -> bool:
    """Whether the bounds have an order: a key may turn from numbers to text. The value of a float
    is its shortest text, and only whole numbers up to 2^53 compare equally with both.
    """
    kinds: set[type | None] = set()
    for bound in bounds:
        kinds.add(type(bound))
        if isinstance(bound, float) and not -_WHOLE_MAX <= bound <= _WHOLE_MAX:
            kinds.add(None)
    return len(kinds) == 1 or kinds in ({float, None}, {int, float}, {int, Decimal})


def _range_of(column: pa.ChunkedArray) -> Range:
    if column.null_count or not len(column) or pa.types.is_boolean(column.type):
        return None
    if pa.types.is_floating(column.type) and pc.any(pc.is_nan(column)).as_py():
        return None  # bounds do not cover NaN, neither these nor those of a file
    ends = pc.min_max(column)
    return ends["min"].as_py(), ends["max"].as_py()


def _range_in(stats: Any) -> Range:
    if stats is None or not stats.has_min_max or not stats.has_null_count or stats.null_count:
        return None
    return stats.min, stats.max
