"""The command line of each of the cluster's programs, spelled only here."""

from collections.abc import Sequence
from pathlib import Path

from dev.localcluster.certificates import PROXY_CLIENT
from dev.localcluster.layout import NODE, Site

_ISSUER = "https://kubernetes.default.svc.cluster.local"

FIRST = ("etcd", "containerd", "kube-apiserver")
"""What everything else waits for."""
THEN = ("kubelet", "kube-controller-manager", "kube-scheduler", "kube-proxy", "coredns")


def build_argv(site: Site, program: str, *, extra: Sequence[str] = ()) -> list[str]:
    """The words to start a program with; `extra` flags come last and so override ours."""
    flags = {
        "etcd": _etcd,
        "containerd": _containerd,
        "kube-apiserver": _apiserver,
        "kube-controller-manager": _controllers,
        "kube-scheduler": _scheduler,
        "kubelet": _kubelet,
        "kube-proxy": _proxy,
        "coredns": _coredns,
    }[program](site)
    path = program if program == "containerd" else str(site.binaries / program)
    return [path, *flags, *extra]


def build_containerd_argv(home: Path) -> list[str]:
    """Containerd by itself."""
    return ["containerd", "--config", f"{home}/configs/containerd.toml", "--log-level", "warn"]


def _etcd(site: Site) -> list[str]:
    client, peer = "http://127.0.0.1:2379", "http://127.0.0.1:2380"
    return [
        f"--data-dir={site.home}/etcd",
        "--unsafe-no-fsync",
        f"--listen-client-urls={client}",
        f"--advertise-client-urls={client}",
        f"--listen-peer-urls={peer}",
        f"--initial-advertise-peer-urls={peer}",
        f"--initial-cluster=default={peer}",
        "--log-level=warn",
    ]


def _containerd(site: Site) -> list[str]:
    return build_containerd_argv(site.home)[1:]


def _apiserver(site: Site) -> list[str]:
    pki = site.pki
    return [
        "--etcd-servers=http://127.0.0.1:2379",
        f"--bind-address={site.node}",
        f"--advertise-address={site.node}",
        "--secure-port=6443",
        f"--tls-cert-file={pki}/server.crt",
        f"--tls-private-key-file={pki}/server.key",
        f"--client-ca-file={pki}/ca.crt",
        f"--kubelet-certificate-authority={pki}/ca.crt",
        f"--kubelet-client-certificate={pki}/kubelet-client.crt",
        f"--kubelet-client-key={pki}/kubelet-client.key",
        "--kubelet-preferred-address-types=InternalIP",
        f"--proxy-client-cert-file={pki}/{PROXY_CLIENT.file}.crt",
        f"--proxy-client-key-file={pki}/{PROXY_CLIENT.file}.key",
        f"--requestheader-client-ca-file={pki}/ca.crt",
        f"--requestheader-allowed-names={PROXY_CLIENT.user}",
        "--requestheader-username-headers=X-Remote-User",
        "--requestheader-group-headers=X-Remote-Group",
        "--requestheader-extra-headers-prefix=X-Remote-Extra-",
        f"--service-account-issuer={_ISSUER}",
        f"--service-account-key-file={pki}/accounts.key",
        f"--service-account-signing-key-file={pki}/accounts.key",
        "--service-cluster-ip-range=10.96.0.0/16",
        "--authorization-mode=Node,RBAC",
        "--enable-admission-plugins=NodeRestriction",
        "--anonymous-auth=false",
        "--allow-privileged=true",
        "--profiling=false",
    ]


def _own_kubeconfig(site: Site, name: str) -> list[str]:
    path = f"{site.configs}/{name}.kubeconfig"
    return [
        f"--kubeconfig={path}",
        f"--authentication-kubeconfig={path}",
        f"--authorization-kubeconfig={path}",
        "--bind-address=127.0.0.1",
        "--leader-elect=false",
        "--profiling=false",
    ]


def _controllers(site: Site) -> list[str]:
    return [
        *_own_kubeconfig(site, "controllers"),
        f"--root-ca-file={site.pki}/ca.crt",
        f"--service-account-private-key-file={site.pki}/accounts.key",
        "--use-service-account-credentials",
        f"--flex-volume-plugin-dir={site.home}/volume-plugins",
        "--controllers=*,-node-ipam-controller,-node-route-controller",
    ]


def _scheduler(site: Site) -> list[str]:
    return _own_kubeconfig(site, "scheduler")


def _kubelet(site: Site) -> list[str]:
    return [
        f"--config={site.configs}/kubelet.json",
        f"--kubeconfig={site.configs}/kubelet.kubeconfig",
        f"--hostname-override={NODE}",
        f"--node-ip={site.node}",
    ]


def _proxy(site: Site) -> list[str]:
    return [
        f"--kubeconfig={site.configs}/proxy.kubeconfig",
        f"--hostname-override={NODE}",
        "--proxy-mode=iptables",
        "--cluster-cidr=10.244.0.0/16",
        "--conntrack-max-per-core=0",
        "--healthz-bind-address=127.0.0.1:10256",
        "--metrics-bind-address=127.0.0.1:10249",
    ]


def _coredns(site: Site) -> list[str]:
    return ["-conf", f"{site.configs}/Corefile"]
