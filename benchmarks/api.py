"""Starts the server of pages as a process of its own, and reads its counters."""

import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.errors import BenchmarkError
from benchmarks.places import REPOSITORY

_STOP_S = 10


@dataclass(frozen=True)
class Api:
    """A running server."""

    address: str

    def read_stats(self, *, reset: bool = False) -> dict[str, Any]:
        """Requests, bytes, and when the first request came; `reset` starts the counters anew."""
        url = f"{self.address}/stats{'?reset=1' if reset else ''}"
        with urllib.request.urlopen(url, timeout=30) as answer:
            stats: dict[str, Any] = json.load(answer)
        return stats


@contextmanager
def running_api(sets: Mapping[str, Path], *, host: str = "127.0.0.1") -> Iterator[Api]:
    """Serves these NDJSON files; the first is the one that requests get without a `set`."""
    named = [f"{name}={path}" for name, path in sets.items()]
    server = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.server", "--host", host, *named],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=REPOSITORY,
    )
    assert server.stdin is not None, "it is a pipe"
    assert server.stdout is not None, "it is a pipe"
    try:
        address = server.stdout.readline().strip()
        if not address:
            raise BenchmarkError(f"the server of pages ended at once: exit {server.wait()}")
        yield Api(address)
    finally:
        server.stdin.close()
        server.wait(_STOP_S)
        server.stdout.close()
