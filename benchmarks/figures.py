"""Turns results into the tables of `docs/performance.md`, between its markers; text around them
stays as written.
"""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.places import REPOSITORY, RESULTS

Result = dict[str, Any]
PAGE = REPOSITORY / "docs" / "performance.md"


@dataclass(frozen=True)
class Column:
    """One column of a table: its head, and a contender's cell (None: nothing to show)."""

    head: str
    cell: Callable[[Result], str | None]


def read_results() -> dict[str, Result]:
    """Everything that was measured, by suite."""
    return {p.stem: json.loads(p.read_text()) for p in sorted(RESULTS.glob("*.json"))}


def find_median(contender: Result, figure: str) -> float | None:
    """The median of a figure, where it was taken."""
    spread = contender["figures"].get(figure)
    return None if spread is None else float(spread["median"])


def find_contender(result: Result, name: str) -> Result | None:
    """The contender of that name."""
    return next((c for c in result["contenders"] if c["name"] == name), None)


def _seconds(figure: str) -> Callable[[Result], str | None]:
    def cell(contender: Result) -> str | None:
        spread = contender["figures"].get(figure)
        if spread is None:
            return None
        return f"{spread['median']:.2f} ({spread['min']:.2f}–{spread['max']:.2f})"

    return cell


def _ratio(contender: Result) -> str | None:
    spread = contender["wall_ratio"]
    if spread is None:
        return None
    return f"{spread['median']:.2f} ({spread['min']:.2f}–{spread['max']:.2f})"


def _rate(contender: Result) -> str | None:
    wall = find_median(contender, "wall_s")
    return None if wall is None else f"{contender['work'] / wall:,.0f}"


def _number(figure: str, pattern: str) -> Callable[[Result], str | None]:
    def cell(contender: Result) -> str | None:
        median = find_median(contender, figure)
        return None if median is None else format(median, pattern)

    return cell


def _memory(contender: Result) -> str | None:
    largest, tree = (find_median(contender, f) for f in ("largest_mib", "tree_mib"))
    if largest is None or tree is None:
        return None
    return f"{largest:.0f}" if tree < largest * 1.05 else f"{largest:.0f} (all: {tree:.0f})"


_RATIO, _RATE = Column("ratio", _ratio), Column("rows/s", _rate)
_BASIC = (
    Column("wall s (min–max)", _seconds("wall_s")),
    Column("CPU s", _number("cpu_s", ".2f")),
    Column("peak MiB", _memory),
)
_FIRST_REQUEST = Column("s to the first request", _seconds("first_request_s"))
_AFTER_PAGES = Column("s after the last page", _seconds("after_last_page_s"))
_OPERATION = Column("s of the merge alone", _seconds("operation_s"))
_MERGE = (_AFTER_PAGES, _OPERATION, *_BASIC)
COLUMNS: dict[str, Sequence[Column]] = {
    "apply-to-rows": (
        Column("s to the first request of the check", _seconds("checked_s")),
        Column("s to the last page read", _seconds("read_s")),
        Column("s to rows in the bucket", _seconds("wall_s")),
        Column("s to Ready", _seconds("ready_s")),
    ),
    "startup": (_FIRST_REQUEST, *_BASIC),
    "nothing-new": (*_BASIC, Column("table version", _number("table_version", ".0f"))),
    "rest-memory": (Column("peak MiB", _memory), *_BASIC[:2], _RATE),
    "merge-10k-1m": _MERGE,
    "merge-100k-1m": _MERGE,
    "merge-10k-50m": _MERGE,
}
_DEFAULT = (_RATIO, *_BASIC, _RATE)


def build_table(result: Result) -> str:
    """One suite as Markdown, with what was measured, when, and how quiet the machine was."""
    contenders = result["contenders"]
    columns = [
        column
        for column in COLUMNS.get(result["suite"], _DEFAULT)
        if any(column.cell(contender) for contender in contenders)
    ]
    head = ["", *(column.head for column in columns)]
    body = [[c["name"], *(column.cell(c) or "" for column in columns)] for c in contenders]
    rows = [head, ["---", *("---:" for _ in columns)], *body]
    lines = [f"**{_capital(result['title'])}**", "", *(f"| {' | '.join(row)} |" for row in rows)]
    return "\n".join([*lines, "", _describe(result)])


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _describe(result: Result) -> str:
    machine = result["machine"]
    samples = [s for c in result["contenders"] for s in c["samples"]]
    noise = [s["foreign_cores"] for s in samples if "foreign_cores" in s]
    turns = sorted({c["turns"] for c in result["contenders"]})
    taken = (
        f"{turns[0]} turn{'' if turns == [1] else 's'}"
        if len(turns) == 1
        else f"{turns[0]} to {turns[-1]} turns"
    )
    ratio = f" Ratio: wall time over that of “{result['yardstick']}” in the same turn."
    shows_ratio = result["suite"] not in COLUMNS
    text = (
        f"Medians of {taken}. {machine['cores']} cores ({machine['cpu']}), "
        f"{machine['memory_gib']:.0f} GiB, {machine['system']}, Python {machine['python']}, "
        f"{result['started'][:10]}"
    )
    quiet = f"; others kept {sum(noise) / len(noise):.1f} cores busy." if noise else "."
    text += quiet
    return " ".join([text + (ratio if shows_ratio else ""), *result["notes"]])


def write_page(blocks: dict[str, str], page: Path = PAGE) -> None:
    """Puts each block between `<!-- figures: NAME -->` and `<!-- end -->`; names without a block
    stay as they are.
    """
    text = page.read_text()

    def replace(match: re.Match[str]) -> str:
        block = blocks.get(match["name"])
        if block is None:
            return match[0]
        return f"<!-- figures: {match['name']} -->\n\n{block}\n\n<!-- end -->"

    pattern = re.compile(r"<!-- figures: (?P<name>[\w-]+) -->.*?<!-- end -->", re.DOTALL)
    page.write_text(pattern.sub(replace, text))
