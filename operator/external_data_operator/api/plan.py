"""The hand-off: what the operator gives the runner, and what the runner hands back.

A plan is a ConfigMap's `plan.json`; it refers to credentials and never holds one. A report is at
most 4,096 bytes, the size of a termination message; a discovery is the check pod's standard output,
one JSON document.
"""

from enum import IntEnum, StrEnum
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from external_data_operator.api.base import ApiModel
from external_data_operator.api.conditions import Reason
from external_data_operator.api.cursors import CursorType, IncrementalField
from external_data_operator.api.schema import Column, Retention, SyncType, TableStatus
from external_data_operator.api.source import S3Destination
from external_data_operator.api.sources import SourceHolder, add_kinds

REPORT_BYTES_MAX = 4096
PLAN_KEY = "plan.json"
PLAN_DIR = "/etc/external-data/plan"
"""Where the plan's ConfigMap is mounted."""
SECRETS_DIR = "/etc/external-data/secrets"
"""A Secret's key is the file `<name>/<key>` below it."""
CONFIG_MAPS_DIR = "/etc/external-data/config-maps"
"""A ConfigMap's key is the file `<name>/<key>` below it."""
SCRATCH_DIR = "/tmp"  # noqa: S108
"""The one writable folder of the pod."""
RUN_ID_ENV = "EXTERNAL_DATA_RUN_ID"
"""Names the run: the Job's uid, the same for each of its pods."""
SCHEMA_ENV = "EXTERNAL_DATA_SCHEMA"
"""Names the ExternalDataSchema that the run is for; unset for a check."""
LOG_FORMAT_ENV = "EXTERNAL_DATA_LOG_FORMAT"
"""`json` or `text`. Default: json."""
ALLOW_SHRINK_ENV = "EXTERNAL_DATA_ALLOW_SHRINK"
"""`true` in the pods of a run that may leave its table with few rows or none."""


class Task(StrEnum):
    """What a runner is asked to do."""

    CHECK = "Check"
    SYNC = "Sync"


class ExitCode(IntEnum):
    """How a runner ends; the Job's pod failure policy reads it."""

    OK = 0
    BUG = 1
    RETRYABLE = 75
    CONFIGURATION = 78


class NetworkPolicy(ApiModel):
    """Which addresses beyond the public ones may be connected to."""

    private_cidrs: list[str] = Field(default_factory=list)
    """Private networks that this namespace may reach, also by plain http."""


class Limits(ApiModel):
    """The bounds of one run."""

    batch_rows: int = 20_000
    """Rows of one Arrow batch, about."""
    batch_bytes: int = 16 << 20
    """Bytes of page bodies that become one batch, about."""
    part_bytes: int = 32 << 20
    """Bytes of one Parquet part, about; memory holds two."""
    page_bytes: int = 256 << 20
    """Bytes of one page's body, unpacked. A runner that knows its memory limit goes by that."""
    pages: int = 10_000_000
    """Pages of one run."""
    bytes: int = 1 << 40
    """Bytes of page bodies of one run."""
    seconds: int = 24 * 3600
    """Seconds of one run."""


class FileDestination(ApiModel):
    """A folder of this machine, for runs without a cluster."""

    path: str
    """The folder."""


class TableTarget(ApiModel):
    """The place of one table, or, for a check, of all tables of the source."""

    s3: S3Destination | None = None
    """A bucket."""
    file: FileDestination | None = None
    """A folder, for runs without a cluster."""
    path: str
    """Folder of the table below the bucket and its prefix: `<namespace>/<table>`."""
    trusted: bool = False
    """The operator's own default destination: its endpoint is not held against the host rules."""

    @property
    def uri(self) -> str:
        """Address of the table, for people and readers."""
        if self.s3 is not None:
            return "s3://" + "/".join(p for p in (self.s3.bucket, self.s3.prefix, self.path) if p)
        assert self.file is not None, "a target has a bucket or a folder"
        return f"file://{self.file.path.rstrip('/')}/{self.path}"


class SyncOptions(ApiModel):
    """How the one stream of a Sync is read and published."""

    stream: str
    sync_type: SyncType = SyncType.FULL_REFRESH
    incremental_field: str | None = None
    incremental_field_type: CursorType | None = None
    lookback_seconds: int = 0
    primary_key_columns: list[str] = Field(default_factory=list)
    applies_changes: bool | None = None
    """Whether an incremental sync reads the source's log, which marks rows whose key is gone: they
    leave the table."""
    enabled_columns: list[str] | None = None
    retention: Retention | None = None
    shrink_guard_percent: int | None = None


class TablePlan(ApiModel):
    """One stream, and the table that it goes to."""

    sync: SyncOptions
    target: TableTarget


