"""Labels and annotations by which the operator knows its own objects again, and the actions that
users ask for."""

from external_data_operator.api.meta import API_GROUP

FIELD_MANAGER = "external-data-operator"
MANAGED_BY_LABEL = "app.kubernetes.io/managed-by"
MANAGED_BY = "external-data-operator"
SELECTOR = f"{MANAGED_BY_LABEL}={MANAGED_BY}"
"""Selects every child; the watches use it."""
OWNER_UID_LABEL = f"{API_GROUP}/owner-uid"
SOURCE_LABEL = f"{API_GROUP}/source"
SCHEMA_LABEL = f"{API_GROUP}/schema"
TASK_LABEL = f"{API_GROUP}/task"
RUN_UID_LABEL = "batch.kubernetes.io/controller-uid"
"""The Job's uid, which Kubernetes puts on its pods."""
JOB_NAME_LABEL = "batch.kubernetes.io/job-name"

OWNER = f"{API_GROUP}/owner"
"""`source/<name>` or `schema/<name>`: whom to look at when this object changes."""
TRIGGER = f"{API_GROUP}/trigger"
INPUTS = f"{API_GROUP}/inputs"
"""What a run works from; a run that failed for good is not repeated with the same inputs."""
REQUEST = f"{API_GROUP}/request"
"""The token of the action that asked for this Job."""
FINGERPRINT = f"{API_GROUP}/fingerprint"
ATTEMPT = f"{API_GROUP}/attempt"
COPIED_FROM = f"{API_GROUP}/copied-from"
RUN = f"{API_GROUP}/run"
RENDERED = f"{API_GROUP}/rendered"
"""A hash of the manifest that this object was written from."""
DISCOVERED_AT = f"{API_GROUP}/discovered-at"

RELOAD = f"{API_GROUP}/reload"
REFRESH_SCHEMAS = f"{API_GROUP}/refresh-schemas"
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"

SOURCE_OWNER = "source"
SCHEMA_OWNER = "schema"
