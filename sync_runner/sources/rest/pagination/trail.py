"""Checks that a walk advances, by comparing each page with the pages before it.

Sources repeat pages at their end (the last page names itself, one scroll token serves all pages),
and by mistake (the server ignores a parameter, or answers an offset after the end with the last
page). The first is the end of the walk, the second LoopDetected. Rows are compared by the digest of
their text.
"""

from typing import NamedTuple

from external_data_operator.api.conditions import Reason

from sync_runner.errors import ConfigurationError
from sync_runner.sources.rest.pagination.loop_guard import LoopGuard
from sync_runner.sources.rest.pagination.page import (
    Counted,
    PageRequest,
    PageResponse,
    Paginator,
)
from sync_runner.transport.messages import Request


class Behind(NamedTuple):
    """The pages behind a place, as a bookmark keeps them."""

    request: Request | None = None
    """That of the last page."""
    digest: int = 0
    """Of the last page that had rows."""
    rows: int = 0
    """Of the same page."""
    pages: int = 0
    """Pages whose rows differed from those of the page before."""
    idle: int = 0
    """Pages in a row, up to the last one, without new rows."""


class Trail:
    """One walk's. What is behind is carried over to another pod; the guard's memory is not."""

    def __init__(self, paginator: Paginator, behind: Behind | None = None) -> None:
        self.behind = behind or Behind()
        self._paginator = paginator
        self._guard = LoopGuard(paginator.what)

    def enter(self, sent: PageRequest) -> int | None:
        """Before a request is sent: the digest of rows that would be a repetition.

        ConfigurationError(LoopDetected) where the request was sent before, unless it was the last
        one, which is asked once more.
        """
        is_same = sent.request == self.behind.request
        if not is_same:
            self._guard.admit(sent.request)
        counted = sent.counted
        is_repetition = counted is not None and not self._may_be_equal(counted, self.behind.idle)
        return self.behind.digest if is_same or is_repetition else None

    def follow(
        self, sent: PageRequest, page: PageResponse, following: PageRequest | None
    ) -> PageRequest | None:
        """Where the walk goes on after a page; None at its end. Raises LoopDetected."""
        before, counted = self.behind, sent.counted
        repeats = page.digest != 0 and page.digest == before.digest
        is_same = sent.request == before.request
        names_itself = following is not None and following.request == sent.request
        self.behind = _add(before, sent, page, repeats=repeats)
        # The page was asked for once more, and there is nothing new: the walk is over.
        if is_same and (repeats or not page.rows):
            return None
        # Nothing came, and the token stays where it is: the end of a scroll.
        if names_itself and not page.rows:
            return None
        # An offset beyond the last row that is answered with the last page: the end, where the
        # declared total says so too. Else nothing tells what is missing.
        if counted is not None and repeats and not self._may_be_equal(counted, before.idle):
            if counted.received == counted.total and (before.pages > 1 or before.idle):
                return None
            raise _loop(
                f"The response for offset {counted.at} repeats the rows of the page before: the "
                f"source ignores {self._paginator.what}, or has equal rows. If it has, set "
                "pagination.offset.idlePagesMax."
            )
        # Another request, the same rows, the same next one: the source ignores the parameter.
        if repeats and names_itself:
            raise _loop(
                f"The response repeats the rows of the page before: the source ignores "
                f"{self._paginator.what.removesuffix(',')}."
            )
        # One token for all pages, whose rows differ: they must not come round again.
        if is_same:
            self._guard.admit((sent.request, page.digest))
        # Rows that never change behind requests that always do would be read until the run's
        # deadline.
        idle = self.behind.idle
        if following is not None and counted is None and idle >= self._paginator.idle_pages_max:
            raise _loop(
                f"{idle} pages in a row had no new rows and a next page by "
                f"{self._paginator.what.removesuffix(',')}. If the source filters its pages, "
                f"raise pagination.{self._paginator.key}.idlePagesMax."
            )
        return following

    def _may_be_equal(self, counted: Counted, idle: int) -> bool:
        """Whether rows that are those of the page before are kept: the spec allows so many pages
        of them, and the declared total, if there is one, is not reached."""
        is_before_end = counted.total is None or counted.received < counted.total
        return idle < self._paginator.idle_pages_max and is_before_end

    def check_overlap(self, sent: PageRequest, page: PageResponse, before: Behind) -> None:
        """A page that begins with rows which the page before ended with, after a short page: the
        server's offsets count rows that it does not send. ConfigurationError(LoopDetected)."""
        counted = sent.counted
        is_declared = self._paginator.idle_pages_max > 0
        if page.overlap and counted and before.rows < counted.limit and not is_declared:
            message = (
                f"The page at offset {counted.at} begins with {page.overlap} rows that the page "
                "before ended with: the source counts rows that it does not send. Declare a "
                "primaryKey; if the source has equal rows, set pagination.offset.idlePagesMax."
            )
            raise ConfigurationError(Reason.LOOP_DETECTED, message)


def _add(before: Behind, sent: PageRequest, page: PageResponse, *, repeats: bool) -> Behind:
    if not page.rows or repeats:
        return before._replace(request=sent.request, idle=before.idle + 1)
    return Behind(sent.request, page.digest, page.rows, before.pages + 1)


def _loop(what: str) -> ConfigurationError:
    return ConfigurationError(Reason.LOOP_DETECTED, what)
