"""The features that a table requires of its writers, and the ones that are supported. Pure.

An allow-list: a feature or a rule that is not named here is refused before anything is written,
because a writer that ignores one damages the table for its readers. A feature that is listed but
not in use (no constraint, no generated column, column mapping switched off) requires nothing. A
feature may require nothing of one kind of sync and too much of another.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from external_data_operator.api.conditions import Reason

from sync_runner.errors import ConfigurationError
from sync_runner.lake.mode import WriteMode

CLUSTERING = "clustering"
VECTORS = "deletionVectors"
READER_VERSION_MAX = 3
WRITER_VERSION_MAX = 7
_IDENTITY_WRITER_VERSION = 6
_WRITTEN = frozenset(
    {
        "allowColumnDefaults",
        "appendOnly",
        "changeDataFeed",
        "checkConstraints",
        "checkpointProtection",
        "columnMapping",
        "domainMetadata",
        "generatedColumns",
        "inCommitTimestamp",
        "invariants",
        "timestampNtz",
        "typeWidening",
        "typeWidening-preview",
        "vacuumProtocolCheck",
    }
)
"""Features that are written, or that require nothing while they are not in use. The features that
DROP FEATURE adds (checkpointProtection, domainMetadata) are among them; upkeep respects the former.
"""
_COLUMN_RULES = {
    "delta.generationExpression": "REPLACE TABLE … AS SELECT without this rule",
    "delta.invariants": "REPLACE TABLE … AS SELECT without this rule",
    "delta.identity.": "REPLACE TABLE … AS SELECT without this rule",
    "delta.typeChanges": "ALTER TABLE … DROP FEATURE typeWidening",
    "CURRENT_DEFAULT": "ALTER TABLE … ALTER COLUMN {path} DROP DEFAULT",
    "__CHAR_VARCHAR_TYPE_STRING": "ALTER TABLE … ALTER COLUMN {path} TYPE STRING",
}
"""Metadata of a column, by the prefix of its name, that is a rule on the column's values."""
_FIRST_STEPS = {
    VECTORS: (
        "ALTER TABLE … SET TBLPROPERTIES ('delta.enableDeletionVectors' = 'false') and "
        "REORG TABLE … APPLY (PURGE)"
    ),
    "rowTracking": "ALTER TABLE … SET TBLPROPERTIES ('delta.enableRowTracking' = 'false') and ",
}
"""Statements before DROP FEATURE, or instead of it."""
_ORDER = (VECTORS, CLUSTERING, "rowTracking")
"""Features that include others are named first."""


@dataclass(frozen=True)
class Demands:
    """The protocol and the metadata of one version of a table, as Delta's protocol spells them."""

    reader_version: int = 1
    writer_version: int = 2
    reader_features: frozenset[str] = frozenset()
    writer_features: frozenset[str] = frozenset()
    """Features that the protocol lists; none before writer version 7."""
    properties: Mapping[str, str] = field(default_factory=dict)
    partition_columns: Sequence[str] = ()
    schema: str = '{"type":"struct","fields":[]}'
    """The schema as JSON."""
    is_clustered: bool = True
    """Whether a table with the feature clustering has columns to cluster by."""
    has_vectors: bool = True
    """Whether a file of a table with deletion vectors has one. The property that enables them
    allows writers to add some, and requires none.
    """


@dataclass(frozen=True)
class _Refusal:
    """A feature of the table, and the statements that remove it."""

    what: str
    remedy: str


def check_demands(demands: Demands, mode: WriteMode) -> None:
    """ConfigurationError(TableFeatureUnsupported) for a table that a run of this mode must not
    write.
    """
    refusal = _find_refusal(demands, mode)
    if refusal is not None:
        raise build_refusal(refusal.what, refusal.remedy)


def build_refusal(what: str, remedy: str) -> ConfigurationError:
    """The error that ends a run at a table that must not be written."""
    message = (
        f"The table {what}, which this operator does not write; nothing was changed. Run {remedy}, "
        "or delete the table's folder to import everything again."
    )
    return ConfigurationError(Reason.TABLE_FEATURE_UNSUPPORTED, message)


def check_removal(demands: Demands) -> None:
    """The same for a commit that removes files, even if it only rewrites their rows."""
    if is_on(demands.properties, "delta.appendOnly"):
        remedy = "ALTER TABLE … UNSET TBLPROPERTIES ('delta.appendOnly')"
        raise build_refusal("may only be appended to (delta.appendOnly)", remedy)


def find_protected(demands: Demands) -> int:
    """The version up to which the log may only be removed as a whole: a feature was dropped before
    it, and readers without that feature must not read earlier versions. 0 if there is none.
    """
    if "checkpointProtection" not in demands.writer_features:
        return 0
    text = demands.properties.get("delta.requireCheckpointProtectionBeforeVersion", "")
    return int(text) if text.strip().isdigit() else 1 << 62


