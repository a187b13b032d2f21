"""ExternalDataSchema: one table of a source, how it is synced, and how that goes."""

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
"""Cursors that count no time."""
LOOKBACK_MESSAGE = (
    "an Integer or Numeric cursor cannot be shifted by seconds; leave it out, or declare the type"
    " Timestamp if the values are Unix time"
)
RETENTION_HOURS_MAX = 10 * 366 * 24


class SyncType(StrEnum):
    """What a sync does to the table."""

    FULL_REFRESH = "FullRefresh"
    INCREMENTAL = "Incremental"
    APPEND = "Append"


class Retention(SpecModel):
    """How long a table keeps its past, for time travel and for readers that follow its changes."""

    deleted_file_hours: int | None = Field(default=None, ge=0, le=RETENTION_HOURS_MAX)
    """Hours that files stay after they left the table (delta.deletedFileRetentionDuration).
    Default: 48. The bucket holds every version of this time: a table that is replaced every hour
    takes 48 times its size."""
    log_hours: int | None = Field(default=None, ge=0, le=RETENTION_HOURS_MAX)
    """Hours that entries of the table's log stay (delta.logRetentionDuration). Default: 168."""


class SchemaSpec(SpecModel):
    """What a user wants of one table."""

    source_ref: ObjectRef
    """The source, in the same namespace. Immutable."""
    stream: str = Field(min_length=1, max_length=128)
    """The source's stream. Immutable."""
    should_sync: bool = True
    """Whether the table is synced."""
    sync_type: SyncType | None = None
    """FullRefresh replaces the table, Incremental merges what changed, Append adds it; without it
    the operator picks as a careful person would."""
    incremental_field: ColumnName | None = None
    """Field used as the cursor. Default: the one that the source's stream declares."""
    incremental_field_type: CursorType | None = None
    """How its values are compared: Integer, Numeric, DateTime, Date, Timestamp or ObjectId.
    Default: the type that the stream declares for this field, and DateTime for any other field."""
    lookback_seconds: int = Field(default=0, ge=0, le=LOOKBACK_SECONDS_MAX)
    """Seconds by which the request is shifted back, never the cursor; at most 60 days. Not for
    Integer and Numeric cursors, which count no time."""
    primary_key_columns: list[ColumnName] | None = Field(default=None, max_length=16)
    """Fields that name a row. Default: those that the source's stream declares, and none if it
    declares none."""
    enabled_columns: list[EnabledColumn] | None = Field(default=None, max_length=2000)
    """Columns to keep, by the table's or the source's names; without it all, [] only keys and
    cursor."""
    retention: Retention | None = None
    """How long removed files and old versions stay. Default: as the table's own properties say; a
    new table keeps files for 48 hours and its log for 168."""
    shrink_guard_percent: int | None = Field(default=None, ge=0, le=100)
    """A full refresh that would leave less than this percentage of a table's 100 or more rows is
    held back. Default: only one that would leave no row is. 0 turns the guard off."""
    sync_frequency: SyncFrequency | None = None
    """How often: never, 5min, 15min, 30min, 1hour, 6hour, 12hour, 24hour, 7day or 30day; without it
    as the source's `schemas.defaults` say."""
    sync_time_of_day: str | None = Field(
        default=None, pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?$"
    )
    """UTC time of day that the schedule's phase is taken from (HH:MM or HH:MM:SS)."""
    cron: str | None = Field(default=None, min_length=9, max_length=128, pattern=r"^\S+( \S+){4}$")
    """Five cron fields (minute hour day month weekday), instead of `syncFrequency` and
    `syncTimeOfDay`."""
    time_zone: str | None = Field(default=None, min_length=1, max_length=64)
    """IANA time zone of `cron`."""

    cel_rules: ClassVar[tuple[CelRule, ...]] = (
        build_immutable_rule("sourceRef"),
        build_immutable_rule("stream"),
        CelRule(
            "!has(self.cron) || (!has(self.syncFrequency) && !has(self.syncTimeOfDay))",
            "cron replaces syncFrequency and syncTimeOfDay",
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
            "timeZone needs cron",
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
    """Type in the table, in Delta's words (string, long, double, …)."""
    nullable: bool = True
    """Whether it may be null."""


class Candidate(ApiModel):
    """Something that the first rows suggest, and that nobody has declared. It never acts."""

    line: str
    """Line to copy into the stream in the source's spec."""
    why: str
    """What the rows showed, and when to declare it."""


class TableStatus(ApiModel):
    """The table as the last published run left it."""

    uri: str
    """Address of the Delta table."""
    version: int
    """Version of the Delta table."""
    rows: int
    """Rows in the table."""
    bytes: int
    """Size of its files."""
    files: int
    """Number of its files."""


class SchemaStatus(RunHistoryStatus):
    """What the operator saw of one table."""

    sync_type: SyncType | None = None
    """The sync type in force."""
    label: str | None = None
    """The stream's name as the source shows it."""
    description: str | None = None
    """The stream's description as the source gives it."""
    last_synced_at: Timestamp | None = None
    """When data was last published."""
    next_sync_at: Timestamp | None = None
    """When the schedule fires next."""
    table: TableStatus | None = None
    """The table as the last published run left it."""
    available_columns: list[Column] = Field(default_factory=list, max_length=2000)
    """Columns that the stream has."""
    incremental_fields: list[IncrementalField] = Field(default_factory=list, max_length=100)
    """Fields that could be the cursor."""
    candidates: list[Candidate] = Field(default_factory=list, max_length=100)
    """What the first rows suggest, with the line that would declare it; none of it acts."""
    cursor: str | None = None
    """Copy of the cursor, to read; the table's log holds the truth."""


SCHEMA = ResourceKind(
    kind="ExternalDataSchema",
    plural="externaldataschemas",
    short_name="edsc",
    description="One table of a source: whether, how and how often it is synced, how that goes.",
    spec=SchemaSpec,
    status=SchemaStatus,
    columns=(
        PrinterColumn("Source", ".spec.sourceRef.name", description="Source that it reads."),
        PrinterColumn("Stream", ".spec.stream", description="Stream of that source."),
        PrinterColumn("Sync Type", ".status.syncType", description="What a sync does."),
        build_condition_column("Ready", "status", "Whether the last run published its data."),
        PrinterColumn("Phase", ".status.phase", description="What it is doing."),
        PrinterColumn("Rows", ".status.table.rows", "integer", description="Rows in the table."),
        PrinterColumn(
            "Last Synced", ".status.lastSyncedAt", "date", 0, "When data was last published."
        ),
        PrinterColumn("Next", ".status.nextSyncAt", "string", 0, "When the schedule fires next."),
        PrinterColumn("Age", ".metadata.creationTimestamp", "date"),
        build_condition_column("Reason", "reason", "Why it is ready or not.", priority=1),
        PrinterColumn("Table", ".status.table.uri", "string", 1, "Address of the table."),
        build_condition_column("Message", "message", "What a person should know.", priority=1),
    ),
    selectable_fields=(".spec.sourceRef.name", ".spec.stream", ".status.phase"),
)
