"""ExternalDataSchema: one table of a source, the way it is synced, and its state."""

from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field

from external_data_operator.api.base import (
    ApiModel,
    CelRule,
    PrinterColumn,
    ResourceKind,
    SpecModel,
    build_immutable_rule,
)
from external_data_operator.api.cursors import CursorType, IncrementalField
from external_data_operator.api.meta import ObjectRef, Timestamp
from external_data_operator.api.paths import (
    PATH_MESSAGE,
    ROW_FIELD_PATTERN,
    is_row_field,
    spell_column,
    spell_field,
)
from external_data_operator.api.source import SyncFrequency
from external_data_operator.api.status import RunHistoryStatus, build_condition_column

ColumnName = Annotated[str, Field(min_length=1, max_length=256), AfterValidator(spell_field)]
EnabledColumn = Annotated[str, Field(min_length=1, max_length=256), AfterValidator(spell_column)]
LOOKBACK_SECONDS_MAX = 60 * 86_400
COUNTING_CURSORS = (CursorType.INTEGER, CursorType.NUMERIC)
"""Cursor types whose values are not a time."""
LOOKBACK_MESSAGE = (
    "cannot be set for an Integer or Numeric cursor, whose values are not a time; remove it, or"
    " declare the type Timestamp if the values are Unix time"
)
RETENTION_HOURS_MAX = 10 * 366 * 24


class SyncType(StrEnum):
    """Effect of a sync on the table."""

    FULL_REFRESH = "FullRefresh"
    INCREMENTAL = "Incremental"
    APPEND = "Append"


class Retention(SpecModel):
    """How long a table keeps removed files and old versions, for time travel and for readers that
    follow its changes."""

    deleted_file_hours: int | None = Field(default=None, ge=0, le=RETENTION_HOURS_MAX)
    """Hours that a file is kept after a commit removed it (delta.deletedFileRetentionDuration).
    Default: 48. The bucket stores all versions of these hours: a table that is replaced every hour
    takes 48 times its size."""
    log_hours: int | None = Field(default=None, ge=0, le=RETENTION_HOURS_MAX)
    """Hours that entries of the table's log are kept (delta.logRetentionDuration). Default: 168."""


class SchemaSpec(SpecModel):
    """Desired state of one table."""

    source_ref: ObjectRef
    """ExternalDataSource in the same namespace. Immutable."""
    stream: str = Field(min_length=1, max_length=128)
    """Name of the stream of the source. Immutable."""
    should_sync: bool = True
    """Whether the table is synced."""
    sync_type: SyncType | None = None
    """FullRefresh replaces the table, Incremental merges changed rows by the primary key, Append
    adds changed rows. Default: Incremental if the stream declares a cursor and a key, Append if
    it declares only a cursor, else FullRefresh."""
    incremental_field: ColumnName | None = None
    """Field used as the cursor. Default: the cursor that the stream declares."""
    incremental_field_type: CursorType | None = None
    """Type of the cursor's values, which decides their order: Integer, Numeric, DateTime, Date,
    Timestamp or ObjectId. Default: the type that the stream declares for this field, and DateTime
    for any other field."""
    lookback_seconds: int = Field(default=0, ge=0, le=LOOKBACK_SECONDS_MAX)
    """Seconds by which a sync requests rows from before the cursor, at most 60 days. The cursor
    itself does not move back. Not for Integer and Numeric cursors, whose values are not a time."""
    primary_key_columns: list[ColumnName] | None = Field(default=None, max_length=16)
    """Fields that identify a row. Default: the primary key that the stream declares, if any."""
    enabled_columns: list[EnabledColumn] | None = Field(default=None, max_length=2000)
    """Columns to keep, named as in the table or the source. Default: all. An empty list keeps only
    keys and the cursor."""
    retention: Retention | None = None
    """How long removed files and old versions are kept. Default: the properties of the table; a new
    table keeps files for 48 hours and its log for 168."""
    shrink_guard_percent: int | None = Field(default=None, ge=0, le=100)
    """A full refresh of a table of 100 or more rows does not publish if fewer than this
    percentage of the rows would be left. Default: it does not publish if no row would be left. 0
    turns the guard off."""
    sync_frequency: SyncFrequency | None = None
    """Interval between two syncs: never, 5min, 15min, 30min, 1hour, 6hour, 12hour, 24hour, 7day or
    30day. Default: `schemas.defaults` of the source."""
    sync_time_of_day: str | None = Field(
        default=None, pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?$"
    )
    """Time of day in UTC (HH:MM or HH:MM:SS) from which the schedule counts its intervals.
    Default: a time from a hash of the object."""
    cron: str | None = Field(default=None, min_length=9, max_length=128, pattern=r"^\S+( \S+){4}$")
    """Five cron fields (minute hour day month weekday), instead of `syncFrequency` and
    `syncTimeOfDay`."""
    time_zone: str | None = Field(default=None, min_length=1, max_length=64)
    """IANA time zone of `cron`. Default: UTC."""

    cel_rules: ClassVar[tuple[CelRule, ...]] = (
        build_immutable_rule("sourceRef"),
        build_immutable_rule("stream"),
        CelRule(
            "!has(self.cron) || (!has(self.syncFrequency) && !has(self.syncTimeOfDay))",
            "cron cannot be combined with syncFrequency or syncTimeOfDay",
            lambda it: (
                it.cron is None or (it.sync_frequency is None and it.sync_time_of_day is None)
            ),
            field="cron",
        ),
        CelRule(
            "!has(self.lookbackSeconds) || self.lookbackSeconds == 0 || "
            "!has(self.incrementalFieldType) || "
            "!(self.incrementalFieldType in ['Integer', 'Numeric'])",
            LOOKBACK_MESSAGE,
            lambda it: (
                it.lookback_seconds == 0 or it.incremental_field_type not in COUNTING_CURSORS
            ),
            field="lookbackSeconds",
        ),
        CelRule(
            "!has(self.timeZone) || has(self.cron)",
            "timeZone requires cron",
            lambda it: it.time_zone is None or it.cron is not None,
            field="timeZone",
        ),
        CelRule(
            f"!has(self.incrementalField) || self.incrementalField.matches(r'{ROW_FIELD_PATTERN}')",
            PATH_MESSAGE,
            lambda it: it.incremental_field is None or is_row_field(it.incremental_field),
            field="incrementalField",
        ),
        CelRule(
            "!has(self.primaryKeyColumns) || "
            f"self.primaryKeyColumns.all(name, name.matches(r'{ROW_FIELD_PATTERN}'))",
            PATH_MESSAGE,
            lambda it: all(is_row_field(name) for name in it.primary_key_columns or ()),
            field="primaryKeyColumns",
        ),
    )


