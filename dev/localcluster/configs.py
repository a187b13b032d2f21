"""The configuration files of the cluster's programs, spelled only here."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dev.localcluster.certificates import ADMIN, COMPONENTS, write_kubeconfig
from dev.localcluster.containment import choose_snapshotter
from dev.localcluster.layout import CONTAINERD_SOCKET, Site

PAUSE_IMAGE = "localhost/pause:1"
POD_NETWORK = "10.244.0.0/24"
CNI_PLUGINS = "/usr/lib/cni"
DNS_READY_PORT = 8181

_CONTAINERD = """version = 2
root = "{home}/containerd"
state = "/run/containerd"
disabled_plugins = ["io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs",
  "io.containerd.tracing.processor.v1.otlp", "io.containerd.internal.v1.tracing"]

[grpc]
  address = "{socket}"

[plugins."io.containerd.internal.v1.opt"]
  path = "{home}/opt"

[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{pause}"
  disable_apparmor = true
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "{cni_plugins}"
    conf_dir = "{home}/configs/cni"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "{snapshotter}"
    discard_unpacked_layers = true
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        SystemdCgroup = false
"""

_COREFILE = """cluster.local:53 in-addr.arpa:53 {{
  bind {node}
  errors
  ready {node}:{ready}
  kubernetes cluster.local in-addr.arpa {{
    kubeconfig {home}/configs/dns.kubeconfig
  }}
  cache 5
}}
localcluster.internal:53 {{
  bind {node}
  hosts {{
    {host} host.localcluster.internal
    {node} node.localcluster.internal
  }}
}}
.:53 {{
  bind {node}
  template ANY ANY {{
    rcode NXDOMAIN
  }}
}}
"""


def write_containerd_config(home: Path) -> Path:
    """Containerd's own, which needs nothing but the folder that it works in."""
    path = home / "configs" / "containerd.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        _CONTAINERD.format(
            home=home,
            socket=CONTAINERD_SOCKET,
            pause=PAUSE_IMAGE,
            cni_plugins=CNI_PLUGINS,
            snapshotter=choose_snapshotter(home),
        )
    )
    return path


def write_configs(site: Site) -> None:
    """Every file that a program reads at its start."""
    write_containerd_config(site.home)
    (site.configs / "Corefile").write_text(
        _COREFILE.format(home=site.home, node=site.node, host=site.host, ready=DNS_READY_PORT)
    )
    (site.configs / "resolv.conf").write_text(f"nameserver {site.node}\n")
    _write_json(site.configs / "kubelet.json", build_kubelet_config(site))
    _write_json(site.configs / "cni" / "pods.conflist", build_pod_network(site))
    for client in COMPONENTS:
        path = site.configs / f"{client.file}.kubeconfig"
        write_kubeconfig(site.pki, client, address=site.node, into=path)
    write_kubeconfig(site.pki, ADMIN, address=site.node, into=site.kubeconfig)


def build_kubelet_config(site: Site) -> Mapping[str, Any]:
    """No eviction and no image removal: the disk is a developer's, and never empty."""
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": site.node,
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": f"{site.pki}/ca.crt"},
        },
        "authorization": {"mode": "Webhook"},
        "cgroupDriver": "cgroupfs",
        "cgroupsPerQOS": False,
        "clusterDNS": [site.node],
        "clusterDomain": "cluster.local",
        "containerRuntimeEndpoint": f"unix://{CONTAINERD_SOCKET}",
        "enforceNodeAllocatable": [],
        "evictionHard": {},
        "failCgroupV1": False,
        "failSwapOn": False,
        "healthzBindAddress": site.node,
        "imageGCHighThresholdPercent": 100,
        "localStorageCapacityIsolation": False,
        "podLogsDir": f"{site.home}/logs/pods",
        "resolvConf": f"{site.configs}/resolv.conf",
        "serializeImagePulls": False,
        "tlsCertFile": f"{site.pki}/server.crt",
        "tlsPrivateKeyFile": f"{site.pki}/server.key",
        "volumePluginDir": f"{site.home}/volume-plugins",
    }


def build_pod_network(site: Site) -> Mapping[str, Any]:
    """Routed pods: every packet passes the node's iptables, so that service addresses work between
    pods without the bridge netfilter module, which not every kernel has.
    """
    ipam = {
        "type": "host-local",
        "ranges": [[{"subnet": POD_NETWORK}]],
        "routes": [{"dst": "0.0.0.0/0"}],
        "dataDir": f"{site.home}/pod-addresses",
    }
    return {
        "cniVersion": "0.4.0",
        "name": "pods",
        "plugins": [
            {"type": "ptp", "ipMasq": True, "ipam": ipam},
            {"type": "portmap", "capabilities": {"portMappings": True}, "snat": True},
        ],
    }


def _write_json(path: Path, content: Mapping[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=1))
