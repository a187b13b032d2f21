"""Calls buildah with a store of our own: the machine's images are neither seen nor touched."""

from pathlib import Path

from dev.localcluster.cache import cache_root
from dev.localcluster.commands import run

BUILDAH_KEY = "store-1"
"""Part of the key of what lies in the store, which is useless without it."""


def buildah(*args: str, timeout_s: float = 900.0) -> str:
    """Its stdout."""
    store = cache_root() / BUILDAH_KEY
    return run(
        *("buildah", "--root", store / "root", "--runroot", store / "run"),
        *("--storage-driver", "overlay", *args),
        env={"CONTAINERS_CONF": str(_write_config(store))},
        timeout_s=timeout_s,
    )


def _write_config(store: Path) -> Path:
    """Without it buildah leaves a lock file in the machine's network configuration."""
    store.mkdir(parents=True, exist_ok=True)
    config = store / "containers.conf"
    if not config.exists():
        config.write_text(f'[network]\nnetwork_config_dir = "{store}/network"\n')
    return config
