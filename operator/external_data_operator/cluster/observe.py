"""From the store, and a few direct reads, to what a decision sees.

Secrets are read one by one and by name, as the operator has no right to list them; only a digest
of their values, key names and owner are kept. Pod logs are read only when a decision waits for
them.
"""

import hashlib
import hmac
import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from time import monotonic

from external_data_operator.api.schema import SchemaStatus
from external_data_operator.api.source import SourceSpec
from external_data_operator.cluster.api import Api
from external_data_operator.cluster.claims import Claims
from external_data_operator.cluster.kinds import (
    CONFIG_MAPS,
    CRON_JOBS,
    EVENTS,
    JOBS,
    PODS,
    SCHEMA,
    SECRETS,
    SOURCE,
    Kind,
)
from external_data_operator.cluster.store import Key, Store, source_of
from external_data_operator.errors import ClusterError, NotFoundError, SpecError
from external_data_operator.reconcile.base import marks
from external_data_operator.reconcile.base.parsing import parse_source_spec, read_status
from external_data_operator.reconcile.base.world import (
    Children,
    Data,
    Object,
    ObservedSchema,
    ObservedSource,
    Refusal,
    annotations_of,
    controller_uid,
    labels_of,
    name_of,
    namespace_of,
    parse_time,
    uid_of,
)
from external_data_operator.reconcile.plans.catalogue import discovery_name, find_object_names
from external_data_operator.reconcile.plans.plan import default_secret_name, destination_copy
from external_data_operator.reconcile.plans.references import find_needs
from external_data_operator.reconcile.runs.run import read_runs
from external_data_operator.reconcile.schemas.columns import run_to_read
from external_data_operator.reconcile.schemas.jobs import SYNC
from external_data_operator.reconcile.sources.checks import job_to_read
from external_data_operator.reconcile.sources.credentials import credentials_names
from external_data_operator.settings import Settings

_FRESH_S = 10.0
"""For so long a Secret that was found is not read again."""
_PATIENCE = timedelta(seconds=4)
"""A Job without a pod after so long may have been refused one."""
_DIGEST_LENGTH = 32
_LOG_BYTES_MAX = 8 << 20
_TAIL = 64
"""Lines at the end of a run's log that may hold its report; the kubelet counts one of more than 16
KiB as several."""


