"""One page may be large: a run holds it and its columns, and not more of either."""

import gzip
import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.contract.rest_reading import in_folder, make_plan, write_to
from tests.servers.replies import Reply
from tests.servers.rest import RestServer
from tests.servers.tables import make_rows

PAGE_BYTES = 96 << 20
RUN = """
import json, resource, sys
from external_data_operator.api.plan import Plan
from sync_runner.tasks import Surroundings, run_task
from tests.contract.rest_reading import GivenCredentials

plan = Plan.model_validate_json(sys.stdin.read())
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
report = run_task(plan, Surroundings(GivenCredentials(), "run")).report
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps({"rows": report.rows, "taken": (peak - before) << 10}))
"""


@pytest.mark.parametrize("way", ["plain", "chunked", "gzip"])
def test_a_page_takes_less_than_two_and_a_half_times_its_size(
    server: RestServer, tmp_path: Path, way: str
) -> None:
    row = json.dumps(make_rows(1)[0]).encode()
    count = PAGE_BYTES // len(row)
    body = b'{"data": [' + b",".join([row] * count) + b"]}"
    packed = Reply(body=gzip.compress(body, 1), headers={"Content-Encoding": "gzip"})
    server.on("/orders", packed if way == "gzip" else Reply(body=body, chunked=way == "chunked"))
    plan = write_to(make_plan(server, {}), in_folder(tmp_path)).model_dump_json(by_alias=True)
    done = subprocess.run(
        [sys.executable, "-c", RUN],
        input=plan,
        capture_output=True,
        text=True,
        check=True,
    )
    said = json.loads(done.stdout.splitlines()[-1])
    assert said["rows"] == count
    assert said["taken"] < 2.5 * PAGE_BYTES + (64 << 20)
