"""How long a user waits: from `kubectl apply` of a source to its rows in the bucket, on an idle
cluster.

`python -m benchmarks.apply_to_rows [--turns N]` starts a local cluster of its own, installs the
operator with its chart, and applies a source of 100 rows, time and again under a new name. The
clock starts before `kubectl` does; the rows are there once the first version of the table is in the
bucket. In between lie the check of the source, the schema made for its stream, and one pod for each
of the two.
"""

import argparse
import json
import sys
import time

from deltalake import DeltaTable

from benchmarks import data
from benchmarks.api import Api, running_api
from benchmarks.errors import BenchmarkError
from benchmarks.harness import Numbers, build_result, keep_results
from benchmarks.run import write_docs
from benchmarks.store import Bucket
from benchmarks.suites import OURS
from dev.install import install_operator
from dev.localcluster.cluster import LocalCluster

NAMESPACE = "bench"
ROWS = 100
_LOOK_S = 0.02
_PATIENCE_S = 120.0


def build_manifest(name: str, api: Api) -> dict[str, object]:
    """A source with one stream of one page."""
    stream = {
        "name": "orders",
        "path": "/cursor",
        "params": {"rows": str(ROWS), "limit": str(ROWS)},
        "recordsPath": "data",
        "primaryKey": ["id"],
        "pagination": {"cursor": {"cursorPath": "next_cursor"}},
    }
    return {
        "apiVersion": "external-data.io/v1alpha1",
        "kind": "ExternalDataSource",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {
            "tablePrefix": f"{name}_",
            "rest": {"baseUrl": api.address, "streams": [stream]},
        },
    }


def measure_once(cluster: LocalCluster, api: Api, name: str) -> Numbers:
    """One source from nothing to rows; it is deleted again, its table stays."""
    bucket = Bucket(cluster.s3, cluster.s3.bucket)
    manifest = json.dumps(build_manifest(name, api))
    api.read_stats(reset=True)
    started_at = time.monotonic()
    cluster.kubectl("apply", "-f", "-", stdin=manifest)
    applied_at = time.monotonic()
    _wait_for_rows(bucket, f"{NAMESPACE}/{name}_orders")
    rows_at = time.monotonic()
    wait = ("wait", "-n", NAMESPACE, "--for=condition=Ready", "--timeout=60s")
    cluster.kubectl(*wait, f"eds/{name}", f"edsc/{name}-orders")
    ready_at = time.monotonic()
    _check_rows(bucket, f"{NAMESPACE}/{name}_orders")
    stats = api.read_stats()
    cluster.kubectl("delete", "eds", name, "-n", NAMESPACE)
    cluster.kubectl("delete", "edsc", "--all", "-n", NAMESPACE)
    return {
        "applied_s": applied_at - started_at,
        "checked_s": stats["first_request_at"] - started_at,
        "read_s": stats["last_answer_at"] - started_at,
        "wall_s": rows_at - started_at,
        "ready_s": ready_at - started_at,
    }


def _wait_for_rows(bucket: Bucket, table: str) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while not bucket.list(f"{table}/_delta_log"):
        if time.monotonic() > deadline:
            raise BenchmarkError(f"no rows in {table} after {_PATIENCE_S:.0f} s")
        time.sleep(_LOOK_S)


def _check_rows(bucket: Bucket, table: str) -> None:
    rows = DeltaTable(bucket.url(table), storage_options=bucket.env).to_pyarrow_dataset()
    if rows.count_rows() != ROWS:
        raise BenchmarkError(f"{table} holds {rows.count_rows()} rows instead of {ROWS}")


def measure(turns: int) -> list[Numbers]:
    """The figures of each turn, after one that does not count."""
    cluster = LocalCluster.up(name="bench")
    try:
        install_operator(cluster, namespaces=[NAMESPACE])
        namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
        cluster.kubectl("apply", "-f", "-", stdin=json.dumps(namespace))
        sets = {"orders": data.find_orders(10_000)}
        with running_api(sets, host=cluster.host_address) as api:
            samples = []
            for turn in range(turns + 1):
                samples.append(measure_once(cluster, api, f"turn{turn}"))
                shown = "  ".join(f"{name} {value:.2f}" for name, value in samples[-1].items())
                print(f"  turn {turn}: {shown}", flush=True)
        return samples[1:]
    finally:
        cluster.down()


def main() -> int:
    """Measures, and brings `docs/performance.md` up to date."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=5)
    arguments = parser.parse_args()
    title = f"from kubectl apply to rows in the bucket ({ROWS} rows, an idle local cluster)"
    samples = measure(arguments.turns)
    keep_results(build_result("apply-to-rows", title, {OURS: samples}, work=ROWS))
    write_docs()
    return 0


if __name__ == "__main__":
    sys.exit(main())
