"""What of a schema's spec a stream cannot do."""

from dataclasses import replace

import pytest
from external_data_operator.api.cursors import CursorType, IncrementalField
from external_data_operator.api.schema import SchemaSpec, SyncType
from external_data_operator.errors import SpecError
from external_data_operator.reconcile.plans.streams import Stream, pick_options

STREAM = Stream(name="parcels", primary_key=("no",))


@pytest.mark.parametrize("kind", list(CursorType))
def test_only_a_cursor_that_counts_time_can_be_looked_back_from(kind: CursorType) -> None:
    stream = replace(STREAM, cursor=IncrementalField(name="seq", type=kind))
    raw = {"sourceRef": {"name": "depot"}, "stream": "parcels", "lookbackSeconds": 90}
    spec = SchemaSpec.model_validate(raw)
    if kind in (CursorType.INTEGER, CursorType.NUMERIC):
        with pytest.raises(SpecError, match=r"^lookbackSeconds: .* Timestamp .* cursor seq has"):
            pick_options(spec, stream)
        full = spec.model_copy(update={"sync_type": SyncType.FULL_REFRESH})
        assert pick_options(full, stream).lookback_seconds == 0
    else:
        assert pick_options(spec, stream).lookback_seconds == 90
