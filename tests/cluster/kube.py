"""What tests of the operator ask a cluster for: namespaces, sources, waiting, and every object
there is.
"""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from dev.localcluster.cluster import LocalCluster
from dev.localcluster.errors import CommandFailedError
from tests.cluster.shop_api import TOKEN
from tests.waiting import wait_for

Object = dict[str, Any]
CRDS = Path("crds")
LISTED = "eds,edsc,jobs,cronjobs,pods,configmaps,events"
"""All that anybody may read; Secrets are where credentials belong."""


class Kube:
    """One namespace of the cluster."""

    def __init__(self, cluster: LocalCluster, namespace: str) -> None:
        self.cluster = cluster
        self.namespace = namespace

    def run(self, *arguments: str, stdin: str | None = None) -> str:
        """kubectl in this namespace."""
        return self.cluster.kubectl("-n", self.namespace, *arguments, stdin=stdin)

    def apply(self, *manifests: Object) -> None:
        """kubectl apply, as a person would."""
        document = {"apiVersion": "v1", "kind": "List", "items": list(manifests)}
        self.run("apply", "-f", "-", stdin=json.dumps(document))

    def find(self, resource: str, name: str) -> Object | None:
        """The object, if it is there."""
        text = self.run("get", resource, name, "-o", "json", "--ignore-not-found")
        return json.loads(text) if text.strip() else None

    def list(self, resource: str, selector: str = "") -> list[Object]:
        """All objects of these kinds."""
        text = self.run("get", resource, "-o", "json", "-l", selector)
        items: list[Object] = json.loads(text)["items"]
        return items

    def secret(self, name: str, **values: str) -> None:
        """Makes or changes a Secret."""
        self.apply(
            {
                "apiVersion": "v1",
                "kind": "Secret",
                "metadata": {"name": name},
                "stringData": values,
            }
        )

    def annotate(self, resource: str, name: str, key: str, value: str) -> None:
        """Sets one annotation."""
        self.run("annotate", resource, name, f"external-data.io/{key}={value}", "--overwrite")

    def wait_ready(
        self, resource: str, name: str, status: str, reason: str, timeout_s: float = 60
    ) -> Object:
        """The object once its Ready says so."""

        def ready() -> Object | None:
            item = self.find(resource, name)
            found = condition(item, "Ready")
            wanted = found is not None and (found["status"], found["reason"]) == (status, reason)
            return item if wanted else None

        def told() -> str:
            return json.dumps((self.find(resource, name) or {}).get("status"), indent=1)

        return wait(ready, timeout_s=timeout_s, told=told)


wait: Callable[..., Any] = partial(wait_for, every_s=0.3)
"""kubectl takes a tenth of a second of two cores, so that a cluster is asked less often."""


def condition(item: Object | None, type_: str) -> Object | None:
    """The condition of this type."""
    conditions = (item or {}).get("status", {}).get("conditions", [])
    return next((one for one in conditions if one["type"] == type_), None)


def build_source(name: str, base_url: str, **spec: Any) -> Object:
    """A source with one stream of pages and a token from Secret `api`."""
    return {
        "apiVersion": "external-data.io/v1alpha1",
        "kind": "ExternalDataSource",
        "metadata": {"name": name},
        "spec": {
            "tablePrefix": f"{name.replace('-', '_')}_",
            "rest": {
                "baseUrl": base_url,
                "auth": {"bearer": {"token": {"secretKeyRef": {"name": "api", "key": "token"}}}},
                "streams": [
                    {
                        "name": "items",
                        "path": "/items",
                        "recordsPath": "data",
                        "primaryKey": ["id"],
                        "pagination": {"cursor": {"cursorPath": "next", "cursorParam": "page"}},
                    }
                ],
            },
            **spec,
        },
    }


def make_namespace(cluster: LocalCluster, name: str) -> Kube:
    """A namespace for restricted pods, with the Secret that `build_source` refers to."""
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    namespace = {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": name, "labels": labels},
    }
    cluster.kubectl("apply", "-f", "-", stdin=json.dumps(namespace))
    kube = Kube(cluster, name)
    kube.secret("api", token=TOKEN)
    wait(lambda: kube.find("serviceaccount", "default"))
    return kube


def install_definitions(cluster: LocalCluster, crds: Path = CRDS) -> None:
    """Our kinds, served."""
    cluster.kubectl("apply", "--server-side", "--force-conflicts", "-f", str(crds))
    cluster.kubectl("wait", "--for=condition=Established", "-f", str(crds), "--timeout=30s")

    def served() -> bool:
        try:
            cluster.kubectl("get", "eds,edsc", "-A")
        except CommandFailedError:
            return False
        return True

    wait(served, timeout_s=30)
