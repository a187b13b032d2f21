"""Manifests: the only place where Kubernetes objects are spelled.

A runner's pod meets the restricted profile of pod security: no root, no capabilities, no writable
root file system, no token for the Kubernetes API. Credentials are files of one projected volume
and may be missing, so that the runner, and not a pod that never starts, says which one.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from external_data_operator.api.meta import GROUP_VERSION
from external_data_operator.api.plan import (
    ALLOW_SHRINK_ENV,
    CONFIG_MAPS_DIR,
    PLAN_DIR,
    PLAN_KEY,
    RUN_ID_ENV,
    SCRATCH_DIR,
    SECRETS_DIR,
    ExitCode,
)
from external_data_operator.api.source import Runtime
from external_data_operator.reconcile import marks
from external_data_operator.reconcile.naming import hash_of, label_value
from external_data_operator.reconcile.references import S3_KEYS, S3_OPTIONAL_KEYS, Need
from external_data_operator.reconcile.schedule import Schedule
from external_data_operator.reconcile.world import Object, name_of, namespace_of, uid_of
from external_data_operator.settings import Settings

CONTAINER = "runner"
DISCOVERY_KEY = "discovery.json"
CHECK_DEADLINE_S = 300
SYNC_RETRIES = 3
_GRACE_S = 10
"""A run that is cut off loses nothing; it goes on from its journal."""
_READABLE = 0o444
_OPTIONAL_KEYS = {S3_KEYS[-1]: S3_OPTIONAL_KEYS}


@dataclass(frozen=True)
class Owner:
    """Whom a child belongs to; it goes when its owner goes."""

    item: Object
    kind: str
    source: str

    @property
    def is_source(self) -> bool:
        """Whether the child belongs to the source itself."""
        return self.kind == "ExternalDataSource"

    def metadata(
        self, name: str, *, task: str | None = None, notes: Mapping[str, str] | None = None
    ) -> Object:
        """Metadata of a child of this owner."""
        return {
            "name": name,
            "namespace": namespace_of(self.item),
            "labels": self.labels(task),
            "annotations": {**self.annotations(), **(notes or {})},
            "ownerReferences": [self.reference()],
        }

    def labels(self, task: str | None) -> dict[str, str]:
        """Labels of a child; people select by them, and so do the watches."""
        labels = {
            marks.MANAGED_BY_LABEL: marks.MANAGED_BY,
            marks.OWNER_UID_LABEL: uid_of(self.item),
            marks.SOURCE_LABEL: label_value(self.source),
        }
        if not self.is_source:
            labels[marks.SCHEMA_LABEL] = label_value(name_of(self.item))
        if task is not None:
            labels[marks.TASK_LABEL] = task
        return labels

    def annotations(self) -> dict[str, str]:
        """How a child's event finds its owner."""
        kind = marks.SOURCE_OWNER if self.is_source else marks.SCHEMA_OWNER
        return {marks.OWNER: f"{kind}/{name_of(self.item)}"}

    def reference(self) -> Object:
        """The owner reference."""
        return {
            "apiVersion": GROUP_VERSION,
            "kind": self.kind,
            "name": name_of(self.item),
            "uid": uid_of(self.item),
            "controller": True,
            "blockOwnerDeletion": True,
        }


@dataclass(frozen=True)
class JobRecipe:
    """What one runner's pod is made from."""

    owner: Owner
    settings: Settings
    runtime: Runtime
    plan_map: str
    task: str
    needs: Sequence[Need] = ()
    notes: Mapping[str, str] = field(default_factory=dict)
    retries: int = SYNC_RETRIES
    deadline_s: int = CHECK_DEADLINE_S
    allow_shrink: bool = False
    """Whether a full refresh may leave the table with few rows or none."""


def render_plan(owner: Owner, name: str, text: str, *, task: str) -> Object:
    """The ConfigMap that holds a plan; a changed plan gets another name, so that a running pod
    keeps its own."""
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": owner.metadata(name, task=task),
        "immutable": True,
        "data": {PLAN_KEY: text},
    }


def render_discovery(owner: Owner, name: str, text: str, notes: Mapping[str, str]) -> Object:
    """The ConfigMap that keeps what a check found, longer than its pod."""
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": owner.metadata(name, notes=notes),
        "data": {DISCOVERY_KEY: text},
    }


