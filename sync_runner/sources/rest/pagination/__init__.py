"""How one page leads to the next: one file per style, and the mapping that says which.

A new style: its spec in the API's union, its file here, one line below.
"""

from collections.abc import Callable, Mapping
from typing import Any

from external_data_operator.api.sources.rest import Pagination

from sync_runner.sources.rest.pagination.cursor import CursorPages
from sync_runner.sources.rest.pagination.next_url import NextUrlPages
from sync_runner.sources.rest.pagination.offset import OffsetPages
from sync_runner.sources.rest.pagination.page import Paginator
from sync_runner.sources.rest.pagination.single import SinglePage

STYLES: Mapping[str, Callable[[Any], Paginator]] = {
    "none": lambda _: SinglePage(),
    "cursor": CursorPages,
    "offset": OffsetPages,
    "next_url": NextUrlPages,
}
"""The field of the API's union, and what follows it."""


def build_paginator(pagination: Pagination) -> Paginator:
    """The paginator that the spec names."""
    field = next(name for name in STYLES if getattr(pagination, name) is not None)
    return STYLES[field](getattr(pagination, field))