class Column(ApiModel):
    """A column of the table."""

    name: str
    """Name in the table."""
    data_type: str
    """Type in the table, as Delta names it (string, long, double, …)."""
    nullable: bool = True
    """Whether the column may hold nulls."""


class Candidate(ApiModel):
    """A key or a cursor that the first rows suggest and that is not declared. It has no effect."""

    line: str
    """Line to copy into the stream in the source's spec."""
    why: str
    """Evidence in the rows, and the condition under which to declare it."""


class TableStatus(ApiModel):
    """The table after the last run that published."""

    uri: str
    """Address of the Delta table."""
    version: int
    """Version of the Delta table."""
    rows: int
    """Rows in the table."""
    bytes: int
    """Total size of its files, in bytes."""
    files: int
    """Number of its files."""


class SchemaStatus(RunHistoryStatus):
    """Observed state of one table."""

    sync_type: SyncType | None = None
    """Sync type of the next run."""
    label: str | None = None
    """Display name of the stream at the source."""
    description: str | None = None
    """Description of the stream at the source."""
    last_synced_at: Timestamp | None = None
    """Time at which a run last published data."""
    next_sync_at: Timestamp | None = None
    """Time at which the schedule fires next."""
    table: TableStatus | None = None
    """The table after the last run that published."""
    available_columns: list[Column] = Field(default_factory=list, max_length=2000)
    """Columns of the stream."""
    incremental_fields: list[IncrementalField] = Field(default_factory=list, max_length=100)
    """Possible cursors."""
    candidates: list[Candidate] = Field(default_factory=list, max_length=100)
    """Keys and cursors that the first rows suggest, each with the line that declares it. They
    have no effect until declared."""
    cursor: str | None = None
    """Copy of the cursor, for information. Runs read the cursor from the table's log."""


SCHEMA = ResourceKind(
    kind="ExternalDataSchema",
    plural="externaldataschemas",
    short_name="edsc",
    description="One table of a source: the way it is synced, its schedule and its state.",
    spec=SchemaSpec,
    status=SchemaStatus,
    columns=(
        PrinterColumn("Source", ".spec.sourceRef.name", description="Source of the table."),
        PrinterColumn("Stream", ".spec.stream", description="Stream of that source."),
        PrinterColumn(
            "Sync Type", ".status.syncType", description="Effect of a sync on the table."
        ),
        build_condition_column("Ready", "status", "Whether the last run published its data."),
        PrinterColumn("Phase", ".status.phase", description="Summary of its state."),
        PrinterColumn("Rows", ".status.table.rows", "integer", description="Rows in the table."),
        PrinterColumn(
            "Last Synced", ".status.lastSyncedAt", "date", 0, "Time of the last published data."
        ),
        PrinterColumn(
            "Next", ".status.nextSyncAt", "string", 0, "Time of the next scheduled sync."
        ),
        PrinterColumn("Age", ".metadata.creationTimestamp", "date"),
        build_condition_column("Reason", "reason", "Reason of the condition Ready.", priority=1),
        PrinterColumn("Table", ".status.table.uri", "string", 1, "Address of the table."),
        build_condition_column("Message", "message", "Message of the condition Ready.", priority=1),
    ),
    selectable_fields=(".spec.sourceRef.name", ".spec.stream", ".status.phase"),
)
