"""Plans and reports outlive an upgrade: a ConfigMap that a running Job mounts, and the report of
its pod, are those of the version before.
"""

import json
from typing import Any

import pytest
from external_data_operator.api.plan import Plan, Report, TableReport

REST = {"baseUrl": "https://x.example", "streams": [{"name": "orders", "path": "/orders"}]}
PLACE = {"file": {"path": "/lake"}, "path": "team/orders"}
SYNC = {"stream": "orders", "syncType": "Append", "incrementalField": "at"}
HEAD = {"namespace": "team", "source": "shop", "rest": REST}
STATUS = {"uri": "s3://lake/orders", "version": 3, "rows": 7, "bytes": 90, "files": 1}
DETAIL: dict[str, Any] = {
    "table": STATUS,
    "cursor": "9",
    "notes": ["A sentence."],
    "columns": [{"name": "id", "dataType": "long"}],
}


def test_a_sync_plan_of_the_version_before_has_one_table() -> None:
    before = {**HEAD, "task": "Sync", "sync": SYNC, "target": PLACE}
    after = {**HEAD, "task": "Sync", "tables": [{"sync": SYNC, "target": PLACE}]}
    read = Plan.model_validate_json(json.dumps(before))
    assert read == Plan.model_validate(after)
    assert (read.only.sync.stream, read.only.target.path) == ("orders", "team/orders")
    assert read.target is None


@pytest.mark.parametrize("more", [{}, {"sync": None}], ids=["absent", "null"])
def test_a_check_plan_of_the_version_before_keeps_its_target(more: dict[str, Any]) -> None:
    read = Plan.model_validate({**HEAD, "task": "Check", "target": PLACE, **more})
    assert read.target is not None
    assert (read.tables, read.target.path) == ([], "team/orders")


def test_a_plan_comes_back_as_it_was_written() -> None:
    plan = Plan.model_validate({**HEAD, "task": "Sync", "sync": SYNC, "target": PLACE})
    assert Plan.model_validate_json(plan.model_dump_json(by_alias=True, exclude_none=True)) == plan


def test_a_plan_narrowed_to_a_table_says_nothing_of_the_others() -> None:
    one, other = ({"sync": {**SYNC, "stream": name}, "target": PLACE} for name in ("a", "b"))
    plan = Plan.model_validate({**HEAD, "task": "Sync", "tables": [one, other]})
    assert plan.narrow(plan.tables[1]) == Plan.model_validate(
        {**HEAD, "task": "Sync", "tables": [other]}
    )


def report(**more: Any) -> Report:
    base = {"task": "Sync", "runId": "r", "result": "Succeeded", "rows": 7, **more}
    return Report.model_validate_json(json.dumps(base))


def test_a_report_of_the_version_before_is_that_of_its_one_table() -> None:
    read = report(**DETAIL)
    told = TableReport.model_validate({**DETAIL, "rows": 7})
    assert read.tables == [told]
    assert read.find_table("orders") == told


def test_a_report_tells_each_stream_its_own_table() -> None:
    read = report(tables=[{"stream": "a", "rows": 1}, {"stream": "b", "rows": 2}])
    found = read.find_table("b")
    assert found is not None
    assert (found.rows, read.find_table("c")) == (2, None)


@pytest.mark.parametrize(
    "more",
    [{"task": "Check"}, {"result": "Failed", "notes": ["A sentence."]}],
    ids=["check", "failed"],
)
def test_what_published_nothing_has_no_table(more: dict[str, Any]) -> None:
    assert report(**more).tables == []
