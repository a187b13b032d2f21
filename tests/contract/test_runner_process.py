"""The runner as a pod starts it: files in, a table, a report, a log and an exit code out."""

import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from external_data_operator.api.plan import ExitCode, Report
from external_data_operator.reconcile.plans.catalogue import find_discovery
from external_data_operator.reconcile.runs.reports import find_logged_report

from tests.contract.rest_reading import in_folder, make_plan, write_to
from tests.servers.replies import Reply, ok, status
from tests.servers.rest import RestServer, Seen
from tests.servers.tables import Table, make_rows

HEAD = ["time", "level", "message", "logger", "namespace", "source", "schema", "run"]
CURSOR = {"cursor": {"cursorPath": "meta.next", "cursorParam": "at"}}


@dataclass
class Pod:
    """A folder with what a pod mounts."""

    home: Path

    def start(self, plan: dict[str, Any], **more: str) -> "subprocess.Popen[bytes]":
        """The runner, as a process of its own."""
        (self.home / "plan").mkdir(parents=True, exist_ok=True)
        (self.home / "plan" / "plan.json").write_text(json.dumps(plan))
        env = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": os.pathsep.join(("operator", ".")),
            "EXTERNAL_DATA_FILES_DIR": str(self.home),
            "EXTERNAL_DATA_RUN_ID": "run-1",
            "TERMINATION_LOG": str(self.home / "report.json"),
            **more,
        }
        argv = [sys.executable, "-m", "sync_runner"]
        return subprocess.Popen(argv, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    @property
    def report(self) -> Report:
        """What it left behind."""
        return Report.model_validate_json((self.home / "report.json").read_bytes())


@pytest.fixture
def pod(tmp_path: Path) -> Pod:
    return Pod(tmp_path / "pod")


def _plan(server: RestServer, folder: Path, **stream: Any) -> dict[str, Any]:
    plan = make_plan(server, {"pagination": CURSOR, **stream})
    plan = write_to(plan, in_folder(folder))
    return plan.model_dump(by_alias=True, mode="json", exclude_none=True)


def _check_plan(server: RestServer, folder: Path) -> dict[str, Any]:
    target = {"file": {"path": str(folder)}, "path": "analytics"}
    return _plan(server, folder) | {"task": "Check", "tables": [], "target": target}


def test_a_sync_leaves_a_table_a_report_and_a_log(
    server: RestServer, pod: Pod, tmp_path: Path
) -> None:
    server.on("/orders", Table(make_rows(2500), "cursor"))
    process = pod.start(_plan(server, tmp_path / "lake"))
    out, log = process.communicate(timeout=60)
    assert process.returncode == ExitCode.OK, log
    assert (pod.report.result, pod.report.rows, pod.report.pages) == ("Succeeded", 2500, 25)
    assert pod.report.run_id == "run-1"
    (told,) = pod.report.tables
    assert told.table is not None
    assert (told.stream, told.table.rows) == ("orders", 2500)
    assert out == b""
    last = json.loads(log.splitlines()[-1])
    assert [column["name"] for column in last["tables"][0]["columns"]] == [
        "id",
        "name",
        "amount",
        "paid",
        "meta",
        "updated_at",
    ]


def test_a_pod_that_is_let_through_may_empty_its_table(
    server: RestServer, pod: Pod, tmp_path: Path
) -> None:
    plan = _plan(server, tmp_path / "lake")
    for rows, allowed, left in ((200, "", 200), (0, "", None), (0, "true", 0)):
        server.on("/orders", Table(make_rows(rows), "cursor"))
        more = {"EXTERNAL_DATA_RUN_ID": f"run-{rows}-{allowed}"}
        pod.start(plan, EXTERNAL_DATA_ALLOW_SHRINK=allowed, **more).communicate(timeout=60)
        if left is None:
            assert pod.report.failure is not None
            assert pod.report.failure.reason == "TableWouldShrink"
        else:
            assert pod.report.tables[0].table is not None
            assert pod.report.tables[0].table.rows == left


@pytest.mark.parametrize("log_format", ["json", "text"])
def test_a_check_hands_over_what_it_found_whatever_the_logs_format_is(
    server: RestServer, pod: Pod, tmp_path: Path, log_format: str
) -> None:
    server.on("/orders", Table(make_rows(50), "cursor"))
    plan = _check_plan(server, tmp_path / "lake")
    process = pod.start(plan, EXTERNAL_DATA_LOG_FORMAT=log_format)
    out, log = process.communicate(timeout=60)
    assert process.returncode == ExitCode.OK, log
    assert all(list(json.loads(line))[: len(HEAD)] == HEAD for line in out.splitlines())
    found = find_discovery(out.decode(), "run-1")
    assert found is not None
    assert [stream.name for stream in found.streams] == ["orders"]
    assert pod.report.result == "Succeeded"


@pytest.mark.parametrize("log_format", ["json", "text"])
def test_a_report_that_is_too_long_for_a_termination_message_is_handed_over(
    server: RestServer, pod: Pod, tmp_path: Path, log_format: str
) -> None:
    names = [f"column_{number}_{'x' * 40}" for number in range(300)]
    server.on("/orders", ok({"data": [dict.fromkeys(["id", *names], 1)], "meta": {}}))
    plan = _plan(server, tmp_path / "lake")
    out, log = pod.start(plan, EXTERNAL_DATA_LOG_FORMAT=log_format).communicate(timeout=60)
    assert (pod.report.result, pod.report.tables[0].columns) == ("Succeeded", None), log
    found = find_logged_report(out.decode(), "run-1")
    assert found is not None
    assert [column.name for column in found.tables[0].columns or ()] == ["id", *names]


@pytest.mark.parametrize(
    ("reply", "code", "reason"),
    [
        (status(401), ExitCode.CONFIGURATION, "CredentialsRejected"),
        (ok({"items": []}), ExitCode.CONFIGURATION, "RecordsPathNotFound"),
    ],
)
def test_a_failure_is_an_exit_code_and_a_sentence(
    server: RestServer, pod: Pod, tmp_path: Path, reply: Reply, code: ExitCode, reason: str
) -> None:
    server.on("/orders", reply)
    process = pod.start(_plan(server, tmp_path / "lake", params={"key": "query-secret"}))
    out, log = process.communicate(timeout=60)
    assert process.returncode == code
    assert pod.report.failure is not None
    assert pod.report.failure.reason == reason
    for secret in (b"body-secret", b"query-secret"):
        assert secret not in out + log + (pod.home / "report.json").read_bytes()


def test_a_pod_that_is_asked_to_stop_ends_in_order_and_the_next_one_completes_the_run(
    server: RestServer, pod: Pod, tmp_path: Path
) -> None:
    table = Table(make_rows(3000), "cursor")
    started: list[subprocess.Popen[bytes]] = []

    def stop_there(seen: Seen) -> Reply:
        started[0].send_signal(signal.SIGTERM)
        return Reply(silence_s=30)

    server.on("/orders", table)
    server.script("/orders", *[None] * 15, stop_there)
    plan = _plan(server, tmp_path / "lake")
    started.append(pod.start(plan))
    _, log = started[0].communicate(timeout=60)
    assert started[0].returncode == ExitCode.RETRYABLE, log
    assert pod.report.failure is not None
    assert pod.report.failure.reason == "Evicted"
    second = pod.start(plan)
    _, log = second.communicate(timeout=60)
    assert second.returncode == ExitCode.OK, log
    assert pod.report.rows == 3000
    assert pod.report.tables[0].table is not None
    assert pod.report.tables[0].table.rows == 3000


def test_a_thread_that_waits_for_a_server_does_not_keep_the_pod() -> None:
    code = (
        "import threading, time, sync_runner.__main__ as runner;"
        "threading.Thread(target=time.sleep, args=(300,)).start();"
        "print('said');"
        "runner._leave(75)"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        timeout=60,
        check=False,
        env={"PYTHONPATH": os.pathsep.join(("operator", "."))},
    )
    assert (ended.returncode, ended.stdout) == (75, b"said\n")


def test_every_line_of_a_run_names_what_it_is_about(
    server: RestServer, pod: Pod, tmp_path: Path
) -> None:
    server.on("/orders", Table(make_rows(50), "cursor"))
    plan = _plan(server, tmp_path / "lake")
    _, log = pod.start(plan, EXTERNAL_DATA_SCHEMA="shop-orders").communicate(timeout=60)
    lines = [json.loads(line) for line in log.splitlines()]
    assert len(lines) > 1
    subject = {"namespace": plan["namespace"], "source": plan["source"]}
    for line in lines:
        assert list(line)[: len(HEAD)] == HEAD
        assert line["time"].endswith("Z")
        assert line.items() >= {**subject, "schema": "shop-orders", "run": "run-1"}.items()


def test_a_runner_that_cannot_read_its_plan_says_so_in_a_line_of_the_log(pod: Pod) -> None:
    process = pod.start({"task": "Sync"})
    _, log = process.communicate(timeout=60)
    assert process.returncode == ExitCode.BUG
    (line,) = [json.loads(text) for text in log.splitlines()]
    assert list(line)[: len(HEAD)] == HEAD
    assert (line["level"], line["run"]) == ("critical", "run-1")
    assert "ValidationError" in line["traceback"]
