"""`external-data validate`: wrong manifests are named by file, line and field; right ones pass."""

import io
import json
from pathlib import Path
from typing import Protocol

import pytest
from external_data_operator.api.paths import PATH_MESSAGE
from external_data_operator.cli import manifests
from external_data_operator.cli.main import main
from external_data_operator.controllers import CONTROLLERS

from tests.unit.thirdkind.controller import CONTROLLER
from tests.unit.thirdkind.model import QUERY

ROOT = Path(__file__).parents[3]
EXAMPLES = sorted(path for path in (ROOT / "examples").iterdir() if path.name != "README.md")


class Said(Protocol):
    """Exit status and lines of one validation."""

    def __call__(self, *texts: str, options: tuple[str, ...] = ()) -> tuple[int, list[str]]: ...


SOURCE = """\
apiVersion: external-data.io/v1alpha1
kind: ExternalDataSource
metadata: {name: shop}
spec:
  rest:
    baseUrl: https://api.shop.example
    auth: {bearer: {token: {secretKeyRef: {name: shop-api, key: token}}}}
    streams:
      - name: orders
        path: /orders
"""
SCHEMA = """\
apiVersion: external-data.io/v1alpha1
kind: ExternalDataSchema
metadata: {name: shop-orders}
spec:
  sourceRef: {name: shop}
  stream: orders
"""


@pytest.fixture
def said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Said:
    """Validates texts, each a file; returns the exit status and the lines without the folder."""

    def validate(*texts: str, options: tuple[str, ...] = ()) -> tuple[int, list[str]]:
        files = []
        for index, text in enumerate(texts):
            file = tmp_path / f"{index}.yaml"
            file.write_text(text)
            files.append(str(file))
        status = main(["validate", *options, *files])
        out = capsys.readouterr().out.replace(f"{tmp_path}/", "")
        return status, out.splitlines()

    return validate


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_every_example_is_valid(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["validate", str(path)]) == 0, capsys.readouterr().out


def test_a_valid_manifest_is_counted(said: Said) -> None:
    assert said(SOURCE, SCHEMA) == (0, ["valid: 1 source, 1 schema"])


@pytest.mark.parametrize("param", ["page", "pageNumber", "page_no", "_page", "p", "PG"])
def test_an_offset_named_like_a_page_number_is_a_warning(said: Said, param: str) -> None:
    paged = f"{SOURCE}        pagination:\n          offset: {{limit: 10, offsetParam: {param}}}\n"
    code, (warning, valid) = said(paged)
    where = "ExternalDataSource/shop: spec.rest.streams[0].pagination.offset.offsetParam"
    assert warning.startswith(f"warning: 0.yaml:12: {where}: has the name of a page number")
    assert (code, valid) == (0, "valid: 1 source")
    _, (document,) = said(paged, options=("--json",))
    assert json.loads(document)["warning"] is True


@pytest.mark.parametrize("param", ["offset", "skip", "page[offset]", "pageStart", "pageToken"])
def test_an_offset_of_another_name_is_no_warning(said: Said, param: str) -> None:
    paged = f"{SOURCE}        pagination: {{offset: {{limit: 10, offsetParam: '{param}'}}}}\n"
    assert said(paged) == (0, ["valid: 1 source"])


def test_each_problem_has_its_file_line_and_field(said: Said) -> None:
    wrong = SOURCE.replace("path: /orders", "path: /orders\n        method: PUT")
    wrong = wrong.replace("    baseUrl: https://api.shop.example\n", "")
    assert said(wrong) == (
        1,
        [
            "0.yaml:5: ExternalDataSource/shop: spec.rest.baseUrl: is required",
            (
                "0.yaml:10: ExternalDataSource/shop: spec.rest.streams[0].method: "
                "must be 'GET' or 'POST'"
            ),
        ],
    )


def test_an_unknown_field_is_named(said: Said) -> None:
    wrong = SOURCE.replace("path: /orders", "path: /orders\n        recordPath: data")
    _, lines = said(wrong)
    assert lines == [
        "0.yaml:11: ExternalDataSource/shop: spec.rest.streams[0].recordPath: is not a known field"
    ]


def test_several_documents_of_a_file_are_all_judged(said: Said) -> None:
    wrong = SCHEMA.replace("stream: orders", "stream: orders\n  cron: every day")
    status, lines = said(f"{SOURCE}---\n{wrong}")
    assert status == 1
    assert lines == [
        "0.yaml:18: ExternalDataSchema/shop-orders: spec.cron: must match ^\\S+( \\S+){4}$"
    ]


