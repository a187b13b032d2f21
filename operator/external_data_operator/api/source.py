"""ExternalDataSource: the origin of the data, its credentials and its destination."""

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
    """Address of the object store. If empty: AWS."""
    region: str = Field(default="us-east-1", min_length=1, max_length=64)
    """Region of the bucket."""
    credentials_secret_ref: ObjectRef | None = None
    """Secret with the keys AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, and optionally
    AWS_SESSION_TOKEN. Default: the pod's own identity."""


class Destination(SpecModel):
    """Destination of the tables. Exactly one key must be set."""

    s3: S3Destination
    """A bucket of an S3-compatible object store."""


class EnablePolicy(StrEnum):
    """Whether the schemas that the operator creates are synced."""

    ALL = "All"
    NONE = "None"


class SchemaDefaults(SpecModel):
    """Defaults for the schemas of this source."""

    sync_frequency: SyncFrequency = SyncFrequency.HOUR_6
    """Interval between two syncs: never, 5min, 15min, 30min, 1hour, 6hour, 12hour, 24hour, 7day or
    30day."""


class SchemaPolicy(SpecModel):
    """Which streams get a schema, and its defaults."""

    enable: EnablePolicy = EnablePolicy.ALL
    """All syncs the schemas that the operator creates. None creates them with `shouldSync:
    false`."""
    include: list[Annotated[str, Field(min_length=1, max_length=128)]] = Field(
        default_factory=lambda: ["*"], max_length=100
    )
    """Shell patterns of the streams that get a schema."""
    exclude: list[Annotated[str, Field(min_length=1, max_length=128)]] = Field(
        default_factory=list, max_length=100
    )
    """Shell patterns of the streams that get no schema, even if `include` matches them."""
    defaults: SchemaDefaults = Field(default_factory=SchemaDefaults)
    """Defaults for the schemas of this source."""


class Toleration(SpecModel):
    """A taint that pods of this source tolerate."""

    key: str | None = Field(default=None, max_length=317)
    """Key of the taint. If unset, with operator Exists: all taints."""
    operator: Literal["Exists", "Equal"] | None = None
    """Exists or Equal. Default: Equal."""
    value: str | None = Field(default=None, max_length=63)
    """Value of the taint."""
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] | None = None
    """NoSchedule, PreferNoSchedule or NoExecute. Default: all effects."""
    toleration_seconds: int | None = None
    """Seconds for which a NoExecute taint is tolerated. Default: forever."""


class Resources(SpecModel):
    """Requests and limits of the runner's container."""

    requests: dict[str, Quantity] = Field(default_factory=dict, max_length=16)
    """Resources that the node reserves for the container."""
    limits: dict[str, Quantity] = Field(default_factory=dict, max_length=16)
    """Resources that the container may not exceed."""


class Runtime(SpecModel):
    """Settings of the pods of this source. They override the operator's defaults, key by key."""

    resources: Resources = Field(default_factory=Resources)
    """Requests and limits of the runner's container."""
    node_selector: dict[str, str] = Field(default_factory=dict, max_length=64)
    """Labels that a node must have to run the pods."""
    tolerations: list[Toleration] = Field(default_factory=list, max_length=64)
    """Taints that the pods tolerate."""
    service_account_name: ObjectName | None = None
    """Service account of the pods, for an identity in the cloud. The pods never get a token for the
    Kubernetes API."""
    priority_class_name: ObjectName | None = None
    """Priority class of the pods."""
    runtime_class_name: ObjectName | None = None
    """Runtime class of the pods, such as a sandbox."""


class SourceSpec(SourceHolder, SpecModel):
    """Desired state of a source."""

    description: str | None = Field(default=None, max_length=1000)
    """Description of the source, for people."""
    table_prefix: str = Field(default="", max_length=63, pattern=r"^([a-z_][a-z0-9_]*)?$")
    """Prefix of the name of each table. Immutable."""
    suspend: bool = False
    """Stops scheduling all schemas of this source. Running syncs finish."""
    schemas: SchemaPolicy = Field(default_factory=SchemaPolicy)
    """Which streams get a schema, and how often it is synced."""
    destination: Destination | None = None
    """Destination of the tables. Default: the operator's default destination."""
    runtime: Runtime = Field(default_factory=Runtime)
    """Settings of the pods of this source. They override the operator's defaults, key by key."""

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
    """Number of schemas of a source."""

    total: int = 0
    """All schemas of the source."""
    enabled: int = 0
    """Schemas that are synced."""
    running: int = 0
    """Schemas with an active run."""
    failed: int = 0
    """Schemas whose last run failed."""


class SourceStatus(ObjectStatus):
    """Observed state of a source."""

    kind: str | None = None
    """Kind of the source: the key that the spec sets."""
    schemas: SchemaCounts | None = None
    """Number of schemas of the source."""
    last_discovered_at: Timestamp | None = None
    """Time at which a check last listed the streams."""
    checked_fingerprint: str | None = None
    """Hash of the inputs of the last check. The operator checks the source again when it
    changes."""


SOURCE = ResourceKind(
    kind="ExternalDataSource",
    plural="externaldatasources",
    short_name="eds",
    description="A source of data: its streams, its credentials and its destination.",
    spec=SourceSpec,
    status=SourceStatus,
    columns=(
        PrinterColumn("Kind", ".status.kind", description="Kind of the source."),
        build_condition_column("Ready", "status", "Whether the source can be read."),
        build_condition_column("Reason", "reason", "Reason of the condition Ready."),
        PrinterColumn("Phase", ".status.phase", description="Summary of its schemas."),
        PrinterColumn(
            "Schemas", ".status.schemas.total", "integer", description="Number of its schemas."
        ),
        PrinterColumn(
            "Enabled", ".status.schemas.enabled", "integer", 1, "Schemas that are synced."
        ),
        PrinterColumn(
            "Failed", ".status.schemas.failed", "integer", 1, "Schemas whose last run failed."
        ),
        PrinterColumn(
            "Suspended", ".spec.suspend", "boolean", 1, "Whether scheduling is turned off."
        ),
        PrinterColumn("Age", ".metadata.creationTimestamp", "date"),
        build_condition_column("Message", "message", "Message of the condition Ready.", priority=1),
    ),
    selectable_fields=(".spec.suspend", ".status.kind", ".status.phase"),
)
