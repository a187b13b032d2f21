"""The kinds that the operator reads and writes, and where the API server keeps them."""

from collections.abc import Mapping
from dataclasses import dataclass

from external_data_operator.api.meta import API_GROUP, API_VERSION
from external_data_operator.reconcile.base.controller import Controller


@dataclass(frozen=True)
class ApiKind:
    """One kind of object."""

    kind: str
    group: str
    version: str
    plural: str
    verbs: frozenset[str]
    """What the operator does with it, in Kubernetes' words; the chart grants just that."""
    ours: bool = False
    """Whether it is one of our own, which are watched without a selector."""

    @property
    def api_version(self) -> str:
        """The value of `apiVersion`."""
        return f"{self.group}/{self.version}" if self.group else self.version

    def path(self, namespace: str | None, name: str | None = None, part: str | None = None) -> str:
        """The path below the API server's address."""
        root = f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"
        inside = f"/namespaces/{namespace}" if namespace else ""
        steps = (self.plural, name, part)
        return f"{root}{inside}/" + "/".join(step for step in steps if step)


def _verbs(words: str) -> frozenset[str]:
    return frozenset(words.split())


_WATCH = "get list watch"
_OWN = f"{_WATCH} create patch delete"
JOBS = ApiKind("Job", "batch", "v1", "jobs", _verbs(f"{_WATCH} create delete"))
CRON_JOBS = ApiKind("CronJob", "batch", "v1", "cronjobs", _verbs(_OWN))
PODS = ApiKind("Pod", "", "v1", "pods", _verbs(_WATCH))
CONFIG_MAPS = ApiKind("ConfigMap", "", "v1", "configmaps", _verbs(_OWN))
SECRETS = ApiKind("Secret", "", "v1", "secrets", _verbs("get create patch delete"))
NAMESPACES = ApiKind("Namespace", "", "v1", "namespaces", _verbs(_WATCH))
EVENTS = ApiKind("Event", "", "v1", "events", _verbs("create patch list"))
_CHILDREN = (JOBS, CRON_JOBS, PODS, CONFIG_MAPS)


class ApiKinds:
    """Our own kinds, as the controllers declare them, and those of Kubernetes that we use."""

    def __init__(self, controllers: Mapping[str, Controller]) -> None:
        """Our own are those of the controllers."""
        self.watched = (*map(_build_kind, controllers.values()), *_CHILDREN)
        self.all = (*self.watched, SECRETS, EVENTS)
        self._by_name = {kind.kind: kind for kind in self.all}

    def get(self, name: str) -> ApiKind:
        """The kind of this name. Raises KeyError for one that the operator does not use."""
        return self._by_name[name]


def _build_kind(controller: Controller) -> ApiKind:
    resource = controller.resource
    return ApiKind(
        resource.kind, API_GROUP, API_VERSION, resource.plural, controller.verbs, ours=True
    )
