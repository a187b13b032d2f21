"""The runner, as a pod starts it: the pinned packages of its image and no others, a plan and
credentials as files, one process, and a report as it ends.

The figures say more than the process as a whole does: when the first request reached the API, and
how long the run went on after the last page had been answered, which is staging, merging and
committing.
"""

import importlib.util
import os
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from external_data_operator.api.cursors import CursorType, RowOrder
from external_data_operator.api.meta import ObjectRef
from external_data_operator.api.plan import (
    RUN_ID_ENV,
    NetworkPolicy,
    Plan,
    Report,
    SyncOptions,
    TablePlan,
    TableTarget,
    Task,
)
from external_data_operator.api.schema import SyncType
from external_data_operator.api.source import S3Destination
from external_data_operator.api.sources.rest import (
    CursorPagination,
    NestedValues,
    OffsetPagination,
    Pagination,
    RestIncremental,
    RestSource,
    RestStream,
)

from benchmarks.api import Api
from benchmarks.errors import BenchmarkError
from benchmarks.harness import Contender, Launch, Numbers
from benchmarks.places import find_runner_python
from benchmarks.processes import Finished
from benchmarks.store import Bucket

MODULE = ("-m", "sync_runner")
PACKAGES = ("sync_runner", "external_data_operator", "external_data_decoder")
SECRET = "lake"
STREAM = "orders"
_MIB = 1 << 20


@dataclass(frozen=True)
class Sync:
    """What one run is asked to do."""

    rows: int
    """Rows that it must read; another number is an error."""
    page: int = 1000
    params: dict[str, str] = field(default_factory=dict)
    """Further query parameters of the server of pages."""
    offset: bool = False
    """Pages by offset, which may be asked for in parallel, instead of by cursor."""
    concurrency: int = 4
    key: bool = False
    """Whether `id` is the primary key."""
    incremental: bool = False
    """Whether `updated_at` says how far the table is, so that the run merges what is newer."""
    since_param: str = "after"
    """Parameter that carries that bound: `after` leaves the bound itself out, `since` repeats it.
    """
    structs: bool = False
    """Whether nested values become structs instead of JSON text."""
    table: str | None = None
    """The table's name; without it each run makes a new one."""

    def build_stream(self) -> RestStream:
        """As a manifest would say it."""
        size = {} if self.offset else {"limit": str(self.page)}
        pages = (
            Pagination(offset=OffsetPagination(limit=self.page, total_path="total"))
            if self.offset
            else Pagination(cursor=CursorPagination(cursor_path="next_cursor"))
        )
        incremental = RestIncremental(
            cursor_path="updated_at",
            start_param=self.since_param,
            cursor_type=CursorType.DATE_TIME,
            row_order=RowOrder.UNORDERED,
        )
        return RestStream(
            name=STREAM,
            path="/offset" if self.offset else "/cursor",
            params=size | self.params,
            records_path="data",
            primary_key=["id"] if self.key else [],
            pagination=pages,
            incremental=incremental if self.incremental else None,
            nested_values=NestedValues.STRUCTS if self.structs else NestedValues.JSON,
        )

    def build_options(self) -> SyncOptions:
        """As the operator would render it."""
        return SyncOptions(
            stream=STREAM,
            sync_type=SyncType.INCREMENTAL if self.incremental else SyncType.FULL_REFRESH,
            incremental_field="updated_at" if self.incremental else None,
            incremental_field_type=CursorType.DATE_TIME if self.incremental else None,
            primary_key_columns=["id"] if self.key else [],
        )


def build_plan(sync: Sync, *, api: Api, bucket: Bucket, table: str) -> Plan:
    """The plan of a run into that table."""
    destination = S3Destination(
        bucket=bucket.name,
        endpoint=bucket.access.endpoint,
        region=bucket.access.region,
        credentials_secret_ref=ObjectRef(name=SECRET),
    )
    return Plan(
        task=Task.SYNC,
        namespace="bench",
        source="api",
        rest=RestSource(
            base_url=api.address, concurrency=sync.concurrency, streams=[sync.build_stream()]
        ),
        tables=[
            TablePlan(
                sync=sync.build_options(),
                target=TableTarget(s3=destination, path=f"bench/{table}", trusted=True),
            )
        ],
        network=NetworkPolicy(private_cidrs=["127.0.0.0/8"]),
    )


