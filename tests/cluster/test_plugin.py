"""`kubectl external-data …` is the command line, found by kubectl itself."""

import os
import subprocess
import sys
from pathlib import Path

from dev.localcluster.cluster import LocalCluster

ROOT = Path(__file__).parents[2]


def plugin(cluster: LocalCluster, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [cluster.kubectl_path, "external-data", *arguments],
        env={
            **os.environ,
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "PYTHONPATH": f"{ROOT / 'operator'}:{ROOT}",
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_kubectl_finds_the_command_line(cluster: LocalCluster) -> None:
    done = plugin(cluster, "validate", str(ROOT / "examples" / "02-rest-cursor.yaml"))
    assert (done.returncode, done.stdout) == (0, "valid: 1 source\n")


def test_its_help_speaks_of_kubectl(cluster: LocalCluster) -> None:
    assert plugin(cluster, "--help").stdout.startswith("usage: kubectl external-data ")
