"""Takes the batches that a run has read and makes parts of them, until they are published.

Rows wait in memory until they fill a row group, row groups until they fill a part. Within a part
each column has one type; a batch with a new column or a wider type starts the next part if a row
group of this one is encoded.
"""

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from sync_runner.lake.parquet.files import Held
from sync_runner.lake.parquet.parts import Part, PartEncoder, PartStore, cut_groups
from sync_runner.lake.policy import Policy
from sync_runner.records.dedupe import Order, build_keys, find_order
from sync_runner.records.keyless import count_keyless
from sync_runner.records.numeric import NO_NUMBERS, ByValue, Numbers
from sync_runner.records.widen import convert, is_numbers, is_same, join_fields


@dataclass(frozen=True)
class PartLimits:
    """When a part is complete."""

    rows: int
    bytes: int


class Stage:
    """Rows that were read and not yet published."""

    def __init__(
        self,
        parts: PartStore,
        bounds: PartLimits,
        policy: Policy,
        *,
        keys: Sequence[str],
        holds: bool,
    ) -> None:
        """`keys`: the key's columns, empty if the table has none; `holds`: few rows are to be
        merged into a table, and should stay in memory until then.
        """
        self._holds = holds
        self._policy = policy
        self.parts: list[Part] = []
        self._store = parts
        self._bounds = bounds
        self._keys = keys
        self.keyless = 0
        """Rows so far without a value in the key."""
        self._fields: dict[str, pa.Field] = {}
        self._waiting: list[pa.RecordBatch] = []
        self._waiting_rows = 0
        self._waiting_bytes = 0
        self._encoder: PartEncoder | None = None
        self._order = _PartOrder()
        self._uploader = ThreadPoolExecutor(1, thread_name_prefix="upload")
        self._uploading: Future[Part] | None = None
        self._uploading_rows = 0

    @property
    def rows(self) -> int:
        """Rows of all parts, and those that wait."""
        encoding = 0 if self._encoder is None else self._encoder.rows
        parts = sum(part.rows for part in self.parts) + self._uploading_rows
        return parts + encoding + self._waiting_rows

    @property
    def held(self) -> list[Held]:
        """The parts, and the rows that wait."""
        waiting = Held(pa.schema(list(self._fields.values())), self._find_waiting)
        return [*map(self._store.hold, self.parts), waiting]

    @property
    def bytes(self) -> int:
        """Bytes of the parts."""
        return sum(part.size for part in self.parts)

    @property
    def is_uploading(self) -> bool:
        """Whether the last part may not be in the store yet."""
        return self._uploading is not None

    @property
    def is_part_open(self) -> bool:
        """Whether rows wait that are in no part yet."""
        return self._encoder is not None or self._waiting_rows > 0

    def fits(self, batch: pa.RecordBatch) -> bool:
        """Whether the open part can take the batch; if not, it has to be cut first."""
        return self._encoder is None or self._takes(batch)

    def add(self, batch: pa.RecordBatch) -> None:
        """Takes a batch that fits. ConfigurationError if its rows lack the key."""
        self.keyless += count_keyless(batch, self._keys)
        for field in batch.schema:
            self._fields[field.name] = self._join(field, batch)
        self._waiting.append(batch)
        self._waiting_rows += batch.num_rows
        self._waiting_bytes += batch.nbytes
        rows, size = self._patience()
        if self._waiting_rows >= rows or self._waiting_bytes >= size:
            self._encode()

    def _patience(self) -> tuple[int, int]:
        """Rows and bytes that may wait. Rows to be merged in memory are not encoded before."""
        policy = self._policy
        if self._holds and self.is_unencoded:
            return policy.small_rows, policy.small_bytes
        return policy.group_rows, policy.group_bytes

    def is_full(self) -> bool:
        """Whether the open part has reached its limits."""
        encoder = self._encoder
        if encoder is None:
            return False
        return encoder.rows >= self._bounds.rows or encoder.size >= self._bounds.bytes

    def cut(self) -> None:
        """Makes a part of the rows that wait. Its upload runs in the background; see `settle`."""
        self.settle()
        self._encode()
        if self._encoder is not None:
            self._uploading_rows = self._encoder.rows
            self._uploading = self._uploader.submit(
                self._store.upload, self._encoder, self._order.order
            )
        self._encoder, self._fields, self._order = None, {}, _PartOrder()

    def settle(self) -> None:
        """Waits until the last part is in the store."""
        if self._uploading is not None:
            part = self._uploading.result()
            self._uploading, self._uploading_rows = None, 0
            self.parts.append(part)

    def peek(self) -> pa.Table | None:
        """All rows, while none of them is encoded; None afterwards."""
        return self._collect() if self.is_unencoded else None

    @property
    def is_unencoded(self) -> bool:
        """Whether no row is encoded yet."""
        return not self.parts and self._encoder is None and self._uploading is None

    def clear(self) -> None:
        """Forgets everything, once it is published."""
        self.parts = []
        self._waiting, self._waiting_rows, self._waiting_bytes = [], 0, 0
        self._encoder, self._fields, self._order = None, {}, _PartOrder()

    def _takes(self, batch: pa.RecordBatch) -> bool:
        for field in batch.schema:
            known = self._fields.get(field.name)
            if known is None:
                return False
            rule = ByValue(NO_NUMBERS, _find_numbers([batch], field.name), keeps=True)
            joined = join_fields(known, field, rule)
            if not is_same(joined, known) or is_numbers(joined) != is_numbers(known):
                return False
        return True

    def _join(self, field: pa.Field, batch: pa.RecordBatch) -> pa.Field:
        """The field for the column's values so far and those of the batch. If rows are encoded, the
        batch fits, and the field stays.
        """
        known = self._fields.get(field.name)
        if known is None or self._encoder is not None:
            return known or field
        rule = ByValue(self._find_waiting(field.name), _find_numbers([batch], field.name))
        return join_fields(known, field, rule)

    def _find_waiting(self, name: str) -> Numbers:
        return _find_numbers(self._waiting, name)

    def _encode(self) -> None:
        if not self._waiting_rows:
            return
        group = self._collect()
        self._waiting, self._waiting_rows, self._waiting_bytes = [], 0, 0
        self._order.add(group, self._keys)
        self._encoder = self._encoder or PartEncoder(group)
        for piece in cut_groups(group, self._policy.group_rows):
            self._encoder.write(piece)

    def _collect(self) -> pa.Table:
        schema = pa.schema(list(self._fields.values()))
        return pa.Table.from_batches([align(batch, schema) for batch in self._waiting], schema)


