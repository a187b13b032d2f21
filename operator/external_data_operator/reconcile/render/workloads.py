"""The pod of a runner.

It meets the restricted profile of pod security: no root, no capabilities, no writable root file
system, no token for the Kubernetes API. Credentials are files of one projected volume and may be
missing, so that the runner reports the missing one, instead of a pod that never starts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from external_data_operator.api.plan import (
    ALLOW_SHRINK_ENV,
    CONFIG_MAPS_DIR,
    LOG_FORMAT_ENV,
    PLAN_DIR,
    RUN_ID_ENV,
    SCRATCH_DIR,
    SECRETS_DIR,
)
from external_data_operator.api.source import Runtime
from external_data_operator.reconcile.base import marks
from external_data_operator.reconcile.base.world import Object
from external_data_operator.reconcile.plans.references import S3_KEYS, S3_OPTIONAL_KEYS, Need
from external_data_operator.reconcile.render.metadata import Owner
from external_data_operator.settings import Settings

CONTAINER = "runner"
CHECK_DEADLINE_S = 300
SYNC_RETRIES = 3
_GRACE_S = 10
"""A run that is killed loses nothing; the next pod resumes from its journal."""
_READABLE = 0o444
_OPTIONAL_KEYS = {S3_KEYS[-1]: S3_OPTIONAL_KEYS}


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
    env: Mapping[str, str] = field(default_factory=dict)
    """Variables of the kind's own."""
    allow_shrink: bool = False
    """Whether a full refresh may leave the table with few rows or none."""


def render_pod_spec(recipe: JobRecipe) -> Object:
    """The spec of a pod made from this recipe."""
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
    own = [{"name": name, "value": value} for name, value in recipe.env.items()]
    return [
        {"name": RUN_ID_ENV, "valueFrom": uid},
        {"name": LOG_FORMAT_ENV, "value": recipe.settings.log_format},
        *own,
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
