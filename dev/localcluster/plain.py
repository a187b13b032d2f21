"""A Kubernetes of plain processes: API server, node and S3 server in namespaces of their own.

Nothing of the machine is touched: mounts, processes, network and packet rules are the cluster's own
and end with its first process. Only control groups and a folder have to be taken away.
"""

from collections.abc import Sequence
from pathlib import Path

from dev.localcluster import network, s3
from dev.localcluster.addons import build_addons
from dev.localcluster.announce import announce
from dev.localcluster.archives import write_program_image
from dev.localcluster.binaries import find_or_build_binaries
from dev.localcluster.certificates import write_certificates
from dev.localcluster.commands import run
from dev.localcluster.configs import PAUSE_IMAGE, write_configs
from dev.localcluster.containerd import import_image, wait_for_containerd
from dev.localcluster.containment import (
    cover_fixed_paths,
    remove_cgroups,
    remove_fixed_paths,
)
from dev.localcluster.control import (
    CONTAINED,
    end_supervisor,
    find_supervisor,
    request,
    start_supervisor,
)
from dev.localcluster.endpoints import Endpoints
from dev.localcluster.errors import LocalClusterError
from dev.localcluster.host import require_host
from dev.localcluster.layout import Site
from dev.localcluster.node_store import fill_store
from dev.localcluster.programs import FIRST, THEN, build_argv
from dev.localcluster.readiness import wait_for_apiserver, wait_for_dns, wait_for_node

DESCRIPTION = "plain processes in namespaces of their own"


def prepare() -> Path:
    """Everything that is built or installed once; returns the folder of the binaries."""
    require_host()
    s3.find_or_install_weed()
    return find_or_build_binaries()


def start(name: str, home: Path) -> Endpoints:
    """A fresh cluster, up to a Ready node and an S3 server with its bucket."""
    binaries = prepare()
    announce(f"starting cluster {name} (about 10 s)")
    pid = start_supervisor(home, within=CONTAINED)
    addresses = network.connect(name, pid=pid)
    site = Site(name, home, binaries, host=addresses.host, node=addresses.node)
    cover_fixed_paths(home, pid=pid)
    write_certificates(site.pki, address=site.node)
    write_configs(site)
    fill_store(home)
    access = s3.create_access(site.node)
    _start_programs(site, access)
    return Endpoints(
        name=name,
        backend="plain",
        kubeconfig=str(site.kubeconfig),
        kubectl=str(binaries / "kubectl"),
        helm=str(binaries / "helm"),
        host_address=site.host,
        node_address=site.node,
        s3=access,
    )


def _start_programs(site: Site, access: s3.S3Access) -> None:
    """What others wait for first: two cores start everything at once more slowly."""
    for program in FIRST:
        start_program(site, program)
    weed = s3.build_weed_argv(site.home, access, address=site.node)
    request(site.home, "start", name="weed", argv=weed)
    _import_pause(site)
    wait_for_apiserver(site)
    for program in THEN:
        start_program(site, program)
    kubectl = (site.binaries / "kubectl", "--kubeconfig", site.kubeconfig)
    run(*kubectl, "apply", "--filename", "-", stdin=build_addons())
    s3.create_bucket(access)
    wait_for_dns(site)
    wait_for_node(site)


def start_program(site: Site, program: str, *, extra: Sequence[str] = ()) -> None:
    """Starts one of the cluster's programs, with flags that override ours."""
    argv = build_argv(site, program, extra=extra)
    request(site.home, "start", name=program, argv=argv)


def is_running(endpoints: Endpoints, home: Path) -> bool:
    """Whether its programs run and its API server answers."""
    if find_supervisor(home) is None:
        return False
    try:
        wait_for_apiserver(site_of(endpoints, home), timeout_s=5.0)
    except LocalClusterError:
        return False
    return True


def remove(name: str, home: Path) -> None:
    """Ends a cluster in whatever state it is, and takes away what it leaves on the machine."""
    end_supervisor(home)
    network.disconnect(name)
    remove_cgroups(home)
    remove_fixed_paths()


def load_image(endpoints: Endpoints, home: Path, archive: Path) -> None:
    """Gives the node the images of an archive."""
    import_image(home, archive)


def site_of(endpoints: Endpoints, home: Path) -> Site:
    """Where a running cluster lives."""
    return Site(
        endpoints.name,
        home,
        Path(endpoints.kubectl).parent,
        host=endpoints.host_address,
        node=endpoints.node_address,
    )


def _import_pause(site: Site) -> None:
    archive = site.home / "pause.tar"
    write_program_image(site.binaries / "pause", name=PAUSE_IMAGE, into=archive)
    wait_for_containerd(site.home)
    import_image(site.home, archive)
