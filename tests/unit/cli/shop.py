"""A shop's manifests, commands at it, and a terminal."""

import json
import os
import pty
import select
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import polars
import pytest
from external_data_operator.cli.main import main

ROOT = Path(__file__).parents[3]
TOKEN = "s3cr3t-of-the-shop"
SOURCE = """\
apiVersion: external-data.io/v1alpha1
kind: ExternalDataSource
metadata: {name: shop, namespace: analytics}
spec:
  tablePrefix: shop_
  rest:
    baseUrl: URL
    auth: {bearer: {token: {secretKeyRef: {name: shop-api, key: token}}}}
    streams:
      - name: orders
        path: /orders
        recordsPath: data
        primaryKey: [id]
        pagination: {offset: {limit: 100}}
"""
SECRET = """\
---
apiVersion: v1
kind: Secret
metadata: {name: shop-api, namespace: analytics}
stringData: {token: s3cr3t-of-the-shop}
"""
ITEMS = "      - {name: items, path: /items, recordsPath: data}\n"
INCREMENTAL = "        incremental: {cursorPath: updated_at, startParam: since}\n"


class Runner:
    """Runs commands on one manifest, opened for loopback."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str], url: str) -> None:
        self.folder, self.capsys, self.url = folder, capsys, url
        self.out = self.err = ""

    def write(self, text: str) -> str:
        file = self.folder / "shop.yaml"
        file.write_text(text.replace("URL", self.url))
        return str(file)

    def __call__(self, command: str, text: str, *options: str) -> tuple[int, list[dict[str, Any]]]:
        """The exit status and the documents of standard output; what else was said is in `err`."""
        code = main([command, self.write(text), *self.opened, *options])
        out, self.err = self.capsys.readouterr()
        return code, [json.loads(line) for line in out.splitlines()]

    def main(self, *arguments: str) -> int:
        """The exit status; what was said is in `out` and `err`."""
        code = main(arguments)
        self.out, self.err = self.capsys.readouterr()
        return code

    @property
    def opened(self) -> tuple[str, ...]:
        return ("--allow-private-host", "127.0.0.0/8")

    @property
    def destination(self) -> tuple[str, str]:
        return ("--destination", f"file://{self.folder}/lake")

    def read(self, table: str) -> polars.DataFrame:
        """The table, by a reader that is not ours."""
        return polars.read_delta(str(self.folder / "lake" / "analytics" / table))


class Terminal:
    """A command of its own process, on a terminal of its own."""

    def __init__(self, *arguments: str) -> None:
        self.screen, inner = pty.openpty()
        code = "import sys; from external_data_operator.cli.main import main; sys.exit(main())"
        self.process = subprocess.Popen(
            [sys.executable, "-c", code, *arguments],
            stdin=subprocess.DEVNULL, stdout=inner, stderr=inner, cwd=ROOT, start_new_session=True,
            env={**os.environ, "PYTHONPATH": f"{ROOT / 'operator'}:{ROOT}"},
        )  # fmt: skip
        os.close(inner)
        self.text = ""

    def read_until(self, words: str, *, timeout_s: float = 30) -> None:
        """Waits until the words stand on the screen."""
        end = time.monotonic() + timeout_s
        while words not in self.text:
            assert time.monotonic() < end, f"{words} is not in {self.text!r}"
            self.read_some()

    def read_some(self) -> bool:
        """What was written meanwhile; False at the end."""
        ready, _, _ = select.select([self.screen], [], [], 0.2)
        try:
            data = os.read(self.screen, 65536) if ready else b""
        except OSError:
            return False
        self.text += data.decode()
        return True

    def wait(self) -> int:
        """The exit status; the whole screen is in `text`."""
        while self.process.poll() is None or select.select([self.screen], [], [], 0.1)[0]:
            if not self.read_some():
                break
        os.close(self.screen)
        return self.process.wait(30)
