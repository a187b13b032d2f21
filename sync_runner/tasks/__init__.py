"""One file for each task of a plan: only here are a source and a lake used together.

A task takes a plan and its surroundings, and returns a report. A new one is a file here and a line
in `TASKS`.
"""

from collections.abc import Callable, Mapping

from external_data_operator.api.plan import Plan, Task

from sync_runner.tasks.check import check
from sync_runner.tasks.reporting import Done, Surroundings, exit_code_of
from sync_runner.tasks.sync import sync

TASKS: Mapping[Task, Callable[[Plan, Surroundings], Done]] = {
    Task.CHECK: check,
    Task.SYNC: sync,
}
"""Each reports errors instead of raising them."""


def run_task(plan: Plan, given: Surroundings) -> Done:
    """Runs the plan's task."""
    return TASKS[plan.task](plan, given)


__all__ = ["TASKS", "Done", "Surroundings", "exit_code_of", "run_task"]
