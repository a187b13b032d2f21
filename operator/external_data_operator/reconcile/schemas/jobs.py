"""Which run a schema wants now, and the CronJob that makes the others.

A run on demand never overlaps another: it waits. Its Job's name comes from what asked for it, so
that asking twice, or crashing between two steps, finds the same Job again.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from external_data_operator.api.plan import SCHEMA_ENV, Task
from external_data_operator.api.source import Runtime
from external_data_operator.api.status import RunRecord
from external_data_operator.reconcile.base import marks
from external_data_operator.reconcile.base.actions import ActionRequest
from external_data_operator.reconcile.base.naming import (
    CRONJOB_NAME_MAX,
    OBJECT_NAME_MAX,
    cut,
    hash_of,
    job_name,
    suffixed,
)
from external_data_operator.reconcile.base.world import (
    Children,
    Create,
    Delete,
    Intent,
    Object,
    labels_of,
    name_of,
    namespace_of,
    uid_of,
)
from external_data_operator.reconcile.plans.references import Need
from external_data_operator.reconcile.render.jobs import recipe_hash, render_cron_job, render_job
from external_data_operator.reconcile.render.workloads import JobRecipe
from external_data_operator.reconcile.runs.backoff import run_delay
from external_data_operator.reconcile.runs.history import failures_in_a_row
from external_data_operator.reconcile.runs.run import Run, find_active, find_last_run
from external_data_operator.reconcile.runs.schedule import (
    Schedule,
    jobs_a_day,
    next_time,
    start_deadline_s,
)
from external_data_operator.reconcile.schemas.owner import own
from external_data_operator.settings import Settings

SYNC = Task.SYNC.lower()
DORMANT = Schedule("0 0 1 1 *")
"""What a suspended CronJob holds where the spec asks for no schedule."""
_EXACT_S = 1.0


@dataclass(frozen=True)
class Situation:
    """What the choice of the next run depends on."""

    schema: Object
    source: str
    settings: Settings
    runtime: Runtime
    needs: tuple[Need, ...]
    inputs: str
    schedule: Schedule | None
    scheduling: bool
    """Whether runs without a request are wanted."""
    runs: tuple[Run, ...]
    history: tuple[RunRecord, ...]
    blocked_inputs: str | None = None
    """What the last run worked from, if it failed for good."""
    requests: tuple[ActionRequest, ...] = ()
    """Actions that ask for a run and have had none."""

    @property
    def uid(self) -> str:
        """The schema's uid."""
        return uid_of(self.schema)

    @property
    def blocked(self) -> bool:
        """Whether the last run failed for good, and nothing that it worked from has changed."""
        return self.blocked_inputs == self.inputs

    @property
    def last(self) -> Run | None:
        """The newest run that ended."""
        return find_last_run(self.runs)

    @property
    def active(self) -> Run | None:
        """The active run."""
        return find_active(self.runs)


@dataclass(frozen=True)
class NextRun:
    """The run to start now, or when to look for one."""

    intents: tuple[Intent, ...] = ()
    job: str | None = None
    due_in_s: float | None = None


def plan_name(schema: Object, inputs: str) -> str:
    """Name of the ConfigMap that holds the plan for these inputs."""
    suffix = f"plan-{hash_of(inputs)}"
    return suffixed(name_of(schema), suffix, length_max=OBJECT_NAME_MAX)


def cron_job_name(schema: Object) -> str:
    """Name of the schema's CronJob."""
    return cut(name_of(schema), CRONJOB_NAME_MAX)


def decide_next_run(situation: Situation, now: datetime) -> NextRun:
    """The run to start now, if any."""
    # Two runs never overlap: one writer per table.
    if situation.active is not None:
        return _instead_of(situation, situation.active)
    # A person's word outweighs the schedule, a failure for good and its pause.
    if situation.requests:
        asked = sorted((one.word, one.token) for one in situation.requests)
        tokens = [part for pair in asked for part in pair]
        allow_shrink = any(one.action.may_shrink for one in situation.requests)
        return _start(situation, "Request", *tokens, allow_shrink=allow_shrink)
    return _decide_own_run(situation, now) if situation.scheduling else NextRun()


