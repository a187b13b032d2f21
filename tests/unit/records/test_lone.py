"""What one object is taken for where a list of rows is usual."""

import pytest

from sync_runner.records.lone import Expected, Verdict, judge

FIRST = Expected()
PAGED = Expected(paginates=True)
KEYED = Expected(stated=frozenset({"sku"}))
KNOWN = Expected(known=frozenset({"sku", "price", "status"}))
WHOLE = Expected(is_path_stated=True, is_whole_stated=True)
BELOW = Expected(is_path_stated=True)


def kind_of(key: str) -> str:
    """`key:what it holds`, a string without the colon."""
    return key.partition(":")[2] or "a string"


@pytest.mark.parametrize(
    ("keys", "expected", "verdict"),
    [
        pytest.param("sku price", FIRST, Verdict.ROW, id="plain"),
        pytest.param("sku lines:objects", FIRST, Verdict.ROW, id="a row with a list"),
        pytest.param("id status items:objects", FIRST, Verdict.ROW, id="an order with items"),
        pytest.param("version:a number uptime:a number", FIRST, Verdict.ROW, id="words alone"),
        pytest.param("name error:null", FIRST, Verdict.ROW, id="no error"),
        pytest.param("sku errors:empty", FIRST, Verdict.ROW, id="no errors"),
        pytest.param("error code:a number", FIRST, Verdict.ERROR, id="error"),
        pytest.param("errors:objects", FIRST, Verdict.ERROR, id="errors"),
        pytest.param("ok:false error", FIRST, Verdict.ERROR, id="not ok"),
        pytest.param("success:false code", FIRST, Verdict.ERROR, id="no success"),
        pytest.param("status:a number message", FIRST, Verdict.ERROR, id="a message"),
        pytest.param("detail", FIRST, Verdict.ERROR, id="a detail"),
        pytest.param("status:a number", FIRST, Verdict.ERROR, id="a status"),
        pytest.param("type title status:a number", FIRST, Verdict.ERROR, id="a titled status"),
        pytest.param("code:a number result:null", FIRST, Verdict.ENVELOPE, id="a status and rows"),
        pytest.param("status uptime", FIRST, Verdict.ROW, id="a status of something"),
        pytest.param("orders:objects buyers:objects", FIRST, Verdict.ENVELOPE, id="two lists"),
        pytest.param(
            "sku lines:objects taxes:objects", FIRST, Verdict.ROW, id="a row of two lists"
        ),
        pytest.param("errorCode errorMessage", KEYED, Verdict.ERROR, id="words run together"),
        pytest.param("type title detail instance", FIRST, Verdict.ERROR, id="RFC 9457"),
        pytest.param("data:objects total:a number", FIRST, Verdict.ENVELOPE, id="envelope"),
        pytest.param("data:empty total:a number", FIRST, Verdict.ENVELOPE, id="empty envelope"),
        pytest.param("data:an object meta:an object", FIRST, Verdict.ENVELOPE, id="nested"),
        pytest.param("@odata.context value:objects", FIRST, Verdict.ENVELOPE, id="OData"),
        pytest.param("ok users:objects cache_ts", FIRST, Verdict.ENVELOPE, id="half of words"),
        pytest.param("id users:objects", PAGED, Verdict.ENVELOPE, id="a list in a page"),
        pytest.param("items:objects total", BELOW, Verdict.ENVELOPE, id="below a path"),
        pytest.param("items:objects total", WHOLE, Verdict.ROW, id="stated"),
        pytest.param("status message", WHOLE, Verdict.ROW, id="a stated message"),
        pytest.param("error code", WHOLE, Verdict.ERROR, id="an error is none"),
        pytest.param("price tax", KEYED, Verdict.STRANGER, id="lacks the key"),
        pytest.param("sku tax", KEYED, Verdict.ROW, id="has the key"),
        pytest.param("sku data:objects", KEYED, Verdict.ROW, id="has key and list"),
        pytest.param("sku colour", KNOWN, Verdict.ROW, id="shares a field"),
        pytest.param("colour size", KNOWN, Verdict.STRANGER, id="shares none"),
        pytest.param("status error", KNOWN, Verdict.ERROR, id="an error shares a field"),
        pytest.param("status message", KNOWN, Verdict.ERROR, id="a message shares a field"),
    ],
)
def test_an_object_is_a_row_an_error_an_envelope_or_a_stranger(
    keys: str, expected: Expected, verdict: Verdict
) -> None:
    words = " ".join(keys.split()).replace(":a ", ":a_").replace(":an ", ":an_").split()
    pairs = [(word.partition(":")[0], kind_of(word).replace("_", " ")) for word in words]
    assert judge(pairs, expected) is verdict
