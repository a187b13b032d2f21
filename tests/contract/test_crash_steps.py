"""A pod that is killed at a step is followed by another one, and the table is as if nothing had
happened.
"""

import random
from pathlib import Path

import pytest

from sync_runner.protocols import Step
from tests.contract.lake_pod import KILLED, KillAt, start_pod
from tests.contract.lake_scenarios import SCENARIOS, Scenario, read_rows

SAMPLES = 2
"""Kills at steps chosen by chance, beside the first one of each kind."""


def pick_kills(counts: dict[Step, int], dice: random.Random) -> list[tuple[Step, int]]:
    """The first occurrence of each step that a run comes past, and some later ones."""
    later = [(step, nth) for step, count in counts.items() for nth in range(2, count + 1)]
    return [(step, 1) for step in counts] + dice.sample(later, min(SAMPLES, len(later)))


@pytest.mark.parametrize("is_first", [True, False], ids=["first-load", "later-run"])
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_a_pod_killed_at_any_step_leaves_what_an_uninterrupted_run_leaves(
    scenario: Scenario, is_first: bool, tmp_path: Path
) -> None:
    counts = _count_steps(scenario, is_first, tmp_path / "counted")
    for step, nth in pick_kills(counts, random.Random(scenario.name)):
        job = scenario.build(tmp_path / f"{step}-{nth}", seed=7)
        if not is_first:
            assert start_pod(job, "earlier").wait() == 0
            job.world.advance(60)
        since = job.world.now()
        killed = start_pod(job, "run", nth=nth, step=step)
        assert killed.wait() == KILLED, f"{step} {nth}: {killed.said}"
        second = start_pod(job, "run")
        assert second.wait() == 0, second.said
        assert scenario.find_differences(job, read_rows(job), since=since) == [], f"{step} {nth}"


def _count_steps(scenario: Scenario, is_first: bool, folder: Path) -> dict[Step, int]:
    job = scenario.build(folder, seed=7)
    if not is_first:
        job.run("earlier", KillAt(0))
        job.world.advance(60)
    counting = KillAt(0)
    job.run("run", counting)
    return dict(counting.counts)