def render_secret(owner: Owner, name: str, notes: Mapping[str, str] | None = None) -> Object:
    """An owned Secret without its data, which never passes through here."""
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": owner.metadata(name, notes=notes),
        "type": "Opaque",
    }


def render_schema(owner: Owner, name: str, spec: Object) -> Object:
    """A schema for a discovered stream."""
    return {
        "apiVersion": GROUP_VERSION,
        "kind": "ExternalDataSchema",
        "metadata": owner.metadata(name),
        "spec": spec,
    }


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
    allowed = {marks.ALLOW_SHRINK: "true"} if recipe.allow_shrink else {}
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
            "spec": _pod_spec(recipe),
        },
    }


def _pod_spec(recipe: JobRecipe) -> Object:
    runtime = recipe.runtime
    optional = {
        "serviceAccountName": runtime.service_account_name,
        "priorityClassName": runtime.priority_class_name,
        "runtimeClassName": runtime.runtime_class_name,
        "nodeSelector": runtime.node_selector,
        "tolerations": [
            one.model_dump(by_alias=True, exclude_none=True) for one in runtime.tolerations
        ],
        "imagePullSecrets": [{"name": name} for name in recipe.settings.runner_image_pull_secrets],
    }
    return {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": _GRACE_S,
        "securityContext": {
            "runAsNonRoot": True,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [_container(recipe)],
        "volumes": _volumes(recipe),
        **{key: value for key, value in optional.items() if value},
    }


def _env(recipe: JobRecipe) -> list[Object]:
    uid = {"fieldRef": {"fieldPath": f"metadata.labels['{marks.RUN_UID_LABEL}']"}}
    allowed = [{"name": ALLOW_SHRINK_ENV, "value": "true"}] if recipe.allow_shrink else []
    return [
        {"name": RUN_ID_ENV, "valueFrom": uid},
        {"name": "EXTERNAL_DATA_LOG_FORMAT", "value": recipe.settings.log_format},
        *allowed,
    ]


def _container(recipe: JobRecipe) -> Object:
    settings = recipe.settings
    return {
        "name": CONTAINER,
        "image": settings.runner_image,
        "imagePullPolicy": settings.runner_image_pull_policy,
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "env": _env(recipe),
        "resources": _resources(recipe),
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [
            {"name": "plan", "mountPath": PLAN_DIR, "readOnly": True},
            {"name": "secrets", "mountPath": SECRETS_DIR, "readOnly": True},
            {"name": "config-maps", "mountPath": CONFIG_MAPS_DIR, "readOnly": True},
            {"name": "scratch", "mountPath": SCRATCH_DIR},
        ],
    }


def _resources(recipe: JobRecipe) -> Object:
    """The source's own words over the operator's defaults, key by key."""
    own, default = recipe.runtime.resources, recipe.settings.runner_resources
    merged = {
        "requests": {**default.requests, **own.requests},
        "limits": {**default.limits, **own.limits},
    }
    return {key: value for key, value in merged.items() if value}


def _volumes(recipe: JobRecipe) -> list[Object]:
    return [
        {"name": "plan", "configMap": {"name": recipe.plan_map, "defaultMode": _READABLE}},
        {"name": "secrets", "projected": _projected(recipe.needs, "Secret", "secret")},
        {"name": "config-maps", "projected": _projected(recipe.needs, "ConfigMap", "configMap")},
        {"name": "scratch", "emptyDir": {"sizeLimit": recipe.settings.runner_scratch}},
    ]


def _projected(needs: Sequence[Need], kind: str, word: str) -> Object:
    keys: dict[str, list[str]] = {}
    for need in needs:
        if need.kind == kind:
            for key in need.keys:
                keys.setdefault(need.name, []).extend((key, *_OPTIONAL_KEYS.get(key, ())))
    sources: list[Any] = [
        {
            word: {
                "name": name,
                "optional": True,
                "items": [{"key": key, "path": f"{name}/{key}"} for key in dict.fromkeys(found)],
            }
        }
        for name, found in sorted(keys.items())
    ]
    return {"defaultMode": _READABLE, **({"sources": sources} if sources else {})}
