"""Merges, and a table's rows as tests of columns compare them."""

from typing import Any

from external_data_operator.api.schema import SyncType

from tests.contract.lake_pod import Place
from tests.contract.lake_reading import read_duckdb
from tests.contract.lake_rows import Syncs, options


def incremental(place: Place) -> Syncs:
    """Merges by id."""
    return Syncs(place, options(SyncType.INCREMENTAL, key=["id"], cursor="seq"))


def rows(place: Place) -> list[dict[str, Any]]:
    """The table's rows, those without a value left out, by id."""
    found = read_duckdb(place.folder)
    plain = [{k: v for k, v in row.items() if v is not None} for row in found]
    return sorted(plain, key=lambda row: row["id"])
