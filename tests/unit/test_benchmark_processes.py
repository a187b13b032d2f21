"""What a benchmark's figures hold."""

import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).parent.parent.parent
MIB = 300
WATCH = f"""
import sys
from pathlib import Path
from benchmarks.processes import run_watched

grow_and_leave = "import os; data = b'x' * ({MIB} << 20); os._exit(0)"
argv = [sys.executable, "-I", "-S", "-c", grow_and_leave]
finished = run_watched(argv, env={{}}, cwd=Path.cwd(), timeout_s=60)
print(finished.largest_mib, finished.tree_mib)
"""


def test_memory_taken_in_the_last_instant_of_a_process_is_in_its_peak() -> None:
    # In a small process of its own, since what it starts inherits its peak.
    argv = [sys.executable, "-c", WATCH]
    run = subprocess.run(argv, cwd=REPOSITORY, capture_output=True, text=True, check=True)

    largest_mib, tree_mib = map(float, run.stdout.split())
    assert largest_mib >= MIB
    assert tree_mib >= MIB
