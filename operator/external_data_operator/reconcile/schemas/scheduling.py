"""The plan, the schedule and the next run of a schema whose source and stream are known."""

from external_data_operator.api.plan import Task
from external_data_operator.api.schema import SchemaSpec
from external_data_operator.api.source import SourceSpec
from external_data_operator.reconcile.base import marks
from external_data_operator.reconcile.base.actions import (
    ActionRequest,
    find_open,
    read_passed_on,
    read_requests,
)
from external_data_operator.reconcile.base.world import (
    Apply,
    Intent,
    uid_of,
)
from external_data_operator.reconcile.plans.plan import (
    SourcePlace,
    all_needs,
)
from external_data_operator.reconcile.render.config import render_plan
from external_data_operator.reconcile.runs.history import find_blocked_inputs, merge_history
from external_data_operator.reconcile.runs.schedule import Wish, find_schedule, next_time
from external_data_operator.reconcile.runs.verdicts import judge_before, judge_runs
from external_data_operator.reconcile.schemas.jobs import (
    SYNC,
    NextRun,
    Situation,
    build_cron_job,
    decide_next_run,
    forgotten_plans,
    plan_name,
)
from external_data_operator.reconcile.schemas.look import SchemaFinding, SchemaLook
from external_data_operator.reconcile.schemas.owner import own


def build_situation(
    look: SchemaLook, spec: SchemaSpec, source: SourceSpec, place: SourcePlace, *, inputs: str
) -> Situation:
    """What the choice of the next run depends on."""
    schema = look.observed.schema
    frequency = spec.sync_frequency or source.schemas.defaults.sync_frequency
    wish = Wish(frequency, spec.sync_time_of_day, spec.cron, spec.time_zone)
    schedule = find_schedule(wish, uid_of(schema))
    enabled = spec.should_sync and not source.suspend
    return Situation(
        schema=schema,
        source=place.source,
        settings=look.settings,
        runtime=source.runtime,
        needs=tuple(all_needs(source, place)),
        inputs=inputs,
        schedule=schedule,
        scheduling=enabled and schedule is not None,
        runs=look.runs,
        history=tuple(merge_history(look.runs, look.status)),
        blocked_inputs=find_blocked_inputs(look.runs, look.status),
        requests=_open_requests(look, enabled=spec.should_sync),
    )


def _open_requests(look: SchemaLook, *, enabled: bool) -> tuple[ActionRequest, ...]:
    """What asks for a run and has had none; a source's request passes by what is not synced."""
    asked = read_requests(look.observed.schema)
    if enabled and look.observed.source is not None:
        asked += read_passed_on(look.observed.source, word=marks.SOURCE_OWNER)
    runs = [one for one in asked if one.action.runs is Task.SYNC]
    return find_open(runs, look.status.handled_requests)


def schedule_runs(look: SchemaLook, situation: Situation, plan: str) -> SchemaFinding:
    """The plan and the CronJob as they should be, the run that is wanted now, and how runs went."""
    schema, now = look.observed.schema, look.now
    # What failed for good is not repeated by the clock either: only other inputs can help.
    suspend = situation.blocked or not situation.scheduling
    owner = own(schema, situation.source)
    plan_map = render_plan(owner, plan_name(schema, situation.inputs), plan, task=SYNC)
    upcoming = decide_next_run(situation, now)
    intents: list[Intent] = [
        Apply(plan_map),
        Apply(build_cron_job(situation, suspend=suspend, now=now)),
        *upcoming.intents,
        *forgotten_plans(situation, look.observed.children),
    ]
    running = situation.active is not None or bool(upcoming.intents)
    next_sync = None
    if not suspend and situation.schedule is not None:
        next_sync = next_time(situation.schedule, now)
    over = situation.blocked or not (situation.scheduling or running)
    verdict = judge_runs(look.runs, look.status, over=over) or judge_before(
        running=running, scheduling=situation.scheduling
    )
    return SchemaFinding(
        verdict=verdict,
        intents=tuple(intents),
        paused=not situation.scheduling
        and (situation.schedule is not None or not look.status.history),
        next_sync=next_sync,
        requests=_carried_out(look, situation, upcoming),
        look_again_s=upcoming.due_in_s,
    )


def _carried_out(look: SchemaLook, situation: Situation, upcoming: NextRun) -> dict[str, str]:
    handled = dict(look.status.handled_requests)
    if upcoming.job is not None:
        handled |= {one.word: one.token for one in situation.requests}
    return handled
