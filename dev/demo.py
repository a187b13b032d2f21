"""The main path for a newcomer: a cluster, the operator, the cluster's own API as tables.

Everything here uses public doors only: the chart, `kubectl apply`, `kubectl get`, and a reader that
is not ours.
"""

import json
import sys
import time
from pathlib import Path

import polars

from dev.install import install_operator
from tests.localcluster.cluster import LocalCluster
from tests.localcluster.errors import LocalClusterError

NAMESPACE = "analytics"
EXAMPLE = Path(__file__).parent.parent / "examples" / "01-cluster-inventory"
SHOWN = "pods"
WAIT_S = 300


def main() -> int:
    """Runs the demo; returns 1 where a table did not appear in time."""
    try:
        cluster = LocalCluster.up(name="demo")
        _say("installing the operator with its Helm chart")
        install_operator(cluster, namespaces=[NAMESPACE])
        _apply_example(cluster)
        schemas = _watch(cluster)
    except LocalClusterError as error:
        print(error, file=sys.stderr)
        return 1
    _print_tables(schemas)
    _print_rows(cluster, schemas)
    _say(f"look around: export KUBECONFIG={cluster.kubeconfig}")
    _say(f"             kubectl get eds,edsc -n {NAMESPACE}; kubectl describe eds -n {NAMESPACE}")
    _say("end it all: make down")
    return 0 if all(_is_ready(schema) for schema in schemas) else 1


def _apply_example(cluster: LocalCluster) -> None:
    _say(f"applying {EXAMPLE.parent.name}/{EXAMPLE.name}")
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
    cluster.kubectl("apply", "-f", "-", stdin=json.dumps(namespace))
    cluster.kubectl("apply", "-n", NAMESPACE, "-f", str(EXAMPLE))


def _watch(cluster: LocalCluster) -> list[dict[str, object]]:
    """Shows what `kubectl get` says whenever it changes, until every schema's run has ended."""
    shown = ""
    deadline = time.monotonic() + WAIT_S
    while time.monotonic() < deadline:
        table = cluster.kubectl("get", "eds,edsc", "-n", NAMESPACE)
        if _without_ages(table) != shown:
            shown = _without_ages(table)
            print(f"\n{table}", end="", flush=True)
        schemas = json.loads(cluster.kubectl("get", "edsc", "-n", NAMESPACE, "-o", "json"))["items"]
        if schemas and all(_has_ended(schema) for schema in schemas):
            return list(schemas)
        time.sleep(1)
    raise LocalClusterError(f"not every table was synced within {WAIT_S} s; see kubectl describe")


def _without_ages(table: str) -> str:
    return "\n".join(" ".join(line.split()[:-1]) for line in table.splitlines())


def _status(schema: dict[str, object]) -> dict[str, object]:
    status = schema.get("status")
    return status if isinstance(status, dict) else {}


def _has_ended(schema: dict[str, object]) -> bool:
    return _status(schema).get("phase") in {"Completed", "Failed"}


def _is_ready(schema: dict[str, object]) -> bool:
    conditions = _status(schema).get("conditions")
    assert isinstance(conditions, list), "a schema that ended has conditions"
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)


def _print_tables(schemas: list[dict[str, object]]) -> None:
    print(f"\n{'TABLE':<16}{'ROWS':>8}  ADDRESS")
    for schema in schemas:
        spec, table = schema["spec"], _status(schema).get("table")
        assert isinstance(spec, dict), "a schema has a spec"
        if isinstance(table, dict):
            print(f"{spec['stream']:<16}{table['rows']:>8}  {table['uri']}")
        else:
            print(f"{spec['stream']:<16}{'-':>8}  {_status(schema).get('latestError')}")


def _print_rows(cluster: LocalCluster, schemas: list[dict[str, object]]) -> None:
    """The first rows of one table, read from the bucket by Polars."""
    tables = {s["spec"]["stream"]: _status(s).get("table") for s in schemas}  # type: ignore[index]
    table = tables.get(SHOWN)
    if not isinstance(table, dict):
        return
    access = {
        "aws_endpoint_url": cluster.s3.endpoint,
        "aws_access_key_id": cluster.s3.access_key,
        "aws_secret_access_key": cluster.s3.secret_key,
        "aws_region": cluster.s3.region,
        "aws_allow_http": "true",
    }
    frame = polars.read_delta(table["uri"], storage_options=access)
    print(f"\nThe first rows of {SHOWN}, read with Polars:")
    with polars.Config(tbl_cols=6, fmt_str_lengths=48, tbl_width_chars=140):
        print(frame.head(5), flush=True)


def _say(sentence: str) -> None:
    print(f"==> {sentence}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
