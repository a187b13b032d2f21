"""Paginators: one file for each style, and the table of them.

A new style: its spec in the API's union, its file here, one line in `PAGINATIONS`.
"""

from collections.abc import Callable, Mapping
from typing import Any

from external_data_operator.api.sources.rest import Pagination

from sync_runner.sources.rest.pagination.cursor import CursorPages
from sync_runner.sources.rest.pagination.next_url import NextUrlPages
from sync_runner.sources.rest.pagination.offset import OffsetPages
from sync_runner.sources.rest.pagination.page import Paginator
from sync_runner.sources.rest.pagination.single import SinglePage

PAGINATIONS: Mapping[str, Callable[[Any], Paginator]] = {
    "none": SinglePage,
    "cursor": CursorPages,
    "offset": OffsetPages,
    "next_url": NextUrlPages,
}
"""By the field of the API's union: what builds the paginator from the field's value."""


def build_paginator(spec: Pagination) -> Paginator:
    """The paginator that the spec names."""
    key = next(key for key in PAGINATIONS if getattr(spec, key) is not None)
    return PAGINATIONS[key](getattr(spec, key))
