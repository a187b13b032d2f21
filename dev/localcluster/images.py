"""The operator's and the runner's image, from the project's own Dockerfile, without a registry.

An image's tag is a hash of all that went into it, so that a stale image never runs, and one that
is there already is not built again.
"""

import contextlib
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from dev.localcluster.announce import announce
from dev.localcluster.base_image import find_or_build_base
from dev.localcluster.buildah import buildah
from dev.localcluster.cache import build_key, cache_root, file_parts, locked
from dev.localcluster.errors import CommandFailedError
from dev.localcluster.host import IMAGE_PROGRAMS, require_programs, require_root
from dev.localcluster.wheels import (
    REPOSITORY,
    build_own_wheels,
    find_or_download_wheels,
    find_or_make_venv,
)

_KEPT = 3
"""Archives of earlier builds that stay, for clusters and clones side by side."""

_STEPS_MAX = 40
"""Images of single build steps, some 25 MB a piece; more than these are mostly of the past."""


@dataclass(frozen=True)
class Images:
    """Names to put into pods, and the file of each."""

    operator: str
    runner: str
    archives: dict[str, Path]


def find_or_build_images() -> Images:
    """Both images of the source as it is; seconds, when only our own source has changed."""
    require_root()
    require_programs(IMAGE_PROGRAMS)
    venv = find_or_make_venv()
    base = find_or_build_base()
    with tempfile.TemporaryDirectory(prefix="external-data-images-") as folder:
        context = Path(folder)
        shutil.copy(REPOSITORY / "Dockerfile", context)
        shutil.copytree(REPOSITORY / "requirements", context / "requirements")
        build_own_wheels(context / "wheels", venv=venv)
        with locked("images", waiting="it builds images"):
            archives = {
                part: _find_or_build(part, context, base=base, venv=venv)
                for part in ("operator", "runner")
            }
    (operator, _), (runner, _) = archives["operator"], archives["runner"]
    return Images(operator=operator, runner=runner, archives=dict(archives.values()))


def _find_or_build(part: str, context: Path, *, base: str, venv: Path) -> tuple[str, Path]:
    """The image's name and its file."""
    made_from = [context / "Dockerfile", context / "requirements" / f"{part}.txt"]
    made_from += (context / "wheels").iterdir()
    key = build_key([base.encode(), *file_parts(context, made_from)])
    name = f"localhost/external-data-{part}:{key}"
    archive = cache_root() / "images" / f"{part}-{key}.tar"
    if archive.exists():
        archive.touch()  # the newest ones are kept
    else:
        announce(f"building {name}")
        wheels = find_or_download_wheels(part, venv=venv)
        _build(part, context, base=base, wheels=wheels, name=name)
        _write_archive(name, archive)
        _remove_old(part)
    return name, archive


def _build(part: str, context: Path, *, base: str, wheels: Path, name: str) -> None:
    buildah(
        *("bud", "--isolation=chroot", "--layers", "--pull-never", f"--target={part}"),
        *(f"--build-arg=BASE={base}", f"--build-arg=RUST={base}"),
        *("--build-arg=PIP_NO_INDEX=1", "--build-arg=PIP_FIND_LINKS=/locked"),
        *(f"--volume={wheels}:/locked:ro", f"--tag={name}", str(context)),
    )


def _write_archive(name: str, archive: Path) -> None:
    archive.parent.mkdir(exist_ok=True)
    draft = archive.with_suffix(".draft")
    draft.unlink(missing_ok=True)
    buildah("push", "--quiet", name, f"docker-archive:{draft}:{name}")
    draft.rename(archive)


def _remove_old(part: str) -> None:
    archives = (cache_root() / "images").glob(f"{part}-*.tar")
    newest_first = sorted(archives, key=lambda path: path.stat().st_mtime, reverse=True)
    for archive in newest_first[_KEPT:]:
        name = f"localhost/external-data-{part}:{archive.stem.rpartition('-')[2]}"
        # Forced, since a build that was interrupted leaves a container that holds its image.
        with contextlib.suppress(CommandFailedError):
            buildah("rmi", "--force", name)
        archive.unlink()
    steps = buildah("images", "--filter", "dangling=true", "--quiet").split()
    if len(steps) > _STEPS_MAX:
        with contextlib.suppress(CommandFailedError):  # for the same reason: the next time
            buildah("rmi", "--prune")
