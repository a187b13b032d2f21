"""Holds the programs of one cluster: starts, stops, freezes and restarts them as it is told.

It runs as a script of its own with nothing but the standard library, as process 1 of the cluster's
process namespace, so that its end is the end of everything in the cluster. Requests are one line of
JSON over a socket in the cluster's folder.
"""

import contextlib
import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

SOCKET = "control.sock"
RESTARTS_MAX = 30
RESTART_PAUSE_S = 1.0
STOP_GRACE_S = 8.0


@dataclass
class Held:
    """One program: what was asked for, and what became of it."""

    argv: list[str]
    process: subprocess.Popen[bytes] | None = None
    restarts: int = 0
    exits: list[int] = field(default_factory=list)
    restart_at: float | None = None


class Supervisor:
    """The programs by name, and the socket where requests arrive."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._held: dict[str, Held] = {}
        self._ended = False
        os.chdir(home)  # the socket's path may be too long for the kernel, its name is not
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(SOCKET)
        Path(SOCKET).chmod(0o600)
        self._listener.listen(8)
        wake_read, wake_write = os.pipe()
        os.set_blocking(wake_write, False)
        self._wake = wake_read
        signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._end)

    def serve(self) -> None:
        """Until it is told to end."""
        with selectors.DefaultSelector() as selector:
            selector.register(self._listener, selectors.EVENT_READ)
            selector.register(self._wake, selectors.EVENT_READ)
            while not self._ended:
                for key, _ in selector.select(timeout=RESTART_PAUSE_S):
                    if key.fileobj is self._listener:
                        self._answer()
                    else:
                        os.read(self._wake, 4096)
                self._reap()
                self._restart_due()
        for name in list(self._held):
            self._stop({"name": name, "grace_s": 0})

    def _end(self, *_: object) -> None:
        self._ended = True

    def _answer(self) -> None:
        connection, _ = self._listener.accept()
        connection.settimeout(5.0)
        with (
            contextlib.suppress(OSError),  # the caller may have gone
            connection,
            connection.makefile("rw", encoding="utf-8") as stream,
        ):
            reply = self._obey(stream.readline())
            stream.write(json.dumps(reply) + "\n")

    def _obey(self, line: str) -> Mapping[str, Any]:
        verbs = {
            "status": self._status,
            "start": self._start,
            "stop": self._stop,
            "signal": self._signal,
        }
        try:
            request = json.loads(line)
            return verbs[request["do"]](request)
        except (ValueError, KeyError, TypeError, OSError) as error:
            return {"error": f"{type(error).__name__}: {error}"}

    def _status(self, _: Mapping[str, Any]) -> Mapping[str, Any]:
        return {
            name: {
                "running": held.process is not None,
                "restarts": held.restarts,
                "exits": held.exits[-5:],
                "argv": held.argv,
            }
            for name, held in self._held.items()
        }

    def _start(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        name = request["name"]
        held = self._held.get(name)
        if held is not None and held.process is not None:
            return {"error": f"{name} runs already"}
        self._held[name] = Held(argv=list(request["argv"]))
        self._spawn(name)
        return {}

    def _stop(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        held = self._held.pop(request["name"])
        process = held.process
        if process is None:
            return {}
        grace_s = float(request.get("grace_s", STOP_GRACE_S))
        if grace_s > 0:
            process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=grace_s)
        if process.returncode is None:
            process.kill()
            process.wait()
        return {}

    def _signal(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        process = self._held[request["name"]].process
        if process is None:
            return {"error": f"{request['name']} is not running"}
        process.send_signal(signal.Signals[request["signal"]])
        return {}

    def _spawn(self, name: str) -> None:
        held = self._held[name]
        held.restart_at = None
        with (self._home / "logs" / f"{name}.log").open("ab") as log:
            held.process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", "--", *held.argv],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def _reap(self) -> None:
        """Also the orphans that end here because this is process 1."""
        by_pid = {held.process.pid: held for held in self._held.values() if held.process}
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if held := by_pid.get(pid):
                self._record_exit(held, status)

    def _record_exit(self, held: Held, status: int) -> None:
        code = os.waitstatus_to_exitcode(status)
        if held.process is not None:
            held.process.returncode = code
        held.process = None
        held.exits.append(code)
        if held.restarts < RESTARTS_MAX:
            held.restart_at = time.monotonic() + RESTART_PAUSE_S

    def _restart_due(self) -> None:
        for name, held in self._held.items():
            if held.restart_at is not None and held.restart_at <= time.monotonic():
                held.restarts += 1
                self._spawn(name)


if __name__ == "__main__":
    Supervisor(Path(sys.argv[1])).serve()
