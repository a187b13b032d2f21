"""The kinds that the operator reads and writes, and where the API server keeps them."""

from dataclasses import dataclass

from external_data_operator.api.meta import API_GROUP, API_VERSION

SOURCE = "ExternalDataSource"
SCHEMA = "ExternalDataSchema"


@dataclass(frozen=True)
class Kind:
    """One kind of object."""

    kind: str
    group: str
    version: str
    plural: str
    verbs: frozenset[str]
    """What the operator does with it, in Kubernetes' words; the chart grants just that."""
    ours: bool = False
    """Whether it is one of our own two kinds, which are watched without a selector."""

    @property
    def api_version(self) -> str:
        """As `apiVersion` says it."""
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
SOURCES = Kind(
    SOURCE, API_GROUP, API_VERSION, "externaldatasources", _verbs(f"{_WATCH} patch"), ours=True
)
SCHEMAS = Kind(SCHEMA, API_GROUP, API_VERSION, "externaldataschemas", _verbs(_OWN), ours=True)
JOBS = Kind("Job", "batch", "v1", "jobs", _verbs(f"{_WATCH} create delete"))
CRON_JOBS = Kind("CronJob", "batch", "v1", "cronjobs", _verbs(_OWN))
PODS = Kind("Pod", "", "v1", "pods", _verbs(_WATCH))
CONFIG_MAPS = Kind("ConfigMap", "", "v1", "configmaps", _verbs(_OWN))
SECRETS = Kind("Secret", "", "v1", "secrets", _verbs("get create patch delete"))
NAMESPACES = Kind("Namespace", "", "v1", "namespaces", _verbs(_WATCH))
EVENTS = Kind("Event", "", "v1", "events", _verbs("create patch list"))

WATCHED = (SOURCES, SCHEMAS, JOBS, CRON_JOBS, PODS, CONFIG_MAPS)
BY_NAME = {kind.kind: kind for kind in (*WATCHED, SECRETS, EVENTS)}
