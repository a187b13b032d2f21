"""Pages asked for before it is their turn, where the paginator can tell where they will be.

A guess holds as long as every page has as many rows as the one before; a page that has not throws
the guesses behind it away. The number under way grows with each page that came as guessed and falls
to none with one that did not, so that a source whose pages vary is read one by one. A guess is a
single attempt: what failed is tried again when its turn comes, and what was guessed behind the end
hurts nobody.
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
    """The pages under way, in the order of their turn."""

    def __init__(self, client: Client, paginator: Paginator, *, concurrency: int) -> None:
        """`concurrency` requests are under way at once; as many again may lie ready. There are no
        guesses where the paginator foresees nothing."""
        self._client = client
        self._foresees = paginator if isinstance(paginator, Foresees) else None
        self._concurrency = concurrency
        self._pool: ThreadPoolExecutor | None = None
        self._pages: deque[tuple[PageRequest, Future[Response]]] = deque()
        self._rows = -1
        self._depth = 0

    def take(self, request: PageRequest) -> Callable[[], Response] | None:
        """The answer to a request that was guessed; it waits for it, and raises what the attempt
        raised."""
        if self._pages and self._pages[0][0].request == request.request:
            return self._pages.popleft()[1].result
        self._discard()
        return None

    def extend(self, following: PageRequest, last: PageResponse, *, page_bytes: int) -> None:
        """Asks for `following` and for what should come behind it, after the page that came
        last."""
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
        """Forgets all guesses; those under way end with the client."""
        self._discard()
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)
