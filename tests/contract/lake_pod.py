"""One pod of a run: the engine in a process of its own, which may kill itself at a step."""

import multiprocessing
import os
import signal
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from external_data_operator.api.cursors import CursorType
from external_data_operator.api.meta import ObjectRef
from external_data_operator.api.plan import (
    FileDestination,
    Limits,
    Plan,
    SyncOptions,
    TablePlan,
    TableTarget,
    Task,
)
from external_data_operator.api.schema import SyncType
from external_data_operator.api.source import S3Destination

from sync_runner.errors import RunError
from sync_runner.lake import open_table
from sync_runner.lake.policy import Policy
from sync_runner.pipeline import Outcome, run_stream
from sync_runner.protocols import Progress, Step, Steps
from sync_runner.storage import ObjectStore, Patience, open_store
from sync_runner.transport.clock import SystemClock
from tests.contract.lake_world import Kind, World, WorldSource

KILLED = -signal.SIGKILL
SMALL = Policy(
    group_rows=20,
    small_rows=25,
    batch_rows=7,
    likely_rows=4,
    piece_rows=30,
    due_parts=1,
    tier_files=4,
    checkpoint_versions=5,
    keep_hours=0,
    grace_hours=0,
)
"""So small that some hundred rows go through everything that millions do."""
HASTY = Patience(attempts=4, first_wait_s=0.01, longest_wait_s=0.05, total_s=5.0)


@dataclass(frozen=True)
class Keys:
    """Credentials of the test's S3 server."""

    access_key: str = ""
    secret_key: str = ""

    def keys_of(self, secret_name: str) -> dict[str, str]:
        return {"AWS_ACCESS_KEY_ID": self.access_key, "AWS_SECRET_ACCESS_KEY": self.secret_key}

    def secret(self, value: object) -> str:
        raise NotImplementedError

    def certificate(self, ref: object) -> str:
        raise NotImplementedError


@dataclass(frozen=True)
class Place:
    """Where tables go."""

    target: TableTarget
    keys: Keys = Keys()

    def open(self, patience: Patience = HASTY) -> ObjectStore:
        """The table's folder."""
        return open_store(self.target, self.keys, patience=patience)

    @property
    def folder(self) -> Path:
        """The table's folder, where the place is on this machine."""
        return Path(self.open().uri.removeprefix("file://"))


def folder_place(folder: Path) -> Place:
    """A folder of this machine."""
    return Place(TableTarget(file=FileDestination(path=str(folder)), path="ns/table"))


def bucket_place(endpoint: str, keys: Keys, *, prefix: str, bucket: str = "lake") -> Place:
    """A bucket of a test's server."""
    ref = ObjectRef(name="lake")
    s3 = S3Destination(bucket=bucket, prefix=prefix, endpoint=endpoint, credentials_secret_ref=ref)
    return Place(TableTarget(s3=s3, path="ns/table"), keys)


@dataclass(frozen=True)
class Job:
    """What a pod is to do."""

    place: Place
    world: World
    kind: Kind
    options: SyncOptions
    growth: int = 0
    page_rows: int = 10
    limits: Limits = field(default_factory=lambda: Limits(part_bytes=300))
    policy: Policy = SMALL

    @property
    def plan(self) -> Plan:
        """The engine's plan."""
        return Plan(
            task=Task.SYNC,
            namespace="ns",
            source="world",
            tables=[TablePlan(sync=self.options, target=self.place.target)],
            limits=self.limits,
        )

    @property
    def source(self) -> WorldSource:
        """The engine's source."""
        return WorldSource(self.world, self.kind, self.page_rows, self.growth)

    def run(self, run: str, steps: Steps) -> Outcome:
        """The engine's part of a pod, in this process."""
        clock = SystemClock()
        store = self.place.open()
        table = open_table(store, self.plan, run, clock, steps=steps, policy=self.policy)
        return run_stream(
            self.source, table, self.limits, clock, progress=Progress(), listener=lambda _: None
        )


def options_for(sync_type: SyncType) -> SyncOptions:
    """A sync of the world's rows."""
    has_cursor = sync_type is not SyncType.FULL_REFRESH
    return SyncOptions(
        stream="world",
        sync_type=sync_type,
        incremental_field="seq" if has_cursor else None,
        incremental_field_type=CursorType.INTEGER if has_cursor else None,
        primary_key_columns=[] if sync_type is SyncType.APPEND else ["id"],
    )


class KillAt:
    """Ends the process at the so many-th time that it comes past any step, or past one."""

    def __init__(self, nth: int, step: Step | None = None, note: Path | None = None) -> None:
        self._nth = nth
        self._step = step
        self._note = note
        self._seen = 0
        self.counts: Counter[Step] = Counter()

    def __call__(self, step: Step) -> None:
        self.counts[step] += 1
        if self._step is None or step is self._step:
            self._seen += 1
            if self._seen == self._nth:
                if self._note is not None:
                    self._note.write_text(step.value)
                os.kill(os.getpid(), signal.SIGKILL)


class Work(Protocol):
    """What a pod can be started for."""

    @property
    def world(self) -> World:
        """Where the data comes from; its folder survives the pod."""

    def run(self, run: str, steps: Steps) -> object:
        """The engine's part of a pod, in this process."""


def _pod(job: Work, run: str, nth: int, step: Step | None, report: Path) -> None:
    kill = KillAt(nth, step, report.with_suffix(".step"))
    try:
        job.run(run, kill)
    except RunError as error:
        report.write_text(f"{error.reason.value}: {error}")
        os._exit(int(error.exit_code))
    report.write_text("ok")


_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload([__name__])


@dataclass(frozen=True)
class Pod:
    """A process that was started."""

    process: multiprocessing.process.BaseProcess
    report: Path

    def wait(self, timeout_s: float = 60.0) -> int:
        """Its exit code; KILLED where it was killed."""
        self.process.join(timeout_s)
        assert self.process.exitcode is not None, "the pod hangs"
        return self.process.exitcode

    def kill_after(self, seconds: float) -> None:
        """Ends it where it happens to be by then."""
        self.process.join(seconds)
        self.process.kill()

    @property
    def died_at(self) -> str:
        """The step at which it killed itself."""
        note = self.report.with_suffix(".step")
        return note.read_text() if note.exists() else "any"

    @property
    def said(self) -> str:
        """How it ended, in words."""
        return self.report.read_text() if self.report.exists() else ""


def start_pod(job: Work, run: str, *, nth: int = 0, step: Step | None = None) -> Pod:
    """Starts a pod that kills itself at the `nth` step, counting only `step` where that is
    given.
    """
    reports = job.world.folder / "reports"
    reports.mkdir(exist_ok=True)
    report = reports / os.urandom(6).hex()
    process = _CONTEXT.Process(target=_pod, args=(job, run, nth, step, report))
    process.start()
    return Pod(process, report)
