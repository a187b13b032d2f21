"""Worlds to decide about: objects as an API server would hold them, and one step of its part.

`step` carries a decision out on plain values: what is applied exists afterwards, what is created
has a uid. So a test can walk through several looks and still never leave this process.
"""

import copy
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from external_data_operator.api.base import ApiModel
from external_data_operator.api.handoff import Document, build_pieces
from external_data_operator.api.plan import Discovery, Report
from external_data_operator.cluster.kinds import ApiKinds
from external_data_operator.controllers import CONTROLLERS
from external_data_operator.reconcile.base import marks
from external_data_operator.reconcile.base.naming import hash_of
from external_data_operator.reconcile.base.world import (
    Apply,
    Children,
    CopySecret,
    Create,
    Data,
    Decision,
    Delete,
    Intent,
    Object,
    StoreCredentials,
    Suspend,
    format_time,
)
from external_data_operator.reconcile.plans.catalogue import pack_catalogue
from external_data_operator.reconcile.runs.objects import parse_children
from external_data_operator.reconcile.schemas.observed import ObservedSchema
from external_data_operator.reconcile.sources.observed import ObservedSource
from external_data_operator.settings import Settings

NOW = datetime(2026, 3, 4, 10, 0, 0, tzinfo=UTC)
KINDS = ApiKinds(CONTROLLERS)
CREDENTIAL = "tok-3f9a-very-secret"
SETTINGS = Settings(
    namespace="ops",
    runner_image="runner:1",
    default_destination={"s3": {"bucket": "lake", "endpoint": "http://s3:8333"}},
)


def build_source(**spec: Any) -> Object:
    """A source with one plain stream, or with the spec's own words."""
    rest: Object = {
        "baseUrl": "https://api.shop.example",
        "auth": {"bearer": {"token": {"secretKeyRef": {"name": "api", "key": "token"}}}},
        "streams": [{"name": "orders", "path": "/orders"}],
    }
    return {
        "apiVersion": "external-data.io/v1alpha1",
        "kind": "ExternalDataSource",
        "metadata": {
            "name": "shop",
            "namespace": "team",
            "uid": "source-uid",
            "generation": 1,
            "resourceVersion": "5",
            "creationTimestamp": format_time(NOW),
        },
        "spec": {"rest": rest, **spec},
    }


def build_schema(name: str = "shop-orders", **spec: Any) -> Object:
    """A schema for the stream `orders`."""
    return {
        "apiVersion": "external-data.io/v1alpha1",
        "kind": "ExternalDataSchema",
        "metadata": {
            "name": name,
            "namespace": "team",
            "uid": f"{name}-uid",
            "generation": 1,
            "resourceVersion": "7",
            "creationTimestamp": format_time(NOW),
        },
        "spec": {"sourceRef": {"name": "shop"}, "stream": "orders", **spec},
    }


def make_ready(source: Object, fingerprint: str = "fp") -> Object:
    """The source as it is after a check that succeeded."""
    generation = source["metadata"]["generation"]
    ready = {
        "type": "Ready",
        "status": "True",
        "reason": "Ready",
        "message": "The source was checked.",
        "lastTransitionTime": format_time(NOW),
        "observedGeneration": generation,
    }
    status = {
        "observedGeneration": generation,
        "conditions": [ready],
        "checkedFingerprint": fingerprint,
    }
    return {**source, "status": status}


def observe_source(source: Object | None = None, **rest: Any) -> ObservedSource:
    """A source whose Secret is there, and nothing else."""
    world = ObservedSource(
        source=source or build_source(), secrets={"api": Data("1", frozenset({"token"}))}
    )
    return replace(world, **rest)


def observe_schema(schema: Object | None = None, **rest: Any) -> ObservedSchema:
    """A schema whose source is ready."""
    world = ObservedSchema(schema=schema or build_schema(), source=make_ready(build_source()))
    return replace(world, **rest)


