"""`external-data run --destination s3://…` at a real S3 server, its keys from the environment."""

import json
from pathlib import Path

import polars
import pytest
from external_data_operator.cli.main import main

from tests.servers.rest import RestServer
from tests.servers.s3 import running_s3
from tests.servers.tables import Table, make_rows

SOURCE = """\
apiVersion: external-data.io/v1alpha1
kind: ExternalDataSource
metadata: {name: shop, namespace: analytics}
spec:
  rest:
    baseUrl: URL
    streams:
      - name: orders
        path: /orders
        recordsPath: data
        primaryKey: [id]
        pagination: {offset: {limit: 100}}
"""
OPENED = ("--allow-private-host", "127.0.0.1/32")


def test_a_run_writes_into_the_bucket_that_was_asked_for(
    tmp_path: Path,
    server: RestServer,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server.on("/orders", Table(make_rows(250)))
    manifest = tmp_path / "shop.yaml"
    manifest.write_text(SOURCE.replace("URL", server.url))
    with running_s3(tmp_path / "s3") as s3:
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", s3.access_key)
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", s3.secret_key)
        where = ("--destination", f"s3://{s3.bucket}/raw", "--s3-endpoint", s3.endpoint)
        assert main(["check", str(manifest), *OPENED, *where]) == 0
        assert main(["run", str(manifest), *OPENED, *where]) == 0
        said = json.loads(capsys.readouterr().out.splitlines()[-1])
        assert said["table"]["uri"] == f"s3://{s3.bucket}/raw/analytics/orders"
        options = {"aws_endpoint_url": s3.endpoint, "aws_allow_http": "true"}
        frame = polars.read_delta(said["table"]["uri"], storage_options=options)
        assert frame.height == 250

        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
        assert main(["check", str(manifest), *OPENED, *where]) == 78
        said = json.loads(capsys.readouterr().out.splitlines()[-1])
        assert said["reason"] == "DestinationForbidden"
