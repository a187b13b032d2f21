"""The wheels that images are built from: dependencies by their lock, and our own packages."""

import platform
from pathlib import Path

from dev.localcluster.announce import announce
from dev.localcluster.base_image import PYTHON
from dev.localcluster.cache import build_key, cache_root, find_or_build
from dev.localcluster.commands import run

REPOSITORY = Path(__file__).parents[2]
_GLIBC = ("manylinux_2_36", "manylinux_2_34", "manylinux_2_31", "manylinux_2_28", "manylinux2014")
"""Old enough for the base image."""


def find_or_make_venv() -> Path:
    """The development environment, which has pip and what builds our wheels."""
    announce("looking for the development environment")
    said = run(REPOSITORY / "dev" / "venv.sh", cwd=REPOSITORY, timeout_s=1800)
    return Path(said.strip().splitlines()[-1])


def find_or_download_wheels(part: str, *, venv: Path) -> Path:
    """A folder with every wheel that `requirements/<part>.txt` locks, for the base's Python."""
    lock = REPOSITORY / "requirements" / f"{part}.txt"
    key = build_key([lock.read_bytes(), PYTHON.encode(), platform.machine().encode()])

    def download(folder: Path) -> None:
        announce(f"downloading the wheels of {lock.name}")
        tags = [f"--platform={glibc}_{platform.machine()}" for glibc in _GLIBC]
        run(
            *(venv / "bin" / "python", "-m", "pip", "download", "--quiet", "--no-deps"),
            *("--require-hashes", "--only-binary=:all:", "--implementation=cp"),
            *(f"--python-version={PYTHON}", "--abi=cp311", "--abi=abi3", "--abi=none"),
            *(*tags, "--platform=any", f"--requirement={lock}", f"--dest={folder}"),
            timeout_s=900,
        )

    return find_or_build(f"wheels-{part}-{key}", download, waiting=f"it downloads {lock.name}")


def build_own_wheels(into: Path, *, venv: Path) -> None:
    """Our packages from the source as it is, and the native decoder that the environment has."""
    into.mkdir(parents=True, exist_ok=True)
    run(
        *(venv / "bin" / "python", "-m", "hatchling", "build", "--target", "wheel"),
        *("--directory", into),
        cwd=REPOSITORY,
    )
    built = cache_root().parent / "native" / (venv / ".native").read_text().strip()
    wheels = list(built.glob("*.whl"))
    assert wheels, f"{built} has no wheel of the native decoder"
    for wheel in wheels:
        (into / wheel.name).write_bytes(wheel.read_bytes())
