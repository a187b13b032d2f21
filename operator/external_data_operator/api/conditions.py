"""Every condition type and reason, each with a sentence that explains it and a remedy.

`kubectl describe` shows the reasons, and the reference page is generated from this file. Reasons
are CamelCase words. `ATTENTION` and `RETRIED` are two facts about a reason: whether a person should
look, and whether the operator or Kubernetes retries. `Stalled` is true if a person must act and
nothing retries.
"""

from enum import StrEnum


class ConditionType(StrEnum):
    """The types of condition that the operator writes."""

    READY = "Ready"
    CREDENTIALS_VALID = "CredentialsValid"
    DISCOVERED = "Discovered"
    RECONCILING = "Reconciling"
    STALLED = "Stalled"


class Reason(StrEnum):
    """The reason of a condition."""

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
    Reason.READY: "The source was checked, and its streams are known.",
    Reason.SYNCED: "The last run published its data.",
    Reason.PROGRESSING: "A check or a run is in progress.",
    Reason.SUSPENDED: "The spec turns scheduling off.",
    Reason.INVALID_SPEC: (
        "The spec has a value that cannot be used, or fields that contradict each other."
    ),
    Reason.INLINE_CREDENTIALS_REFUSED: (
        "The spec contains a credential, and this operator refuses credentials in a spec."
    ),
    Reason.SECRET_NOT_FOUND: (
        "A Secret, a ConfigMap or a key that the spec refers to does not exist."
    ),
    Reason.CREDENTIALS_REJECTED: "The source rejected the credentials with status 401 or 403.",
    Reason.UNREACHABLE: (
        "No connection could be made: the host name does not resolve, no server listens, or TLS "
        "fails."
    ),
    Reason.HOST_NOT_ALLOWED: "The host has a private address, or the scheme is not https.",
    Reason.OTHER_ORIGIN: (
        "A redirect or the address of a next page has another scheme, host or port than baseUrl. "
        "Credentials are not sent there."
    ),
    Reason.INVALID_DESTINATION: (
        "The destination cannot be used: the bucket does not exist, or a field is wrong."
    ),
    Reason.DESTINATION_FORBIDDEN: "The bucket rejected the credentials or a write.",
    Reason.CONDITIONAL_PUT_UNSUPPORTED: (
        "The object store ignores conditional puts, so two writers could overwrite each other."
    ),
    Reason.RECORDS_PATH_NOT_FOUND: "The response has no value at recordsPath.",
    Reason.INVALID_RESPONSE: (
        "The response is not JSON, or contains an error or another value in place of rows."
    ),
    Reason.INVALID_RECORDS: (
        "The rows are not JSON objects, or are one object with an id for each row instead of a "
        "list, or the response is an envelope and recordsPath is not set."
    ),
    Reason.REQUEST_REJECTED: (
        "The source rejected the request with a 4xx status. The message contains the status."
    ),
    Reason.RATE_LIMITED: (
        "The source asked the runner to wait longer than a run waits (20 minutes for one page). "
        "The message contains the time."
    ),
    Reason.SOURCE_UNAVAILABLE: (
        "Every attempt of a request failed: the source answered 5xx, cut the response off, sent "
        "no proof of the number of rows, or rejected a request after it had accepted others of "
        "the same run."
    ),
    Reason.LOOP_DETECTED: (
        "The source returned to a page or to rows that the run had already read, or too many "
        "pages in a row had no new row. The message contains which."
    ),
    Reason.LIMIT_EXCEEDED: "The run exceeded its limit of pages, bytes or seconds.",
    Reason.SCHEMA_CONFLICT: (
        "The values of a column changed to a type to which the column of the table cannot be "
        "widened. The table was not changed."
    ),
    Reason.CURSOR_FIELD_MISSING: "No row has the incremental field.",
    Reason.PRIMARY_KEY_MISSING: "Rows have no value in a primary key column.",
    Reason.STORAGE_UNAVAILABLE: "The object store failed on every attempt.",
    Reason.TABLE_DAMAGED: (
        "The table's log or files are incomplete. The message names the missing part."
    ),
    Reason.TABLE_FEATURE_UNSUPPORTED: (
        "Another tool gave the table a feature, partitions or a rule that this operator does not "
        "write. The message names it."
    ),
    Reason.TABLE_WOULD_SHRINK: (
        "A full refresh would have left few of the table's rows or none, so it did not publish. "
        "The table was not changed."
    ),
    Reason.SUPERSEDED: "Another run published first. This run changed nothing.",
    Reason.OUT_OF_MEMORY: "Kubernetes killed the pod because it exceeded its memory limit.",
    Reason.DISK_FULL: "The pod's scratch space is full.",
    Reason.DEADLINE_EXCEEDED: "The run exceeded its deadline. The next run retries.",
    Reason.EVICTED: "The node evicted the pod. A new pod resumes the run.",
    Reason.IMAGE_PULL_FAILED: "The node cannot pull the runner's image. Kubernetes retries.",
    Reason.POD_REFUSED: (
        "The cluster refused the Job's pod (a quota, a limit range, pod security). Kubernetes "
        "retries."
    ),
    Reason.UNSCHEDULABLE: (
        "No node can run the pod (not enough room, or a taint it does not tolerate)."
    ),
    Reason.TABLE_TAKEN: "An older schema writes to the same table.",
    Reason.NAME_TAKEN: (
        "The operator needs an object of a name that an object of another owner has. The message "
        "names it."
    ),
    Reason.SOURCE_NOT_FOUND: "The namespace has no ExternalDataSource of the name in sourceRef.",
    Reason.SOURCE_NOT_READY: (
        "The source is not ready. The message contains the reason of the source."
    ),
    Reason.STREAM_NOT_FOUND: "The source has no stream of this name. The table was not changed.",
    Reason.NEVER_SYNCED: "No run has finished yet.",
    Reason.INTERNAL_ERROR: "The operator or the runner has a bug. The operator retries.",
}
"""The situation in which a condition has this reason."""

