"""The seven tables, made once for a session in a folder and in a bucket, and the readers."""

import secrets
from collections.abc import Callable, Iterator
from functools import cache

import pytest

from dev.localcluster.s3 import S3Access
from tests.contract.lake_pod import Keys, Place, bucket_place, folder_place
from tests.readers.readers import Reader, build_readers
from tests.readers.tables import TABLES, LakeTable
from tests.servers.rest import running_rest
from tests.servers.s3 import running_s3

Get = Callable[[str, str], LakeTable]


@pytest.fixture(scope="session")
def bucket(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Access]:
    """An S3 server with an empty bucket."""
    with running_s3(tmp_path_factory.mktemp("s3")) as access:
        yield access


@pytest.fixture(scope="session")
def tables(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Get:
    """A table by its name and by where it is: `folder` or `bucket`."""

    def place_of(where: str) -> Place:
        if where == "folder":
            return folder_place(tmp_path_factory.mktemp("lake"))
        access: S3Access = request.getfixturevalue("bucket")
        keys = Keys(access.access_key, access.secret_key)
        return bucket_place(access.endpoint, keys, prefix=f"t{secrets.token_hex(6)}")

    @cache
    def get(name: str, where: str) -> LakeTable:
        with running_rest() as server:
            return TABLES[name](server, place_of(where))

    return get


@pytest.fixture(scope="session")
def readers() -> Iterator[dict[str, Reader]]:
    """Each started at its first use, ended with the session."""
    readers = build_readers()
    yield readers
    for reader in readers.values():
        reader.stop()
