"""dlt does the same work: its REST source into Parquet files on S3, with the settings that its
performance guide advises.

Runs in an environment of its own (`requirements/bench-dlt.txt`) and imports nothing of ours. Each
run starts from an empty working folder, as a first sync does. It appends files without a table log,
keys or de-duplication. `--plain` takes dlt's defaults.
"""

import argparse
import os
import shutil
import tempfile
import uuid

TUNED = {
    "SOURCES__DATA_WRITER__FILE_MAX_ITEMS": "20000",
    "SOURCES__DATA_WRITER__BUFFER_MAX_ITEMS": "20000",
    "NORMALIZE__DATA_WRITER__FILE_MAX_ITEMS": "100000",
    "NORMALIZE__WORKERS": "2",
    "NORMALIZE__START_METHOD": "fork",
    "LOAD__WORKERS": "4",
    "EXTRACT__WORKERS": "4",
    "EXTRACT__MAX_PARALLEL_ITEMS": "20",
}
QUIET = {"RUNTIME__DLTHUB_TELEMETRY": "false", "RUNTIME__LOG_LEVEL": "ERROR"}


def copy_orders(arguments: argparse.Namespace, folder: str) -> int:
    """Runs one pipeline; returns the rows of `orders` that it normalised."""
    # Imported late: dlt reads the environment as it is imported.
    # ruff: noqa: PLC0415
    import dlt  # type: ignore[import-not-found]
    from dlt.common.configuration.specs import AwsCredentials  # type: ignore[import-not-found]
    from dlt.destinations import filesystem  # type: ignore[import-not-found]
    from dlt.sources.rest_api import rest_api_source  # type: ignore[import-not-found]

    credentials = AwsCredentials()
    credentials.aws_access_key_id = os.environ["AWS_ACCESS_KEY_ID"]
    credentials.aws_secret_access_key = os.environ["AWS_SECRET_ACCESS_KEY"]
    credentials.endpoint_url = os.environ["AWS_ENDPOINT_URL"]
    credentials.region_name = os.environ["AWS_REGION"]
    pipeline = dlt.pipeline(
        f"p{uuid.uuid4().hex[:8]}",
        pipelines_dir=folder,
        destination=filesystem(bucket_url=arguments.out, credentials=credentials),
        dataset_name="d",
        progress=None,
    )
    paginator = {"type": "cursor", "cursor_path": "next_cursor", "cursor_param": "cursor"}
    params = {"limit": arguments.page, "rows": arguments.rows}
    endpoint = {"path": "cursor", "params": params, "data_selector": "data"}
    tuned = {} if arguments.plain else {"parallelized": True}
    source = rest_api_source(
        {
            "client": {"base_url": arguments.api, "paginator": paginator},
            "resources": [{"name": "orders", "endpoint": endpoint, **tuned}],
        },
        **({"max_table_nesting": 0} if arguments.nesting_0 else {}),
    )
    pipeline.run(source, loader_file_format="parquet")
    return int(pipeline.last_trace.last_normalize_info.row_counts["orders"])


def main() -> None:
    """Copies the orders and prints how many rows there were."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--api", required=True, help="address of benchmarks.server")
    parser.add_argument("--rows", type=int, required=True)
    parser.add_argument("--page", type=int, default=1000)
    parser.add_argument("--out", required=True, help="s3://bucket/prefix")
    parser.add_argument("--plain", action="store_true", help="dlt's defaults")
    parser.add_argument("--nesting-0", action="store_true", help="nested values stay JSON")
    arguments = parser.parse_args()
    os.environ.update(QUIET if arguments.plain else QUIET | TUNED)
    folder = tempfile.mkdtemp(prefix="dlt-")
    try:
        print(copy_orders(arguments, folder))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
