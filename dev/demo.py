"""The main path for a newcomer: a cluster, the operator, the cluster's own API as tables.

Everything here uses public doors only: the chart, `kubectl apply`, `kubectl get`, and a reader that
is not ours.
"""

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

import polars

from dev.install import install_operator
from dev.localcluster.cluster import LocalCluster
from dev.localcluster.errors import LocalClusterError

NAMESPACE = "analytics"
EXAMPLE = Path(__file__).parent.parent / "examples" / "01-cluster-inventory"
SHOWN = "pods"
WAIT_S = 300

Resource = dict[str, Any]
"""A custom resource as kubectl prints it."""


def main() -> int:
    """Runs the demo in the cluster of the given name; returns 1 where a table did not appear."""
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("--name", default="demo", help="which local cluster")
    name = parser.parse_args().name
    try:
        cluster = LocalCluster.up(name=name)
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


def _watch(cluster: LocalCluster) -> list[Resource]:
    """Says whenever an object changes, until every schema's run has ended."""
    began = time.monotonic()
    shown: dict[str, str] = {}
    while (seconds := time.monotonic() - began) < WAIT_S:
        objects = _read(cluster)
        for name, state in ((_name(it), _describe(it)) for it in objects):
            if shown.get(name) != state:
                shown[name] = state
                print(f"  {seconds:4.0f} s  {name:<28} {state}", flush=True)
        schemas = [it for it in objects if it["kind"] == "ExternalDataSchema"]
        if schemas and all(_has_ended(schema) for schema in schemas):
            print("\n" + cluster.kubectl("get", "eds,edsc", "-n", NAMESPACE), flush=True)
            return schemas
        time.sleep(0.5)
    raise LocalClusterError(f"not every table was synced within {WAIT_S} s; see kubectl describe")


def _read(cluster: LocalCluster) -> list[Resource]:
    answer = json.loads(cluster.kubectl("get", "eds,edsc", "-n", NAMESPACE, "-o", "json"))
    return list(answer["items"])


def _name(resource: Resource) -> str:
    short = "eds" if resource["kind"] == "ExternalDataSource" else "edsc"
    return f"{short}/{resource['metadata']['name']}"


def _describe(resource: Resource) -> str:
    status = resource.get("status", {})
    ready = next((c for c in status.get("conditions", []) if c["type"] == "Ready"), None)
    if ready is None:
        return "seen"
    if ready["status"] == "True":
        table = status.get("table")
        return f"Ready, {table['rows']} rows" if table else "Ready"
    return status.get("phase") or f"waiting: {ready['message']}"


def _has_ended(schema: Resource) -> bool:
    return schema.get("status", {}).get("phase") in {"Completed", "Failed"}


def _is_ready(schema: Resource) -> bool:
    conditions = schema["status"]["conditions"]
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)


def _print_tables(schemas: list[Resource]) -> None:
    print(f"{'TABLE':<16}{'ROWS':>8}  ADDRESS")
    for schema in schemas:
        stream, status = schema["spec"]["stream"], schema["status"]
        table = status.get("table", {"rows": "-", "uri": status.get("latestError")})
        print(f"{stream:<16}{table['rows']:>8}  {table['uri']}")


def _print_rows(cluster: LocalCluster, schemas: list[Resource]) -> None:
    """The first rows of one table, read from the bucket by Polars."""
    tables = {s["spec"]["stream"]: s["status"].get("table") for s in schemas}
    table = tables.get(SHOWN)
    if table is None:
        return
    access = {
        "aws_endpoint_url": cluster.s3.endpoint,
        "aws_access_key_id": cluster.s3.access_key,
        "aws_secret_access_key": cluster.s3.secret_key,
        "aws_region": cluster.s3.region,
        "aws_allow_http": "true",
    }
    frame = polars.read_delta(table["uri"], storage_options=access)
    print(f"\nThe first rows of {SHOWN}, read with Polars; nested values are JSON text:")
    chosen = frame.select(
        "metadata_uid",
        polars.col("metadata").str.json_path_match("$.namespace").alias("namespace"),
        polars.col("metadata").str.json_path_match("$.name").alias("name"),
        polars.col("status").str.json_path_match("$.phase").alias("phase"),
    )
    with polars.Config(fmt_str_lengths=48, tbl_width_chars=140, tbl_hide_column_data_types=True):
        print(chosen.head(5), flush=True)


def _say(sentence: str) -> None:
    print(f"==> {sentence}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
