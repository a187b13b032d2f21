"""Readers in processes and an environment of their own: see `worker.py`."""

import pickle
import struct
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dev.environments import READERS, make_environment

Row = dict[str, Any]
_WORKER = Path(__file__).with_name("worker.py")


class ReaderError(Exception):
    """A reader refused a query, in its own words."""


@dataclass
class Foreign:
    """A reader's process, which answers one query after the other."""

    process: "subprocess.Popen[bytes]"
    version: str = ""

    @classmethod
    def start(cls, reader: str) -> "Foreign":
        """Starts a reader of `worker.py` and waits until it is loaded."""
        return cls.launch([str(make_environment(READERS)), "-P", str(_WORKER), reader])

    @classmethod
    def launch(cls, argv: list[str], **options: Any) -> "Foreign":
        """Starts any program that answers as `worker.py` does; options are those of `Popen`."""
        process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, **options)
        foreign = cls(process)
        foreign.version = foreign._receive()["version"]
        return foreign

    def ask(self, **request: Any) -> list[Row]:
        """The rows of a query."""
        data = pickle.dumps(request)
        assert self.process.stdin is not None
        self.process.stdin.write(struct.pack(">I", len(data)) + data)
        self.process.stdin.flush()
        reply = self._receive()
        if "error" in reply:
            raise ReaderError(reply["error"])
        rows: list[Row] = reply["rows"]
        return rows

    def stop(self) -> None:
        """Ends the process."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.stdout.close()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def _receive(self) -> Any:
        assert self.process.stdout is not None
        head = self.process.stdout.read(4)
        if len(head) < 4:
            raise ReaderError(f"The reader ended with status {self.process.wait()}.")
        return pickle.loads(self.process.stdout.read(struct.unpack(">I", head)[0]))
