"""The command line: `python -m dev.localcluster up`, and everything else that a person does."""

import argparse
import json
import sys
from collections.abc import Callable, Sequence

from dev.localcluster.announce import announce
from dev.localcluster.backends import BACKENDS
from dev.localcluster.cluster import DEFAULT_NAME, LocalCluster, all_names, end
from dev.localcluster.errors import LocalClusterError


def up(options: argparse.Namespace) -> int:
    """start it, or find that it runs"""
    cluster = LocalCluster.up(options.name)
    print(_describe(cluster))
    return 0


def down(options: argparse.Namespace) -> int:
    """end it; nothing is left of it"""
    for name in all_names() if options.all else [options.name]:
        announce(f"cluster {name} is gone" if end(name) else f"there is no cluster {name}")
    return 0


def status(options: argparse.Namespace) -> int:
    """what it offers; exit code 1 when it does not run"""
    cluster = LocalCluster.find(options.name)
    if cluster is None:
        announce(f"cluster {options.name} does not run; running: {_running() or 'none'}")
        return 1
    print(cluster.endpoints.as_json() if options.json else _describe(cluster))
    return 0


def kubeconfig(options: argparse.Namespace) -> int:
    """the path of its kubeconfig"""
    print(_require(options.name).kubeconfig)
    return 0


def images(options: argparse.Namespace) -> int:
    """build the two images and load them; prints their names"""
    built = _require(options.name).images()
    names = {"operator": built.operator, "runner": built.runner}
    if options.json:
        print(json.dumps(names))
    else:
        print("\n".join(f"{part}={name}" for part, name in names.items()))
    return 0


def main(argv: Sequence[str]) -> int:
    """The exit code."""
    options = _parse(argv)
    action: Callable[[argparse.Namespace], int] = options.action
    try:
        return action(options)
    except LocalClusterError as error:
        announce(str(error))
        return 1
    except KeyboardInterrupt:
        announce("interrupted")
        return 130


def _parse(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m dev.localcluster",
        description="A Kubernetes cluster and an S3 bucket for the demo and for tests.",
    )
    commands = parser.add_subparsers(required=True)
    for action in (up, down, status, kubeconfig, images):
        command = commands.add_parser(action.__name__, help=action.__doc__)
        command.add_argument("--name", default=DEFAULT_NAME, help="which cluster (%(default)s)")
        command.set_defaults(action=action)
        if action is down:
            command.add_argument("--all", action="store_true", help="every cluster")
        if action in {status, images}:
            command.add_argument("--json", action="store_true", help="for programs")
    return parser.parse_args(argv)


def _require(name: str) -> LocalCluster:
    cluster = LocalCluster.find(name)
    if cluster is None:
        raise LocalClusterError(
            f"cluster {name} does not run: `python -m dev.localcluster up --name {name}`"
        )
    return cluster


def _running() -> str:
    return ", ".join(name for name in all_names() if LocalCluster.find(name) is not None)


def _describe(cluster: LocalCluster) -> str:
    found = cluster.endpoints
    return "\n".join(
        [
            f"cluster {found.name} runs: {BACKENDS[found.backend].DESCRIPTION}",
            f"  export KUBECONFIG={found.kubeconfig}",
            f"  kubectl  {found.kubectl}",
            f"  helm     {found.helm}",
            f"  S3       {found.s3.endpoint}, bucket {found.s3.bucket}",
            f"  this machine, as pods see it: {found.host_address}",
        ]
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