@pytest.mark.parametrize(
    ("schema", "field", "words"),
    [
        (
            SCHEMA.replace("stream: orders", "stream: order"),
            "spec.stream",
            "its streams are orders",
        ),
        (SCHEMA + '  cron: "61 * * * *"\n', "spec.cron", "minute"),
        (SCHEMA + '  cron: "1 * * * *"\n  timeZone: Mars/Base\n', "spec.timeZone", "IANA"),
        (SCHEMA + "  syncType: Append\n", "spec.syncType", "requires a cursor"),
        (SCHEMA + "  lookbackSeconds: '5'\n", "spec.lookbackSeconds", "must be an integer"),
    ],
    ids=["unknown stream", "no such minute", "no such zone", "no cursor", "a number in quotes"],
)
def test_a_schema_is_judged_beside_its_source(
    said: Said, schema: str, field: str, words: str
) -> None:
    status, lines = said(SOURCE, schema)
    assert status == 1
    assert len(lines) == 1
    assert f"ExternalDataSchema/shop-orders: {field}: " in lines[0]
    assert words in lines[0]


def test_a_schema_without_its_source_here_is_judged_alone(said: Said) -> None:
    assert said(SCHEMA)[0] == 0


def test_a_source_of_another_namespace_is_another_source(said: Said) -> None:
    elsewhere = SCHEMA.replace("{name: shop-orders}", "{name: shop-orders, namespace: other}")
    assert said(SOURCE, elsewhere.replace("stream: orders", "stream: unknown"))[0] == 0


SECRET = "kind: Secret\napiVersion: v1\nmetadata: {name: shop-api}\n"


@pytest.mark.parametrize(
    ("secret", "status"),
    [
        (f"{SECRET}stringData: {{token: abc}}\n", 0),
        (f"{SECRET}data: {{token: YWJj}}\n", 0),
        (f"{SECRET}stringData: {{Token: abc}}\n", 1),
        (f"{SECRET}type: kubernetes.io/service-account-token\n", 0),
    ],
    ids=["in plain", "in base64", "another key", "filled by the cluster"],
)
def test_a_secret_in_the_files_must_have_the_key(said: Said, secret: str, status: int) -> None:
    found, lines = said(SOURCE, secret)
    assert found == status
    if status:
        assert lines == [
            (
                "0.yaml:7: ExternalDataSource/shop: spec.rest.auth.bearer.token: "
                "Secret shop-api has no key token"
            )
        ]


def test_two_streams_of_one_table_are_refused(said: Said) -> None:
    text = SOURCE.replace("name: orders", "name: open_orders")
    _, lines = said(text + "      - {name: openOrders, path: /o}\n")
    assert len(lines) == 1
    assert lines[0].startswith("0.yaml:8: ExternalDataSource/shop: spec.rest.streams: names of")


def test_two_sources_that_would_write_one_table_are_found(said: Said) -> None:
    named = SOURCE.replace("name: shop}", "name: NAME}").replace("name: orders", "name: STREAM")
    stall = named.replace("NAME", "stall").replace("STREAM", "Orders")
    _, lines = said(SOURCE, stall)
    assert lines == [
        (
            "1.yaml:9: ExternalDataSource/stall: spec.rest.streams[0].name: "
            "writes to table orders, as does source shop; give one a tablePrefix"
        )
    ]
    elsewhere = "spec:\n  destination: {s3: {bucket: another}}\n"
    for apart in (
        stall.replace("spec:\n", "spec:\n  tablePrefix: stall_\n"),
        stall.replace("spec:\n", elsewhere),
        stall.replace("name: stall}", "name: stall, namespace: other}"),
        stall.replace("spec:\n", "spec:\n  schemas: {exclude: [Orders]}\n"),
    ):
        assert said(SOURCE, apart)[0] == 0


def test_what_a_run_would_refuse_is_found(said: Said) -> None:
    text = SOURCE.replace("api.shop.example", "api.shop.example:0")
    text = text.replace("    streams:", "    headers: {X-Team: 7, X-Note: zażółć}\n    streams:")
    text = text.replace("path: /orders", "path: /orders\n        recordsPath: data[0]")
    _, lines = said(text)
    assert [line.split(": ", 2)[2] for line in lines] == [
        "spec.rest.headers.X-Note: must match ^[\\t\\x20-\\x7e\\x80-\\xff]*$",
        f"spec.rest.streams[0].recordsPath: {PATH_MESSAGE}",
    ]
    _, lines = said(text.replace("zażółć", "3").replace("data[0]", "data"))
    assert [line.split(": ", 2)[2] for line in lines] == [
        "spec.rest.baseUrl: the port in baseUrl must be between 1 and 65535"
    ]