class _PartOrder:
    """Tracks the order of keys over the row groups of a part."""

    def __init__(self) -> None:
        self.order = Order.NONE
        self._last: pa.Scalar | None = None

    def add(self, group: pa.Table, keys: Sequence[str]) -> None:
        if len(keys) != 1 or keys[0] not in group.schema.names:
            return
        column = build_keys(group, keys)
        order = find_order(column)
        if self._last is None:
            self.order = order
        elif order != self.order or not self._follows(column[0]):
            self.order = Order.NONE
        self._last = column[-1]

    def _follows(self, first: pa.Scalar) -> bool:
        compare = pc.less if self.order is Order.ASCENDING else pc.greater
        return compare(self._last, first).as_py() is True


def _find_numbers(batches: Sequence[pa.RecordBatch], name: str) -> Numbers:
    return Numbers(lambda: (batch.column(name) for batch in batches if name in batch.schema.names))


def align(records: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    """The same rows with exactly these columns, in types that are at least as wide."""
    if records.schema.equals(schema):
        return records
    have = {field.name: field for field in records.schema}
    columns = [
        convert(records.column(field.name), have[field.name], field)
        if field.name in have
        else pa.nulls(records.num_rows, field.type)
        for field in schema
    ]
    return pa.RecordBatch.from_arrays(columns, schema=schema)
