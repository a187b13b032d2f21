"""The cluster's certificates and kubeconfig files, made with the openssl program.

One authority signs everything. Clients are told apart by their common name and organisation, which
Kubernetes reads as user and group.
"""

import base64
import json
from dataclasses import dataclass
from pathlib import Path

from dev.localcluster.commands import run

SERVICE_ADDRESS = "10.96.0.1"
_NAMES = (
    "localhost",
    "kubernetes",
    "kubernetes.default",
    "kubernetes.default.svc",
    "kubernetes.default.svc.cluster.local",
)
_CONFIG = """[req]
distinguished_name = subject
[subject]
[authority]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[leaf]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature, keyEncipherment
extendedKeyUsage = {usage}
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
{names}
"""


@dataclass(frozen=True)
class Client:
    """Who a client of the API server is."""

    file: str
    user: str
    group: str = ""


ADMIN = Client("admin", "admin", "system:masters")
KUBELET_CLIENT = Client("kubelet-client", "kube-apiserver", "system:masters")
PROXY_CLIENT = Client("proxy-client", "front-proxy-client")
COMPONENTS = (
    ADMIN,
    Client("controllers", "system:kube-controller-manager"),
    Client("scheduler", "system:kube-scheduler"),
    Client("proxy", "system:kube-proxy"),
    Client("dns", "system:coredns"),
    Client("kubelet", "system:node:node", "system:nodes"),
)
"""Those that get a kubeconfig of their own."""


def write_certificates(folder: Path, *, address: str) -> None:
    """The authority, servers (`server`), clients, and the key of the service accounts."""
    folder.mkdir(parents=True, exist_ok=True)
    _sign(folder, "ca", subject="/CN=localcluster", section="authority")
    names = [f"DNS:{name}" for name in _NAMES]
    names += [f"IP:{ip}" for ip in ("127.0.0.1", SERVICE_ADDRESS, address)]
    _sign(folder, "server", subject="/CN=kube-apiserver", names=",".join(names), usage="serverAuth")
    for client in (*COMPONENTS, KUBELET_CLIENT, PROXY_CLIENT):
        group = f"/O={client.group}" if client.group else ""
        _sign(folder, client.file, subject=f"/CN={client.user}{group}", usage="clientAuth")
    key = folder / "accounts.key"
    run("openssl", "ecparam", "-genkey", "-name", "prime256v1", "-noout", "-out", key)


def write_kubeconfig(folder: Path, client: Client, *, address: str, into: Path) -> None:
    """A kubeconfig that needs no other file, readable by its owner only."""
    cluster = {
        "server": f"https://{address}:6443",
        "certificate-authority-data": _base64(folder / "ca.crt"),
    }
    user = {
        "client-certificate-data": _base64(folder / f"{client.file}.crt"),
        "client-key-data": _base64(folder / f"{client.file}.key"),
    }
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "localcluster", "cluster": cluster}],
        "users": [{"name": client.user, "user": user}],
        "contexts": [
            {"name": "localcluster", "context": {"cluster": "localcluster", "user": client.user}}
        ],
        "current-context": "localcluster",
    }
    into.touch(mode=0o600)
    into.write_text(json.dumps(config))


def _sign(
    folder: Path,
    name: str,
    *,
    subject: str,
    section: str = "leaf",
    names: str = "",
    usage: str = "clientAuth",
) -> None:
    config = folder / f"{name}.cnf"
    config.write_text(
        _CONFIG.format(usage=usage, names=f"subjectAltName = {names}" if names else "")
    )
    signer = ["-CA", f"{folder}/ca.crt", "-CAkey", f"{folder}/ca.key"] if section == "leaf" else []
    run(
        *("openssl", "req", "-x509", "-config", config, "-extensions", section),
        *("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc", "-sha256"),
        *("-days", "365", "-subj", subject, *signer),
        *("-keyout", folder / f"{name}.key", "-out", folder / f"{name}.crt"),
    )


def _base64(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode()
