"""What the README says to type works as it stands."""

import os
import re
import signal
import socket
import subprocess
from contextlib import suppress
from pathlib import Path

ROOT = Path(__file__).parents[2]


def find_block(containing: str) -> str:
    blocks = re.findall(r"```sh\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    return next(block for block in blocks if containing in block)


def test_the_commands_without_a_cluster_make_a_table(tmp_path: Path) -> None:
    block = find_block("external-data run")
    example = "examples/10-local-server.yaml"
    manifest = tmp_path / "source.yaml"
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = str(probe.getsockname()[1])
    manifest.write_text((ROOT / example).read_text().replace("8765", port))
    # Each checkout of a machine has a port and a folder of its own.
    for fixed, own in (("8765", port), ("/tmp/", f"{tmp_path}/"), (example, str(manifest))):
        assert fixed in block
        block = block.replace(fixed, own)
    shell = subprocess.Popen(
        ["bash", "-euo", "pipefail", "-c", block],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=ROOT,
        start_new_session=True,
    )
    try:
        said, _ = shell.communicate(timeout=240)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(shell.pid, signal.SIGKILL)
    assert shell.returncode == 0, said
    assert "Björn" in said
    assert "shape: (2, 2)" in said


def test_the_two_commands_of_a_newcomer_are_targets_of_the_makefile() -> None:
    named = set(re.findall(r"^make ([a-z-]+)", find_block("make demo"), re.MULTILINE))
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert named == {"demo", "test"}
    assert named <= targets
