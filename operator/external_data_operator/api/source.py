"""ExternalDataSource: where data comes from, with which credentials, and where it lands."""

from enum import StrEnum
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from external_data_operator.api.base import (
    ApiModel,
    CelRule,
    PrinterColumn,
    ResourceKind,
    SpecModel,
    build_immutable_rule,
)
from external_data_operator.api.meta import ObjectName, ObjectRef, Quantity, Timestamp
from external_data_operator.api.sources import SOURCES, SourceHolder, add_kinds
from external_data_operator.api.status import ObjectStatus, build_condition_column


class SyncFrequency(StrEnum):
    """How often a table is synced."""

    NEVER = "never"
    MIN_5 = "5min"
    MIN_15 = "15min"
    MIN_30 = "30min"
    HOUR_1 = "1hour"
    HOUR_6 = "6hour"
    HOUR_12 = "12hour"
    HOUR_24 = "24hour"
    DAY_7 = "7day"
    DAY_30 = "30day"


class S3Destination(SpecModel):
    """A bucket of an S3-compatible object store."""

    bucket: str = Field(min_length=3, max_length=63, pattern=r"^[a-z0-9][a-z0-9.-]*[a-z0-9]$")
    """Name of the bucket; it must exist."""
    prefix: str = Field(
        default="", max_length=512, pattern=r"^([A-Za-z0-9!_.*'()=-]+(/[A-Za-z0-9!_.*'()=-]+)*)?$"
    )
    """Folder inside the bucket."""
    endpoint: str = Field(default="", max_length=2048, pattern=r"^(https?://[^\s/?#@]+/?)?$")
    """Address of the store; empty for AWS."""
    region: str = Field(default="us-east-1", min_length=1, max_length=64)
    """Region of the bucket."""
    credentials_secret_ref: ObjectRef | None = None
    """Secret with AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (and AWS_SESSION_TOKEN); without it
    the pod's own identity is used."""


class Destination(SpecModel):
    """Where tables land; exactly one key."""

    s3: S3Destination
    """A bucket."""


class EnablePolicy(StrEnum):
    """What becomes of a discovered table that has no schema yet."""

    ALL = "All"
    NONE = "None"


class SchemaDefaults(SpecModel):
    """Values for the schemas that the operator creates."""

    sync_frequency: SyncFrequency = SyncFrequency.HOUR_6
    """How often they are synced: never, 5min, 15min, 30min, 1hour, 6hour, 12hour, 24hour, 7day or
    30day."""


class SchemaPolicy(SpecModel):
    """What becomes of discovered tables."""

    enable: EnablePolicy = EnablePolicy.ALL
    """Whether new schemas are synced or only listed."""
    include: list[Annotated[str, Field(min_length=1, max_length=128)]] = Field(
        default_factory=lambda: ["*"], max_length=100
    )
    """Streams that get a schema, as shell patterns."""
    exclude: list[Annotated[str, Field(min_length=1, max_length=128)]] = Field(
        default_factory=list, max_length=100
    )
    """Streams that get none, even if included."""
    defaults: SchemaDefaults = Field(default_factory=SchemaDefaults)
    """Values for the schemas that the operator creates."""


class Toleration(SpecModel):
    """A taint that pods of this source tolerate."""

    key: str | None = Field(default=None, max_length=317)
    """Taint key; empty with operator Exists tolerates all."""
    operator: Literal["Exists", "Equal"] | None = None
    """Exists or Equal; Equal without it."""
    value: str | None = Field(default=None, max_length=63)
    """Taint value."""
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] | None = None
    """NoSchedule, PreferNoSchedule or NoExecute; all of them without it."""
    toleration_seconds: int | None = None
    """How long a NoExecute taint is tolerated."""


class Resources(SpecModel):
    """Requests and limits of the runner's container."""

    requests: dict[str, Quantity] = Field(default_factory=dict, max_length=16)
    """What is reserved."""
    limits: dict[str, Quantity] = Field(default_factory=dict, max_length=16)
    """What may not be passed."""


