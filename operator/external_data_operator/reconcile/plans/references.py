"""The Secrets and ConfigMaps that a spec refers to, by key, and its inline credentials.

The walk goes over the models by type, so that a new kind of source needs no line here. Locations
are the spec's own keys.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from pydantic import BaseModel, SecretStr

from external_data_operator.api.meta import CertificateRef, KeyRef, SecretValue
from external_data_operator.api.source import S3Destination, SourceSpec

SpecPath = tuple[str | int, ...]
S3_KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
S3_OPTIONAL_KEYS = ("AWS_SESSION_TOKEN",)


@dataclass(frozen=True)
class Need:
    """Keys of one Secret or ConfigMap that must exist before anything runs."""

    kind: str
    name: str
    keys: tuple[str, ...]
    location: str


@dataclass(frozen=True)
class InlineCredential:
    """An inline credential of a spec."""

    location: SpecPath
    value: SecretStr

    @property
    def key(self) -> str:
        """The key that it gets in the Secret."""
        return ".".join(map(str, self.location))

    @property
    def pointer(self) -> str:
        """The JSON pointer to it below the object."""
        steps = ("spec", *self.location)
        return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in steps)


def find_inline(spec: SourceSpec) -> list[InlineCredential]:
    """Every inline credential of the spec."""
    return [
        InlineCredential(location, found.value)
        for location, found in _walk(spec, ())
        if isinstance(found, SecretValue) and found.value is not None
    ]


def find_needs(spec: SourceSpec) -> list[Need]:
    """Every Secret and ConfigMap that the spec refers to, in the order of the document."""
    needs = []
    for location, found in _walk(spec, ()):
        where = ".".join(map(str, location))
        if isinstance(found, SecretValue) and found.secret_key_ref is not None:
            needs.append(_key_need("Secret", found.secret_key_ref, where))
        elif isinstance(found, CertificateRef):
            needs.extend(_certificate_needs(found, where))
        elif isinstance(found, S3Destination) and found.credentials_secret_ref is not None:
            name = found.credentials_secret_ref.name
            needs.append(Need("Secret", name, S3_KEYS, f"{where}.credentialsSecretRef"))
    return needs


def _key_need(kind: str, ref: KeyRef, where: str) -> Need:
    return Need(kind, ref.name, (ref.key,), where)


def _certificate_needs(ref: CertificateRef, where: str) -> Iterator[Need]:
    if ref.secret_key_ref is not None:
        yield _key_need("Secret", ref.secret_key_ref, where)
    if ref.config_map_key_ref is not None:
        yield _key_need("ConfigMap", ref.config_map_key_ref, where)


def _walk(value: object, location: SpecPath) -> Iterator[tuple[SpecPath, BaseModel]]:
    if isinstance(value, BaseModel):
        yield location, value
        for name, field in type(value).model_fields.items():
            yield from _walk(getattr(value, name), (*location, field.alias or name))
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _walk(inner, (*location, str(key)))
    elif isinstance(value, list | tuple):
        for index, inner in enumerate(value):
            yield from _walk(inner, (*location, index))
