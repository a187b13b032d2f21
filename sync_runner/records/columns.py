"""From a source's batch to the columns of a table: names, types that the lake can hold, and which
columns to keep.

Each column remembers its source's own spelling in its metadata. Columns without a single value have
no type yet and are left out.
"""

from collections.abc import Callable, Collection, Mapping

import pyarrow as pa
import pyarrow.compute as pc

from sync_runner.records.json_keys import spell_keys
from sync_runner.records.names import assign_names, build_name, fold_case
from sync_runner.records.widen import (
    JSON_KEY,
    NUMBERS_KEY,
    SOURCE_KEY,
    STRUCTS_KEY,
    TWINS_KEY,
    as_json_text,
    is_json,
    is_numbers,
    may_be_structs,
)

_DECIMAL_DIGITS_MAX = 38
_NOTES_MAX = 5
_NAME_CHARS_MAX = 64


class Columns:
    """The mapping from a stream's fields to its table's columns; it grows with the batches that
    it sees.
    """

    def __init__(
        self,
        known: Mapping[str, str],
        keep: Collection[str] | None,
        *,
        keys: Collection[str] = (),
    ) -> None:
        """`known`: names that the table has given; `keep`: fields to keep, in either spelling,
        None for all; `keys`: fields that name the rows.
        """
        self._keys = frozenset(keys)
        self._names = dict(known)
        self._keep = None if keep is None else frozenset(keep)
        self._twins: dict[str, str] = {}

    @property
    def sources(self) -> frozenset[str]:
        """The fields of all columns so far, as the source spells them."""
        return frozenset(self._names)

    def name_of(self, source: str) -> str:
        """The column of a field, also of one that was not seen yet."""
        if source not in self._names:
            self._names.update(assign_names([source], self._names))
        return self._names[source]

    def keeps(self, field: pa.Field) -> bool:
        """Whether a column of the table is one that is to be kept."""
        return self._keeps(source_of(field), field.name)

    def learn(self, names: Mapping[str, str]) -> None:
        """Takes over names that an earlier pod of the run gave."""
        self._names.update(names)

    def adopt(self, records: pa.RecordBatch) -> pa.RecordBatch:
        """The batch under the table's names and types, without what is not kept or has no
        values.
        """
        self._names.update(assign_names(records.schema.names, self._names))
        arrays: list[pa.Array] = []
        fields: list[pa.Field] = []
        for source, column in self._kept(records):
            name = self._names[source.name]
            if column.null_count == len(column):
                continue
            stored, json = store(column, is_text_of_json=is_json(source))
            twins = find_twins(column.type) if json else None
            if twins is not None:
                self._twins[source.name] = twins
            if json and source.name in self._keys:
                stored = spell_keys(stored)
            arrays.append(stored)
            structs = json and may_be_structs(source)
            marks = {"json": json, "numbers": is_numbers(source), "structs": structs}
            field = build_field(name, stored.type, source=source.name, **marks)
            fields.append(field if twins is None else _note_twins(field, twins))
        if not arrays:
            return self._adopt_nothing(records)
        return pa.RecordBatch.from_arrays(arrays, schema=pa.schema(fields))

    def describe_twins(self) -> tuple[str, ...]:
        """Notes on structs that become text because of the names of their members."""
        return tuple(
            f"Members {twins} in {source} have names that readers do not distinguish, so that the "
            "column is JSON text."
            for source, twins in sorted(self._twins.items())[:_NOTES_MAX]
        )

    def _kept(self, records: pa.RecordBatch) -> list[tuple[pa.Field, pa.Array]]:
        pairs = zip(records.schema, records.columns, strict=True)
        return [pair for pair in pairs if self._keeps(pair[0].name, self._names[pair[0].name])]

    def _adopt_nothing(self, records: pa.RecordBatch) -> pa.RecordBatch:
        """Rows without any value are rows all the same; a column without a type carries them."""
        source = next((field.name for field, _ in self._kept(records)), records.schema.names[0])
        field = build_field(self._names[source], pa.null(), source=source, json=False)
        return pa.RecordBatch.from_arrays([pa.nulls(len(records))], schema=pa.schema([field]))

    def _keeps(self, source: str, name: str) -> bool:
        return self._keep is None or source in self._keep or name in self._keep


def build_field(
    name: str,
    type_: pa.DataType,
    *,
    source: str,
    json: bool,
    numbers: bool = False,
    structs: bool = False,
) -> pa.Field:
    """A column of the table; `json` and `numbers` say what its text is, `structs` whether some of
    it may be spelled from structs.
    """
    metadata = {SOURCE_KEY: source.encode("utf-8", "surrogatepass")}
    if json:
        metadata[JSON_KEY] = b"1"
    if numbers:
        metadata[NUMBERS_KEY] = b"1"
    if structs:
        metadata[STRUCTS_KEY] = b"1"
    return pa.field(name, type_, metadata=metadata)


