"""Stages of a schema's life that several tests start from."""

import copy
from dataclasses import replace

from external_data_operator.api.conditions import Reason
from external_data_operator.api.plan import Failure, FailureClass, Report, TableReport, Task
from external_data_operator.api.schema import Column, TableStatus
from external_data_operator.reconcile.base import marks
from external_data_operator.reconcile.schemas.decide import decide_schema

from tests.unit.reconcile.worlds import (
    NOW,
    SETTINGS,
    applied,
    build_source,
    end_job,
    make_ready,
    observe_schema,
    seen,
    step,
)

TABLE = TableStatus(uri="s3://lake/team/orders", version=3, rows=120, bytes=900, files=1)


def look(world, now=NOW):
    decision = decide_schema(seen(world), SETTINGS, now)
    return decision, step(world, decision, now)


def success(rows=120, **rest):
    return Report(
        task=Task.SYNC,
        run_id="",
        result="Succeeded",
        rows=rows,
        seconds=1.5,
        tables=[build_table(rows, **rest)],
    )


def build_table(rows=120, **changes):
    """What a run left in the schema's table."""
    columns = [Column(name="id", data_type="long")]
    told = {"stream": "orders", "rows": rows, "table": TABLE, "columns": columns}
    return TableReport(**(told | changes))


def failure(reason=Reason.RECORDS_PATH_NOT_FOUND, class_=FailureClass.CONFIGURATION):
    failed = Failure(failure_class=class_, reason=reason, message="No records at data.")
    return Report(task=Task.SYNC, run_id="", result="Failed", failure=failed)


def ended(world, report=None, at=NOW, **how):
    return replace(world, children=end_job(world.children, at=at, report=report, **how))


def synced():
    """A schema after its first run."""
    _, world = look(observe_schema())
    _, world = look(ended(world, success()))
    return world


def failed(report=None):
    """A schema whose first run failed."""
    _, world = look(observe_schema())
    return ended(world, report or failure())


def cron_of(decision):
    (cron,) = applied(decision, "CronJob")
    return cron["spec"]


def trigger_of(job):
    return job["metadata"]["annotations"][marks.TRIGGER]


def without_pods(world):
    return replace(world, children=replace(world.children, pods=()))


def with_runtime(world, runtime):
    source = make_ready(build_source(runtime=runtime))
    return replace(world, source=source)


AWAY = (Reason.SOURCE_UNAVAILABLE, FailureClass.RETRYABLE)


def with_spec(world, **spec):
    schema = copy.deepcopy(world.schema)
    schema["spec"] |= spec
    return replace(world, schema=schema)