def _decide_own_run(situation: Situation, now: datetime) -> NextRun:
    """A run without a request, outside of the schedule."""
    last = situation.last
    # A new schema is not kept waiting for its schedule.
    if last is None and not situation.history:
        return _start(situation, "Initial")
    # A failure for good is retried at once when its inputs change, even long after its Job.
    if situation.blocked_inputs is not None:
        return _after_change(situation, situation.blocked_inputs)
    # A failure that may pass is retried after a pause.
    if last is not None and last.failure is not None:
        return _retry_in_time(situation, last, now)
    return NextRun()


def _instead_of(situation: Situation, active: Run) -> NextRun:
    """A run whose pod cannot start is recreated when its recipe changes; it has written nothing
    yet. Its request was handled when it was created."""
    recipe = _recipe(situation, active.trigger, allow_shrink=active.allows_shrink)
    if not active.stuck or active.recipe == recipe_hash(recipe):
        return NextRun()
    gone = Delete("batch/v1", "Job", namespace_of(situation.schema), active.job, active.uid)
    name = job_name(name_of(situation.schema), situation.uid, active.trigger, active.job)
    return NextRun(intents=(gone, Create(render_job(recipe, name))))


def _after_change(situation: Situation, blocked_inputs: str) -> NextRun:
    if situation.blocked:
        return NextRun()
    last = blocked_inputs if situation.last is None else situation.last.job
    return _start(situation, "Retry", situation.inputs, last)


def _retry_in_time(situation: Situation, last: Run, now: datetime) -> NextRun:
    """After a growing pause, unless the schedule comes first anyway."""
    due = last.ended + run_delay(failures_in_a_row(situation.history))
    if situation.schedule is not None:
        planned = next_time(situation.schedule, last.ended)
        if planned is not None and planned <= due:
            return NextRun()
    if due <= now:
        # What a person has allowed holds until a run has made use of it.
        return _start(situation, "Retry", last.job, allow_shrink=last.allows_shrink)
    return NextRun(due_in_s=(due - now) / timedelta(seconds=1) + _EXACT_S)


def _start(situation: Situation, trigger: str, *tokens: str, allow_shrink: bool = False) -> NextRun:
    schema = situation.schema
    name = job_name(name_of(schema), situation.uid, trigger, *tokens)
    if any(run.job == name for run in situation.runs):
        return NextRun(job=name)
    recipe = _recipe(situation, trigger, allow_shrink=allow_shrink)
    return NextRun(intents=(Create(render_job(recipe, name)),), job=name)


def _recipe(situation: Situation, trigger: str, *, allow_shrink: bool = False) -> JobRecipe:
    return JobRecipe(
        owner=own(situation.schema, situation.source),
        settings=situation.settings,
        runtime=situation.runtime,
        plan_map=plan_name(situation.schema, situation.inputs),
        task=SYNC,
        needs=situation.needs,
        notes={marks.TRIGGER: trigger, marks.INPUTS: situation.inputs},
        deadline_s=situation.settings.run_deadline_seconds,
        env={SCHEMA_ENV: name_of(situation.schema)},
        allow_shrink=allow_shrink,
    )


def build_cron_job(situation: Situation, *, suspend: bool, now: datetime) -> Object:
    """The schema's CronJob; always there, so that a run by hand has something to start from."""
    schedule = situation.schedule or DORMANT
    created = datetime.fromisoformat(situation.schema["metadata"]["creationTimestamp"])
    return render_cron_job(
        _recipe(situation, "Schedule"),
        cron_job_name(situation.schema),
        schedule,
        suspend=suspend or situation.schedule is None,
        start_deadline_s=start_deadline_s(schedule, min(created, now)),
        keep=jobs_a_day(schedule, min(created, now)),
    )


def forgotten_plans(situation: Situation, children: Children) -> list[Intent]:
    """Plans that neither the schedule nor a running pod uses; one older stays for a Job that is
    just being made."""
    used = {situation.inputs, *(run.inputs for run in situation.runs if run.active)}
    names = {plan_name(situation.schema, inputs) for inputs in used}
    plans = [one for one in children.config_maps if labels_of(one).get(marks.TASK_LABEL) == SYNC]
    others = sorted(
        (one for one in plans if name_of(one) not in names),
        key=lambda one: str(one["metadata"]["creationTimestamp"]),
    )
    namespace = namespace_of(situation.schema)
    return [Delete("v1", "ConfigMap", namespace, name_of(one), uid_of(one)) for one in others[:-1]]
