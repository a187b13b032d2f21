"""Starts a supervisor, talks to it, and ends it with everything that it holds."""

import contextlib
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dev.localcluster import supervisor
from dev.localcluster.errors import LocalClusterError

_END_ATTEMPTS = 200
_SCRIPT = str(Path(supervisor.__file__))
CONTAINED = (
    *("unshare", "--net", "--mount", "--pid", "--uts", "--ipc"),
    *("--fork", "--kill-child", "--mount-proc"),
)
"""A network, mounts and processes of its own, which all end with the first process."""


def start_supervisor(home: Path, *, within: Sequence[str] = ()) -> int:
    """Starts it as a daemon and returns its process id as seen from here."""
    (home / "logs").mkdir(parents=True, exist_ok=True)
    with (home / "logs" / "supervisor.log").open("ab") as log:
        child = subprocess.Popen(
            [*within, sys.executable, "-I", _SCRIPT, str(home)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        pid = find_supervisor(home)
        if pid is not None:
            child.returncode = 0  # it outlives this process on purpose
            return pid
        if child.poll() is not None:
            break
        time.sleep(0.02)
    said = (home / "logs" / "supervisor.log").read_text()[-1000:].strip()
    raise LocalClusterError(f"the cluster's supervisor did not start: {said}")


def find_supervisor(home: Path) -> int | None:
    """Its process id as seen from here, when it runs and answers."""
    try:
        with _connect(home) as connection:
            size = struct.calcsize("3i")
            peer = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size)
            return int(struct.unpack("3i", peer)[0])
    except OSError:
        return None


def request(home: Path, do: str, **arguments: Any) -> dict[str, Any]:
    """One request and its answer."""
    try:
        with _connect(home) as connection, connection.makefile("rw", encoding="utf-8") as stream:
            stream.write(json.dumps({"do": do, **arguments}) + "\n")
            stream.flush()
            answer: dict[str, Any] = json.loads(stream.readline())
    except (OSError, ValueError) as error:
        raise LocalClusterError(f"the cluster in {home} does not answer: {error}") from error
    if "error" in answer:
        raise LocalClusterError(f"{do} {arguments.get('name', '')}: {answer['error']}")
    return answer


def end_supervisor(home: Path) -> None:
    """Kills it and, through the kernel, all that it held; also one that no longer answers.

    The `unshare` around it is left to end by itself: it does so when the last process has.
    """
    found: dict[int, list[bytes]] = {}
    for attempt in range(_END_ATTEMPTS):
        found = _processes_of(home)
        if not found:
            return
        for pid, words in found.items():
            if words[0] != CONTAINED[0].encode() or attempt > _END_ATTEMPTS // 2:
                _kill(pid)
        time.sleep(0.05)
    raise LocalClusterError(f"processes {sorted(found)} of {home} do not end")


def any_supervisor_runs() -> bool:
    """Whether any cluster at all runs on this machine, of whichever clone and cache."""
    script = f"/{Path(_SCRIPT).name}".encode()
    return any(len(words) > 2 and words[-3].endswith(script) for words in _command_lines().values())


def _processes_of(home: Path) -> dict[int, list[bytes]]:
    """The supervisor and what holds its namespaces, told by their command lines."""
    wanted = [Path(_SCRIPT).name.encode(), str(home).encode()]
    return {
        pid: words
        for pid, words in _command_lines().items()
        if len(words) > 2 and [words[-3].rpartition(b"/")[2], words[-2]] == wanted
    }


def _command_lines() -> dict[int, list[bytes]]:
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):  # it ended meanwhile
                found[int(entry.name)] = (entry / "cmdline").read_bytes().split(b"\0")
    return found


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def _connect(home: Path) -> socket.socket:
    """Through a short name of the folder: socket paths end after 107 bytes."""
    folder = os.open(home, os.O_PATH | os.O_DIRECTORY)
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.settimeout(30.0)
    try:
        connection.connect(f"/proc/self/fd/{folder}/{supervisor.SOCKET}")
    except OSError:
        connection.close()
        raise
    finally:
        os.close(folder)
    return connection