class Observer:
    """Sees the world around one object."""

    def __init__(self, api: Api, store: Store, settings: Settings) -> None:
        """Reads through these."""
        self._api = api
        self._store = store
        self._settings = settings
        self.claims = Claims(store, settings)
        self._seen: dict[tuple[str, str, str], tuple[float, Data]] = {}

    async def source(self, key: Key) -> ObservedSource | None:
        """The source and everything around it; None where it is gone."""
        source = self._store.get(SOURCE, key.namespace, key.name)
        if source is None:
            return None
        spec = _try_spec(source)
        observed = ObservedSource(
            source=source,
            secrets=await self._secrets(source, spec),
            config_maps=await self._config_maps(source, spec),
            default_secret=await self._default_secret(spec),
            schemas=self._store.schemas_of(key),
            schema_names=frozenset(
                name_of(one)
                for one in self._store.of_kind(SCHEMA)
                if namespace_of(one) == key.namespace
            ),
            children=await self._children(key, source),
        )
        job = job_to_read(observed)
        logs = {} if job is None else await self._logs(observed.children, key.namespace, job)
        return ObservedSource(**{**vars(observed), "logs": logs})

    async def schema(self, key: Key) -> ObservedSchema | None:
        """The schema and everything around it; None where it is gone."""
        schema = self._store.get(SCHEMA, key.namespace, key.name)
        if schema is None:
            return None
        source_key = source_of(schema)
        source = None
        if source_key is not None:
            source = self._store.get(SOURCE, key.namespace, source_key.name)
        head, parts = (None, ()) if source is None else self._catalogue(source)
        children = await self._children(key, schema)
        job = run_to_read(read_runs(children, SYNC), read_status(SchemaStatus, schema))
        logs = {} if job is None else await self._logs(children, key.namespace, job, lines=_TAIL)
        return ObservedSchema(
            schema=schema,
            source=source,
            discovery=head,
            discovery_parts=parts,
            children=children,
            rivals=self.claims.rivals(key),
            logs=logs,
        )

    def _catalogue(self, source: Object) -> tuple[Object | None, tuple[Object, ...]]:
        """The head of the source's catalogue, and its other objects as far as they are there."""
        head = self._find_config_map(source, discovery_name(name_of(source)))
        found = (self._find_config_map(source, name) for name in find_object_names(head))
        return head, tuple(one for one in found if one is not None)

    def _find_config_map(self, source: Object, name: str) -> Object | None:
        """The source's own; one of an earlier source of its name is on its way out."""
        found = self._store.get(CONFIG_MAPS.kind, namespace_of(source), name)
        return found if found is not None and controller_uid(found) == uid_of(source) else None

    async def _children(self, key: Key, owner: Object) -> Children:
        uid = uid_of(owner)
        jobs = _of_owner(self._store.children(key, JOBS.kind), uid)
        pods = _of_owner(self._store.children(key, PODS.kind), uid)
        return Children(
            jobs=jobs,
            pods=pods,
            cron_jobs=_of_owner(self._store.children(key, CRON_JOBS.kind), uid),
            config_maps=_of_owner(self._store.children(key, CONFIG_MAPS.kind), uid),
            refusals=await self._refusals(jobs, pods),
        )

    async def _refusals(
        self, jobs: Iterable[Object], pods: Iterable[Object]
    ) -> tuple[Refusal, ...]:
        """Why a Job that should have a pod by now has none, in the words of its newest event."""
        with_pods = {labels_of(pod).get(marks.RUN_UID_LABEL) for pod in pods}
        found = []
        for job in jobs:
            status = job.get("status") or {}
            created = parse_time(job["metadata"]["creationTimestamp"])
            ended = any(one["status"] == "True" for one in status.get("conditions") or [])
            if ended or uid_of(job) in with_pods or created is None:
                continue
            if datetime.now(UTC) - created >= _PATIENCE:
                found.extend(await self._refusal(job))
        return tuple(found)

    async def _refusal(self, job: Object) -> list[Refusal]:
        fields = f"involvedObject.uid={uid_of(job)},reason=FailedCreate"
        try:
            events, _ = await self._api.list_all(EVENTS, namespace_of(job), fields=fields)
        except ClusterError:
            return []
        events.sort(key=lambda event: str(event.get("lastTimestamp") or ""))
        return [Refusal(name_of(job), str(event.get("message", ""))) for event in events[-1:]]

    async def _secrets(self, source: Object, spec: SourceSpec | None) -> dict[str, Data]:
        names = {*credentials_names(source), destination_copy(name_of(source))}
        names |= {need.name for need in _needs(spec) if need.kind == "Secret"}
        return await self._data(SECRETS, namespace_of(source), names)

    async def _config_maps(self, source: Object, spec: SourceSpec | None) -> dict[str, Data]:
        names = {need.name for need in _needs(spec) if need.kind == "ConfigMap"}
        return await self._data(CONFIG_MAPS, namespace_of(source), names)

    async def _default_secret(self, spec: SourceSpec | None) -> Data | None:
        name = None if spec is None else default_secret_name(spec, self._settings)
        if name is None:
            return None
        found = await self._data(SECRETS, self._settings.namespace, {name})
        return found.get(name)

    async def _data(self, kind: Kind, namespace: str, names: Iterable[str]) -> dict[str, Data]:
        found = {}
        for name in sorted(names):
            data = await self._one(kind, namespace, name)
            if data is not None:
                found[name] = data
        return found

    async def _one(self, kind: Kind, namespace: str, name: str) -> Data | None:
        place, now = (kind.kind, namespace, name), monotonic()
        seen = self._seen.get(place)
        if seen is not None and now - seen[0] < _FRESH_S:
            return seen[1]
        self._seen.pop(place, None)
        try:
            item = await self._api.get(kind, namespace, name)
        except NotFoundError:
            return None
        keys = {*(item.get("data") or {}), *(item.get("binaryData") or {})}
        data = Data(
            version=_version(item),
            keys=frozenset(keys),
            owner_uid=controller_uid(item),
            copied_from=annotations_of(item).get(marks.COPIED_FROM),
        )
        self._seen[place] = (now, data)
        return data

    def forget(self, kind: str, namespace: str, name: str) -> None:
        """The next look reads this Secret again; it was just written."""
        self._seen.pop((kind, namespace, name), None)

    async def _logs(
        self, children: Children, namespace: str, job: str, lines: int | None = None
    ) -> dict[str, str]:
        pods = [pod for pod in children.pods if labels_of(pod).get(marks.JOB_NAME_LABEL) == job]
        done = [pod for pod in pods if (pod.get("status") or {}).get("phase") == "Succeeded"]
        if not done:
            return {}
        try:
            name = name_of(done[-1])
            log = await self._api.log(namespace, name, bytes_max=_LOG_BYTES_MAX, lines=lines)
        except ClusterError:
            return {}
        return {job: log}


def _version(item: Object) -> str:
    """Changes with the values alone, as labels come and go without a rotation. Keyed with the uid,
    so that nobody recognises a value by its digest, and a Secret made anew counts as another."""
    values = json.dumps([item.get("data"), item.get("binaryData")], sort_keys=True)
    digest = hmac.new(uid_of(item).encode(), values.encode(), hashlib.sha256)
    return digest.hexdigest()[:_DIGEST_LENGTH]


def _of_owner(items: tuple[Object, ...], uid: str) -> tuple[Object, ...]:
    """Without the children of an earlier object of the same name."""
    return tuple(one for one in items if labels_of(one).get(marks.OWNER_UID_LABEL) == uid)


def _try_spec(source: Object) -> SourceSpec | None:
    try:
        return parse_source_spec(source)
    except SpecError:
        return None


def _needs(spec: SourceSpec | None) -> list:  # type: ignore[type-arg]
    return [] if spec is None else find_needs(spec)
