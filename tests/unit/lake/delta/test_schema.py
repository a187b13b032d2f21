"""Delta's words for types."""

import pyarrow as pa
import pytest
from external_data_operator.api.conditions import Reason

from sync_runner.errors import ConfigurationError
from sync_runner.lake.delta.schema import (
    describe,
    has_local_time,
    parse_schema,
    render_table_schema,
)
from sync_runner.lake.rows.shape import is_ready, shape_kept, shape_replaced
from sync_runner.records.columns import build_field, source_of
from sync_runner.records.numeric import ByType
from sync_runner.records.widen import is_json, may_be_structs

LONG, TEXT, DOUBLE = pa.int64(), pa.string(), pa.float64()
TYPES = [
    pa.int8(),
    pa.int16(),
    pa.int32(),
    LONG,
    pa.float32(),
    DOUBLE,
    pa.bool_(),
    TEXT,
    pa.binary(),
    pa.date32(),
    pa.timestamp("us"),
    pa.timestamp("us", "UTC"),
    pa.decimal128(38, 4),
    pa.list_(pa.struct([("a", LONG), ("b", pa.list_(TEXT))])),
    pa.map_(TEXT, pa.decimal128(5, 0)),
]


def schema(**types: pa.DataType) -> pa.Schema:
    """A table's schema; columns remember a source's spelling of their own."""
    return pa.schema([build_field(n, t, source=n.upper(), json=False) for n, t in types.items()])


@pytest.mark.parametrize("type_", TYPES, ids=str)
def test_every_type_comes_back_from_the_log(type_: pa.DataType) -> None:
    field = build_field("c", type_, source="Ä b", json=False)
    found = parse_schema(render_table_schema(pa.schema([field]))).field("c")
    assert found.type == type_
    assert source_of(found) == "Ä b"


def test_text_of_json_is_known_again() -> None:
    field = build_field("c", TEXT, source="c", json=True)
    assert is_json(parse_schema(render_table_schema(pa.schema([field]))).field("c"))


@pytest.mark.parametrize("structs", [True, False])
def test_json_that_may_be_spelled_from_structs_is_known_again(structs: bool) -> None:
    field = build_field("c", TEXT, source="c", json=True, structs=structs)
    found = parse_schema(render_table_schema(pa.schema([field]))).field("c")
    assert may_be_structs(found) is structs


def test_a_type_that_cannot_be_written_is_refused_by_its_column() -> None:
    text = (
        '{"type":"struct","fields":[{"name":"v","type":"variant","nullable":true,"metadata":{}}]}'
    )
    with pytest.raises(ConfigurationError, match="Column v") as caught:
        parse_schema(text)
    assert caught.value.reason is Reason.SCHEMA_CONFLICT


def test_people_read_deltas_own_words() -> None:
    columns = describe(schema(a=LONG, b=pa.decimal128(9, 2), c=pa.list_(TEXT)))
    assert [(c.name, c.data_type) for c in columns] == [
        ("a", "long"),
        ("b", "decimal(9,2)"),
        ("c", "array"),
    ]


@pytest.mark.parametrize(
    ("type_", "wanted"),
    [
        (pa.timestamp("us"), True),
        (pa.timestamp("us", "UTC"), False),
        (pa.list_(pa.timestamp("us")), True),
    ],
    ids=str,
)
def test_moments_without_a_zone_are_seen_at_any_depth(type_: pa.DataType, wanted: bool) -> None:
    assert has_local_time(type_) is wanted


def fields(**types: pa.DataType) -> dict[str, pa.Field]:
    """Incoming columns."""
    return {field.name: field for field in schema(**types)}


def test_a_replaced_table_keeps_its_columns_and_none_becomes_narrower() -> None:
    old = schema(a=LONG, gone=TEXT, empty=DOUBLE, v=pa.struct([("x", DOUBLE)]))
    new = fields(b=TEXT, a=TEXT, empty=pa.null(), v=pa.struct([("y", TEXT), ("x", LONG)]))
    shape = shape_replaced(old, new, lambda _: ByType())
    assert [(f.name, f.type) for f in shape.schema] == [
        ("a", TEXT),
        ("gone", TEXT),
        ("empty", DOUBLE),
        ("v", pa.struct([("x", DOUBLE), ("y", TEXT)])),
        ("b", TEXT),
    ]


def test_a_kept_table_takes_new_columns_and_says_whether_its_files_become_too_narrow() -> None:
    old = schema(a=LONG, b=TEXT)
    rule = ByType()
    same = shape_kept(old, fields(a=pa.int32(), c=DOUBLE), lambda _: rule, origin=old)
    assert (same.widens, [field.name for field in same.new]) == (False, ["c"])
    wider = shape_kept(old, fields(a=DOUBLE), lambda _: rule, origin=old)
    assert (wider.widens, wider.schema.field("a").type) == (True, DOUBLE)


def test_a_file_is_ready_only_in_the_tables_own_types() -> None:
    assert is_ready(schema(a=LONG), schema(a=LONG, b=TEXT))
    assert not is_ready(schema(a=pa.int32()), schema(a=LONG))
    marked = pa.schema([build_field("a", TEXT, source="A", json=True)])
    assert is_ready(schema(a=TEXT), marked)
    assert not is_ready(
        schema(a=pa.struct([("x", LONG), ("y", LONG)])),
        schema(a=pa.struct([("y", LONG), ("x", LONG)])),
    )
