"""A disk that is full ends the run cleanly, and the next one goes on."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from external_data_operator.api.conditions import Reason
from external_data_operator.api.schema import SyncType

from sync_runner.errors import RetryableError
from tests.contract.lake_pod import folder_place
from tests.contract.lake_reading import read_polars
from tests.contract.lake_rows import Row, Syncs, options


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of half a mebibyte."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if os.geteuid() != 0:
        pytest.skip("only root may mount")
    mount = ["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", str(folder)]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("this machine does not let us mount")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def rows(first: int, last: int) -> list[list[Row]]:
    """Rows that do not compress."""
    return [
        [{"seq": n, "v": os.urandom(256).hex()} for n in range(i, min(i + 50, last))]
        for i in range(first, last, 50)
    ]


def test_a_full_disk_is_said_and_once_there_is_room_the_run_goes_on(small_disk: Path) -> None:
    ballast = small_disk / "ballast"
    sync = Syncs(folder_place(small_disk), options(SyncType.APPEND, cursor="seq"))
    sync(*rows(0, 100))
    ballast.write_bytes(os.urandom(380 << 10))
    before = read_polars(sync.place.open().uri)
    with pytest.raises(RetryableError) as caught:
        sync(*rows(100, 900), run="one")
    assert caught.value.reason is Reason.DISK_FULL
    assert read_polars(sync.place.open().uri)[: len(before)]
    ballast.unlink()
    sync(*rows(100, 300), run="one")
    found = sorted(row["seq"] for row in read_polars(sync.place.open().uri))
    assert found == sorted(set(found))
    assert found[:100] == list(range(100))
