"""The contenders that are not ours: the hand-written limit, dlt, and the merge of delta-rs."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.api import Api
from benchmarks.errors import BenchmarkError
from benchmarks.harness import Contender, Launch, Numbers
from benchmarks.places import REPOSITORY, find_runner_python
from benchmarks.processes import Finished
from benchmarks.store import Bucket
from dev.environments import make_environment

_HERE = REPOSITORY / "benchmarks"
DLT = REPOSITORY / "requirements" / "bench-dlt.txt"


@dataclass(frozen=True)
class Peers:
    """Makes contenders that read one API and write to one bucket."""

    api: Api
    bucket: Bucket

    def limit(
        self,
        name: str,
        rows: int,
        *,
        page: int = 1000,
        latency_ms: int = 0,
        connections: int = 1,
    ) -> Contender:
        """The hand-written upper bound."""
        argv = [str(find_runner_python()), "-m", "benchmarks.limit", "--api", self.api.address]
        argv += ["--rows", str(rows), "--page", str(page), "--latency", str(latency_ms)]
        argv += ["--connections", str(connections)]
        return self._copying(name, argv, rows=rows)

    def dlt(self, name: str, rows: int, *, page: int = 1000, options: str = "") -> Contender:
        """dlt's REST source; `options` are those of `peer_dlt.py`."""
        # -P: the script's folder must not hide modules of the peer's own.
        argv = [
            str(make_environment(DLT)),
            "-P",
            str(_HERE / "peer_dlt.py"),
            "--api",
            self.api.address,
        ]
        argv += ["--rows", str(rows), "--page", str(page), *options.split()]
        return self._copying(name, argv, rows=rows)

    def delta_merge(
        self, name: str, *, table: str, updates: Path, work: int, before: Callable[[], None]
    ) -> Contender:
        """delta-rs merges rows that it has as a file into a table of ours."""
        argv = [
            str(find_runner_python()),
            "-P",
            str(_HERE / "peer_delta.py"),
            self.bucket.url(table),
            str(updates),
        ]

        def launch(_: int) -> Launch:
            before()
            return Launch(argv, self._build_env(), REPOSITORY, _read_operation)

        return Contender(name, launch, work=work)

    def _copying(self, name: str, argv: list[str], *, rows: int) -> Contender:
        def launch(_: int) -> Launch:
            out = f"peer-{time.time_ns()}"
            return Launch(
                argv=[*argv, "--out", self.bucket.url(out)],
                env=self._build_env(),
                cwd=REPOSITORY,
                check=lambda finished: _check_rows(name, finished, rows),
                clean=lambda: self.bucket.delete(out),
            )

        return Contender(name, launch, work=rows)

    def _build_env(self) -> dict[str, str]:
        here = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        return here | self.bucket.env


def _check_rows(name: str, finished: Finished, rows: int) -> Numbers:
    copied = int(finished.stdout.split()[-1])
    if copied != rows:
        raise BenchmarkError(f"{name}: copied {copied} of {rows} rows")
    return {}


def _read_operation(finished: Finished) -> Numbers:
    return {"operation_s": float(finished.stdout.split()[-1])}