def is_on(properties: Mapping[str, str], name: str, *, default: bool = False) -> bool:
    """Whether a property that is true or false is true."""
    return properties.get(name, str(default)).strip().lower() == "true"


def _find_refusal(demands: Demands, mode: WriteMode) -> _Refusal | None:
    for find in (_find_version, _find_feature, _find_partition, _find_property, _find_column):
        refusal = find(demands)
        if refusal is not None:
            return refusal
    if mode.removes_rows:
        check_removal(demands)
    return _find_feed(demands) if mode.merges else None


def _find_feed(demands: Demands) -> _Refusal | None:
    """A merge of a table with a change data feed is refused: it rewrites a file for one of its rows
    and would have to record which one. Other commits add and remove whole files, which suffices.
    """
    if not is_on(demands.properties, "delta.enableChangeDataFeed"):
        return None
    remedy = "ALTER TABLE … UNSET TBLPROPERTIES ('delta.enableChangeDataFeed')"
    return _Refusal("has a change data feed (delta.enableChangeDataFeed)", remedy)


def _find_version(demands: Demands) -> _Refusal | None:
    versions = (demands.reader_version, demands.writer_version)
    if versions[0] <= READER_VERSION_MAX and versions[1] <= WRITER_VERSION_MAX:
        return None
    what = f"has the Delta protocol {versions[0]} for readers and {versions[1]} for writers"
    return _Refusal(what, "a version of this operator that knows them")


def _find_feature(demands: Demands) -> _Refusal | None:
    features = {*demands.reader_features, *demands.writer_features}
    if not demands.is_clustered:
        features.discard(CLUSTERING)
    if not demands.has_vectors:
        features.discard(VECTORS)
    if demands.writer_version == _IDENTITY_WRITER_VERSION:
        features.add("identityColumns")
    unknown = features - _WRITTEN
    if not unknown:
        return None
    name = next((name for name in _ORDER if name in unknown), min(unknown))
    return _Refusal(f"uses the Delta feature {name}", _drop_feature(name))


def _drop_feature(name: str) -> str:
    if name == CLUSTERING:
        return "ALTER TABLE … CLUSTER BY NONE"
    if name == VECTORS:
        return _FIRST_STEPS[VECTORS]
    return f"{_FIRST_STEPS.get(name, '')}ALTER TABLE … DROP FEATURE {name}"


def _find_partition(demands: Demands) -> _Refusal | None:
    if not demands.partition_columns:
        return None
    columns = ", ".join(demands.partition_columns)
    remedy = "REPLACE TABLE … AS SELECT without PARTITIONED BY"
    return _Refusal(f"is partitioned by {columns}", remedy)


def _find_property(demands: Demands) -> _Refusal | None:
    for name, value in sorted(demands.properties.items()):
        # A CHECK constraint is a rule on every row, which nothing here evaluates.
        if name.startswith("delta.constraints."):
            constraint = name.removeprefix("delta.constraints.")
            what = f"has the CHECK constraint {constraint}"
            return _Refusal(what, f"ALTER TABLE … DROP CONSTRAINT {constraint}")
        # Each commit would have to carry a timestamp above the one before.
        if name == "delta.enableInCommitTimestamps" and value.lower() == "true":
            remedy = f"ALTER TABLE … SET TBLPROPERTIES ('{name}' = 'false')"
            return _Refusal("uses the Delta feature inCommitTimestamp", remedy)
        # The names of stored columns differ from those in the schema.
        if name == "delta.columnMapping.mode" and value.lower() != "none":
            remedy = "ALTER TABLE … DROP FEATURE columnMapping"
            return _Refusal("uses the Delta feature columnMapping", remedy)
    return None


def _find_column(demands: Demands) -> _Refusal | None:
    for path, spec in _walk(json.loads(demands.schema)):
        metadata = spec.get("metadata") or {}
        # Readers may rely on a column without nulls, and a source may send one.
        if spec.get("nullable") is False:
            remedy = f"ALTER TABLE … ALTER COLUMN {path} DROP NOT NULL"
            return _Refusal(f"does not allow nulls in column {path}", remedy)
        # The writer would have to compute or check these values.
        for begin, remedy in _COLUMN_RULES.items():
            key = next((key for key in metadata if key.startswith(begin)), None)
            if key is not None:
                what = f"has a rule on column {path} ({key.removeprefix('delta.')})"
                return _Refusal(what, remedy.format(path=path))
    return None


def _walk(type_: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every field of a schema, also inside of structs, lists and maps."""
    if not isinstance(type_, dict):
        return
    for spec in type_.get("fields") or ():
        name = f"{path}.{spec['name']}" if path else spec["name"]
        yield name, spec
        yield from _walk(spec["type"], name)
    for inner, has_nulls in (("elementType", "containsNull"), ("valueType", "valueContainsNull")):
        if inner in type_:
            yield path, {"nullable": type_.get(has_nulls, True)}
            yield from _walk(type_[inner], path)
