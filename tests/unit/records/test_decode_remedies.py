"""What a page that cannot be decoded means for a run."""

import json

import pyarrow as pa
import pytest
from external_data_operator.api.conditions import Reason

from sync_runner.errors import ConfigurationError, ResponseError, RetryableError, RunError
from sync_runner.records.decode import RecordDecoder, Value


@pytest.mark.parametrize(
    ("path", "body", "error", "reason", "message"),
    [
        pytest.param(
            "data",
            b"<!doctype html><title>Sign in</title>",
            ResponseError,
            Reason.INVALID_RESPONSE,
            "The response is not JSON: it looks like HTML or XML. Check path and baseUrl.",
            id="a sign-in page",
        ),
        pytest.param(
            "data",
            b"\xef\xbb\xbf \r\nid,name\n1,x",
            ResponseError,
            Reason.INVALID_RESPONSE,
            "The response is not JSON: it does not begin with JSON. Check path and baseUrl.",
            id="CSV",
        ),
        pytest.param(
            "data",
            b' {"data":[{"id":1},',
            RetryableError,
            Reason.SOURCE_UNAVAILABLE,
            "The response is incomplete JSON: the body ends at byte 19.",
            id="broken off",
        ),
        pytest.param(
            "data",
            b'\xef\xbb\xbf[{"id":1},<b>Fatal error</b>',
            ResponseError,
            Reason.INVALID_RESPONSE,
            "The response is not valid JSON: expected a value at byte 10 (line 1, column 11).",
            id="an error in the middle",
        ),
        pytest.param(
            "$.result['items'][*]",
            b'{"result":{"rows":[],"n":0}}',
            ResponseError,
            Reason.RECORDS_PATH_NOT_FOUND,
            'recordsPath result.items was not found: "result" has no "items", only "rows", "n".',
            id="a wrong path",
        ),
        pytest.param(
            None,
            b"[1,2]",
            ResponseError,
            Reason.INVALID_RECORDS,
            "The rows at $ are not JSON objects: row 0 of the page is a number.",
            id="numbers for rows",
        ),
        pytest.param(
            "",
            b"[" * 600,
            ResponseError,
            Reason.INVALID_RESPONSE,
            "The response is nested too deep: more than 512 brackets are open at byte 513.",
            id="too deep",
        ),
        pytest.param(
            "",
            json.dumps([dict.fromkeys(range(10_001))]).encode(),
            ResponseError,
            Reason.INVALID_RECORDS,
            "The rows do not fit into columns: the rows have more than 10000 fields.",
            id="too many columns",
        ),
        pytest.param(
            "",
            bytes(2**31),
            ConfigurationError,
            Reason.LIMIT_EXCEEDED,
            "The page is too large: the body has 2 GiB or more. Request smaller pages.",
            id="too large",
        ),
    ],
)
def test_a_refused_page_says_who_must_act_and_why(
    path: str | None, body: bytes, error: type[RunError], reason: Reason, message: str
) -> None:
    decoder = RecordDecoder(records_path=path)
    with pytest.raises(error) as raised:
        decoder.push(body)
    assert type(raised.value) is error
    assert (raised.value.reason, str(raised.value)) == (reason, message)


def test_a_page_that_broke_off_may_be_pushed_again() -> None:
    decoder = RecordDecoder(records_path="data", envelope=["meta.next"])
    page = b'{"data":[{"id":1},{"id":2}],"meta":{"next":"x"}}'
    with pytest.raises(RetryableError):
        decoder.push(page[:30])
    found = decoder.push(page)
    assert (found.rows, found.values) == (2, (Value("string", "x"),))
    assert (decoder.rows, decoder.bytes) == (2, len(page))
    batch = decoder.flush()
    assert isinstance(batch, pa.RecordBatch)
    assert batch.to_pydict() == {"id": [1, 2]}


def test_nested_paths_of_a_row_become_columns() -> None:
    decoder = RecordDecoder(extract=["metadata.uid", "$.metadata['name']"])
    decoder.push(b'[{"metadata":{"name":"a","uid":"u"},"nothing":null}]')
    batch = decoder.flush()
    assert batch.schema.names == ["metadata", "metadata.name", "metadata.uid", "nothing"]
    assert batch.schema.field("nothing").type == pa.null()


@pytest.mark.parametrize("field", ["records_path", "envelope", "extract"])
def test_a_path_that_cannot_be_followed_is_the_specs_fault(field: str) -> None:
    path = "data[0]"
    with pytest.raises(ConfigurationError, match="a path contains only keys") as error:
        RecordDecoder(**{field: path if field == "records_path" else [path]})  # type: ignore[arg-type]
    assert error.value.reason is Reason.INVALID_SPEC
