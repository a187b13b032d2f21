"""Kills by chance, in the middle of anything: a short campaign here, a thousand kills in `make
test-soak`.
"""

import random
import secrets
import time
from pathlib import Path

import pytest

from dev.localcluster.s3 import S3Access
from tests.contract.lake_campaign import Campaign, Tally
from tests.contract.lake_pod import Keys, Place, bucket_place

SHORT_KILLS = 40
LONG_KILLS = 1_000


def run_campaign(folder: Path, s3: S3Access, *, seed: int, kills: int) -> Tally:
    """Most tables in folders, some in a bucket; prints what it did."""
    keys = Keys(s3.access_key, s3.secret_key)

    def pick(_: Path, dice: random.Random) -> Place | None:
        if dice.random() < 0.75:
            return None
        return bucket_place(s3.endpoint, keys, prefix=f"c{secrets.token_hex(6)}")

    began = time.monotonic()
    tally = Campaign(folder, seed, pick).run(kills)
    print("\n" + tally.render(time.monotonic() - began))
    return tally


def test_pods_killed_by_chance_leave_what_uninterrupted_runs_leave(
    tmp_path: Path, s3: S3Access
) -> None:
    tally = run_campaign(tmp_path, s3, seed=20_240_229, kills=SHORT_KILLS)
    assert tally.differences == []
    assert tally.kills.total() >= SHORT_KILLS


@pytest.mark.soak
def test_a_thousand_kills_leave_no_difference(tmp_path: Path, s3: S3Access) -> None:
    tally = run_campaign(tmp_path, s3, seed=random.randrange(1 << 30), kills=LONG_KILLS)
    assert tally.differences == []
