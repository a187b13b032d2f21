"""Rows without a key: one is data, a whole batch is a key that is gone."""

import pyarrow as pa
import pytest
from external_data_operator.api.conditions import Reason

from sync_runner.errors import ConfigurationError
from sync_runner.records.keyless import count_keyless, describe_keyless


def batch(**columns: list[object]) -> pa.RecordBatch:
    return pa.RecordBatch.from_pydict(columns)


@pytest.mark.parametrize(
    ("records", "keys", "count"),
    [
        (batch(id=[1, 2], v=[1, 2]), ["id"], 0),
        (batch(id=[1, None, None], v=[1, 2, 3]), ["id"], 2),
        (batch(v=[1]), ["id"], 1),
        (batch(a=[1, None], b=[None, None]), ["a", "b"], 1),
        (batch(a=[None, None], b=[1, 2]), ["a", "b"], 0),
        (batch(v=[1, 2]), [], 0),
    ],
)
def test_rows_are_keyless_where_no_key_column_has_a_value(
    records: pa.RecordBatch, keys: list[str], count: int
) -> None:
    assert count_keyless(records, keys) == count


@pytest.mark.parametrize("records", [batch(ID=[1] * 12), batch(id=[None] * 12, v=[2] * 12)])
def test_a_batch_whose_rows_all_lack_the_key_is_refused(records: pa.RecordBatch) -> None:
    with pytest.raises(ConfigurationError, match="None of 12 rows") as caught:
        count_keyless(records, ["id"])
    assert caught.value.reason is Reason.PRIMARY_KEY_MISSING


def test_a_key_that_holds_lists_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="column id contains lists or objects"):
        count_keyless(batch(id=[[1, 2], [1, 3]]), ["absent", "id"])


def test_several_rows_that_become_one_are_reported() -> None:
    assert describe_keyless(0) == describe_keyless(1) == ()
    assert "20 rows" in describe_keyless(20)[0]
