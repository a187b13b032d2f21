"""Every condition type and reason, each with the sentence that explains it.

`kubectl describe` shows the reasons, the reference page prints this file, and a test fails when a
reason has no sentence. Reasons are CamelCase words; at a `STALLING` one nothing goes on before a
person acts.
"""

from enum import StrEnum


class ConditionType(StrEnum):
    """What a condition speaks of."""

    READY = "Ready"
    CREDENTIALS_VALID = "CredentialsValid"
    DISCOVERED = "Discovered"
    RECONCILING = "Reconciling"
    STALLED = "Stalled"


class Reason(StrEnum):
    """Why a condition has its status."""

    READY = "Ready"
    SYNCED = "Synced"
    PROGRESSING = "Progressing"
    SUSPENDED = "Suspended"
    INVALID_SPEC = "InvalidSpec"
    INLINE_CREDENTIALS_REFUSED = "InlineCredentialsRefused"
    SECRET_NOT_FOUND = "SecretNotFound"  # noqa: S105
    CREDENTIALS_REJECTED = "CredentialsRejected"
    UNREACHABLE = "Unreachable"
    HOST_NOT_ALLOWED = "HostNotAllowed"
    OTHER_ORIGIN = "OtherOrigin"
    INVALID_DESTINATION = "InvalidDestination"
    DESTINATION_FORBIDDEN = "DestinationForbidden"
    CONDITIONAL_PUT_UNSUPPORTED = "ConditionalPutUnsupported"
    RECORDS_PATH_NOT_FOUND = "RecordsPathNotFound"
    INVALID_RESPONSE = "InvalidResponse"
    INVALID_RECORDS = "InvalidRecords"
    REQUEST_REJECTED = "RequestRejected"
    RATE_LIMITED = "RateLimited"
    SOURCE_UNAVAILABLE = "SourceUnavailable"
    LOOP_DETECTED = "LoopDetected"
    LIMIT_EXCEEDED = "LimitExceeded"
    SCHEMA_CONFLICT = "SchemaConflict"
    CURSOR_FIELD_MISSING = "CursorFieldMissing"
    PRIMARY_KEY_MISSING = "PrimaryKeyMissing"
    STORAGE_UNAVAILABLE = "StorageUnavailable"
    TABLE_DAMAGED = "TableDamaged"
    TABLE_FEATURE_UNSUPPORTED = "TableFeatureUnsupported"
    TABLE_WOULD_SHRINK = "TableWouldShrink"
    SUPERSEDED = "Superseded"
    OUT_OF_MEMORY = "OutOfMemory"
    DISK_FULL = "DiskFull"
    DEADLINE_EXCEEDED = "DeadlineExceeded"
    EVICTED = "Evicted"
    IMAGE_PULL_FAILED = "ImagePullFailed"
    POD_REFUSED = "PodRefused"
    UNSCHEDULABLE = "Unschedulable"
    TABLE_TAKEN = "TableTaken"
    NAME_TAKEN = "NameTaken"
    SOURCE_NOT_FOUND = "SourceNotFound"
    SOURCE_NOT_READY = "SourceNotReady"
    STREAM_NOT_FOUND = "StreamNotFound"
    NEVER_SYNCED = "NeverSynced"
    INTERNAL_ERROR = "InternalError"


