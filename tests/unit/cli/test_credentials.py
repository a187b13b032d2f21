"""Credentials of a run without a cluster: where they are looked for, and what is said when they are
not there."""

from pathlib import Path

import pytest
from external_data_operator.api.conditions import Reason
from external_data_operator.api.meta import CertificateRef, KeyRef, SecretValue
from external_data_operator.cli.credentials import GivenCredentials
from external_data_operator.cli.manifests import Manifests, read_manifests
from pydantic import SecretStr

from sync_runner.errors import ConfigurationError

TOKEN = SecretValue(secret_key_ref=KeyRef(name="shop-api", key="token"))
SECRET = "kind: Secret\napiVersion: v1\nmetadata: {name: shop-api, namespace: analytics}\n"


@pytest.fixture
def manifests(tmp_path: Path) -> Manifests:
    """A Secret with one key, and a ConfigMap."""
    file = tmp_path / "secret.yaml"
    file.write_text(
        f"{SECRET}data: {{token: ZnJvbS10aGUtZmlsZQ==}}\n---\n"
        "kind: ConfigMap\napiVersion: v1\nmetadata: {name: ca, namespace: analytics}\n"
        "data: {ca.crt: a certificate}\n"
    )
    return read_manifests([str(file)])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the Secret's keys as files."""
    (tmp_path / "secrets" / "shop-api").mkdir(parents=True)
    (tmp_path / "secrets" / "shop-api" / "token").write_text("from-the-folder\n")
    return tmp_path / "secrets"


def test_a_secret_of_the_files_comes_first(manifests: Manifests, folder: Path) -> None:
    given = GivenCredentials(manifests, "analytics", folder)
    assert given.secret(TOKEN) == "from-the-file"
    assert given.keys_of("shop-api") == {"token": "from-the-file"}


def test_a_secret_of_another_namespace_is_not_it(manifests: Manifests, folder: Path) -> None:
    given = GivenCredentials(manifests, "default", folder)
    assert given.secret(TOKEN) == "from-the-folder"


def test_the_folder_holds_a_file_for_each_key_and_its_line_end_is_not_part_of_it(
    folder: Path,
) -> None:
    given = GivenCredentials(Manifests(), "analytics", folder)
    assert given.secret(TOKEN) == "from-the-folder"
    assert given.keys_of("shop-api") == {"token": "from-the-folder"}


def test_a_value_in_the_manifest_is_used_as_it_stands() -> None:
    given = GivenCredentials(Manifests(), "analytics", None)
    assert given.secret(SecretValue(value=SecretStr("inline"))) == "inline"


def test_a_certificate_comes_from_a_config_map_or_a_secret(manifests: Manifests) -> None:
    given = GivenCredentials(manifests, "analytics", None)
    ca = CertificateRef(config_map_key_ref=KeyRef(name="ca", key="ca.crt"))
    assert given.certificate(ca) == "a certificate"
    token = CertificateRef(secret_key_ref=KeyRef(name="shop-api", key="token"))
    assert given.certificate(token) == "from-the-file"


def test_what_is_missing_is_named_and_so_is_the_way_to_give_it() -> None:
    given = GivenCredentials(Manifests(), "analytics", None)
    with pytest.raises(
        ConfigurationError, match=r"key token of Secret shop-api.*--secrets-dir"
    ) as e:
        given.secret(TOKEN)
    assert e.value.reason is Reason.SECRET_NOT_FOUND
    with pytest.raises(ConfigurationError, match="Secret lake"):
        given.keys_of("lake")


def test_credentials_are_not_shown_by_accident(manifests: Manifests) -> None:
    given = GivenCredentials(manifests, "analytics", None)
    assert "from-the-file" not in repr(given)
