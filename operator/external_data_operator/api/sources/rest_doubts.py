"""Warnings about REST sources: fields that are valid and yet likely a mistake."""

import re
from collections.abc import Iterator

from external_data_operator.api.sources.rest import RestStream

_PAGE_NUMBER_NAMES = frozenset(
    {
        *("p", "pg", "page", "pages", "pageid", "pageidx", "pageindex", "pagen", "pageno"),
        *("pagenr", "pagenum", "pagenumber", "currentpage", "curpage", "pagecurrent"),
    }
)
"""Without case, brackets, dots, dashes and underscores."""


def is_named_like_page_number(param: str) -> bool:
    """Whether servers usually count pages by a parameter of this name."""
    return re.sub("[^a-z]", "", param.lower()) in _PAGE_NUMBER_NAMES


def find_stream_doubts(stream: RestStream) -> Iterator[tuple[tuple[str, ...], str]]:
    """Fields of a stream, each with a sentence that follows its name."""
    offset = stream.pagination.offset
    if offset is not None and is_named_like_page_number(offset.offset_param):
        yield (
            ("pagination", "offset", "offsetParam"),
            (
                "has the name of a page number, but sends the number of rows to skip; for a server "
                "that counts pages use pagination.cursor, with the path of the next page's "
                "number, or pagination.nextUrl"
            ),
        )
