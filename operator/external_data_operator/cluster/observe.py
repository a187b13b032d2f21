"""From the store, and a few direct reads, to what a decision sees.

Secrets are read one by one and by name, as the operator has no right to list them; only a digest
of their values, key names and owner are kept. Pod logs are read only when a decision waits for
them. What to read is declared by each kind's controller.
"""

import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from time import monotonic

from external_data_operator.cluster.api import Api
from external_data_operator.cluster.claims import Claims
from external_data_operator.cluster.kinds import (
    CONFIG_MAPS,
    CRON_JOBS,
    EVENTS,
    JOBS,
    PODS,
    SECRETS,
    ApiKind,
)
from external_data_operator.cluster.store import Store
from external_data_operator.errors import ClusterError, NotFoundError
from external_data_operator.reconcile.base import marks
from external_data_operator.reconcile.base.children import Job
from external_data_operator.reconcile.base.controller import Controller, LogRead, Reads
from external_data_operator.reconcile.base.world import (
    Children,
    Data,
    Object,
    Refusal,
    ResourceKey,
    World,
    annotations_of,
    controller_uid,
    labels_of,
    name_of,
    namespace_of,
    uid_of,
)
from external_data_operator.reconcile.runs.objects import parse_children
from external_data_operator.reconcile.runs.pods import find_finished_pod, find_podless_jobs
from external_data_operator.settings import Settings

_FRESH_S = 10.0
"""For so long a Secret that was found is not read again."""
_DIGEST_LENGTH = 32
_LOG_BYTES_MAX = 8 << 20


class Observer:
    """Sees the world around one object."""

    def __init__(
        self, api: Api, store: Store, controllers: Mapping[str, Controller], settings: Settings
    ) -> None:
        """Reads through these what the controllers declare."""
        self._api = api
        self._store = store
        self._controllers = controllers
        self._settings = settings
        self.claims = Claims(store, controllers, settings)
        self._seen: dict[tuple[str, str, str], tuple[float, Data]] = {}

    async def look(self, key: ResourceKey) -> World | None:
        """The object and everything around it; None where it is gone."""
        item = self._store.get(key.kind, key.namespace, key.name)
        if item is None:
            return None
        controller = self._controllers[key.kind]
        world = self._find_relatives(key, item)
        world = await self._read(world, controller.reads(world, self._settings))
        world = replace(world, children=await self._children(key, item))
        log = controller.log(world)
        logs = {} if log is None else await self._logs(world.children, key.namespace, log)
        return replace(world, logs=logs)

    def _find_relatives(self, key: ResourceKey, item: Object) -> World:
        """What the store knows already."""
        parent_key = self._store.parent_of(item)
        parent = None
        config_maps: tuple[Object, ...] = ()
        if parent_key is not None:
            parent = self._store.get(parent_key.kind, parent_key.namespace, parent_key.name)
        if parent is not None and parent_key is not None:
            found = self._store.children(parent_key, CONFIG_MAPS.kind)
            config_maps = tuple(one for one in found if controller_uid(one) == uid_of(parent))
        return World(
            item=item,
            parent=parent,
            parent_config_maps=config_maps,
            dependents=self._store.dependents(key),
            rivals=self.claims.rivals(key),
        )

    async def _read(self, world: World, reads: Reads) -> World:
        namespace = namespace_of(world.item)
        central = self._settings.namespace
        return replace(
            world,
            names={kind: self._names(kind, namespace) for kind in reads.names_of},
            secrets=await self._data(SECRETS, namespace, reads.secrets),
            config_maps=await self._data(CONFIG_MAPS, namespace, reads.config_maps),
            central_secrets=await self._data(SECRETS, central, reads.central_secrets),
        )

    def _names(self, kind: str, namespace: str) -> frozenset[str]:
        items = self._store.of_kind(kind)
        return frozenset(name_of(one) for one in items if namespace_of(one) == namespace)

    async def _children(self, key: ResourceKey, owner: Object) -> Children:
        uid = uid_of(owner)

        def find(kind: ApiKind) -> tuple[Object, ...]:
            return _of_owner(self._store.children(key, kind.kind), uid)

        children = parse_children(
            jobs=find(JOBS),
            pods=find(PODS),
            cron_jobs=find(CRON_JOBS),
            config_maps=find(CONFIG_MAPS),
        )
        refusals: list[Refusal] = []
        for job in find_podless_jobs(children, datetime.now(UTC)):
            refusals.extend(await self._refusal(job))
        return replace(children, refusals=tuple(refusals))

    async def _refusal(self, job: Job) -> list[Refusal]:
        """Why the cluster makes no pod for a Job, in the words of its newest event."""
        fields = f"involvedObject.uid={job.uid},reason=FailedCreate"
        try:
            events, _ = await self._api.list_all(EVENTS, job.namespace, fields=fields)
        except ClusterError:
            return []
        events.sort(key=lambda event: str(event.get("lastTimestamp") or ""))
        return [Refusal(job.name, str(event.get("message", ""))) for event in events[-1:]]

    async def _data(self, kind: ApiKind, namespace: str, names: Iterable[str]) -> dict[str, Data]:
        found = {}
        for name in sorted(names):
            data = await self._one(kind, namespace, name)
            if data is not None:
                found[name] = data
        return found

    async def _one(self, kind: ApiKind, namespace: str, name: str) -> Data | None:
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

    async def _logs(self, children: Children, namespace: str, wanted: LogRead) -> dict[str, str]:
        pod = find_finished_pod(children, wanted.job)
        if pod is None:
            return {}
        try:
            log = await self._api.log(
                namespace, pod.name, bytes_max=_LOG_BYTES_MAX, lines=wanted.lines
            )
        except ClusterError:
            return {}
        return {wanted.job: log}


def _version(item: Object) -> str:
    """Changes with the values alone, as labels come and go without a rotation. Keyed with the uid,
    so that a value cannot be recognised by its digest, and a recreated Secret counts as another."""
    values = json.dumps([item.get("data"), item.get("binaryData")], sort_keys=True)
    digest = hmac.new(uid_of(item).encode(), values.encode(), hashlib.sha256)
    return digest.hexdigest()[:_DIGEST_LENGTH]


def _of_owner(items: tuple[Object, ...], uid: str) -> tuple[Object, ...]:
    """Without the children of an earlier object of the same name."""
    return tuple(one for one in items if labels_of(one).get(marks.OWNER_UID_LABEL) == uid)
