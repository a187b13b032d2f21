"""What fails says why: a program by its own words, a wait by the last ones of a log."""

from pathlib import Path

import pytest

from dev.localcluster.commands import run
from dev.localcluster.errors import CommandFailedError, LocalClusterError
from dev.localcluster.readiness import wait_until


def test_a_wait_that_ends_in_vain_says_why_and_what_the_log_said_last(tmp_path: Path) -> None:
    log = tmp_path / "program.log"
    log.write_text("first\nsecond\nthird\nlast words\n")

    def fail() -> None:
        raise ConnectionRefusedError("nobody listens")

    with pytest.raises(LocalClusterError, match="nobody listens") as failure:
        wait_until(fail, what="the program", log=log, timeout_s=0.2)
    assert str(failure.value).endswith("second\nthird\nlast words")


def test_a_command_that_fails_carries_what_it_said() -> None:
    with pytest.raises(CommandFailedError, match="on fire") as failure:
        run("sh", "-c", "echo on fire >&2; exit 3")
    assert failure.value.code == 3


def test_a_command_reads_a_text_or_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("from a file")
    assert run("cat", stdin="from a text") == "from a text"
    assert run("cat", stdin=tmp_path / "file") == "from a file"
    assert run("cat") == ""


def test_a_command_that_is_not_there_is_named() -> None:
    with pytest.raises(LocalClusterError, match="the program no-such-thing is missing"):
        run("no-such-thing")
