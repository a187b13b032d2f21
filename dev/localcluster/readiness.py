"""Waits for a starting cluster, each wait with a bound and with the reason when it is reached."""

import ssl
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

from dev.localcluster.commands import run
from dev.localcluster.configs import DNS_READY_PORT
from dev.localcluster.errors import LocalClusterError
from dev.localcluster.layout import NODE, Site

READY_S = 90.0


def wait_until(works: Callable[[], None], *, what: str, log: Path, timeout_s: float) -> None:
    """Calls it until it raises no more; then, or at the end of the time, says why it did."""
    deadline = time.monotonic() + timeout_s
    while True:
        try:
            works()
        except (OSError, LocalClusterError) as error:
            if time.monotonic() > deadline:
                said = log.read_text(errors="replace").splitlines()[-3:] if log.exists() else []
                raise LocalClusterError(
                    f"{what} did not get ready in {timeout_s:.0f} s: {error}; its log ends with\n"
                    + "\n".join(said)
                ) from error
            time.sleep(0.1)
        else:
            return


def wait_for_apiserver(site: Site, *, timeout_s: float = READY_S) -> None:
    """Until it answers requests with everything that it needs."""
    context = ssl.create_default_context(cafile=str(site.pki / "ca.crt"))
    context.load_cert_chain(site.pki / "admin.crt", site.pki / "admin.key")
    direct = urllib.request.build_opener(
        urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context)
    )

    def ask() -> None:
        direct.open(f"https://{site.node}:6443/readyz", timeout=5.0).close()

    log = site.home / "logs" / "kube-apiserver.log"
    wait_until(ask, what="the API server", log=log, timeout_s=timeout_s)


def wait_for_node(site: Site) -> None:
    """Until pods can be made: a Ready node, and the account that they run as."""
    kubectl = (site.binaries / "kubectl", "--kubeconfig", site.kubeconfig)
    waits = {
        f"node/{NODE}": ("--for=condition=Ready", "kubelet"),
        "serviceaccount/default": ("--for=create", "kube-controller-manager"),
        "configmap/kube-root-ca.crt": ("--for=create", "kube-controller-manager"),
    }
    for thing, (condition, program) in waits.items():

        def ask(thing: str = thing, condition: str = condition) -> None:
            run(*kubectl, "wait", condition, thing, "--timeout=20s")

        log = site.home / "logs" / f"{program}.log"
        wait_until(ask, what=thing, log=log, timeout_s=READY_S)


def wait_for_dns(site: Site) -> None:
    """Until the DNS server has read the cluster's services."""
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def ask() -> None:
        direct.open(f"http://{site.node}:{DNS_READY_PORT}/ready", timeout=5.0).close()

    log = site.home / "logs" / "coredns.log"
    wait_until(ask, what="the DNS server", log=log, timeout_s=READY_S)
