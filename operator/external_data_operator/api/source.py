"""ExternalDataSource: where data comes from, with which credentials, and where it lands."""

from enum import StrEnum
from typing import Annotated, Any, ClassVar

from pydantic import Field, field_validator, model_validator

from external_data_operator.api.base import ApiModel, CelRule, SpecModel
from external_data_operator.api.meta import ObjectName, ObjectRef
from external_data_operator.api.sources.rest import RestSource
from external_data_operator.api.status import Condition, Phase

SYNC_FREQUENCIES = ("never", "5min", "15min", "30min", "1hour", "6hour", "12hour", "24hour", "7day", "30day")


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
    prefix: str = Field(default="", max_length=512, pattern=r"^([A-Za-z0-9!_.*'()=-]+(/[A-Za-z0-9!_.*'()=-]+)*)?$")
    """Folder inside the bucket."""
    endpoint: str = Field(default="", max_length=2048, pattern=r"^(https?://[^\s/?#]+/?)?$")
    """Address of the store; empty for AWS."""
    region: str = Field(default="us-east-1", min_length=1, max_length=64)
    """Region of the bucket."""
    credentials_secret_ref: ObjectRef | None = None
    """Secret with AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (and AWS_SESSION_TOKEN); without it the
    pod's own identity is used."""


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
    """How often they are synced."""


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

    key: str | None = None
    """Taint key; empty with operator Exists tolerates all."""
    operator: str | None = None
    """Exists or Equal."""
    value: str | None = None
    """Taint value."""
    effect: str | None = None
    """NoSchedule, PreferNoSchedule or NoExecute."""
    toleration_seconds: int | None = None
    """How long a NoExecute taint is tolerated."""


class Resources(SpecModel):
    """Requests and limits of the runner's container."""

    requests: dict[str, str] = Field(default_factory=dict, max_length=16)
    """What is reserved."""
    limits: dict[str, str] = Field(default_factory=dict, max_length=16)
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


class SourceSpec(SpecModel):
    """What a user wants of a source."""

    description: str | None = Field(default=None, max_length=1000)
    """What this source is, for people."""
    table_prefix: str = Field(default="", max_length=63, pattern=r"^([a-z_][a-z0-9_]*)?$")
    """Put before each table's name. Immutable."""
    suspend: bool = False
    """Stops scheduling for every schema of this source; what runs goes on."""
    rest: RestSource | None = None
    """A REST API."""
    schemas: SchemaPolicy = Field(default_factory=SchemaPolicy)
    """What becomes of discovered tables."""
    destination: Destination | None = None
    """Where tables land; the operator's default without it."""
    runtime: Runtime = Field(default_factory=Runtime)
    """How pods of this source run."""

    KINDS: ClassVar[tuple[str, ...]] = ("rest",)
    cel_rules: ClassVar[tuple[CelRule, ...]] = (
        CelRule("has(self.rest)", "exactly one kind of source must be set: rest"),
        CelRule(
            "(has(self.tablePrefix) ? self.tablePrefix : '') == "
            "(has(oldSelf.tablePrefix) ? oldSelf.tablePrefix : '')",
            "tablePrefix is immutable",
            update_only=True,
        ),
    )

    @model_validator(mode="after")
    def _exactly_one_kind(self) -> "SourceSpec":
        if sum(getattr(self, kind) is not None for kind in self.KINDS) != 1:
            raise ValueError(f"exactly one kind of source must be set: {', '.join(self.KINDS)}")
        return self

    @property
    def kind(self) -> str:
        """The key that is set."""
        return next(kind for kind in self.KINDS if getattr(self, kind) is not None)


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


class SourceStatus(ApiModel):
    """What the operator saw."""

    observed_generation: int = -1
    """Generation of the spec that this status speaks of."""
    conditions: list[Condition] = Field(default_factory=list, json_schema_extra={"listMapKeys": ["type"]})
    """Ready, CredentialsValid, Discovered; Reconciling and Stalled while true."""
    phase: Phase | None = None
    """Summary for people, derived from the schemas."""
    schemas: SchemaCounts | None = None
    """How many schemas there are."""
    last_discovered_at: str | None = None
    """When the tables were last listed."""
    latest_error: str | None = None
    """The newest error of the source or of one of its schemas."""
    checked_fingerprint: str | None = None
    """What the last check looked at; a change starts a new one."""
    handled_requests: dict[str, str] = Field(default_factory=dict)
    """The last token of each action annotation that was carried out."""

    @field_validator("handled_requests", mode="before")
    @classmethod
    def _null_is_empty(cls, value: Any) -> Any:
        return {} if value is None else value
