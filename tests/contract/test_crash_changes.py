"""A pod that applies changes is killed at a step, and another one follows: the table is what the
changes leave, in the order in which they happened.
"""

import random
from pathlib import Path

import pytest

from tests.contract.lake_changes import ChangeJob
from tests.contract.lake_pod import KILLED, KillAt, Place, below, start_pod
from tests.contract.lake_world import World
from tests.contract.test_crash_steps import pick_kills


@pytest.mark.parametrize("is_first", [True, False], ids=["first-load", "later-run"])
def test_a_pod_killed_at_any_step_leaves_what_the_changes_leave(
    is_first: bool, tmp_path: Path, place: Place
) -> None:
    def start(name: str) -> ChangeJob:
        folder = tmp_path / name
        folder.mkdir()
        job = ChangeJob(below(place, name), World(folder, seed=11))
        job.world.advance(130)
        if not is_first:
            job.run("earlier", KillAt(0))
            job.world.advance(60)
        return job

    counting = KillAt(0)
    start("counted").run("run", counting)
    for step, nth in pick_kills(dict(counting.counts), random.Random(11)):
        job = start(f"{step}-{nth}")
        killed = start_pod(job, "run", nth=nth, step=step)
        assert killed.wait() == KILLED, f"{step} {nth}: {killed.said}"
        second = start_pod(job, "run")
        assert second.wait() == 0, f"{step} {nth}: {second.said}"
        assert job.find_differences() == [], f"{step} {nth}"
