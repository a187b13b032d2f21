"""The orders as Arrow knows them: what a client writes that knows the data beforehand, as the
runner never does.
"""

import pyarrow as pa
import pyarrow.json as pa_json

_TIME = pa.timestamp("us", "UTC")
_CUSTOMER = pa.struct(
    [
        ("id", pa.int64()),
        ("name", pa.string()),
        ("email", pa.string()),
        ("city", pa.string()),
        ("country", pa.string()),
        ("loyalty", pa.int64()),
    ]
)
SCHEMA = pa.schema(
    [
        ("id", pa.int64()),
        ("order_no", pa.string()),
        ("status", pa.string()),
        ("currency", pa.string()),
        ("total", pa.decimal128(18, 2)),
        ("discount", pa.float64()),
        ("weight_kg", pa.float64()),
        ("is_gift", pa.bool_()),
        ("paid", pa.bool_()),
        ("note", pa.string()),
        ("customer", _CUSTOMER),
        ("tags", pa.list_(pa.string())),
        ("created_at", _TIME),
        ("updated_at", _TIME),
    ]
)
_READ = pa_json.ReadOptions(use_threads=False, block_size=256 << 20)
_PARSE = pa_json.ParseOptions(
    explicit_schema=pa.schema([("data", pa.list_(pa.struct(list(SCHEMA))))]),
    unexpected_field_behavior="ignore",
)


def parse_pages(bodies: list[bytes]) -> pa.Table:
    """Page bodies `{"data":[..],..}` as one table, in one call, without an object per value."""
    joined = pa.BufferReader(b"\n".join(bodies))
    pages = pa_json.read_json(joined, _READ, _PARSE).column("data")
    return pa.Table.from_batches(
        [pa.RecordBatch.from_struct_array(chunk.flatten()) for chunk in pages.chunks]
    )
