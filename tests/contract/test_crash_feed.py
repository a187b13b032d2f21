"""A pod that reads a feed into two tables is killed at a step, and another one follows: each table
holds each event once, and the feed was told of no event before both tables had it.
"""

import random
import secrets
from dataclasses import replace
from pathlib import Path

import pytest
from external_data_operator.api.schema import SyncType

from dev.localcluster.s3 import S3Access
from sync_runner.errors import ConfigurationError
from sync_runner.protocols import Step
from tests.contract.feed_world import STREAMS, FeedJob, WorldFeed
from tests.contract.lake_pod import (
    KILLED,
    Keys,
    KillAt,
    Place,
    bucket_place,
    folder_place,
    start_pod,
)
from tests.contract.lake_reading import find_differences
from tests.contract.lake_rows import options
from tests.contract.lake_world import World
from tests.contract.test_crash_steps import pick_kills


def build_job(folder: Path, place: Place) -> FeedJob:
    """A job on a world that has begun."""
    folder.mkdir(parents=True, exist_ok=True)
    world = World(folder, seed=7)
    world.advance(130)
    return FeedJob(place, world)


def find_wrong(job: FeedJob) -> list[str]:
    """What is wrong with the tables, once a run has read everything."""
    job = FeedJob(job.place, job.world, growth=0)
    job.run("settled", KillAt(0))
    by = {"even": "seq", "odd": "id"}
    found = [
        f"{stream}: {difference}"
        for stream in STREAMS
        for difference in find_differences(
            job.read_rows(stream), job.build_wanted(stream), by=by[stream]
        )
    ]
    confirmed, now = WorldFeed(job).confirmed, job.world.now()
    return found if confirmed == now else [*found, f"{confirmed} of {now} events were confirmed"]


@pytest.mark.parametrize("is_first", [True, False], ids=["first-load", "later-run"])
def test_a_pod_killed_at_any_step_of_a_feed_loses_and_doubles_nothing(
    is_first: bool, tmp_path: Path, s3: S3Access
) -> None:
    keys = Keys(s3.access_key, s3.secret_key)

    def start(name: str) -> FeedJob:
        prefix = f"t{secrets.token_hex(6)}"
        job = build_job(tmp_path / name, bucket_place(s3.endpoint, keys, prefix=prefix))
        if not is_first:
            job.run("earlier", KillAt(0))
            job.world.advance(60)
        return job

    counting = KillAt(0)
    start("counted").run("run", counting)
    for step, nth in pick_kills(dict(counting.counts), random.Random(7)):
        job = start(f"{step}-{nth}")
        killed = start_pod(job, "run", nth=nth, step=step)
        assert killed.wait() == KILLED, f"{step} {nth}: {killed.said}"
        second = start_pod(job, "run")
        assert second.wait() == 0, f"{step} {nth}: {second.said}"
        assert find_wrong(job) == [], f"{step} {nth}"


def test_a_table_that_is_ahead_of_the_other_skips_what_it_has(tmp_path: Path) -> None:
    job = build_job(tmp_path, folder_place(tmp_path / "lake"))
    killed = start_pod(job, "run", nth=1, step=Step.COMMITTED)
    assert killed.wait() == KILLED
    ahead = {stream for stream in STREAMS if (job.place_of(stream).folder / "_delta_log").exists()}
    assert len(ahead) == 1
    assert WorldFeed(job).confirmed == 0
    assert find_wrong(job) == []


def test_a_feed_replaces_no_table_by_the_entries_that_it_still_has(tmp_path: Path) -> None:
    job = build_job(tmp_path, folder_place(tmp_path / "lake"))
    job.run("first", KillAt(0))
    rows, confirmed = job.read_rows("even"), WorldFeed(job).confirmed
    job.world.advance(20)
    job = replace(job, streams={**STREAMS, "even": options(SyncType.FULL_REFRESH)})
    with pytest.raises(ConfigurationError, match="stream even "):
        job.run("second", KillAt(0))
    assert job.read_rows("even") == rows
    assert WorldFeed(job).confirmed == confirmed