def _note_twins(field: pa.Field, twins: str) -> pa.Field:
    """The field, which remembers why it is text."""
    twins_bytes = twins.encode("utf-8", "surrogatepass")
    return field.with_metadata({**(field.metadata or {}), TWINS_KEY: twins_bytes})


def source_of(field: pa.Field) -> str:
    """The source's spelling of a column's name."""
    own = (field.metadata or {}).get(SOURCE_KEY)
    return str(field.name) if own is None else own.decode("utf-8", "surrogatepass")


def store(column: pa.Array, *, is_text_of_json: bool = False) -> tuple[pa.Array, bool]:
    """The values in a type that the lake has, and whether they are JSON text."""
    if isinstance(column, pa.ExtensionArray):
        json = column.type.extension_name == "arrow.json"
        stored, inner = store(column.storage)
        return stored, json or inner
    if find_twins(column.type) is not None:
        return as_json_text(column), True
    if pa.types.is_time(column.type):
        return pc.cast(column, pa.string()), False
    if pa.types.is_duration(column.type):
        return pc.cast(pc.cast(column, pa.duration("us")), pa.int64()), False
    wanted = storable(column.type)
    stored = column if column.type.equals(wanted) else pc.cast(column, wanted, safe=False)
    return _relabel(stored), is_text_of_json and pa.types.is_string(wanted)


def find_twins(type_: pa.DataType) -> str | None:
    """Two members, at any depth, that would have one name, in words; None if there are none.
    Which is which would depend on which came first, and nothing remembers that.
    """
    inside = [type_.field(index) for index in range(type_.num_fields)]
    known: dict[str, str] = {}
    for field in inside:
        name = fold_case(build_name(field.name))
        if name in known:
            return f"{known[name][:_NAME_CHARS_MAX]} and {field.name[:_NAME_CHARS_MAX]}"
        known[name] = field.name
    return next(filter(None, (find_twins(field.type) for field in inside)), None)


def storable(type_: pa.DataType) -> pa.DataType:
    """The type of the lake that holds every value of this one, or nearly: timestamps are cut to
    microseconds.
    """
    for holds, build in _RULES:
        if holds(type_):
            return build(type_)
    return type_


def _relabel(column: pa.Array) -> pa.Array:
    """The same values with safe names inside; a cast would look for values under the new names."""
    if pa.types.is_struct(column.type):
        names = assign_names([field.name for field in column.type], {})
        inner = [_relabel(child) for child in column.flatten()]
        labels = [names[field.name] for field in column.type]
        return pa.StructArray.from_arrays(inner, names=labels, mask=column.is_null())
    if pa.types.is_list(column.type) and pa.types.is_nested(column.type.value_type):
        lengths = pc.fill_null(pc.list_value_length(column), 0)
        ends = pa.concat_arrays([pa.array([0], pa.int32()), pc.cumulative_sum(lengths)])
        return pa.ListArray.from_arrays(ends, _relabel(column.flatten()), mask=column.is_null())
    return column


def _unsigned(type_: pa.DataType) -> pa.DataType:
    wider = {8: pa.int16(), 16: pa.int32(), 32: pa.int64()}
    return wider.get(type_.bit_width, pa.decimal128(20, 0))


def _decimal(type_: pa.DataType) -> pa.DataType:
    if type_.precision > _DECIMAL_DIGITS_MAX or type_.scale < 0:
        return pa.string()
    return pa.decimal128(type_.precision, type_.scale)


def _timestamp(type_: pa.DataType) -> pa.DataType:
    return pa.timestamp("us", None if type_.tz is None else "UTC")


def _struct(type_: pa.DataType) -> pa.DataType:
    return pa.struct([(field.name, storable(field.type)) for field in type_])


def _is_any_string(type_: pa.DataType) -> bool:
    return bool(pa.types.is_large_string(type_) or pa.types.is_string_view(type_))


def _is_any_binary(type_: pa.DataType) -> bool:
    return bool(
        pa.types.is_large_binary(type_)
        or pa.types.is_binary_view(type_)
        or pa.types.is_fixed_size_binary(type_)
    )


def _is_any_list(type_: pa.DataType) -> bool:
    return bool(
        pa.types.is_list(type_)
        or pa.types.is_large_list(type_)
        or pa.types.is_fixed_size_list(type_)
    )


_Rule = tuple[Callable[[pa.DataType], bool], Callable[[pa.DataType], pa.DataType]]
_RULES: tuple[_Rule, ...] = (
    (pa.types.is_decimal, _decimal),
    (pa.types.is_unsigned_integer, _unsigned),
    (pa.types.is_float16, lambda _: pa.float32()),
    (_is_any_string, lambda _: pa.string()),
    (_is_any_binary, lambda _: pa.binary()),
    (pa.types.is_date64, lambda _: pa.date32()),
    (pa.types.is_timestamp, _timestamp),
    (pa.types.is_dictionary, lambda type_: storable(type_.value_type)),
    (_is_any_list, lambda type_: pa.list_(storable(type_.value_type))),
    (pa.types.is_map, lambda t: pa.map_(storable(t.key_type), storable(t.item_type))),
    (pa.types.is_struct, _struct),
)
