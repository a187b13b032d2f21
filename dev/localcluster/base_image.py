"""The base of locally built images: a small Debian with Python, made by debootstrap, no registry.

It stands where the world's builds have a public Python image.
"""

import platform
import shutil
from pathlib import Path

from dev.localcluster.buildah import BUILDAH_KEY, buildah
from dev.localcluster.cache import build_key, cache_root, find_or_build
from dev.localcluster.commands import run_announced
from dev.localcluster.host import IMAGE_PROGRAMS, require_programs, require_root

PYTHON = "3.11"
"""What that Debian has; wheels are chosen for it."""
_SUITE = "bookworm"
_PACKAGES = "python3,python3-venv,ca-certificates"
_UNNEEDED = (
    *("usr/share/doc", "usr/share/man", "usr/share/locale", "usr/share/info", "usr/share/lintian"),
    *("var/cache/apt", "var/cache/debconf", "var/lib/apt/lists", "var/log"),
)


def find_or_build_base() -> str:
    """The name of the base image in the local store, as `ARG BASE` of the Dockerfile takes it."""
    parts = [_SUITE, _PACKAGES, *_UNNEEDED, platform.machine(), BUILDAH_KEY]
    key = build_key(part.encode() for part in parts)
    name = f"localhost/external-data-base:{key}"
    find_or_build(f"base-{key}", lambda folder: _build(folder, name), waiting="it builds the base")
    return name


def base_archive() -> Path:
    """The base image as a file: a Python to run in pods, for tests that need no more."""
    name = find_or_build_base()
    return cache_root() / f"base-{name.rpartition(':')[2]}" / "image.tar"


def _build(folder: Path, name: str) -> None:
    require_root()
    require_programs(IMAGE_PROGRAMS)
    root = folder / "root"
    run_announced(
        *("nice", "debootstrap", "--variant=minbase", f"--include={_PACKAGES}", _SUITE, root),
        what="building the images' base with debootstrap (once; about a minute)",
    )
    for unneeded in _UNNEEDED:
        shutil.rmtree(root / unneeded)
        (root / unneeded).mkdir()
    container = buildah("from", "scratch").strip()
    buildah("add", "--quiet", container, str(root), "/")
    buildah("commit", "--quiet", "--rm", container, name)
    buildah("push", "--quiet", name, f"docker-archive:{folder}/image.tar:{name}")
    shutil.rmtree(root)
