"""Our tables between two turns: the base that a merge starts from, and the way back to it.

A Delta table is what its log says. Deleting the versions behind the base brings the base back,
whoever wrote them; the files that they added are swept away with the bucket.
"""

import re
from dataclasses import dataclass

import obstore

from benchmarks.errors import BenchmarkError
from benchmarks.harness import Launch
from benchmarks.processes import Finished, run_watched
from benchmarks.store import Bucket

_VERSION = re.compile(r"^_delta_log/(\d{20})\.")
_LAST_CHECKPOINT = "_delta_log/_last_checkpoint"


@dataclass(frozen=True)
class BaseTable:
    """A table at the version that every turn starts from."""

    bucket: Bucket
    path: str
    version: int

    def restore(self) -> None:
        """Forgets what happened to the table since."""
        names = self.bucket.list(self.path)
        later = [name for name in names if _find_version(name) > self.version]
        if _LAST_CHECKPOINT in names and any(".checkpoint." in name for name in later):
            later.append(_LAST_CHECKPOINT)
        if later:
            obstore.delete(self.bucket.open(self.path), later)


def _find_version(name: str) -> int:
    match = _VERSION.match(name)
    return int(match.group(1)) if match else -1


def find_base(bucket: Bucket, path: str) -> BaseTable:
    """The table as it is now."""
    version = max((_find_version(name) for name in bucket.list(path)), default=-1)
    if version < 0:
        raise BenchmarkError(f"there is no table at {path}")
    return BaseTable(bucket, path, version)


def run_once(launch: Launch, *, timeout_s: float = 3600) -> Finished:
    """Runs something that is needed but not measured, such as the load of a base."""
    finished = run_watched(launch.argv, env=launch.env, cwd=launch.cwd, timeout_s=timeout_s)
    launch.check(finished)
    return finished
