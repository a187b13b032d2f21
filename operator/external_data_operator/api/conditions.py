"""Every condition type and reason, each with the sentence that explains it.

`kubectl describe` shows the reasons, the reference page prints this file, and a test fails when a
reason has no sentence. Reasons are CamelCase words. Whether a person should look and whether
something tries again are two facts; `Stalled` is true where a person must act and nothing does.
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
    Reason.INVALID_SPEC: "The spec contradicts itself. Correct the field that the message names.",
    Reason.INLINE_CREDENTIALS_REFUSED: (
        "This operator refuses credentials in a spec; use secretKeyRef."
    ),
    Reason.SECRET_NOT_FOUND: (
        "A Secret, ConfigMap or key that the spec refers to does not exist. Create it, or correct"
        " the reference; work continues as soon as it exists."
    ),
    Reason.CREDENTIALS_REJECTED: (
        "The source answered 401 or 403; correct the Secret or the source's permissions."
    ),
    Reason.UNREACHABLE: (
        "No connection could be made: the name does not resolve, nothing listens, or TLS fails."
        " Check the address, the network and tls.ca; the operator tries again."
    ),
    Reason.HOST_NOT_ALLOWED: (
        "The host's address is private, or the scheme is not https. Use a public address and https,"
        " or ask the operator's administrator to open the host with allowPrivateHosts."
    ),
    Reason.OTHER_ORIGIN: (
        "A redirect or a next page leads to another scheme, host or port than baseUrl, where "
        "credentials must not go; use an address that needs no such step."
    ),
    Reason.INVALID_DESTINATION: (
        "The destination cannot be used: the bucket does not exist, or a field is wrong. Create the"
        " bucket, or correct spec.destination."
    ),
    Reason.DESTINATION_FORBIDDEN: (
        "The bucket refused the credentials or the permission to write. Correct the Secret, or give"
        " its user the right to read, write and list."
    ),
    Reason.CONDITIONAL_PUT_UNSUPPORTED: (
        "The object store ignores conditional puts, so that two writers could overwrite each "
        "other; use a store that honours If-None-Match."
    ),
    Reason.RECORDS_PATH_NOT_FOUND: (
        "recordsPath is not in the response. Correct it; the message names the keys that are there."
    ),
    Reason.INVALID_RESPONSE: (
        "The response is not JSON, or an error or something else is in the place of rows. Check"
        " path, params and recordsPath; the message names the place, or the keys that are there."
    ),
    Reason.INVALID_RECORDS: (
        "The rows are not JSON objects, or the response is an envelope whose recordsPath is not"
        " stated. Correct or state recordsPath."
    ),
    Reason.REQUEST_REJECTED: (
        "The source refused the request (a 4xx). Correct path, params or body; the message contains"
        " the status."
    ),
    Reason.RATE_LIMITED: (
        "The source asked to slow down for longer than a run waits (20 minutes for one page); the"
        " message contains the time. The next run tries again."
    ),
    Reason.SOURCE_UNAVAILABLE: (
        "The source answered 5xx, broke off, sent nothing that proves how many rows there are, or"
        " refused a request after it had accepted others of the run, on every attempt; the next run"
        " tries again."
    ),
    Reason.LOOP_DETECTED: (
        "The source led back to a page or to rows that the run had read already, or too many pages"
        " in a row brought nothing new; the message contains which. Correct the pagination, or set"
        " its idlePagesMax where the source is right."
    ),
    Reason.LIMIT_EXCEEDED: (
        "The run passed its bound of pages, bytes or seconds. Ask for less at a time (params, a"
        " page size, windowSeconds), or raise the memory limit if the message names it."
    ),
    Reason.SCHEMA_CONFLICT: (
        "A column changed to a type that the table's cannot be widened to; nothing was changed."
        " Leave the column out with enabledColumns, or write the stream to a new table."
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
    Reason.DISK_FULL: "The pod's scratch space is full. Raise the operator's runner scratch size.",
    Reason.DEADLINE_EXCEEDED: (
        "The run took longer than its deadline; the next one tries again. Raise the operator's run"
        " deadline, or ask for less at a time."
    ),
    Reason.EVICTED: "The node evicted the pod; the run goes on in a new one.",
    Reason.IMAGE_PULL_FAILED: (
        "The runner's image cannot be pulled; Kubernetes tries again. Check the image's name and"
        " the pull secrets."
    ),
    Reason.POD_REFUSED: (
        "The cluster refused the Job's pod (a quota, a limit range, pod security); Kubernetes tries"
        " again. Make room, or correct spec.runtime as the message describes."
    ),
    Reason.UNSCHEDULABLE: (
        "No node has room for the pod or tolerates it; work goes on once one does."
    ),
    Reason.TABLE_TAKEN: (
        "An older schema writes to the same table. Give one of two sources a tablePrefix, rename"
        " one of two streams of a source, or delete one of two schemas of a stream."
    ),
    Reason.NAME_TAKEN: (
        "An object that this one needs has a name that somebody else's object has already; the"
        " message names it. Rename or delete one of the two."
    ),
    Reason.SOURCE_NOT_FOUND: (
        "No ExternalDataSource of that name is in this namespace. Create it, or delete the schema."
    ),
    Reason.SOURCE_NOT_READY: "The source is not ready. Read the status of the source.",
    Reason.STREAM_NOT_FOUND: (
        "The source has no stream of that name; its table stays as it is. Add the stream to the"
        " source, or delete the schema."
    ),
    Reason.NEVER_SYNCED: "No run has finished yet.",
    Reason.INTERNAL_ERROR: (
        "A bug in this project. Report it with the traceback, which is in the pod's log; the"
        " operator tries again."
    ),
}

GOOD_NEWS: frozenset[Reason] = frozenset(
    {Reason.READY, Reason.SYNCED, Reason.PROGRESSING, Reason.SUSPENDED, Reason.NEVER_SYNCED}
)
"""Nothing is wrong."""

RETRIED: frozenset[Reason] = frozenset(
    {
        Reason.SECRET_NOT_FOUND,
        Reason.UNREACHABLE,
        Reason.RATE_LIMITED,
        Reason.SOURCE_UNAVAILABLE,
        Reason.STORAGE_UNAVAILABLE,
        Reason.SUPERSEDED,
        Reason.OUT_OF_MEMORY,
        Reason.DISK_FULL,
        Reason.DEADLINE_EXCEEDED,
        Reason.EVICTED,
        Reason.IMAGE_PULL_FAILED,
        Reason.POD_REFUSED,
        Reason.UNSCHEDULABLE,
        Reason.SOURCE_NOT_FOUND,
        Reason.SOURCE_NOT_READY,
        Reason.INTERNAL_ERROR,
    }
)
"""The operator or Kubernetes tries again without a person."""

RETRIED_SOMETIMES: frozenset[Reason] = frozenset(
    {
        Reason.INVALID_RESPONSE,
        Reason.INVALID_RECORDS,
        Reason.RECORDS_PATH_NOT_FOUND,
        Reason.LIMIT_EXCEEDED,
    }
)
"""Tried again if the failure may pass: its class decides."""

PASSING: frozenset[Reason] = frozenset(
    {
        Reason.RATE_LIMITED,
        Reason.SOURCE_UNAVAILABLE,
        Reason.STORAGE_UNAVAILABLE,
        Reason.SUPERSEDED,
        Reason.EVICTED,
        Reason.UNSCHEDULABLE,
        Reason.SOURCE_NOT_READY,
    }
)
"""Usually over after a while; a person need not look unless it stays."""

ATTENTION: frozenset[Reason] = frozenset(Reason) - GOOD_NEWS - PASSING
"""A person should look, whether something tries again or not."""

STALLING: frozenset[Reason] = frozenset(
    {
        Reason.INVALID_SPEC,
        Reason.INLINE_CREDENTIALS_REFUSED,
        Reason.CREDENTIALS_REJECTED,
        Reason.HOST_NOT_ALLOWED,
        Reason.INVALID_DESTINATION,
        Reason.DESTINATION_FORBIDDEN,
        Reason.CONDITIONAL_PUT_UNSUPPORTED,
        Reason.STREAM_NOT_FOUND,
        Reason.TABLE_TAKEN,
        Reason.NAME_TAKEN,
    }
)
"""Where a check of the source, or a wait before any run, ends until a person acts. A run stalls by
its failure's class."""
