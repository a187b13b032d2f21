"""Takes turns: A B C A B C, so that a drift of the machine hits all alike, and sums up what that
gave.

A figure is the median over the turns, with the least and the most beside it. A ratio is the median
of the ratios within each turn. On a machine that others use as well, noisy turns are repeated, up
to a bound, and the quietest turns count: what chooses them is how busy the others were, never how
fast a contender was.
"""

import datetime as dt
import json
import os
import platform
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.places import RESULTS
from benchmarks.processes import Finished, run_watched, wait_for_quiet

Numbers = dict[str, float]
QUIET_CORES = 0.5
"""A turn in which others kept more cores busy is repeated."""
BASIC = ("wall_s", "cpu_s", "tree_mib", "largest_mib", "foreign_cores")


@dataclass(frozen=True)
class Launch:
    """One command to be timed, and how to know that it did its work."""

    argv: Sequence[str]
    env: Mapping[str, str]
    cwd: Path
    check: Callable[[Finished], Numbers]
    """Returns further figures; raises BenchmarkError where less was done than asked for."""
    clean: Callable[[], None] = lambda: None
    """Removes what the run left; not timed."""


@dataclass(frozen=True)
class Contender:
    """One way to do the work."""

    name: str
    launch: Callable[[int], Launch]
    """Makes everything ready for one turn (not timed)."""
    work: float
    """How much there is to do: rows, as a rule."""
    timeout_s: float = 900


@dataclass
class Suite:
    """One comparison: its contenders do the same work in turns."""

    name: str
    title: str
    contenders: Sequence[Contender]
    yardstick: str
    """The contender that ratios are taken against."""
    turns: int = 5
    warmups: int = 1
    tries: int = 4
    """How many times the wanted turns are taken at most, while the machine is not quiet."""
    patience_s: float = 0.0
    """How long to wait for a quiet moment before each run."""
    notes: list[str] = field(default_factory=list)


def run_suite(suite: Suite) -> dict[str, Any]:
    """Takes the turns of a suite and sums them up."""
    header = _describe_start(suite.name, suite.title)
    print(f"== {suite.name}: {suite.title}", flush=True)
    for turn in range(-suite.warmups, 0):
        _take_turn(suite, turn)
    turns: list[dict[str, Numbers]] = []
    while len(turns) < suite.turns * suite.tries:
        turns.append(_take_turn(suite, len(turns)))
        if sum(_find_noise(turn) <= QUIET_CORES for turn in turns) == suite.turns:
            break
    samples: dict[str, dict[int, Numbers]] = {c.name: {} for c in suite.contenders}
    for number, taken in enumerate(_pick_quietest(turns, suite.turns)):
        for name, numbers in taken.items():
            samples[name][number] = numbers
    works = {c.name: c.work for c in suite.contenders}
    return header | _sum_up_all(samples, works, yardstick=suite.yardstick) | {"notes": suite.notes}


def _take_turn(suite: Suite, turn: int) -> dict[str, Numbers]:
    return {
        contender.name: _run_once(contender, turn, suite.patience_s)
        for contender in suite.contenders
    }


def _find_noise(turn: Mapping[str, Numbers]) -> float:
    return max(numbers["foreign_cores"] for numbers in turn.values())


def _pick_quietest(turns: Sequence[dict[str, Numbers]], wanted: int) -> list[dict[str, Numbers]]:
    """The quietest turns, in the order in which they were taken."""
    loudest = sorted(map(_find_noise, turns))[:wanted][-1]
    return [turn for turn in turns if _find_noise(turn) <= loudest][:wanted]


def build_result(
    name: str, title: str, samples: Mapping[str, Sequence[Numbers]], *, work: float
) -> dict[str, Any]:
    """A result from samples that were taken otherwise; ratios are against the first contender."""
    turns = {who: dict(enumerate(numbers)) for who, numbers in samples.items()}
    summed = _sum_up_all(turns, dict.fromkeys(turns, work), yardstick=next(iter(turns)))
    return _describe_start(name, title) | summed | {"notes": []}


def _describe_start(name: str, title: str) -> dict[str, Any]:
    return {
        "suite": name,
        "title": title,
        "started": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "machine": describe_machine(),
    }


def keep_results(result: dict[str, Any]) -> None:
    """Writes `results/<suite>.json`."""
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{result['suite']}.json").write_text(
        json.dumps(result, indent=1, sort_keys=True) + "\n"
    )


def _run_once(contender: Contender, turn: int, patience_s: float) -> Numbers:
    launch = contender.launch(turn)
    wait_for_quiet(patience_s=patience_s, cores=QUIET_CORES)
    try:
        finished = run_watched(
            launch.argv, env=launch.env, cwd=launch.cwd, timeout_s=contender.timeout_s
        )
        further = launch.check(finished)
    finally:
        launch.clean()
    numbers = {name: value for name, value in asdict(finished).items() if name in BASIC} | further
    shown = "  ".join(f"{name} {value:.3f}" for name, value in numbers.items())
    which = "warm-up" if turn < 0 else f"turn {turn + 1}"
    print(f"  {which}  {contender.name}: {shown}", flush=True)
    return numbers


def _sum_up_all(
    samples: Mapping[str, Mapping[int, Numbers]], works: Mapping[str, float], *, yardstick: str
) -> dict[str, Any]:
    contenders = [
        {"name": name, "work": works[name]} | _sum_up(own, samples[yardstick])
        for name, own in samples.items()
    ]
    return {"yardstick": yardstick, "contenders": contenders}


def _sum_up(own: Mapping[int, Numbers], measure: Mapping[int, Numbers]) -> dict[str, Any]:
    names = sorted({name for numbers in own.values() for name in numbers})
    figures = {name: _spread([n[name] for n in own.values() if name in n]) for name in names}
    ratios = [n["wall_s"] / measure[t]["wall_s"] for t, n in own.items() if t in measure]
    return {
        "turns": len(own),
        "figures": figures,
        "wall_ratio": _spread(ratios) if ratios else None,
        "samples": [own[turn] for turn in sorted(own)],
    }


def _spread(values: Sequence[float]) -> Numbers:
    return {"median": statistics.median(values), "min": min(values), "max": max(values)}


def describe_machine() -> dict[str, Any]:
    """What the figures were taken on."""
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.machine(),
    )
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "cpu": model,
        "cores": os.cpu_count(),
        "memory_gib": round(memory / 2**30, 1),
        "system": f"{platform.system()} {platform.release().split('-')[0]}",
        "python": platform.python_version(),
    }
