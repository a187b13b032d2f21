"""Both processes write log lines of one shape, and no credential gets into one."""

import asyncio
import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from external_data_operator.cluster.store import Store
from external_data_operator.controllers import CONTROLLERS
from external_data_operator.logs import JsonFormatter, Subject, about, hide, set_up
from external_data_operator.reconcile.base.world import ResourceKey
from external_data_operator.runtime.logs import KopfSubject, Subjects, set_up_logging

from tests.unit.reconcile.worlds import SETTINGS, build_schema, build_source

HEAD = ["time", "level", "message", "logger", "namespace", "source", "schema", "run"]
SHOP = Subject("team", "shop", "shop-items", "uid-7")
_log = logging.getLogger("ours")


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    logging.basicConfig(handlers=handlers, level=level, force=True)


@pytest.fixture
def lines() -> list[str]:
    """What is written from now on, as JSON, about the shop."""
    written: list[str] = []
    set_up(written.append, as_json=True, subject=SHOP)
    return written


def only(lines: list[str]) -> dict[str, Any]:
    (line,) = lines
    assert line.endswith("}\n")
    found: dict[str, Any] = json.loads(line)
    return found


def test_a_line_begins_with_the_same_members_in_the_same_order(lines: list[str]) -> None:
    before = datetime.now(UTC)
    _log.warning("%d rows are left.", 3)
    line = only(lines)
    assert list(line) == HEAD
    assert (line["level"], line["message"], line["logger"]) == (
        "warning",
        "3 rows are left.",
        "ours",
    )
    assert [line[key] for key in HEAD[4:]] == ["team", "shop", "shop-items", "uid-7"]
    assert line["time"].endswith("Z")
    said = datetime.fromisoformat(line["time"])
    assert abs((said - before).total_seconds()) < 60


def test_fields_of_a_line_follow_and_never_replace_its_head(lines: list[str]) -> None:
    _log.info("Read.", extra={"fields": {"rows": 3, "level": "high", "source": {"a": 1}}})
    line = only(lines)
    assert (line["rows"], line["level"], line["source"]) == (3, "info", "shop")


def test_a_traceback_is_part_of_its_line(lines: list[str]) -> None:
    try:
        raise LookupError("inside")
    except LookupError:
        _log.exception("A bug.")
    assert "LookupError: inside" in only(lines)["traceback"]


def test_a_message_of_several_lines_or_with_wrong_arguments_is_one_line() -> None:
    record = logging.LogRecord("lib", logging.INFO, "", 1, "one\ntwo %d", ("three",), None)
    line = JsonFormatter().format(record)
    assert "\n" not in line
    assert json.loads(line)["message"] == "one\ntwo %d"


@pytest.mark.parametrize("as_json", [True, False], ids=["json", "text"])
@pytest.mark.parametrize(
    "text",
    [
        "GET https://api.shop.example/items?api_key=c0ffee&page=2 failed",
        "connecting to postgres://reader:c0ffee@db.example/shop",
        "Invalid header value b'Authorization: Bearer c0ffee-c0ffee-c0ffee'",
        "the password is s3cr3t-c0ffee!",
    ],
    ids=["query", "user", "header", "known"],
)
def test_no_credential_is_in_a_message_a_field_or_a_traceback(as_json: bool, text: str) -> None:
    written: list[str] = []
    set_up(written.append, as_json=as_json)
    hide("s3cr3t-c0ffee!\n")
    try:
        raise ValueError(text)
    except ValueError as error:
        _log.exception("Failed: %s", error, extra={"fields": {"why": [text]}})
    assert "c0ffee" not in "".join(written)
    assert "***" in "".join(written)


def test_a_subject_holds_for_its_block_and_leaves_the_rest_as_it_was(lines: list[str]) -> None:
    with about(Subject(schema="shop-orders")):
        with about(Subject(run="uid-8")):
            _log.info("inside")
        _log.info("between")
    _log.info("outside")
    found = [json.loads(line) for line in lines]
    assert [(one["source"], one["schema"], one["run"]) for one in found] == [
        ("shop", "shop-orders", "uid-8"),
        ("shop", "shop-orders", "uid-7"),
        ("shop", "shop-items", "uid-7"),
    ]


def test_tasks_at_the_same_time_have_subjects_of_their_own(lines: list[str]) -> None:
    async def say(name: str) -> None:
        with about(Subject(source=name)):
            await asyncio.sleep(0)
            _log.info(name)

    async def both() -> None:
        await asyncio.gather(say("one"), say("two"))

    asyncio.run(both())
    assert [json.loads(line)["source"] for line in lines] == ["one", "two"]