class Runtime(SpecModel):
    """How pods of this source run; merged over the operator's defaults."""

    resources: Resources = Field(default_factory=Resources)
    """Requests and limits of the runner's container."""
    node_selector: dict[str, str] = Field(default_factory=dict, max_length=64)
    """Labels that a node must have."""
    tolerations: list[Toleration] = Field(default_factory=list, max_length=64)
    """Taints that are tolerated."""
    service_account_name: ObjectName | None = None
    """Identity of the pods in the cloud; they never get a token for the Kubernetes API."""
    priority_class_name: ObjectName | None = None
    """Priority of the pods."""
    runtime_class_name: ObjectName | None = None
    """Sandbox that the pods run in."""


class SourceSpec(SourceHolder, SpecModel):
    """What a user wants of a source."""

    description: str | None = Field(default=None, max_length=1000)
    """What this source is, for people."""
    table_prefix: str = Field(default="", max_length=63, pattern=r"^([a-z_][a-z0-9_]*)?$")
    """Put before each table's name; nothing without it. Immutable."""
    suspend: bool = False
    """Stops scheduling for every schema of this source; what runs goes on."""
    schemas: SchemaPolicy = Field(default_factory=SchemaPolicy)
    """What becomes of discovered tables: which get a schema, and how often it is synced."""
    destination: Destination | None = None
    """Where tables land; the operator's default without it."""
    runtime: Runtime = Field(default_factory=Runtime)
    """How pods of this source run; merged over the operator's defaults."""

    cel_rules: ClassVar[tuple[CelRule, ...]] = (
        CelRule(
            "[" + ", ".join(f"has(self.{kind})" for kind in SOURCES) + "].exists_one(kind, kind)",
            f"exactly one kind of source must be set: {', '.join(SOURCES)}",
            lambda it: sum(getattr(it, kind) is not None for kind in SOURCES) == 1,
        ),
        build_immutable_rule("tablePrefix", default="''"),
    )


add_kinds(SourceSpec, after="suspend")


class SchemaCounts(ApiModel):
    """How many schemas a source has."""

    total: int = 0
    """All of them."""
    enabled: int = 0
    """Those that are synced."""
    running: int = 0
    """Those with a run under way."""
    failed: int = 0
    """Those whose last run failed."""


class SourceStatus(ObjectStatus):
    """What the operator saw."""

    kind: str | None = None
    """Kind of the source: the key that the spec sets."""
    schemas: SchemaCounts | None = None
    """How many schemas there are."""
    last_discovered_at: Timestamp | None = None
    """When the tables were last listed."""
    checked_fingerprint: str | None = None
    """What the last check looked at; a change starts a new one."""


SOURCE = ResourceKind(
    kind="ExternalDataSource",
    plural="externaldatasources",
    short_name="eds",
    description="Where data comes from, with which credentials, and where it lands.",
    spec=SourceSpec,
    status=SourceStatus,
    columns=(
        PrinterColumn("Kind", ".status.kind", description="Kind of the source."),
        build_condition_column("Ready", "status", "Whether the source can be read."),
        build_condition_column("Reason", "reason", "Why it is ready or not."),
        PrinterColumn("Phase", ".status.phase", description="Summary of its tables."),
        PrinterColumn("Schemas", ".status.schemas.total", "integer", description="Its tables."),
        PrinterColumn("Enabled", ".status.schemas.enabled", "integer", 1, "Those that are synced."),
        PrinterColumn("Failed", ".status.schemas.failed", "integer", 1, "Those that failed last."),
        PrinterColumn("Suspended", ".spec.suspend", "boolean", 1, "Whether scheduling is off."),
        PrinterColumn("Age", ".metadata.creationTimestamp", "date"),
        build_condition_column("Message", "message", "What a person should know.", priority=1),
    ),
    selectable_fields=(".spec.suspend", ".status.kind", ".status.phase"),
)
