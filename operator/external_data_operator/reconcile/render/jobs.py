"""Jobs and CronJobs."""

import json

from external_data_operator.api.plan import ExitCode
from external_data_operator.reconcile.base import marks
from external_data_operator.reconcile.base.naming import hash_of
from external_data_operator.reconcile.base.world import Object
from external_data_operator.reconcile.render.workloads import CONTAINER, JobRecipe, render_pod_spec
from external_data_operator.reconcile.runs.schedule import Schedule


def render_job(recipe: JobRecipe, name: str) -> Object:
    """A Job that runs once, now."""
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": recipe.owner.metadata(name, task=recipe.task, notes=_job_notes(recipe)),
        "spec": _job_spec(recipe),
    }


def render_cron_job(
    recipe: JobRecipe,
    name: str,
    schedule: Schedule,
    *,
    suspend: bool,
    start_deadline_s: int,
    keep: int,
) -> Object:
    """The schedule; its Jobs carry the same labels and annotations as those made by hand."""
    owner = recipe.owner
    return {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": owner.metadata(name, task=recipe.task),
        "spec": {
            "schedule": schedule.cron,
            "timeZone": schedule.time_zone,
            "suspend": suspend,
            "concurrencyPolicy": "Forbid",
            "startingDeadlineSeconds": start_deadline_s,
            "successfulJobsHistoryLimit": keep,
            "failedJobsHistoryLimit": keep,
            "jobTemplate": {
                "metadata": {
                    "labels": owner.labels(recipe.task),
                    "annotations": {**owner.annotations(), **_job_notes(recipe)},
                },
                "spec": _job_spec(recipe),
            },
        },
    }


def recipe_hash(recipe: JobRecipe) -> str:
    """One word for all that a Job of this recipe does, whatever asked for it."""
    return hash_of(json.dumps(_job_spec(recipe), sort_keys=True), length=16)


def _job_notes(recipe: JobRecipe) -> dict[str, str]:
    allowed = {marks.SHRINK_ALLOWED: "true"} if recipe.allow_shrink else {}
    return {**recipe.notes, **allowed, marks.RECIPE: recipe_hash(recipe)}


def _job_spec(recipe: JobRecipe) -> Object:
    return {
        "backoffLimit": recipe.retries,
        "activeDeadlineSeconds": recipe.deadline_s,
        "ttlSecondsAfterFinished": recipe.settings.job_ttl_seconds,
        "podReplacementPolicy": "Failed",
        "podFailurePolicy": {
            "rules": [
                {
                    "action": "FailJob",
                    "onExitCodes": {
                        "containerName": CONTAINER,
                        "operator": "In",
                        "values": [int(ExitCode.CONFIGURATION)],
                    },
                },
                {
                    "action": "Ignore",
                    "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}],
                },
            ]
        },
        "template": {
            "metadata": {
                "labels": recipe.owner.labels(recipe.task),
                "annotations": recipe.owner.annotations(),
            },
            "spec": render_pod_spec(recipe),
        },
    }