SENTENCES: dict[Reason, str] = {
    Reason.READY: "The source was checked and its tables are known.",
    Reason.SYNCED: "The last run published its data.",
    Reason.PROGRESSING: "Work is under way; nothing to do.",
    Reason.SUSPENDED: "Scheduling is turned off in the spec.",
    Reason.INVALID_SPEC: "The spec contradicts itself; the message names the field.",
    Reason.INLINE_CREDENTIALS_REFUSED: (
        "This operator refuses credentials in a spec; use secretKeyRef."
    ),
    Reason.SECRET_NOT_FOUND: (
        "A Secret, ConfigMap or key that the spec refers to does not exist yet; work goes on by"
        " itself once it does."
    ),
    Reason.CREDENTIALS_REJECTED: (
        "The source answered 401 or 403; correct the Secret or the source's permissions."
    ),
    Reason.UNREACHABLE: (
        "No connection could be made: the name does not resolve, nothing listens, or TLS fails."
    ),
    Reason.HOST_NOT_ALLOWED: (
        "The host's address is private, or the scheme is not https; an operator's administrator"
        " may open it with allowPrivateHosts."
    ),
    Reason.OTHER_ORIGIN: (
        "A redirect or a next page leads to another scheme, host or port than baseUrl, where "
        "credentials must not go; use an address that needs no such step."
    ),
    Reason.INVALID_DESTINATION: (
        "The destination cannot be used as written: the bucket does not exist, or a field is wrong."
    ),
    Reason.DESTINATION_FORBIDDEN: "The bucket refused the credentials or the permission to write.",
    Reason.CONDITIONAL_PUT_UNSUPPORTED: (
        "The object store ignores conditional puts, so that two writers could overwrite each "
        "other; use a store that honours If-None-Match."
    ),
    Reason.RECORDS_PATH_NOT_FOUND: (
        "recordsPath leads nowhere in the response; the message names the keys that are there."
    ),
    Reason.INVALID_RESPONSE: (
        "The response is not JSON, or an error or something else in the place of rows; the message"
        " names the place, or the keys that are there."
    ),
    Reason.INVALID_RECORDS: (
        "The rows are not JSON objects, or the response is an envelope whose recordsPath is not"
        " stated."
    ),
    Reason.REQUEST_REJECTED: (
        "The source refused the request (a 4xx); the message holds the status."
    ),
    Reason.RATE_LIMITED: (
        "The source asked to slow down for longer than a run may wait; the next run tries again."
    ),
    Reason.SOURCE_UNAVAILABLE: (
        "The source answered 5xx, broke off, or sent nothing that proves how many rows there are,"
        " on every attempt; the next run tries again."
    ),
    Reason.LOOP_DETECTED: (
        "The source led back to a page or to rows that the run had read already, or ten pages in a"
        " row brought nothing new; the message says which. Correct the pagination."
    ),
    Reason.LIMIT_EXCEEDED: "The run passed its bound of pages, bytes or seconds.",
    Reason.SCHEMA_CONFLICT: (
        "A column changed to a type that the table's cannot be widened to; nothing was changed."
    ),
    Reason.CURSOR_FIELD_MISSING: "No row has the incremental field; choose another one.",
    Reason.PRIMARY_KEY_MISSING: (
        "Rows lack a primary key column; choose columns that every row has."
    ),
    Reason.STORAGE_UNAVAILABLE: (
        "The object store failed on every attempt; the next run tries again."
    ),
    Reason.TABLE_DAMAGED: (
        "The table's log or files are incomplete; the message says what is missing and how to "
        "go on."
    ),
    Reason.TABLE_FEATURE_UNSUPPORTED: (
        "Another tool gave the table a feature, partitions or a rule that this operator does not "
        "write; the message names it and the statement that removes it."
    ),
    Reason.TABLE_WOULD_SHRINK: (
        "A full refresh would leave few of the table's rows or none, so it was held back; nothing "
        "was changed. Check the source's permissions and parameters. If the table is to shrink, "
        "set the annotation allow-shrink."
    ),
    Reason.SUPERSEDED: "Another run published first; this one changed nothing.",
    Reason.OUT_OF_MEMORY: (
        "The pod was killed for its memory limit; raise runtime.resources.limits.memory."
    ),
    Reason.DISK_FULL: "The pod's scratch space is full.",
    Reason.DEADLINE_EXCEEDED: "The run took longer than its deadline.",
    Reason.EVICTED: "The node evicted the pod; the run goes on in a new one.",
    Reason.IMAGE_PULL_FAILED: "The runner's image cannot be pulled.",
    Reason.POD_REFUSED: "The cluster refused the Job's pod (a quota, a limit range, pod security).",
    Reason.UNSCHEDULABLE: (
        "No node has room for the pod or tolerates it; work goes on once one does."
    ),
    Reason.TABLE_TAKEN: (
        "An older schema writes to the same table; give one of the sources a tablePrefix."
    ),
    Reason.NAME_TAKEN: (
        "An object that this one needs has a name that somebody else's object has already; the"
        " message names it. Rename or delete one of the two."
    ),
    Reason.SOURCE_NOT_FOUND: "No ExternalDataSource of that name is in this namespace.",
    Reason.SOURCE_NOT_READY: "The source is not ready; its own status says why.",
    Reason.STREAM_NOT_FOUND: (
        "The source has no stream of that name any more; its table stays as it is."
    ),
    Reason.NEVER_SYNCED: "No run has finished yet.",
    Reason.INTERNAL_ERROR: "A bug in this project; the traceback is in the pod's log.",
}

STALLING: frozenset[Reason] = frozenset(
    {
        Reason.INVALID_SPEC,
        Reason.INLINE_CREDENTIALS_REFUSED,
        Reason.SECRET_NOT_FOUND,
        Reason.CREDENTIALS_REJECTED,
        Reason.UNREACHABLE,
        Reason.HOST_NOT_ALLOWED,
        Reason.INVALID_DESTINATION,
        Reason.DESTINATION_FORBIDDEN,
        Reason.CONDITIONAL_PUT_UNSUPPORTED,
        Reason.IMAGE_PULL_FAILED,
        Reason.POD_REFUSED,
        Reason.STREAM_NOT_FOUND,
        Reason.TABLE_TAKEN,
        Reason.NAME_TAKEN,
    }
)
"""Where a check of the source, or a wait before any run, ends and a person must act. A run stalls
by its failure's class."""
