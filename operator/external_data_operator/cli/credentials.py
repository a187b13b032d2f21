"""Credentials of a run without a cluster: from Secrets in the same files, from a folder, or
inline in the manifest."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from external_data_operator.api.conditions import Reason
from external_data_operator.api.meta import CertificateRef, KeyRef, SecretValue
from external_data_operator.cli.manifests import DataManifest, Manifests
from sync_runner.errors import ConfigurationError

_VALUE_BYTES_MAX = 1 << 20


@dataclass(frozen=True)
class GivenCredentials:
    """What the files and `--secrets-dir` hold for one namespace; the files come first."""

    manifests: Manifests
    namespace: str
    folder: Path | None

    def secret(self, value: SecretValue) -> str:
        """The credential. Raises ConfigurationError naming Secret and key."""
        if value.value is not None:
            return value.value.get_secret_value()
        assert value.secret_key_ref is not None, "a credential has a reference or a value"
        return self._read(self.manifests.secrets, "Secret", value.secret_key_ref)

    def certificate(self, ref: CertificateRef) -> str:
        """The PEM bundle. Raises ConfigurationError naming its place."""
        if ref.secret_key_ref is not None:
            return self._read(self.manifests.secrets, "Secret", ref.secret_key_ref)
        assert ref.config_map_key_ref is not None, "a certificate has a reference"
        return self._read(self.manifests.config_maps, "ConfigMap", ref.config_map_key_ref)

    def keys_of(self, secret_name: str) -> dict[str, str]:
        """All keys of a Secret. Raises ConfigurationError naming it."""
        given = self._find(self.manifests.secrets, secret_name)
        if given is not None:
            return {key: _decode(value, secret_name) for key, value in given.values.items()}
        folder = self.folder / secret_name if self.folder is not None else None
        if folder is None or not folder.is_dir():
            raise _missing("Secret", secret_name)
        files = [file for file in sorted(folder.iterdir()) if file.is_file()]
        return {file.name: _decode(_read_file(file), secret_name) for file in files}

    def _find(self, pool: Sequence[DataManifest], name: str) -> DataManifest | None:
        return next(
            (
                item
                for item in pool
                if (item.origin.name, item.origin.namespace) == (name, self.namespace)
            ),
            None,
        )

    def _read(self, pool: Sequence[DataManifest], kind: str, ref: KeyRef) -> str:
        given = self._find(pool, ref.name)
        if given is not None and ref.key in given.values:
            return _decode(given.values[ref.key], ref.name)
        file = self.folder / ref.name / ref.key if self.folder is not None else None
        if file is None or not file.is_file():
            raise _missing(kind, ref.name, ref.key)
        return _decode(_read_file(file), ref.name)


def _read_file(file: Path) -> bytes:
    """The file without the line end that an editor puts there."""
    with file.open("rb") as opened:
        return opened.read(_VALUE_BYTES_MAX).rstrip(b"\r\n")


def _decode(value: bytes, name: str) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        message = f"{name}: a value is not UTF-8 text."
        raise ConfigurationError(Reason.SECRET_NOT_FOUND, message) from None


def _missing(kind: str, name: str, key: str | None = None) -> ConfigurationError:
    what = f"key {key} of {kind} {name}" if key is not None else f"{kind} {name}"
    file = f"DIR/{name}/{key or '<key>'}"
    message = (
        f"The files do not contain {what}. Put it into the file {file}, and set --secrets-dir DIR."
    )
    return ConfigurationError(Reason.SECRET_NOT_FOUND, message)
