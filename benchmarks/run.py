"""`python -m benchmarks.run [SUITE ...] [--quick]`: starts the servers, measures, and writes
results, tables and plot.

Without a suite it takes them all, which needs a quarter of an hour on a machine with nothing else
to do, and several where turns have to be repeated.
`--quick` shows in a few minutes that everything works, and writes its figures nowhere.
"""

import argparse
import signal
import sys
import tempfile
from pathlib import Path

from benchmarks.aims import build_aims
from benchmarks.errors import BenchmarkError
from benchmarks.figures import build_table, read_results, write_page
from benchmarks.harness import keep_results
from benchmarks.places import bench_root
from benchmarks.plot import PLOT, write_plot
from benchmarks.store import running_store
from benchmarks.suites import SUITES, Session


def measure(names: list[str], *, quick: bool, patience_s: float) -> list[str]:
    """Runs these suites; returns the names of those that failed."""
    failed = []
    with (
        tempfile.TemporaryDirectory(prefix="run-", dir=bench_root()) as home,
        running_store() as access,
    ):
        session = Session(access, Path(home), quick, patience_s)
        for name in names:
            try:
                result = SUITES[name](session)
            except BenchmarkError as error:
                print(f"{name} failed: {error}", file=sys.stderr, flush=True)
                failed.append(name)
                continue
            if not quick:
                keep_results(result)
            print(f"\n{build_table(result)}\n", flush=True)
    return failed


def write_docs() -> None:
    """Brings `docs/performance.md` and its plot up to date with all results there are."""
    results = read_results()
    blocks = {name: build_table(result) for name, result in results.items()}
    if results:
        blocks["aims"] = build_aims(results)
    if write_plot(results):
        blocks["plot"] = f"![Wall time, memory and merges as bars]({PLOT.name})"
    write_page(blocks)


def main() -> int:
    """Returns 1 if a suite failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("suites", nargs="*", metavar="SUITE", help=", ".join(SUITES))
    parser.add_argument("--quick", action="store_true", help="little work, one turn, no figures")
    parser.add_argument(
        "--patience", type=float, default=0, help="seconds to wait for a quiet moment, each time"
    )
    parser.add_argument("--tables-only", action="store_true", help="only write the page anew")
    arguments = parser.parse_args()
    # So that the servers end with the benchmark, however it ends.
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    if unknown := sorted(set(arguments.suites) - set(SUITES)):
        parser.error(f"no such suite: {', '.join(unknown)}")
    failed: list[str] = []
    if not arguments.tables_only:
        names = arguments.suites or list(SUITES)
        failed = measure(names, quick=arguments.quick, patience_s=arguments.patience)
    if not arguments.quick:
        write_docs()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