class Plan(SourceHolder):
    """All that a runner needs to know, but for the credentials."""

    task: Task
    namespace: str
    source: str
    tables: list[TablePlan] = Field(default_factory=list)
    """Of a Sync: one table, or those that one feed of the source fills."""
    target: TableTarget | None = None
    """Of a check: where the source's tables will be."""
    limits: Limits = Field(default_factory=Limits)
    network: NetworkPolicy = Field(default_factory=NetworkPolicy)

    @property
    def only(self) -> TablePlan:
        """The table of a plan that has one."""
        (table,) = self.tables
        return table

    def narrow(self, table: TablePlan) -> Self:
        """The plan of one of its tables. A feed that gets another table leaves the others as they
        are."""
        return self.model_copy(update={"tables": [table]})

    @model_validator(mode="before")
    @classmethod
    def _read_earlier(cls, data: Any) -> Any:
        """A plan of a version before had one table, which lay in the plan itself: its ConfigMap
        outlives an upgrade, and so may the Job that mounts it."""
        if not isinstance(data, dict) or "sync" not in data:
            return data
        rest = {key: value for key, value in data.items() if key not in ("sync", "target")}
        if data["sync"] is None:
            return {**rest, "target": data.get("target")}
        return {**rest, "tables": [{"sync": data["sync"], "target": data.get("target")}]}


add_kinds(Plan, after="source")


class FailureClass(StrEnum):
    """What resolves a failure: a retry, a person, or a fix of a bug."""

    RETRYABLE = "Retryable"
    CONFIGURATION = "Configuration"
    BUG = "Bug"


class Failure(ApiModel):
    """Why a run ended without publishing."""

    failure_class: FailureClass
    reason: Reason
    message: str
    """A sentence with ids, counts, field names and HTTP status; never bodies, headers, queries or
    credentials."""


class TableReport(ApiModel):
    """What a run left in one table."""

    stream: str | None = None
    """The table's stream; null in a report of a version before, whose runs had one table."""
    rows: int = 0
    """Rows that the table took."""
    table: TableStatus | None = None
    """Null where the stream has had no row yet."""
    cursor: str | None = None
    notes: list[str] = Field(default_factory=list)
    """Sentences on what the run did to the data that a person may want to know."""
    columns: list[Column] | None = None
    """The table's columns; null where they do not fit, and then the log holds them."""


_OF_A_TABLE = ("table", "cursor", "notes", "columns")


class Report(ApiModel):
    """What a run hands back."""

    task: Task
    run_id: str
    result: Literal["Succeeded", "Failed"]
    failure: Failure | None = None
    rows: int = 0
    """Rows read from the source."""
    pages: int = 0
    bytes: int = 0
    """Bytes of page bodies."""
    seconds: float = 0.0
    resumed: bool = False
    """Whether this pod went on from another's journal."""
    tables: list[TableReport] = Field(default_factory=list)
    """Each table of a Sync that succeeded; empty where they do not fit, and then the log holds
    them."""

    def find_table(self, stream: str) -> TableReport | None:
        """The report of a stream's table; None if the report does not have it."""
        return next((one for one in self.tables if one.stream in (stream, None)), None)

    @model_validator(mode="before")
    @classmethod
    def _read_earlier(cls, data: Any) -> Any:
        """A report of a version before had one table, and no list: a run may be at work while the
        operator is upgraded."""
        if not isinstance(data, dict) or "tables" in data:
            return data
        table = {key: data[key] for key in _OF_A_TABLE if key in data}
        rest = {key: value for key, value in data.items() if key not in _OF_A_TABLE}
        if data.get("task") != Task.SYNC or data.get("result") != "Succeeded":
            return rest
        return {**rest, "tables": [{"rows": data.get("rows", 0), **table}]}


class DiscoveredStream(ApiModel):
    """One stream that a source has."""

    name: str
    label: str | None = None
    description: str | None = None
    primary_key: list[str] = Field(default_factory=list)
    """The declared key."""
    columns: list[Column] = Field(default_factory=list)
    incremental_fields: list[IncrementalField] = Field(default_factory=list)
    """The declared cursor, and fields that could be one."""
    incremental_field: str | None = None
    """The declared cursor."""
    candidate_key: list[str] = Field(default_factory=list)
    """Fields that had a different value in each of the first rows; a suggestion that never acts."""
    sampled_rows: int = 0
    """The number of rows that were looked at."""
    has_log: bool = False
    """Whether the source keeps a log of what happens in the stream. It is read after the place of
    the last commit, and needs no cursor."""
    notes: list[str] = Field(default_factory=list)
    """Sentences on what the stream's first page lacks."""


class Discovery(ApiModel):
    """What a check found, as the one JSON document on its standard output."""

    streams: list[DiscoveredStream]