def test_text_holds_the_subject_behind_the_message() -> None:
    written: list[str] = []
    set_up(written.append, as_json=False, subject=Subject("team", "shop"))
    _log.warning("Waiting.")
    assert written[0].endswith("Z WARNING  Waiting. namespace=team source=shop\n")


def test_a_line_of_kopf_names_the_object_that_kopf_names() -> None:
    written: list[str] = []
    set_up(written.append, as_json=True, filters=[KopfSubject(CONTROLLERS)])
    for kind in ("ExternalDataSource", "ExternalDataSchema", "Job"):
        ref = {"kind": kind, "namespace": "team", "name": "shop", "apiVersion": "v1", "uid": "u"}
        logging.getLogger("kopf.objects").warning("Skipped.", extra={"k8s_ref": ref})
    found = [json.loads(line) for line in written]
    assert [(one["namespace"], one["source"], one["schema"]) for one in found] == [
        ("team", "shop", None),
        ("team", None, "shop"),
        ("team", None, None),
    ]


def test_a_look_at_a_schema_is_about_its_source_too() -> None:
    store = Store(CONTROLLERS)
    store.put(build_schema())
    store.put(build_source())
    subjects = Subjects(store, CONTROLLERS)
    key = ResourceKey("ExternalDataSchema", "team", build_schema()["metadata"]["name"])
    assert subjects.find(key) == Subject("team", "shop", key.name)
    assert subjects.find(ResourceKey("ExternalDataSource", "team", "shop")) == Subject(
        "team", "shop"
    )
    assert subjects.find(ResourceKey("ExternalDataSchema", "team", "x")).source is None


def test_libraries_are_quiet_below_warnings() -> None:
    hooks, showing = (sys.excepthook, sys.__stderr__), logging.getLogger("kopf").level
    try:
        set_up_logging(SETTINGS, CONTROLLERS)
        assert logging.getLogger("kopf").level == logging.WARNING
    finally:
        sys.excepthook = hooks[0]
        logging.captureWarnings(capture=False)
        logging.getLogger("kopf").setLevel(showing)


DIES = """
import asyncio, logging, sys, threading, warnings
from external_data_operator.logs import catch_uncaught, set_up
set_up(sys.stderr.write, as_json=True)
catch_uncaught()
warnings.warn("old", DeprecationWarning)
thread = threading.Thread(target=lambda: 1 / 0, name="reader")
thread.start()
thread.join()
async def main():
    asyncio.get_running_loop().call_soon(lambda: {}["key"])
    await asyncio.sleep(0.01)
asyncio.run(main())
raise RuntimeError("at the end, of https://api.shop.example/?token=c0ffee")
"""


def run_python(*arguments: str, **environment: str) -> tuple[int, list[dict[str, Any]]]:
    """Exit code and the lines of standard error, each of which must be JSON."""
    env = {**os.environ, "PYTHONPATH": "operator:.", "PYTHONWARNINGS": "default", **environment}
    done = subprocess.run(
        [sys.executable, *arguments], env=env, capture_output=True, text=True, check=False
    )
    return done.returncode, [json.loads(line) for line in done.stderr.splitlines()]


def test_whatever_ends_a_process_a_thread_or_a_callback_is_a_line_of_the_log() -> None:
    code, found = run_python("-c", DIES)
    assert code == 1
    assert all(list(line)[: len(HEAD)] == HEAD for line in found)
    levels = [(line["logger"], line["level"]) for line in found]
    ours = "external_data_operator.logs"
    assert levels == [
        ("py.warnings", "warning"),
        (ours, "critical"),
        ("asyncio", "error"),
        (ours, "critical"),
    ]
    assert "ZeroDivisionError" in found[1]["traceback"]
    assert "ends thread reader" in found[1]["message"]
    assert "KeyError" in found[2]["traceback"]
    assert "RuntimeError: at the end" in found[3]["traceback"]
    assert "c0ffee" not in json.dumps(found)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"EXTERNAL_DATA_WORKERS": "none"}, "EXTERNAL_DATA_WORKERS"),
        ({"EXTERNAL_DATA_NAMESPACE": "x", "EXTERNAL_DATA_RUNNER_IMAGE": "y"}, "cluster"),
    ],
    ids=["wrong settings", "no cluster"],
)
def test_an_operator_that_cannot_start_says_so_in_a_line_of_the_log(
    given: dict[str, str], said: str
) -> None:
    environment = {"KUBECONFIG": "/nowhere", **given}
    code, found = run_python("-m", "external_data_operator", **environment)
    assert code == 1
    assert all(list(line)[: len(HEAD)] == HEAD for line in found)
    assert found[-1]["level"] == "critical"
    assert said in found[-1]["message"]