def seen(world: Any) -> Any:
    """The world as the observer gives it to a decision: its children, which a test keeps as the API
    server does, are read."""
    raw = world.children
    children = parse_children(
        jobs=raw.jobs, pods=raw.pods, cron_jobs=raw.cron_jobs, config_maps=raw.config_maps
    )
    return replace(world, children=replace(children, refusals=raw.refusals))


def with_annotation(item: Object, key: str, value: str) -> Object:
    """The object with one annotation more."""
    annotated = copy.deepcopy(item)
    annotated["metadata"].setdefault("annotations", {})[key] = value
    return annotated


def step(
    world: ObservedSource | ObservedSchema, decision: Decision, now: datetime
) -> ObservedSource | ObservedSchema:
    """The world after the decision was carried out."""
    children = world.children
    for intent in decision.intents:
        kind, verbs = verbs_for(intent)
        assert verbs <= KINDS.get(kind).verbs, f"no right to {verbs} {kind}"
        match intent:
            case Apply(manifest) | Create(manifest):
                children = _put(children, manifest, now)
            case Delete(_, kind, _, name, _):
                children = _drop(children, kind, name)
            case Suspend(_, name):
                cron = copy.deepcopy(next(c for c in children.cron_jobs if _name(c) == name))
                cron["spec"]["suspend"] = True
                children = _put(children, cron, now)
    if isinstance(world, ObservedSource):
        world = replace(world, schemas=_with_schemas(world, decision))
    own = "source" if isinstance(world, ObservedSource) else "schema"
    item = copy.deepcopy(getattr(world, own))
    if decision.status is not None:
        item["status"] = decision.status
    return replace(world, children=children, **{own: item})


def log_of(job: Object, document: Document, content: ApiModel) -> dict[str, str]:
    """The logs that hold what this job's run handed over, between lines of its own."""
    pieces = build_pieces(document, content.model_dump_json(by_alias=True).encode())
    assert pieces is not None
    head = {"time": "2026-03-04T10:00:00.000Z", "run": job["metadata"]["uid"]}
    lines = [{**head, "handoff": piece.model_dump(mode="json")} for piece in pieces]
    text = "\n".join(map(json.dumps, [head, *lines, head]))
    return {job["metadata"]["name"]: text}


def keep_catalogue(discovery: Discovery, source: str = "shop") -> dict[str, Any]:
    """The ConfigMaps that a check leaves, as members of an observed schema."""
    packed = pack_catalogue(source, discovery)
    head = {"metadata": {"name": f"{source}-discovery"}, "binaryData": dict(packed.head)}
    others = packed.others.items()
    parts = tuple({"metadata": {"name": name}, "binaryData": dict(keys)} for name, keys in others)
    return {"discovery": head, "discovery_parts": parts}


def verbs_for(intent: Intent) -> tuple[str, set[str]]:
    """The kind that an intent writes, and the rights that this takes."""
    match intent:
        case Apply(manifest):
            return manifest["kind"], {"get", "create", "patch"}
        case Create(manifest):
            return manifest["kind"], {"get", "create"}
        case Delete(_, kind, _, _, _):
            return kind, {"delete"}
        case Suspend():
            return "CronJob", {"patch"}
        case StoreCredentials() | CopySecret():
            return "Secret", {"get", "create", "patch"}


def _with_schemas(world: ObservedSource, decision: Decision) -> tuple[Object, ...]:
    """The source's schemas, with those that the decision made."""
    there = {_name(one): one for one in world.schemas}
    for manifest in applied(decision, "ExternalDataSchema"):
        made = copy.deepcopy(manifest)
        made["metadata"]["uid"] = f"{_name(manifest)}-uid"
        there.setdefault(_name(manifest), made)
    return tuple(there.values())


_FIELDS = {"Job": "jobs", "CronJob": "cron_jobs", "ConfigMap": "config_maps", "Pod": "pods"}


def _name(item: Object) -> str:
    return str(item["metadata"]["name"])


def _put(children: Children, manifest: Object, now: datetime) -> Children:
    field = _FIELDS.get(manifest["kind"])
    if field is None:
        return children
    item = copy.deepcopy(manifest)
    item["metadata"].setdefault("creationTimestamp", format_time(now))
    item["metadata"].setdefault("uid", hash_of(manifest["kind"], _name(manifest)))
    others = tuple(one for one in getattr(children, field) if _name(one) != _name(manifest))
    return replace(children, **{field: (*others, item)})


