"""Delta's jars for Spark: fetched once by Maven, checked by hash, kept outside the repository."""

import hashlib
import subprocess
import tempfile
from pathlib import Path

from dev.environments import REQUIREMENTS, cache_root

_PINS = REQUIREMENTS / "spark-jars.txt"
_COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy"


def find_or_fetch_jars() -> list[Path]:
    """The pinned jars."""
    folder = cache_root() / "jars"
    folder.mkdir(exist_ok=True)
    lines = [line.split() for line in _PINS.read_text().splitlines() if not line.startswith("#")]
    return [_find_or_fetch(folder, pin, digest) for pin, digest in lines]


def _find_or_fetch(folder: Path, pin: str, digest: str) -> Path:
    _, artifact, version = pin.split(":")
    jar = folder / f"{artifact}-{version}-{digest[:12]}.jar"
    if not jar.exists():
        with tempfile.TemporaryDirectory(dir=folder) as draft:
            told = [f"-Dartifact={pin}", f"-DoutputDirectory={draft}", "-Dmdep.stripVersion=true"]
            subprocess.run(["mvn", "-q", "-B", _COPY, *told], check=True, cwd=draft)
            [fetched] = Path(draft).glob("*.jar")
            found = hashlib.sha256(fetched.read_bytes()).hexdigest()
            assert found == digest, f"{pin} has the hash {found}, not {digest}"
            fetched.rename(jar)
    return jar
