"""How a command shows what it does: one moving line and tables on a terminal, JSON lines elsewhere.

The line says pages, rows and rows a second. Nothing here knows what a run is, only what it has
counted.
"""

import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TextIO

from external_data_operator.cli.exits import Exit

_LINE_EVERY_S = 0.1
_JSON_EVERY_S = 5.0
_WIDTH = 100
_CELL_MAX = 60


@dataclass
class Display:
    """Where a command speaks to: a person, or a program."""

    as_json: bool
    out: TextIO = field(default_factory=lambda: sys.stdout)
    err: TextIO = field(default_factory=lambda: sys.stderr)
    monotonic: Callable[[], float] = time.monotonic

    @classmethod
    def open(cls, *, as_json: bool) -> "Display":
        """JSON where it was asked for, or where standard output is no terminal."""
        return cls(as_json=as_json or not sys.stdout.isatty())

    def say(self, **members: Any) -> None:
        """One JSON document, where a program reads."""
        if self.as_json:
            print(json.dumps(members, ensure_ascii=False, default=str), file=self.out, flush=True)

    def complain(self, subject: str, reason: str, message: str) -> None:
        """One sentence about a failure, for people."""
        if not self.as_json:
            print(f"{subject}: {reason}: {message}", file=self.err, flush=True)

    def print_table(self, head: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        """Columns of text, for people; numbers to the right."""
        if self.as_json or not rows:
            return
        cells = [[_spell(value) for value in row] for row in rows]
        widths = [max(map(len, column)) for column in zip(head, *cells, strict=True)]
        numeric = [
            all(isinstance(value, int) for value in column) for column in zip(*rows, strict=True)
        ]
        for line in [list(head), *cells]:
            shown = [
                cell.rjust(width) if right else cell.ljust(width)
                for cell, width, right in zip(line, widths, numeric, strict=True)
            ]
            print("  ".join(shown).rstrip(), file=self.out)

    def follow(self, subject: str) -> "Progression":
        """Begins to show the progress of one run."""
        return Progression(self, subject, started=self.monotonic())


@dataclass
class Progression:
    """The moving line of one run."""

    display: Display
    subject: str
    started: float
    _shown: float = float("-inf")

    def show(self, *, pages: int, rows: int, phase: str) -> None:
        """Shows the counters if enough time has gone by since the last."""
        now = self.display.monotonic()
        pause = _JSON_EVERY_S if self.display.as_json else _LINE_EVERY_S
        if now - self._shown < pause:
            return
        self._shown = now
        rate = int(rows / max(now - self.started, 0.001))
        if self.display.as_json:
            self.display.say(
                event="progress", stream=self.subject, phase=phase, pages=pages, rows=rows,
                rowsPerSecond=rate,
            )  # fmt: skip
        else:
            counts = f"{pages:,} pages  {rows:,} rows  {rate:,} rows/s"
            self._write(f"{self.subject}  {counts}  {phase}")

    def end(self) -> None:
        """Takes the line away."""
        if not self.display.as_json and self._shown > float("-inf"):
            self._write("")

    def _write(self, text: str) -> None:
        self.display.err.write(f"\r{text[:_WIDTH]:<{_WIDTH}}\r")
        self.display.err.flush()


def worst(statuses: Sequence[Exit]) -> Exit:
    """The status of several runs: a bug outweighs what a person must do, and that what time
    mends."""
    order = (Exit.INVALID, Exit.CONFIGURATION, Exit.RETRYABLE)
    return next((status for status in order if status in statuses), Exit.OK)


def drop_empty(members: Mapping[str, Any]) -> dict[str, Any]:
    """Without members that say nothing."""
    return {key: value for key, value in members.items() if value not in (None, "", [], {})}


def _spell(value: Any) -> str:
    if value is None:
        return ""
    text = f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)
    text = " ".join(text.split())
    return text if len(text) <= _CELL_MAX else text[: _CELL_MAX - 1] + "…"
