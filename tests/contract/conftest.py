"""Servers that the contract tests read from and write to."""

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from dev.localcluster.s3 import S3Access
from tests.contract.lake_pod import Keys, Place, bucket_place, folder_place
from tests.servers.rest import RestServer, running_rest
from tests.servers.s3 import running_s3


@pytest.fixture
def server() -> Iterator[RestServer]:
    """A REST server without any path yet."""
    with running_rest() as server:
        yield server


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Access]:
    """An S3 server with an empty bucket, the session's own."""
    with running_s3(tmp_path_factory.mktemp("s3")) as access:
        yield access


@pytest.fixture(params=["folder", "bucket"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """Where a table goes: what holds for one kind of store must hold for the other."""
    if request.param == "folder":
        return folder_place(tmp_path / "lake")
    access: S3Access = request.getfixturevalue("s3")
    keys = Keys(access.access_key, access.secret_key)
    return bucket_place(access.endpoint, keys, prefix=f"t{secrets.token_hex(6)}")
