"""References to Secrets and ConfigMaps, and values that may be written inline or referred to."""

from typing import Annotated, ClassVar

from pydantic import Field, SecretStr, model_validator

from external_data_operator.api.base import CelRule, SpecModel

API_GROUP = "external-data.io"
API_VERSION = "v1alpha1"
GROUP_VERSION = f"{API_GROUP}/{API_VERSION}"

ObjectName = Annotated[
    str,
    Field(min_length=1, max_length=253, pattern=r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$"),
]
DataKey = Annotated[str, Field(min_length=1, max_length=253, pattern=r"^[-._a-zA-Z0-9]+$")]


class ObjectRef(SpecModel):
    """Another object of the same namespace."""

    name: ObjectName
    """Name of the object."""


class KeyRef(SpecModel):
    """One key of a Secret or ConfigMap of the same namespace."""

    name: ObjectName
    """Name of the Secret or ConfigMap."""
    key: DataKey
    """Key inside it."""


class SecretValue(SpecModel):
    """A credential: a reference to a Secret's key, or a value that the operator moves into a Secret."""

    secret_key_ref: KeyRef | None = None
    """The Secret's key that holds the credential."""
    value: SecretStr | None = Field(default=None, min_length=1, max_length=65536)
    """The credential itself; the operator moves it into a Secret and puts a reference here."""

    cel_rules: ClassVar[tuple[CelRule, ...]] = (
        CelRule(
            "has(self.secretKeyRef) != has(self.value)",
            "exactly one of secretKeyRef and value must be set",
        ),
    )

    @model_validator(mode="after")
    def _exactly_one(self) -> "SecretValue":
        if (self.secret_key_ref is None) == (self.value is None):
            raise ValueError("exactly one of secretKeyRef and value must be set")
        return self


class CertificateRef(SpecModel):
    """Where a PEM bundle of certificate authorities is kept."""

    config_map_key_ref: KeyRef | None = None
    """The ConfigMap's key that holds the bundle."""
    secret_key_ref: KeyRef | None = None
    """The Secret's key that holds the bundle."""

    cel_rules: ClassVar[tuple[CelRule, ...]] = (
        CelRule(
            "has(self.configMapKeyRef) != has(self.secretKeyRef)",
            "exactly one of configMapKeyRef and secretKeyRef must be set",
        ),
    )

    @model_validator(mode="after")
    def _exactly_one(self) -> "CertificateRef":
        if (self.config_map_key_ref is None) == (self.secret_key_ref is None):
            raise ValueError("exactly one of configMapKeyRef and secretKeyRef must be set")
        return self
