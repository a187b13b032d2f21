"""Requests pages ahead of their turn, if the paginator can predict them.

A guess is right as long as every page has as many rows as the one before; a page of another size
discards the guesses after it. The number of guesses grows with each page that was predicted and
falls to zero with one that was not, so that a source with varying pages is read page by page. A
guess is a single attempt: a failed one is repeated at its turn, and one after the end is discarded.
"""

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from sync_runner.sources.rest.pagination.page import (
    Foresees,
    PageRequest,
    PageResponse,
    Paginator,
)
from sync_runner.transport.client import Client
from sync_runner.transport.messages import Response

GUESSED_BYTES_MAX = 32 << 20


class Guesses:
    """The pages that were requested ahead, in order."""

    def __init__(self, client: Client, paginator: Paginator, *, concurrency: int) -> None:
        """`concurrency`: concurrent requests; the same number of responses may be waiting. Nothing
        is requested ahead if the paginator cannot predict pages."""
        self._client = client
        self._foresees = paginator if isinstance(paginator, Foresees) else None
        self._concurrency = concurrency
        self._pool: ThreadPoolExecutor | None = None
        self._pages: deque[tuple[PageRequest, Future[Response]]] = deque()
        self._rows = -1
        self._depth = 0

    def take(self, request: PageRequest) -> Callable[[], Response] | None:
        """A function that waits for the response to a guessed request and returns it or raises the
        error of the attempt; None if the request was not guessed."""
        if self._pages and self._pages[0][0].request == request.request:
            return self._pages.popleft()[1].result
        self._discard()
        return None

    def extend(self, following: PageRequest, last: PageResponse, *, page_bytes: int) -> None:
        """Requests `following` and the pages predicted after it; `last` is the newest page."""
        foresees = self._foresees
        if foresees is None or self._concurrency < 2 or not foresees.guess_next(following, last):
            return
        self._depth = max(2, 2 * self._depth) if last.rows == self._rows else 0
        self._rows = last.rows
        fit = GUESSED_BYTES_MAX // max(1, page_bytes)
        self._depth = min(self._depth, 2 * self._concurrency, fit)
        if self._pages and self._pages[0][0].request != following.request:
            self._discard()
        self._fill(foresees, following, last)

    def _fill(self, foresees: Foresees, following: PageRequest, last: PageResponse) -> None:
        before = self._pages[-1][0] if self._pages else None
        while len(self._pages) < self._depth:
            guess = following if before is None else foresees.guess_next(before, last)
            if guess is None:
                return
            self._pages.append((guess, self._submit(guess)))
            before = guess

    def _submit(self, request: PageRequest) -> Future[Response]:
        if self._pool is None:
            self._pool = ThreadPoolExecutor(self._concurrency, thread_name_prefix="page")
        return self._pool.submit(self._client.attempt, request.request)

    def _discard(self) -> None:
        while self._pages:
            self._pages.popleft()[1].cancel()

    def close(self) -> None:
        """Discards all guesses; running requests end with the client."""
        self._discard()
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)