def test_two_objects_of_one_name_and_two_schemas_of_one_stream_are_refused(said: Said) -> None:
    second = SCHEMA.replace("name: shop-orders", "name: again")
    _, lines = said(SOURCE, SOURCE, SCHEMA, second)
    assert [line.split(": ", 2)[2] for line in lines] == [
        "metadata.name: is the name of another manifest in these files",
        "spec.stream: schema shop-orders already syncs this stream",
    ]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a: [1\n", "0.yaml:2: is not YAML: expected ',' or ']', but got '<stream end>'"),
        ("just text\n", "0.yaml:1: is not a manifest: kind is missing"),
        (SOURCE + "  rest: {}\n", "0.yaml:11: ExternalDataSource: spec.rest: is set twice"),
        (SOURCE.replace("v1alpha1", "v9"), "apiVersion: must be external-data.io/v1alpha1"),
        (SOURCE.replace("Source", "Sauce"), "kind: must be ExternalDataSource or"),
        (SOURCE.replace("{name: shop}", "{name: Shop!}"), "metadata.name: must be a lower-case"),
        (SOURCE.split("spec:", maxsplit=1)[0], "spec: is required"),
    ],
    ids=["broken", "text", "key twice", "version", "kind", "name", "no spec"],
)
def test_what_is_not_a_manifest_of_ours_is_said_so(said: Said, text: str, line: str) -> None:
    status, lines = said(text)
    assert status == 1
    assert any(line in found for found in lines), lines


def test_dates_and_times_stay_text_as_kubectl_reads_them(said: Said) -> None:
    timed = SCHEMA + "  syncFrequency: 24hour\n  syncTimeOfDay: 14:15:00\n"
    dated = SOURCE + (
        "        incremental: {cursorPath: at, startParam: since, initialValue: 2024-01-01}\n"
    )
    assert said(dated, timed) == (0, ["valid: 1 source, 1 schema"])


def test_other_kinds_are_left_alone(said: Said) -> None:
    other = "apiVersion: v1\nkind: Namespace\nmetadata: {name: analytics}\n"
    assert said(SOURCE, other) == (0, ["valid: 1 source, 1 other"])


def test_files_without_anything_of_ours_are_not_valid(said: Said) -> None:
    assert said("apiVersion: v1\nkind: Namespace\nmetadata: {name: a}\n") == (1, [])


def test_a_missing_file_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["validate", "/nowhere/at-all.yaml"]) == 1
    assert "/nowhere/at-all.yaml:1: No such file or directory" in capsys.readouterr().out


def test_standard_input_is_read(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(SOURCE))
    assert main(["validate", "-"]) == 0
    assert capsys.readouterr().out == "valid: 1 source\n"


def test_a_folder_is_read_by_its_manifests(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(SOURCE)
    (tmp_path / "b.yml").write_text(SCHEMA.replace("stream: orders", "stream: x"))
    (tmp_path / "notes.txt").write_text("not a manifest")
    assert main(["validate", str(tmp_path)]) == 1


def test_json_says_each_problem_as_a_document(said: Said) -> None:
    wrong = SOURCE.replace("    baseUrl: https://api.shop.example\n", "")
    _, lines = said(wrong, options=("--json",))
    assert [json.loads(line) for line in lines] == [
        {
            "file": lines and json.loads(lines[0])["file"],
            "line": 5,
            "resource": "ExternalDataSource/shop",
            "field": "spec.rest.baseUrl",
            "message": "is required",
        }
    ]


def test_no_credential_is_printed(said: Said) -> None:
    secret = "s3cr3t-of-the-user"
    inline = SOURCE.replace(
        "{secretKeyRef: {name: shop-api, key: token}}", f"{{value: {secret}, key: {secret}}}"
    ).replace("baseUrl: https://", f"baseUrl: https://user:{secret}@")
    broken = f"kind: Secret\napiVersion: v1\nmetadata: {{name: x}}\ndata: {{token: [{secret}]}}\n"
    status, lines = said(inline, broken)
    assert status == 1
    assert len(lines) == 3
    assert secret not in "".join(lines)


QUERY_MANIFEST = """\
apiVersion: external-data.io/v1alpha1
kind: ExternalDataQuery
metadata: {name: totals}
spec: {sourceRef: {name: shop}, text: TEXT}
"""


def test_a_kind_of_resource_is_validated_once_the_table_of_controllers_lists_it(
    said: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    right, wrong = (QUERY_MANIFEST.replace("TEXT", text) for text in ("select 1", "''"))
    status, lines = said(SOURCE, right)
    assert status == 1
    assert "kind: must be ExternalDataSource or ExternalDataSchema" in lines[0]
    monkeypatch.setattr(manifests, "CONTROLLERS", {**CONTROLLERS, QUERY.kind: CONTROLLER})
    assert said(SOURCE, right) == (0, ["valid: 1 source, 1 other"])
    status, lines = said(SOURCE, wrong)
    assert (status, len(lines)) == (1, 1)
    assert lines[0].startswith("1.yaml:4: ExternalDataQuery/totals: spec.text")
