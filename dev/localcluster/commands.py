"""Runs other programs. A failure always carries what the program said."""

import contextlib
import os
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

from dev.localcluster.announce import Heartbeat, announce
from dev.localcluster.errors import CommandFailedError, LocalClusterError


def run(
    *argv: str | Path,
    stdin: str | Path | None = None,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    timeout_s: float = 120.0,
) -> str:
    """The program's stdout; `env` is added to the environment, `stdin` is a text or a file."""
    words = [str(word) for word in argv]
    text = "" if stdin is None else stdin
    with text.open("rb") if isinstance(text, Path) else contextlib.nullcontext() as file:
        try:
            done = subprocess.run(
                words,
                input=None if isinstance(text, Path) else text,
                stdin=file,
                capture_output=True,
                text=True,
                env={**os.environ, **(env or {})},
                cwd=cwd,
                timeout=timeout_s,
                check=False,
            )
        except FileNotFoundError as error:
            raise LocalClusterError(f"the program {words[0]} is missing") from error
        except subprocess.TimeoutExpired as error:
            raise LocalClusterError(f"`{' '.join(words)}` took over {timeout_s:.0f} s") from error
    if done.returncode != 0:
        raise CommandFailedError(words, code=done.returncode, stderr=done.stderr or done.stdout)
    return done.stdout


def run_announced(
    *argv: str | Path,
    what: str,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    timeout_s: float = 3600.0,
) -> None:
    """Runs a program that takes long: says so first, and again every half minute."""
    announce(what)
    words = [str(word) for word in argv]
    heartbeat = Heartbeat(what)
    with tempfile.TemporaryFile("w+") as output:
        child = subprocess.Popen(
            words,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, **(env or {})},
            cwd=cwd,
        )
        try:
            _wait(child, heartbeat, timeout_s=timeout_s)
        finally:
            if child.poll() is None:
                child.terminate()
                child.wait()
        if child.returncode != 0:
            output.seek(0)
            raise CommandFailedError(words, code=child.returncode, stderr=output.read())


def _wait(child: subprocess.Popen[bytes], heartbeat: Heartbeat, *, timeout_s: float) -> None:
    rounds = int(timeout_s)
    for _ in range(rounds):
        try:
            child.wait(timeout=1.0)
        except subprocess.TimeoutExpired:
            heartbeat.beat()
        else:
            return
    raise LocalClusterError(f"`{child.args!r}` took over {rounds} s")
