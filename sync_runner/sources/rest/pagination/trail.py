"""Proof that a walk moves: what a walk remembers of the pages behind it, and what that says of the
next page.

Sources repeat themselves at the end (the last page names itself, one scroll token serves all
pages), and by mistake (a parameter that the server ignores, an offset behind the end that is
answered with the last page). The first is an end, the second LoopDetected; rows are compared by the
digest of their text.
"""

from typing import NamedTuple

from external_data_operator.api.conditions import Reason

from sync_runner.errors import ConfigurationError
from sync_runner.records.decode import Envelope
from sync_runner.sources.rest.pagination.loop_guard import LoopGuard
from sync_runner.sources.rest.pagination.page import PageRequest

IDLE_PAGES_MAX = 10
"""Pages in a row that bring no new rows and still lead on."""


class Behind(NamedTuple):
    """The pages behind a place, as a bookmark keeps them."""

    url: str = ""
    """The address of the last page."""
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

    def __init__(self, behind: Behind | None = None, *, counts_rows: bool) -> None:
        """`counts_rows`: the style asks for pages by number of rows."""
        self.behind = behind or Behind()
        self._counts_rows = counts_rows
        self._guard = LoopGuard()

    def enter(self, request: PageRequest) -> int | None:
        """Before a request is sent: the digest of rows that would be a repetition.

        ConfigurationError(LoopDetected) where the request was sent before, unless it was the last
        one, which is asked once more.
        """
        is_same = request.url == self.behind.url
        if not is_same:
            self._guard.admit(request.url)
        return self.behind.digest if is_same or self._counts_rows else None

    def follow(
        self, sent: PageRequest, page: Envelope, following: PageRequest | None
    ) -> PageRequest | None:
        """Where the walk goes on after a page; None at its end. Raises LoopDetected."""
        before = self.behind
        repeats = page.digest != 0 and page.digest == before.digest
        is_same = sent.url == before.url
        names_itself = following is not None and following.url == sent.url
        self.behind = _add(before, sent, page, repeats=repeats)
        # The page was asked for once more, and there is nothing new: the walk is over.
        if is_same and (repeats or not page.rows):
            return None
        # Nothing came, and the token stays where it is: the end of a scroll.
        if names_itself and not page.rows:
            return None
        # An offset beyond the last row that is answered with the last page: the end, where the
        # declared total says so too. Else nothing tells what is missing.
        if self._counts_rows and repeats:
            if before.pages > 1 and sent.received == sent.total:
                return None
            raise _loop("the next offset was answered with the rows of the page before")
        # Another address, the same rows, the same next one: the source ignores the parameter.
        if repeats and names_itself:
            raise _loop("the next page was answered with the rows of the page before")
        # One token for all pages, whose rows differ: they must not come round again.
        if is_same:
            self._guard.admit(f"{sent.url} {page.digest}")
        if following is not None and self.behind.idle >= IDLE_PAGES_MAX:
            raise _loop(f"{IDLE_PAGES_MAX} pages in a row brought no new rows and led on")
        return following

    def check_overlap(self, sent: PageRequest, page: Envelope, before: Behind) -> None:
        """A page that begins with rows which the page before ended with, after a short page: the
        server's offsets count rows that it does not send. ConfigurationError(LoopDetected)."""
        if page.overlap and before.rows < sent.limit:
            message = (
                f"the page at offset {sent.skip} begins with {page.overlap} rows that the page "
                "before ended with: the source counts rows that it does not send. Declare a "
                "primaryKey; if the source has equal rows, set limit to the size of its pages"
            )
            raise ConfigurationError(Reason.LOOP_DETECTED, message)


def _add(before: Behind, sent: PageRequest, page: Envelope, *, repeats: bool) -> Behind:
    if not page.rows or repeats:
        return before._replace(url=sent.url, idle=before.idle + 1)
    return Behind(sent.url, page.digest, page.rows, before.pages + 1)


def _loop(what: str) -> ConfigurationError:
    return ConfigurationError(Reason.LOOP_DETECTED, what)
