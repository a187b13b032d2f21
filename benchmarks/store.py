"""The S3 server of a benchmark: a real one, on loopback, started for one session and thrown away
with all it holds.

Each suite gets a bucket of its own: SeaweedFS keeps a bucket's objects in volumes of their own, so
that deleting the bucket gives the disk back at once.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import boto3  # type: ignore[import-untyped]
import obstore
from botocore.config import Config  # type: ignore[import-untyped]
from obstore.store import S3Store

from benchmarks.places import bench_root
from dev.localcluster.s3 import S3Access
from tests.servers.s3 import running_s3


@dataclass(frozen=True)
class Bucket:
    """One bucket, and what a client needs to use it."""

    access: S3Access
    name: str

    @property
    def env(self) -> dict[str, str]:
        """As the peers' libraries read it."""
        return {
            "AWS_ENDPOINT_URL": self.access.endpoint,
            "AWS_ACCESS_KEY_ID": self.access.access_key,
            "AWS_SECRET_ACCESS_KEY": self.access.secret_key,
            "AWS_REGION": self.access.region,
            "AWS_ALLOW_HTTP": "true",
        }

    def url(self, path: str) -> str:
        """Address of a folder in the bucket."""
        return f"s3://{self.name}/{path}"

    def open(self, path: str = "") -> S3Store:
        """The objects below a folder."""
        return S3Store(
            self.name,
            prefix=path or None,
            endpoint=self.access.endpoint,
            region=self.access.region,
            access_key_id=self.access.access_key,
            secret_access_key=self.access.secret_key,
            virtual_hosted_style_request=False,
            client_options={"allow_http": True},
        )

    def list(self, path: str) -> dict[str, int]:
        """Objects below a folder, by their name in it, and their sizes."""
        pages = obstore.list(self.open(path))
        return {item["path"]: item["size"] for page in pages for item in page}

    def delete(self, path: str) -> None:
        """Deletes a folder."""
        store, names = self.open(path), sorted(self.list(path))
        for start in range(0, len(names), 1000):
            obstore.delete(store, names[start : start + 1000])


@contextmanager
def running_store() -> Iterator[S3Access]:
    """An S3 server that ends, and leaves nothing, with the block."""
    with (
        tempfile.TemporaryDirectory(prefix="store-", dir=bench_root()) as home,
        running_s3(Path(home)) as access,
    ):
        yield access


@contextmanager
def making_bucket(access: S3Access, name: str) -> Iterator[Bucket]:
    """A bucket that is deleted behind the block, with all that it holds."""
    client = boto3.client(
        "s3",
        endpoint_url=access.endpoint,
        aws_access_key_id=access.access_key,
        aws_secret_access_key=access.secret_key,
        region_name=access.region,
        config=Config(s3={"addressing_style": "path"}),
    )
    client.create_bucket(Bucket=name)
    bucket = Bucket(access, name)
    try:
        yield bucket
    finally:
        bucket.delete("")
        client.delete_bucket(Bucket=name)
