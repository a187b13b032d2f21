"""The operator as a process of this machine against the cluster under test, which can be stopped
and killed.
"""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from dev.localcluster.cluster import LocalCluster
from tests.cluster.kube import CRDS, install_definitions, make_namespace
from tests.waiting import wait_for

NAMESPACE = "operator-tests"
OPEN, CLOSED = "open", "closed"
"""Namespaces that begin so may, and may not, reach this machine's address."""
BUCKET = "lake"


class OperatorProcess:
    """One operator; `start` after `stop` or `kill` starts the next one."""

    def __init__(self, cluster: LocalCluster, runner: str, log: Path, **extra: str) -> None:
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port = int(probe.getsockname()[1])
        self._environment = {
            **os.environ,
            "KUBECONFIG": str(cluster.kubeconfig),
            "PYTHONPATH": "operator",
            "PYTHONWARNINGS": "error",
            "EXTERNAL_DATA_NAMESPACE": NAMESPACE,
            "EXTERNAL_DATA_RUNNER_IMAGE": runner,
            "EXTERNAL_DATA_HTTP_PORT": str(self.port),
            "EXTERNAL_DATA_LOG_FORMAT": "text",
            "EXTERNAL_DATA_RESYNC_SECONDS": "15",
            "EXTERNAL_DATA_WATCH_NAMESPACES": f"{OPEN}-*,{CLOSED}-*",
            "EXTERNAL_DATA_DEFAULT_DESTINATION": json.dumps(default_destination(cluster)),
            "EXTERNAL_DATA_ALLOW_PRIVATE_HOSTS": json.dumps([open_hosts(cluster)]),
            **extra,
        }

    @property
    def log(self) -> str:
        """All that it has said so far."""
        return self._log.read_text()

    def start(self) -> None:
        """Starts it and waits until it has seen everything."""
        with self._log.open("ab") as out:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "external_data_operator"],
                env=self._environment,
                stdout=out,
                stderr=out,
            )
        wait_for(self._is_ready, timeout_s=30, told=lambda: self.log)

    def _is_ready(self) -> bool:
        assert self._process is not None, "it was not started"
        assert self._process.poll() is None, self.log
        return self.fetch("/readyz")[0] == 200

    def wait_until_all_seen(self) -> None:
        """Waits until this process has looked at every object and has no object to look at."""
        wait_for(
            lambda: has_seen_all(self.fetch("/metrics")[1]), timeout_s=30, told=lambda: self.log
        )

    def stop(self, how: signal.Signals = signal.SIGTERM) -> float:
        """Ends it; says how many seconds that took."""
        began = time.monotonic()
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(timeout=20)
            self._process = None
        return time.monotonic() - began

    def kill(self) -> None:
        """Ends it as a lost node would."""
        self.stop(signal.SIGKILL)

    def fetch(self, path: str) -> tuple[int, str]:
        """Status and body of one of its endpoints; 0 where nobody listens."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError:
            return 0, ""

    def writes(self) -> float:
        """How many writes it has asked the API server for."""
        _, page = self.fetch("/metrics")
        counted = 0.0
        for line in page.splitlines():
            if line.startswith("external_data_api_requests_total") and 'verb="GET"' not in line:
                counted += float(line.rsplit(" ", 1)[1])
        return counted


def has_seen_all(page: str) -> bool:
    """Whether the metrics report a look at each watched source and schema, and an empty queue."""
    values: Counter[str] = Counter()
    for line in page.splitlines():
        name, _, value = line.rpartition(" ")
        kind = re.search(r'kind="(\w+)"', name)
        metric = name.partition("{")[0].removeprefix("external_data_")
        if metric in {"queue_depth", "objects", "reconcile_total"}:
            values[f"{metric} {kind[1] if kind else ''}".strip()] += int(float(value))
    kinds = ("ExternalDataSource", "ExternalDataSchema")
    return values["queue_depth"] == 0 and all(
        values[f"reconcile_total {kind}"] >= values[f"objects {kind}"] > 0 for kind in kinds
    )


@contextmanager
def running_operator(
    cluster: LocalCluster, runner: str, folder: Path, *, crds: Path = CRDS, **extra: str
) -> Iterator[OperatorProcess]:
    """The definitions, the default destination's Secret, and an operator that logs to a file."""
    install_definitions(cluster, crds)
    home = make_namespace(cluster, NAMESPACE)
    s3 = cluster.s3
    home.secret("lake", AWS_ACCESS_KEY_ID=s3.access_key, AWS_SECRET_ACCESS_KEY=s3.secret_key)
    process = OperatorProcess(cluster, runner, folder / "log", **extra)
    process.start()
    yield process
    process.stop()


def open_hosts(cluster: LocalCluster) -> dict[str, list[str]]:
    """This machine and the S3 server, for the sources of some namespaces."""
    hosts = {cluster.host_address, urlsplit(cluster.s3.endpoint).hostname}
    return {"namespaces": [f"{OPEN}-*"], "cidrs": [f"{host}/32" for host in sorted(hosts, key=str)]}


def default_destination(cluster: LocalCluster) -> dict[str, object]:
    """The cluster's own S3 server, by a Secret of the operator's namespace."""
    s3 = cluster.s3
    return {
        "s3": {
            "bucket": BUCKET,
            "prefix": "raw",
            "endpoint": s3.endpoint,
            "region": s3.region,
            "credentialsSecretRef": {"name": "lake"},
        }
    }
