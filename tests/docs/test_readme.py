"""What the README says to type works as it stands."""

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]


def find_block(containing: str) -> str:
    blocks = re.findall(r"```sh\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    return next(block for block in blocks if containing in block)


def test_the_commands_without_a_cluster_make_a_table() -> None:
    block = find_block("external-data run")
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", block],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Björn" in done.stdout
    assert "shape: (2, 2)" in done.stdout


def test_the_two_commands_of_a_newcomer_are_targets_of_the_makefile() -> None:
    named = set(re.findall(r"^make ([a-z-]+)", find_block("make demo"), re.MULTILINE))
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert named == {"demo", "test"}
    assert named <= targets