REMEDIES: dict[Reason, str] = {
    Reason.INVALID_SPEC: "Correct the field that the message names.",
    Reason.INLINE_CREDENTIALS_REFUSED: (
        "Put the credential into a Secret, and refer to the Secret with secretKeyRef."
    ),
    Reason.SECRET_NOT_FOUND: (
        "Create it, or correct the reference. The operator continues as soon as it exists."
    ),
    Reason.CREDENTIALS_REJECTED: (
        "Correct the Secret, or grant the missing permission at the source."
    ),
    Reason.UNREACHABLE: "Check the address, the network and tls.ca. The operator retries.",
    Reason.HOST_NOT_ALLOWED: (
        "Use a public address and https, or ask the operator's administrator to allow the host "
        "with allowPrivateHosts."
    ),
    Reason.OTHER_ORIGIN: "Use a baseUrl whose requests stay at one scheme, host and port.",
    Reason.INVALID_DESTINATION: "Create the bucket, or correct spec.destination.",
    Reason.DESTINATION_FORBIDDEN: (
        "Correct the Secret, or grant its user the right to read, write and list."
    ),
    Reason.CONDITIONAL_PUT_UNSUPPORTED: "Use an object store that supports If-None-Match.",
    Reason.RECORDS_PATH_NOT_FOUND: (
        "Correct recordsPath. The message lists the keys of the response."
    ),
    Reason.INVALID_RESPONSE: (
        "Check path, params and recordsPath. The message names the position, or the keys of the "
        "response."
    ),
    Reason.INVALID_RECORDS: (
        "Set or correct recordsPath, or request a list. The message lists the keys of the response."
    ),
    Reason.REQUEST_REJECTED: "Correct path, params or body.",
    Reason.RATE_LIMITED: (
        "Wait for the next run, which retries. If the reason returns, set rate.requestsPerSecond."
    ),
    Reason.SOURCE_UNAVAILABLE: (
        "Wait for the next run, which retries. If the reason returns, check the source."
    ),
    Reason.LOOP_DETECTED: (
        "Correct the pagination. If the source is right, set idlePagesMax of its pagination."
    ),
    Reason.LIMIT_EXCEEDED: (
        "Request less at a time (params, a page size, windowSeconds), or raise the memory limit "
        "if the message names it."
    ),
    Reason.SCHEMA_CONFLICT: (
        "Exclude the column with enabledColumns, or write the stream to a new table."
    ),
    Reason.CURSOR_FIELD_MISSING: "Choose another incremental field.",
    Reason.PRIMARY_KEY_MISSING: "Choose columns that every row has.",
    Reason.STORAGE_UNAVAILABLE: (
        "Wait for the next run, which retries. If the reason returns, check the object store."
    ),
    Reason.TABLE_DAMAGED: "Follow the message, which describes how to continue.",
    Reason.TABLE_FEATURE_UNSUPPORTED: "Run the statement in the message, which removes it.",
    Reason.TABLE_WOULD_SHRINK: (
        "Check the source's permissions and parameters. If the table is to shrink, set the "
        "annotation external-data.io/allow-shrink."
    ),
    Reason.SUPERSEDED: "Wait for the next run, which starts from the newer version of the table.",
    Reason.OUT_OF_MEMORY: "Raise runtime.resources.limits.memory.",
    Reason.DISK_FULL: "Raise runner.scratch in the chart's values.",
    Reason.DEADLINE_EXCEEDED: (
        "Raise runner.deadlineSeconds in the chart's values, or request less at a time."
    ),
    Reason.EVICTED: (
        "Wait for the new pod. If the reason returns, check the memory and the disk of the node."
    ),
    Reason.IMAGE_PULL_FAILED: "Check the name of the image and the pull secrets.",
    Reason.POD_REFUSED: "Raise the quota, or correct spec.runtime as the message describes.",
    Reason.UNSCHEDULABLE: (
        "Add a node, or correct spec.runtime. The run starts as soon as a node can run the pod."
    ),
    Reason.TABLE_TAKEN: (
        "Give one of two sources a tablePrefix, rename one of two streams of a source, or delete "
        "one of two schemas of a stream."
    ),
    Reason.NAME_TAKEN: "Rename or delete one of the two objects.",
    Reason.SOURCE_NOT_FOUND: "Create the source, or delete the schema.",
    Reason.SOURCE_NOT_READY: "Read the status of the source, and follow the remedy of its reason.",
    Reason.STREAM_NOT_FOUND: "Add the stream to the source, or delete the schema.",
    Reason.INTERNAL_ERROR: "Report the bug with the traceback in the pod's log.",
}
"""The action that resolves it, for every reason that is not good news."""

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
"""The operator or Kubernetes retries by itself."""

RETRIED_SOMETIMES: frozenset[Reason] = frozenset(
    {
        Reason.INVALID_RESPONSE,
        Reason.INVALID_RECORDS,
        Reason.RECORDS_PATH_NOT_FOUND,
        Reason.LIMIT_EXCEEDED,
    }
)
"""Retried if the failure may pass; its class decides."""

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
"""Usually resolved by itself; a person need not look unless the reason stays."""

ATTENTION: frozenset[Reason] = frozenset(Reason) - GOOD_NEWS - PASSING
"""A person should look, even if the operator retries."""

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
"""A check of a source, or a schema that waits for its first run, stalls for these reasons until a
person acts. A run stalls by the class of its failure."""
