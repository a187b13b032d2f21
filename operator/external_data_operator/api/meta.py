"""References to Secrets and ConfigMaps, and credentials that are inline or a reference."""

import re
from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator, Field, SecretStr

from external_data_operator.api.base import CelRule, SpecModel

API_GROUP = "external-data.io"
API_VERSION = "v1alpha1"
GROUP_VERSION = f"{API_GROUP}/{API_VERSION}"
CATEGORY = "external-data"
"""`kubectl get external-data` lists both kinds."""
MOVED_KEY = "^[a-z]+([.][A-Za-z0-9]+){2,}$"
"""Keys under which the operator keeps inline values: their path in the spec
(`rest.auth.bearer.token`)."""

ObjectName = Annotated[
    str,
    Field(min_length=1, max_length=253, pattern=r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$"),
]
DataKey = Annotated[
    str, Field(min_length=1, max_length=253, pattern=r"^\.?[-_a-zA-Z0-9][-._a-zA-Z0-9]*$")
]
"""A key of a Secret or ConfigMap; neither `.` nor anything that begins with `..`, for it becomes a
file."""
Timestamp = Annotated[str, Field(json_schema_extra={"format": "date-time"})]
"""A time in RFC 3339."""


def _write_number(value: Any) -> Any:
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


Quantity = Annotated[
    str,
    BeforeValidator(_write_number),
    Field(
        max_length=64,
        pattern=r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)(([KMGTPE]i)|[numkMGTPE]|[eE][+-]?[0-9]+)?$",
        json_schema_extra={"x-kubernetes-int-or-string": True},
    ),
]
"""An amount as Kubernetes writes it (`500m`, `2Gi`, `1`)."""


class ObjectRef(SpecModel):
    """Another object of the same namespace."""

    name: ObjectName
    """Name of the object."""


class KeyRef(SpecModel):
    """One key of a Secret or ConfigMap of the same namespace."""

    name: ObjectName
    """Name of the Secret or ConfigMap."""
    key: DataKey
    """Key in its data."""


class SecretValue(SpecModel):
    """A credential: a reference to a key of a Secret, or a value that the operator moves into a
    Secret."""

    secret_key_ref: KeyRef | None = None
    """Key of the Secret that contains the credential."""
    value: SecretStr | None = Field(default=None, min_length=1, max_length=65536)
    """The credential itself. The operator moves it into a Secret and replaces it with a
    reference."""

    cel_rules: ClassVar[tuple[CelRule, ...]] = (
        CelRule(
            "has(self.secretKeyRef) != has(self.value) || "
            f"(has(self.value) && self.secretKeyRef.key.matches('{MOVED_KEY}'))",
            "exactly one of secretKeyRef and value must be set",
            lambda it: (it.secret_key_ref is None) != (it.value is None) or it.is_rewritten,
        ),
    )

    @property
    def is_rewritten(self) -> bool:
        """Whether a manifest with a value was applied again, beside the operator's reference.
        The value is the newer one, so the operator moves it again."""
        return (
            self.value is not None
            and self.secret_key_ref is not None
            and re.match(MOVED_KEY, self.secret_key_ref.key) is not None
        )


class CertificateRef(SpecModel):
    """A reference to a PEM bundle of certificate authorities. Exactly one key must be set."""

    config_map_key_ref: KeyRef | None = None
    """Key of the ConfigMap that contains the bundle."""
    secret_key_ref: KeyRef | None = None
    """Key of the Secret that contains the bundle."""

    cel_rules: ClassVar[tuple[CelRule, ...]] = (
        CelRule(
            "has(self.configMapKeyRef) != has(self.secretKeyRef)",
            "exactly one of configMapKeyRef and secretKeyRef must be set",
            lambda it: (it.config_map_key_ref is None) != (it.secret_key_ref is None),
        ),
    )
