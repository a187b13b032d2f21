"""What a decision sees and what it wants: plain values between the cluster's door and the pure
rules.

Our own objects stay as the API server sends them (dictionaries), because only their controller
knows which part matters; Jobs, pods and CronJobs are read once, at the edge. Secrets come as a
digest and key names; their values are never held.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, TypeAlias

from pydantic import SecretStr

from external_data_operator.api.conditions import Reason
from external_data_operator.reconcile.base.children import CronJob, Job, Pod

Object: TypeAlias = dict[str, Any]
"""A Kubernetes object as JSON."""


@dataclass(frozen=True)
class Data:
    """A Secret or ConfigMap without its values."""

    version: str
    """Another one for other values."""
    keys: frozenset[str]
    owner_uid: str | None = None
    copied_from: str | None = None
    """For our copy of a Secret: the version of the original."""


@dataclass(frozen=True)
class Refusal:
    """A Job whose pod the cluster refuses to make, in the cluster's words."""

    job: str
    message: str


@dataclass(frozen=True)
class Children:
    """What exists for one owner."""

    jobs: tuple[Job, ...] = ()
    pods: tuple[Pod, ...] = ()
    cron_jobs: tuple[CronJob, ...] = ()
    config_maps: tuple[Object, ...] = ()
    refusals: tuple[Refusal, ...] = ()


@dataclass(frozen=True)
class ResourceKey:
    """An object of one of our own kinds."""

    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}"


@dataclass(frozen=True)
class World:
    """An object of one of our own kinds, and everything around it that its controller reads."""

    item: Object
    parent: Object | None = None
    """The object that it refers to."""
    parent_config_maps: tuple[Object, ...] = ()
    """The ConfigMaps that belong to the parent."""
    dependents: tuple[Object, ...] = ()
    """Every object of our kinds that refers to this one, by kind and name."""
    names: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Names of every object of a kind in the namespace."""
    rivals: tuple[ResourceKey, ...] = ()
    """Older objects, of any kind, that claim the same."""
    children: Children = field(default_factory=Children)
    secrets: Mapping[str, Data] = field(default_factory=dict)
    config_maps: Mapping[str, Data] = field(default_factory=dict)
    central_secrets: Mapping[str, Data] = field(default_factory=dict)
    """Secrets of the operator's own namespace."""
    logs: Mapping[str, str] = field(default_factory=dict)
    """Logs of pods, by the Job's name."""


@dataclass(frozen=True)
class Apply:
    """Server-side apply of an object, in full; what others hold of its fields becomes ours."""

    manifest: Object
    decided_on: Object | None = None
    """For an object that people edit too: the object as the decision saw it. If somebody has
    changed it since, nothing is written, and the owner is looked at again."""


@dataclass(frozen=True)
class Create:
    """Creates an object once; one that is there and has the same owner is as good."""

    manifest: Object


@dataclass(frozen=True)
class Delete:
    """Removes an object if it is still this very one."""

    api_version: str
    kind: str
    namespace: str
    name: str
    uid: str | None = None


@dataclass(frozen=True)
class StoreCredentials:
    """Puts credentials into an owned Secret, beside the keys that it has, then the patch takes
    them out of the spec."""

    secret: Object
    values: Mapping[str, SecretStr]
    source: Object = field(repr=False)
    patch: list[Object]


@dataclass(frozen=True)
class CopySecret:
    """Copies these keys of a Secret of the operator's namespace into an owned one."""

    secret: Object
    from_namespace: str
    from_name: str
    keys: tuple[str, ...]


@dataclass(frozen=True)
class Suspend:
    """Stops a CronJob and changes nothing else of it."""

    namespace: str
    name: str


Intent: TypeAlias = Apply | Create | Delete | StoreCredentials | CopySecret | Suspend


@dataclass(frozen=True)
class Note:
    """An event that a person sees in `kubectl describe`."""

    type: Literal["Normal", "Warning"]
    reason: str
    message: str


@dataclass(frozen=True)
class Decision:
    """The result of one look at an object."""

    intents: tuple[Intent, ...] = ()
    status: Object | None = None
    """The status in full; None leaves it as it is."""
    notes: tuple[Note, ...] = ()
    look_again_s: float | None = None


@dataclass(frozen=True)
class Trouble:
    """The cause that stops progress."""

    reason: Reason
    message: str
    stalled: bool = False
    """Whether a person must act, and nothing is retried until then."""


def uid_of(item: Object) -> str:
    """The object's uid."""
    return str(item["metadata"]["uid"])


def name_of(item: Object) -> str:
    """The object's name."""
    return str(item["metadata"]["name"])


def stream_of(schema: Object) -> str:
    """The stream of a schema; empty where its spec names none."""
    return str((schema.get("spec") or {}).get("stream") or "")


def namespace_of(item: Object) -> str:
    """The object's namespace."""
    return str(item["metadata"]["namespace"])


def annotations_of(item: Object) -> Mapping[str, str]:
    """The object's annotations."""
    return item["metadata"].get("annotations") or {}


def labels_of(item: Object) -> Mapping[str, str]:
    """The object's labels."""
    return item["metadata"].get("labels") or {}


def controller_uid(item: Object) -> str | None:
    """The uid of the object that controls this one."""
    owners = item["metadata"].get("ownerReferences") or []
    return next((str(owner["uid"]) for owner in owners if owner.get("controller")), None)


def is_going(item: Object) -> bool:
    """Whether the object is being deleted."""
    return "deletionTimestamp" in item["metadata"]


def parse_time(text: str | None) -> datetime | None:
    """A Kubernetes time stamp."""
    return None if not text else datetime.fromisoformat(text)


def format_time(moment: datetime) -> str:
    """A time stamp as Kubernetes writes it."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