@dataclass(frozen=True)
class Runner:
    """Starts runs of the runner against one API and one bucket, with its files below `home`."""

    api: Api
    bucket: Bucket
    home: Path

    def contender(
        self,
        name: str,
        sync: Sync,
        *,
        before: Callable[[], None] = lambda: None,
        after: Callable[[Report], None] = lambda _: None,
    ) -> Contender:
        """A contender that does this sync once a turn; `before` and `after` are not timed."""

        def launch(turn: int) -> Launch:
            before()
            return self.launch(sync, label=f"{name}-{turn}", after=after)

        return Contender(name, launch, work=sync.rows)

    def launch(
        self, sync: Sync, *, label: str, after: Callable[[Report], None] = lambda _: None
    ) -> Launch:
        """One run, ready to start."""
        run_id = str(uuid.uuid4())
        table = sync.table or f"t{run_id[:8]}"
        pod = self.home / run_id
        self._write_files(pod, build_plan(sync, api=self.api, bucket=self.bucket, table=table))
        self.api.read_stats(reset=True)

        def check(finished: Finished) -> Numbers:
            report = Report.model_validate_json((pod / "report.json").read_text())
            if report.result != "Succeeded" or report.rows != sync.rows:
                raise BenchmarkError(f"{label}: read {report.rows} of {sync.rows} rows: {report}")
            after(report)
            return self._read_further(finished, report)

        def clean() -> None:
            if sync.table is None:
                self.bucket.delete(f"bench/{table}")

        return Launch(
            argv=[str(find_runner_python()), *MODULE],
            env=self._build_env(pod, run_id),
            cwd=pod,
            check=check,
            clean=clean,
        )

    def _write_files(self, pod: Path, plan: Plan) -> None:
        secret = pod / "secrets" / SECRET
        secret.mkdir(parents=True)
        (secret / "AWS_ACCESS_KEY_ID").write_text(self.bucket.access.access_key)
        (secret / "AWS_SECRET_ACCESS_KEY").write_text(self.bucket.access.secret_key)
        (pod / "plan").mkdir()
        text = plan.model_dump_json(by_alias=True, exclude_none=True)
        (pod / "plan" / "plan.json").write_text(text)
        (pod / "tmp").mkdir()

    def _build_env(self, pod: Path, run_id: str) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(_link_packages(self.home / "packages")),
            "TMPDIR": str(pod / "tmp"),
            "JE_ARROW_MALLOC_CONF": "narenas:2",  # as the image says
            "EXTERNAL_DATA_FILES_DIR": str(pod),
            "TERMINATION_LOG": str(pod / "report.json"),
            RUN_ID_ENV: run_id,
        }

    def _read_further(self, finished: Finished, report: Report) -> Numbers:
        stats = self.api.read_stats()
        ended_at = finished.started_at + finished.wall_s
        further = {"requests": float(stats["requests"])}
        if stats["first_request_at"] is not None:
            further["first_request_s"] = stats["first_request_at"] - finished.started_at
            further["after_last_page_s"] = ended_at - stats["last_answer_at"]
        table = report.tables[0].table if report.tables else None
        if table is not None:
            further |= {
                "table_rows": float(table.rows),
                "table_files": float(table.files),
                "table_mib": table.bytes / _MIB,
                "table_version": float(table.version),
            }
        return further


def _link_packages(folder: Path) -> Path:
    """A folder with our own packages and nothing else, as the image has it."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in PACKAGES:
        spec = importlib.util.find_spec(name)
        assert spec is not None, f"{name} is part of the development environment"
        assert spec.submodule_search_locations, f"{name} is a package"
        link = folder / name
        if not link.exists():
            link.symlink_to(spec.submodule_search_locations[0])
    return folder
