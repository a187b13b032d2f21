"""What one object is taken for where a list of rows is usual."""

import pytest

from sync_runner.records.lone import Expected, ObjectVerdict, judge

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
        pytest.param("sku price", FIRST, ObjectVerdict.ROW, id="plain"),
        pytest.param("sku lines:objects", FIRST, ObjectVerdict.ROW, id="a row with a list"),
        pytest.param("id status items:objects", FIRST, ObjectVerdict.ROW, id="an order with items"),
        pytest.param(
            "version:a number uptime:a number", FIRST, ObjectVerdict.ROW, id="words alone"
        ),
        pytest.param("name error:null", FIRST, ObjectVerdict.ROW, id="no error"),
        pytest.param("sku errors:empty", FIRST, ObjectVerdict.ROW, id="no errors"),
        pytest.param("error code:a number", FIRST, ObjectVerdict.ERROR, id="error"),
        pytest.param("errors:objects", FIRST, ObjectVerdict.ERROR, id="errors"),
        pytest.param("ok:false error", FIRST, ObjectVerdict.ERROR, id="not ok"),
        pytest.param("success:false code", FIRST, ObjectVerdict.ERROR, id="no success"),
        pytest.param("status:a number message", FIRST, ObjectVerdict.ERROR, id="a message"),
        pytest.param("detail", FIRST, ObjectVerdict.ERROR, id="a detail"),
        pytest.param("status:a number", FIRST, ObjectVerdict.ERROR, id="a status"),
        pytest.param(
            "type title status:a number", FIRST, ObjectVerdict.ERROR, id="a titled status"
        ),
        pytest.param(
            "code:a number result:null", FIRST, ObjectVerdict.ENVELOPE, id="a status and rows"
        ),
        pytest.param("status uptime", FIRST, ObjectVerdict.ROW, id="a status of something"),
        pytest.param(
            "orders:objects buyers:objects", FIRST, ObjectVerdict.ENVELOPE, id="two lists"
        ),
        pytest.param(
            "sku lines:objects taxes:objects", FIRST, ObjectVerdict.ROW, id="a row of two lists"
        ),
        pytest.param("errorCode errorMessage", KEYED, ObjectVerdict.ERROR, id="words run together"),
        pytest.param("type title detail instance", FIRST, ObjectVerdict.ERROR, id="RFC 9457"),
        pytest.param("data:objects total:a number", FIRST, ObjectVerdict.ENVELOPE, id="envelope"),
        pytest.param(
            "data:empty total:a number", FIRST, ObjectVerdict.ENVELOPE, id="empty envelope"
        ),
        pytest.param("data:an object meta:an object", FIRST, ObjectVerdict.ENVELOPE, id="nested"),
        pytest.param("@odata.context value:objects", FIRST, ObjectVerdict.ENVELOPE, id="OData"),
        pytest.param(
            "ok users:objects cache_ts", FIRST, ObjectVerdict.ENVELOPE, id="half of words"
        ),
        pytest.param("id users:objects", PAGED, ObjectVerdict.ENVELOPE, id="a list in a page"),
        pytest.param("items:objects total", BELOW, ObjectVerdict.ENVELOPE, id="below a path"),
        pytest.param("items:objects total", WHOLE, ObjectVerdict.ROW, id="stated"),
        pytest.param("status message", WHOLE, ObjectVerdict.ROW, id="a stated message"),
        pytest.param("error code", WHOLE, ObjectVerdict.ERROR, id="an error is none"),
        pytest.param("price tax", KEYED, ObjectVerdict.STRANGER, id="lacks the key"),
        pytest.param("sku tax", KEYED, ObjectVerdict.ROW, id="has the key"),
        pytest.param("sku data:objects", KEYED, ObjectVerdict.ROW, id="has key and list"),
        pytest.param("sku colour", KNOWN, ObjectVerdict.ROW, id="shares a field"),
        pytest.param("colour size", KNOWN, ObjectVerdict.STRANGER, id="shares none"),
        pytest.param("status error", KNOWN, ObjectVerdict.ERROR, id="an error shares a field"),
        pytest.param("status message", KNOWN, ObjectVerdict.ERROR, id="a message shares a field"),
    ],
)
def test_an_object_is_a_row_an_error_an_envelope_or_a_stranger(
    keys: str, expected: Expected, verdict: ObjectVerdict
) -> None:
    words = " ".join(keys.split()).replace(":a ", ":a_").replace(":an ", ":an_").split()
    pairs = [(word.partition(":")[0], kind_of(word).replace("_", " ")) for word in words]
    assert judge(pairs, expected) is verdict