def _drop(children: Children, kind: str, name: str) -> Children:
    field = _FIELDS.get(kind)
    if field is None:
        return children
    return replace(
        children, **{field: tuple(c for c in getattr(children, field) if _name(c) != name)}
    )


def newest_job(children: Children) -> Object:
    """The Job that was made last."""
    return children.jobs[-1]


def end_job(
    children: Children,
    *,
    at: datetime,
    report: Report | None = None,
    exit_code: int | None = None,
    reason: str = "",
    pod: Object | None = None,
) -> Children:
    """The newest Job ended: by a report, or as a pod ends that left none."""
    job = copy.deepcopy(newest_job(children))
    failed = exit_code != 0 if exit_code is not None else (report and report.result == "Failed")
    if report is None and exit_code is None:
        failed = True
    type_ = "Failed" if failed else "Complete"
    job["status"] = {
        "startTime": job["metadata"]["creationTimestamp"],
        "conditions": [
            {
                "type": type_,
                "status": "True",
                "reason": reason or ("BackoffLimitExceeded" if failed else "CompletionsReached"),
                "lastTransitionTime": format_time(at),
            }
        ],
    }
    children = _put(children, job, at)
    if pod is None and (report is not None or exit_code is not None):
        pod = build_pod(
            job, report=report, exit_code=exit_code if exit_code is not None else int(bool(failed))
        )
    return children if pod is None else replace(children, pods=(*children.pods, pod))


def build_pod(
    job: Object,
    *,
    report: Report | None = None,
    exit_code: int | None = None,
    ended_reason: str = "Error",
    waiting: str | None = None,
    **status: Any,
) -> Object:
    """A pod of this Job."""
    state: Object = {"running": {}}
    if waiting is not None:
        state = {"waiting": {"reason": waiting, "message": "no such image"}}
    elif exit_code is not None:
        message = "" if report is None else report.model_dump_json(by_alias=True)
        state = {"terminated": {"exitCode": exit_code, "reason": ended_reason, "message": message}}
    uid = job["metadata"]["uid"]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": f"{_name(job)}-abcde",
            "namespace": "team",
            "uid": f"pod-of-{uid}",
            "creationTimestamp": job["metadata"]["creationTimestamp"],
            "labels": {marks.RUN_UID_LABEL: uid, marks.JOB_NAME_LABEL: _name(job)},
        },
        "status": {
            "phase": "Succeeded" if exit_code == 0 else "Running",
            "containerStatuses": [{"name": "runner", "image": "runner:1", "state": state}],
            **status,
        },
    }


def condition(status: Object | None, type_: str) -> Object | None:
    """The condition of this type, or None."""
    found = [one for one in (status or {}).get("conditions", []) if one["type"] == type_]
    return found[0] if found else None


def ready_of(decision: Decision) -> tuple[str, str, bool]:
    """Status and reason of Ready, and whether Stalled is there."""
    ready = condition(decision.status, "Ready")
    assert ready is not None, "Ready is always there"
    return ready["status"], ready["reason"], condition(decision.status, "Stalled") is not None


def created_jobs(decision: Decision) -> list[Object]:
    """The Jobs that the decision makes."""
    return [one.manifest for one in decision.intents if isinstance(one, Create)]


def applied(decision: Decision, kind: str) -> list[Object]:
    """The objects of a kind that the decision applies."""
    manifests = [one.manifest for one in decision.intents if isinstance(one, Apply)]
    return [one for one in manifests if one["kind"] == kind]


def text_of(decision: Decision) -> str:
    """All that a decision shows to anyone: what it applies, its status and its events."""
    shown = [repr(one) for one in decision.intents]
    return json.dumps([shown, decision.status, [vars(note) for note in decision.notes]])


def later(**delta: float) -> datetime:
    """A moment after NOW."""
    return NOW + timedelta(**delta)
