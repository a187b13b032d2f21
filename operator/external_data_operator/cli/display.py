"""How a command shows what it does: one moving line and tables on a terminal, JSON lines elsewhere.

The line shows pages, rows and rows per second. Nothing here knows what a run is, only what it has
counted.
"""

import json
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TextIO

from external_data_operator.api.plan import Failure
from external_data_operator.cli.exits import Exit

_LINE_EVERY_S = 0.1
_JSON_EVERY_S = 5.0
_WIDTH = 100


@dataclass
class Display:
    """Output of a command, for a person or a program."""

    as_json: bool
    out: TextIO = field(default_factory=lambda: sys.stdout)
    err: TextIO = field(default_factory=lambda: sys.stderr)
    monotonic: Callable[[], float] = time.monotonic
    tick_s: float | None = 0.5
    """How often a line moves by itself; None leaves it to the counters."""

    @classmethod
    def open(cls, *, as_json: bool) -> "Display":
        """JSON if requested, or if standard output is not a terminal."""
        return cls(as_json=as_json or not sys.stdout.isatty())

    def say(self, **members: Any) -> None:
        """Prints one JSON document, for a program."""
        if self.as_json:
            print(json.dumps(members, ensure_ascii=False, default=str), file=self.out, flush=True)

    def note(self, sentence: str) -> None:
        """Prints one sentence, for a person."""
        if not self.as_json:
            print(sentence, file=self.out, flush=True)

    def fail(self, subject: str, failure: Failure) -> None:
        """Prints a failure."""
        if self.as_json:
            told = failure.model_dump(mode="json", by_alias=True)
            self.say(event="failed", subject=subject, **told)
        else:
            print(f"{subject}: {failure.reason}: {failure.message}", file=self.err, flush=True)

    def print_table(
        self, head: Sequence[str], rows: Sequence[Sequence[Any]], *, cell_max: int = 1000
    ) -> None:
        """Columns of text, for people; numbers to the right, long cells cut."""
        if self.as_json or not rows:
            return
        cells = [[_spell(value, cell_max) for value in row] for row in rows]
        widths = [max(map(len, column)) for column in zip(head, *cells, strict=True)]
        numeric = [
            all(isinstance(value, int | float) for value in column)
            for column in zip(*rows, strict=True)
        ]
        for line in [list(head), *cells]:
            shown = [
                cell.rjust(width) if right else cell.ljust(width)
                for cell, width, right in zip(line, widths, numeric, strict=True)
            ]
            print("  ".join(shown).rstrip(), file=self.out)

    def follow(self, subject: str) -> "Progression":
        """Begins to show the progress of one run."""
        return Progression(self, subject, started=self.monotonic()).start()


@dataclass
class Progression:
    """The moving line of one run. It is drawn when the counters move, and by a thread of its own
    while they do not, so that a slow source does not look like a dead one."""

    display: Display
    subject: str
    started: float
    _counts: tuple[int, int, str] = (0, 0, "starting")
    _drawn_at: float = float("-inf")
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _ended: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def start(self) -> "Progression":
        """Begins to draw."""
        if self.display.tick_s is not None:
            self._thread = threading.Thread(target=self._tick, args=(self.display.tick_s,))
            self._thread.daemon = True
            self._thread.start()
        return self

    def show(self, *, pages: int, rows: int, phase: str) -> None:
        """The counters moved."""
        self._counts = (pages, rows, phase)
        self._draw()

    def end(self) -> None:
        """Takes the line away."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join()
        if not self.display.as_json and self._drawn_at > float("-inf"):
            self._write("")

    def _tick(self, every_s: float) -> None:
        while not self._ended.wait(every_s):
            self._draw()

    def _draw(self) -> None:
        """Draws if enough time has gone by since the last."""
        pause = _JSON_EVERY_S if self.display.as_json else _LINE_EVERY_S
        with self._lock:
            now = self.display.monotonic()
            if now - self._drawn_at < pause:
                return
            self._drawn_at = now
            self._say(*self._counts, seconds=now - self.started)

    def _say(self, pages: int, rows: int, phase: str, *, seconds: float) -> None:
        rate = int(rows / max(seconds, 0.001))
        if self.display.as_json:
            self.display.say(
                event="progress", stream=self.subject, phase=phase, pages=pages, rows=rows,
                rowsPerSecond=rate,
            )  # fmt: skip
        else:
            counts = f"{pages:,} pages  {rows:,} rows  {rate:,} rows/s"
            self._write(f"{self.subject}  {seconds:.0f} s  {counts}  {phase}")

    def _write(self, text: str) -> None:
        self.display.err.write(f"\r{text[:_WIDTH]:<{_WIDTH}}\r")
        self.display.err.flush()


def worst(statuses: Sequence[Exit]) -> Exit:
    """The status of several runs: a bug outweighs a failure for a person, which outweighs one
    that may pass."""
    order = (Exit.INVALID, Exit.CONFIGURATION, Exit.RETRYABLE)
    return next((status for status in order if status in statuses), Exit.OK)


def drop_empty(members: Mapping[str, Any]) -> dict[str, Any]:
    """Without empty members."""
    return {key: value for key, value in members.items() if value not in (None, "", [], {})}


def _spell(value: Any, length_max: int) -> str:
    if value is None:
        return ""
    text = (
        f"{value:,}"
        if isinstance(value, int | float) and not isinstance(value, bool)
        else str(value)
    )
    text = " ".join(text.split())
    return text if len(text) <= length_max else text[: length_max - 1] + "…"
