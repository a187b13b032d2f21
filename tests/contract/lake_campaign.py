"""Kills pods by chance, over many tables and runs, and compares every table that comes out of
it.
"""

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from sync_runner.protocols import Step
from tests.contract.lake_pod import KILLED, Job, Place, Pod, start_pod
from tests.contract.lake_scenarios import SCENARIOS, Scenario, grown, read_rows
from tests.contract.lake_world import Kind

RUNS_OF_A_TABLE = 4
PODS_OF_A_RUN_MAX = 40
RETRYABLE = 75


@dataclass
class Tally:
    """What a campaign did."""

    kills: Counter[str] = field(default_factory=Counter)
    ends: Counter[str] = field(default_factory=Counter)
    tables: int = 0
    runs: int = 0
    rows: int = 0
    differences: list[str] = field(default_factory=list)

    def render(self, seconds: float) -> str:
        """A table for people."""
        lines = [f"{'killed at':<16}{'kills':>7}"]
        lines += [f"{phase:<16}{number:>7}" for phase, number in self.kills.most_common()]
        lines.append(f"{'all':<16}{self.kills.total():>7}")
        ends = ", ".join(f"{number} {end}" for end, number in sorted(self.ends.items()))
        lines.append(f"pods that were not killed: {ends}")
        lines.append(
            f"{self.tables} tables, {self.runs} runs, {self.rows} rows compared, "
            f"{len(self.differences)} differences, {seconds:.0f} s"
        )
        return "\n".join([*lines, *self.differences[:20]])


@dataclass
class Campaign:
    """Kills until it has killed enough. Everything but the moments of time follows from the
    seed.
    """

    folder: Path
    seed: int
    places: Callable[[Path, random.Random], Place | None]
    """Where the next table goes; None for a folder beside its world."""
    tally: Tally = field(default_factory=Tally)

    def run(self, kills: int) -> Tally:
        """Goes through tables until so many pods have been killed."""
        while self.tally.kills.total() < kills and not self.tally.differences:
            self._live(self.tally.tables)
        return self.tally

    def _live(self, number: int) -> None:
        """One table, over some runs."""
        dice = random.Random(f"{self.seed}/{number}")
        scenario = SCENARIOS[number % len(SCENARIOS)]
        folder = self.folder / str(number)
        folder.mkdir(parents=True)
        place = self.places(folder, dice)
        job = scenario.build(folder, seed=self.seed + number, place=place)
        self.tally.tables += 1
        for run in range(RUNS_OF_A_TABLE):
            since = job.world.now()
            self._sync(job, f"run-{run}", dice)
            if scenario.kind is not Kind.SNAPSHOT:
                self._settle(grown(job, 0), f"run-{run}-settled")
            self._compare(scenario, job, since, f"table {number} ({scenario.name}) run {run}")
            job.world.advance(dice.choice([0, 0, 15, 90]))

    def _sync(self, job: Job, run: str, dice: random.Random) -> None:
        """Pod after pod, until one comes through."""
        for _ in range(PODS_OF_A_RUN_MAX):
            rival = self._start(job, f"{run}-rival", dice) if dice.random() < 0.15 else None
            if self._end(self._start(job, run, dice), dice):
                if rival is not None:
                    self._end(rival, dice)
                return
            if rival is not None:
                self._end(rival, dice)
        raise AssertionError(f"{run} never came through")

    def _settle(self, job: Job, run: str) -> None:
        """Takes what happened while rivals read on behind the run that won."""
        pod = start_pod(job, run)
        assert pod.wait() == 0, pod.said

    def _start(self, job: Job, run: str, dice: random.Random) -> Pod:
        draw = dice.random()
        if draw < 0.5:
            return start_pod(job, run, nth=dice.randrange(1, 45))
        if draw < 0.7:
            return start_pod(job, run, nth=1, step=dice.choice(list(Step)))
        return start_pod(job, run)

    def _end(self, pod: Pod, dice: random.Random) -> bool:
        """Waits for a pod, or kills it at some moment; says whether it came through."""
        if dice.random() < 0.35:
            pod.kill_after(dice.random() * 0.3)
        code = pod.wait()
        if code == KILLED:
            self.tally.kills[pod.died_at] += 1
            return False
        self.tally.ends["finished" if code == 0 else pod.said.partition(":")[0]] += 1
        assert code in (0, RETRYABLE), pod.said
        return code == 0

    def _compare(self, scenario: Scenario, job: Job, since: int, what: str) -> None:
        rows = read_rows(job)
        found = scenario.find_differences(job, rows, since=since)
        self.tally.runs += 1
        self.tally.rows += len(rows)
        self.tally.differences += [f"{what}: {difference}" for difference in found]
