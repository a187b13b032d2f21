"""What was promised, and whether the last measurement kept it: one row for each aim."""

from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.figures import Result, find_contender, find_median
from benchmarks.suites import DLT, LIMIT, OURS

Results = dict[str, Result]


@dataclass(frozen=True)
class Aim:
    """A bound, and where the figure comes from."""

    work: str
    what: str
    bound: float
    measure: Callable[[Results], float | None]
    unit: str = ""
    at_least: bool = False

    def row(self, results: Results) -> str | None:
        """The aim as a row of a table; None where nothing was measured."""
        value = self.measure(results)
        if value is None:
            return None
        met = value >= self.bound if self.at_least else value <= self.bound
        sign = "≥" if self.at_least else "≤"
        measured, bound = f"{_show(value)}{self.unit}", f"{sign} {self.bound:g}{self.unit}"
        return (
            f"| {self.work} | {self.what} | {bound} | {measured} | {'yes' if met else '**no**'} |"
        )


def _show(value: float) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:.2f}"


def _figure(suite: str, contender: str, figure: str) -> Callable[[Results], float | None]:
    def measure(results: Results) -> float | None:
        found = find_contender(results[suite], contender) if suite in results else None
        return None if found is None else find_median(found, figure)

    return measure


def _ratio(suite: str, contender: str) -> Callable[[Results], float | None]:
    def measure(results: Results) -> float | None:
        found = find_contender(results[suite], contender) if suite in results else None
        return (
            None if found is None or found["wall_ratio"] is None else found["wall_ratio"]["median"]
        )

    return measure


def _times_faster(suite: str, than: str) -> Callable[[Results], float | None]:
    def measure(results: Results) -> float | None:
        if suite not in results:
            return None
        pair = (find_contender(results[suite], name) for name in (OURS, than))
        walls = [find_median(c, "wall_s") if c else None for c in pair]
        return walls[1] / walls[0] if walls[0] and walls[1] else None

    return measure


def _all_memory(suite: str, figure: str = "largest_mib") -> Callable[[Results], float | None]:
    def measure(results: Results) -> float | None:
        if suite not in results:
            return None
        peaks = [find_median(c, figure) for c in results[suite]["contenders"]]
        return max((p for p in peaks if p is not None), default=None)

    return measure


_1M = "1M rows, page 1,000, to S3"
_AFTER = "from the last page to the end"
AIMS = (
    Aim(_1M, f"wall, over the {LIMIT}'s", 1.5, _ratio("rest-1m", OURS)),
    Aim(_1M, f"times as fast as {DLT}", 15, _times_faster("rest-1m-dlt", DLT), at_least=True),
    Aim(_1M, "CPU", 5.5, _figure("rest-1m", OURS, "cpu_s"), " s"),
    Aim(
        "200k rows, page 100",
        f"wall, over the {LIMIT}'s",
        1.8,
        _ratio("rest-200k-page100", OURS),
    ),
    Aim(
        "100k rows, page 100, 5 ms late, offset",
        f"wall, over the {LIMIT}'s with 8 connections",
        1.5,
        _ratio("rest-latency", f"{OURS}, concurrency 8"),
    ),
    Aim("1M, 5M, 10M rows", "peak memory", 320, _all_memory("rest-memory"), " MiB"),
    Aim("awkward rows", "wall, over that of flat rows", 2.5, _ratio("rest-awkward", "awkward")),
    Aim("merge 10k into 1M", _AFTER, 0.3, _figure("merge-10k-1m", OURS, "after_last_page_s"), " s"),
    Aim("merge 100k into 1M", _AFTER, 1, _figure("merge-100k-1m", OURS, "after_last_page_s"), " s"),
    Aim(
        "merge 100k into 1M",
        "peak memory",
        400,
        _figure("merge-100k-1m", OURS, "largest_mib"),
        " MiB",
    ),
    Aim("merge 10k into 50M", _AFTER, 1, _figure("merge-10k-50m", OURS, "after_last_page_s"), " s"),
    Aim(
        "merge 10k into 50M",
        "peak memory",
        400,
        _figure("merge-10k-50m", OURS, "largest_mib"),
        " MiB",
    ),
    Aim("nothing new", "the whole run", 1, _figure("nothing-new", OURS, "wall_s"), " s"),
    Aim("start", "to the first request", 0.6, _figure("startup", OURS, "first_request_s"), " s"),
)


def build_aims(results: Results) -> str:
    """The aims that were measured, as Markdown."""
    rows = [row for aim in AIMS if (row := aim.row(results)) is not None]
    return "\n".join(["| work | figure | aim | measured | met |", "|---|---|---|---|---|", *rows])
