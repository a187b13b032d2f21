"""What a fresh cluster needs beside its programs: rights for the DNS server."""

import json
from collections.abc import Mapping
from typing import Any


def build_addons() -> str:
    """A list of manifests for `kubectl apply`."""
    rights = [
        {
            "apiGroups": [""],
            "resources": ["endpoints", "services", "pods", "namespaces"],
            "verbs": ["list", "watch"],
        },
        {
            "apiGroups": ["discovery.k8s.io"],
            "resources": ["endpointslices"],
            "verbs": ["list", "watch"],
        },
    ]
    role = {**_rbac("ClusterRole"), "rules": rights}
    binding = {
        **_rbac("ClusterRoleBinding"),
        "roleRef": {
            "apiGroup": "rbac.authorization.k8s.io",
            "kind": "ClusterRole",
            "name": "system:coredns",
        },
        "subjects": [
            {"kind": "User", "name": "system:coredns", "apiGroup": "rbac.authorization.k8s.io"}
        ],
    }
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": [role, binding]})


def _rbac(kind: str) -> Mapping[str, Any]:
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": kind,
        "metadata": {"name": "system:coredns"},
    }
