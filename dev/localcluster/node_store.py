"""A node's image store that already holds the dependencies of our images, for fresh clusters.

Loading both images into an empty store takes containerd a quarter of a minute, nearly all of it
for layers that only a new lock changes. They are loaded once into a store of their own; each new
cluster gets that store with hard links, which is safe since containerd never writes into a layer.
"""

import shutil
from collections.abc import Iterable
from pathlib import Path

from dev.localcluster.announce import announce
from dev.localcluster.cache import build_key, cache_root, locked
from dev.localcluster.commands import run
from dev.localcluster.configs import write_containerd_config
from dev.localcluster.containerd import import_image, wait_for_containerd
from dev.localcluster.containment import cover_fixed_paths, remove_fixed_paths
from dev.localcluster.control import CONTAINED, end_supervisor, request, start_supervisor
from dev.localcluster.loading import find_layers
from dev.localcluster.programs import build_containerd_argv

_STORE = "containerd"
_SWAP = "node-store"
_KEPT = 2
"""Prepared stores that stay, for clones with different locks side by side."""


def fill_store(home: Path) -> None:
    """Gives a cluster that does not run yet the newest prepared store, where there is one."""
    with locked(_SWAP, waiting="it exchanges the prepared image store"):
        for prepared in _newest_first()[:1]:
            run("cp", "--archive", "--link", prepared, home / _STORE)
    for database in (home / _STORE).rglob("*.db"):  # written in place, unlike layers
        own = database.with_suffix(".own")
        shutil.copy2(database, own)
        own.rename(database)


def prepare_store(archives: Iterable[Path]) -> None:
    """Makes the store that later clusters get, unless there is one with these dependencies."""
    images = list(archives)
    layers = [layer for image in images for layer in find_layers(image)[:-1]]
    prepared = cache_root() / f"node-{build_key(layer.encode() for layer in layers)}"
    with locked("node-draft", waiting="it prepares the image store of later clusters"):
        if prepared.exists():
            prepared.touch()
            return
        announce("preparing the image store of later clusters (once for each lock)")
        draft = cache_root() / "draft-of-node"
        _remove_draft(draft)
        draft.mkdir()
        try:
            _import_all(draft, images)
            with locked(_SWAP, waiting="it starts a cluster"):
                (draft / _STORE).rename(prepared)
                prepared.touch()
                for outdated in _newest_first()[_KEPT:]:
                    shutil.rmtree(outdated)
        finally:
            _remove_draft(draft)


def _import_all(home: Path, images: list[Path]) -> None:
    pid = start_supervisor(home, within=CONTAINED)
    cover_fixed_paths(home, pid=pid)
    write_containerd_config(home)
    request(home, "start", name="containerd", argv=build_containerd_argv(home))
    wait_for_containerd(home)
    for image in images:
        import_image(home, image)
    request(home, "stop", name="containerd")


def _remove_draft(draft: Path) -> None:
    end_supervisor(draft)
    remove_fixed_paths()
    shutil.rmtree(draft, ignore_errors=True)


def _newest_first() -> list[Path]:
    stores = [path for path in cache_root().glob("node-*") if path.is_dir()]
    return sorted(stores, key=lambda path: path.stat().st_mtime, reverse=True)
