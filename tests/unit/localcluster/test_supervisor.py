"""The supervisor holds real programs: it restarts what dies and ends with all that it holds."""

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from dev.localcluster.control import (
    end_supervisor,
    find_supervisor,
    request,
    start_supervisor,
)
from dev.localcluster.errors import LocalClusterError
from tests.waiting import wait_for

SLEEPER = [sys.executable, "-c", "import time; print('here', flush=True); time.sleep(300)"]


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """A folder whose path is longer than the kernel lets a socket's path be."""
    folder = tmp_path / ("long" * 30)
    folder.mkdir()
    start_supervisor(folder)
    yield folder
    end_supervisor(folder)


def pids_with(word: str) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                words = (entry / "cmdline").read_text().split("\0")
            except OSError:
                continue
            if word in words:
                found.append(int(entry.name))
    return found


def test_a_program_runs_and_its_output_is_kept(home: Path) -> None:
    request(home, "start", name="one", argv=SLEEPER)
    wait_for(lambda: (home / "logs" / "one.log").read_text() == "here\n")
    assert request(home, "status")["one"]["running"] is True


def test_a_program_that_dies_is_started_again(home: Path) -> None:
    marked = [*SLEEPER, str(home / "dies")]
    request(home, "start", name="one", argv=marked)
    wait_for(lambda: len(pids_with(marked[-1])) == 1)
    (first,) = pids_with(marked[-1])
    os.kill(first, signal.SIGKILL)
    wait_for(lambda: pids_with(marked[-1]) not in ([], [first]))
    found = request(home, "status")["one"]
    assert (found["restarts"], found["exits"]) == (1, [-9])


def test_a_program_that_is_stopped_stays_stopped_while_another_is_started_again(home: Path) -> None:
    stopped, dying = ([*SLEEPER, str(home / word)] for word in ("stops", "dies"))
    request(home, "start", name="one", argv=stopped)
    request(home, "start", name="two", argv=dying)
    wait_for(lambda: len(pids_with(dying[-1])) == 1)
    request(home, "stop", name="one")
    assert pids_with(stopped[-1]) == []
    os.kill(*pids_with(dying[-1]), signal.SIGKILL)
    wait_for(lambda: request(home, "status")["two"]["restarts"] == 1)
    assert pids_with(stopped[-1]) == []
    assert list(request(home, "status")) == ["two"]


def test_a_frozen_program_can_be_stopped(home: Path) -> None:
    request(home, "start", name="one", argv=SLEEPER)
    request(home, "signal", name="one", signal="SIGSTOP")
    request(home, "stop", name="one", grace_s=0.2)
    assert request(home, "status") == {}


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param({"do": "stop", "name": "nobody"}, id="unknown-program"),
        pytest.param({"do": "dance"}, id="unknown-verb"),
        pytest.param({"do": "start", "name": "one", "argv": 3}, id="no-command-line"),
    ],
)
def test_a_request_that_makes_no_sense_is_refused_and_the_next_is_served(
    home: Path, arguments: dict[str, object]
) -> None:
    with pytest.raises(LocalClusterError):
        request(home, **arguments)  # type: ignore[arg-type]
    assert "error" not in request(home, "status")


def test_all_programs_end_with_a_supervisor_that_is_killed(home: Path) -> None:
    marked = [*SLEEPER, str(home / "orphan")]
    request(home, "start", name="one", argv=marked)
    wait_for(lambda: len(pids_with(marked[-1])) == 1)
    supervisor = find_supervisor(home)
    assert supervisor is not None
    os.kill(supervisor, signal.SIGKILL)
    wait_for(lambda: pids_with(marked[-1]) == [])
    assert find_supervisor(home) is None


def test_a_supervisor_that_cannot_start_says_why(tmp_path: Path) -> None:
    with pytest.raises(LocalClusterError, match="did not start: sh: 1: oops"):
        start_supervisor(tmp_path, within=("sh", "-c", "echo 'sh: 1: oops' >&2; exit 1"))
