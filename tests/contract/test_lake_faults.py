"""A store that fails, breaks off, is slow, lags behind or lies: the table is whole, or the run
says why it is not.
"""

import itertools
import random
import secrets
from collections.abc import Iterator

import pytest
from external_data_operator.api.conditions import Reason
from external_data_operator.api.schema import SyncType

from sync_runner.errors import ConfigurationError, RetryableError
from sync_runner.lake import check_destination
from tests.contract.lake_pod import Keys, Place, bucket_place
from tests.contract.lake_reading import read_polars
from tests.contract.lake_rows import Row, syncs
from tests.servers.s3 import running_s3
from tests.servers.s3_faults import Fault, FaultyS3, Harm, running_faults

LOG, JOURNAL, DATA = r"/_delta_log/\d+\.json", r"/_staging/journal\.json", r"/data/"
KEYS = Keys("any", "any")


@pytest.fixture(scope="module")
def backend(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Endpoint of a server that does not check signatures."""
    with running_s3(tmp_path_factory.mktemp("s3"), checks_keys=False) as access:
        yield access.endpoint


@pytest.fixture
def proxy(backend: str) -> Iterator[FaultyS3]:
    """A proxy before it."""
    with running_faults(backend) as proxy:
        yield proxy


@pytest.fixture
def place(proxy: FaultyS3) -> Place:
    """A new table behind the proxy."""
    return bucket_place(proxy.endpoint, KEYS, prefix=f"t{secrets.token_hex(6)}")


def pages(first: int, last: int) -> list[list[Row]]:
    """Rows in pages of ten."""
    return [
        [{"id": n, "seq": n, "v": f"v{n}"} for n in range(i, min(i + 10, last))]
        for i in range(first, last, 10)
    ]


def ids(proxy: FaultyS3, place: Place) -> list[int]:
    """Keys in the table, read without a fault."""
    proxy.faults.clear()
    store = place.open()
    return sorted(row["id"] for row in read_polars(store.uri, store.options))


PASSING = [
    (Harm.UNAVAILABLE, "PUT", DATA),
    (Harm.UNAVAILABLE, "PUT", JOURNAL),
    (Harm.UNAVAILABLE, "PUT", LOG),
    (Harm.UNAVAILABLE, "GET", ".*"),
    (Harm.RESET, "PUT", DATA),
    (Harm.RESET, "PUT", JOURNAL),
    (Harm.RESET, "PUT", LOG),
    (Harm.RESET, "GET", ".*"),
    (Harm.LOST_ANSWER, "PUT", DATA),
    (Harm.LOST_ANSWER, "PUT", JOURNAL),
    (Harm.LOST_ANSWER, "PUT", LOG),
    (Harm.TORN, "PUT", DATA),
    (Harm.TORN, "PUT", JOURNAL),
    (Harm.TORN, "PUT", LOG),
    (Harm.SLOW, "PUT", ".*"),
    (Harm.STALE, "GET", JOURNAL),
    (Harm.STALE, "GET", "list-type"),
]


CASES = [
    (*case, sync_type) for case, sync_type in zip(PASSING, itertools.cycle(SyncType), strict=False)
]


@pytest.mark.parametrize(("harm", "method", "path", "sync_type"), CASES, ids=str)
def test_a_fault_that_passes_is_not_seen_in_the_table(
    proxy: FaultyS3, place: Place, harm: Harm, method: str, path: str, sync_type: SyncType
) -> None:
    sync = syncs(place, sync_type)
    sync(*pages(0, 60))
    first = 0 if sync_type is SyncType.FULL_REFRESH else 40
    for attempt in range(4):
        proxy.faults[:] = [Fault(harm, method, path, times=1, skip=attempt)] if attempt < 3 else []
        try:
            sync(*pages(first, 100), run="one")
        except RetryableError:
            continue
        break
    assert ids(proxy, place) == list(range(100))
    assert proxy.done


def test_a_publication_whose_answer_was_lost_is_recognised(proxy: FaultyS3, place: Place) -> None:
    sync = syncs(place, SyncType.APPEND)
    sync(*pages(0, 20))
    proxy.faults[:] = [Fault(Harm.LOST_ANSWER, "PUT", LOG)]
    outcome = sync(*pages(20, 40))
    assert proxy.done == [(Harm.LOST_ANSWER, "PUT", proxy.done[0][2])]
    assert outcome.table is not None
    assert outcome.table.version == 1
    assert ids(proxy, place) == list(range(40))


def test_the_creation_of_a_table_whose_answer_was_lost_is_recognised(
    proxy: FaultyS3, place: Place
) -> None:
    proxy.faults[:] = [Fault(Harm.LOST_ANSWER, "PUT", LOG)]
    outcome = syncs(place, SyncType.FULL_REFRESH)(*pages(0, 40))
    assert outcome.table is not None
    assert proxy.done
    assert ids(proxy, place) == list(range(40))


@pytest.mark.parametrize("harm", [Harm.REFUSED, Harm.CONFLICT])
@pytest.mark.parametrize("path", [LOG, JOURNAL], ids=["log", "journal"])
def test_a_refused_conditional_put_ends_the_run_and_the_next_one_does_it(
    proxy: FaultyS3, place: Place, harm: Harm, path: str
) -> None:
    sync = syncs(place, SyncType.INCREMENTAL)
    sync(*pages(0, 30))
    proxy.faults[:] = [Fault(harm, "PUT", path, times=100)]
    with pytest.raises(RetryableError):
        sync(*pages(30, 200), run="one")
    assert ids(proxy, place) == list(range(30))
    sync(*pages(30, 200), run="one")
    assert ids(proxy, place) == list(range(200))


@pytest.mark.parametrize("harm", [Harm.UNAVAILABLE, Harm.RESET])
def test_a_store_that_stays_away_is_said_and_changes_nothing(
    proxy: FaultyS3, place: Place, harm: Harm
) -> None:
    sync = syncs(place, SyncType.APPEND)
    sync(*pages(0, 30))
    for path in (DATA, LOG, ".*"):
        proxy.faults[:] = [Fault(harm, "PUT", path, times=1000)]
        with pytest.raises(RetryableError) as caught:
            sync(*pages(30, 60), run="one")
        assert caught.value.reason is Reason.STORAGE_UNAVAILABLE
        assert "lake" in str(caught.value)
        assert ids(proxy, place) == list(range(30))
    sync(*pages(30, 60), run="one")
    assert ids(proxy, place) == list(range(60))


def test_a_stale_read_of_the_log_is_found_out_at_the_commit(proxy: FaultyS3, place: Place) -> None:
    sync = syncs(place, SyncType.APPEND)
    sync(*pages(0, 20))
    store = place.open()
    read_polars(store.uri, store.options)
    sync(*pages(20, 40))
    proxy.faults[:] = [Fault(Harm.STALE, "GET", "list-type.*_delta_log", times=1)]
    for attempt in range(3):
        try:
            sync(*pages(20 if attempt == 0 else 40, 60), run="late")
        except RetryableError:
            continue
        break
    assert ids(proxy, place) == list(range(60))


def test_chance_faults_on_every_request_leave_every_row_once(proxy: FaultyS3, place: Place) -> None:
    dice = random.Random(4)
    sync = syncs(place, SyncType.APPEND)
    harms = [Harm.UNAVAILABLE, Harm.RESET, Harm.LOST_ANSWER, Harm.TORN, Harm.STALE, Harm.REFUSED]
    said: list[str] = []
    for run in range(12):
        proxy.faults[:] = [
            Fault(harm, "PUT" if harm is Harm.REFUSED else ".*", skip=dice.randrange(40))
            for harm in dice.choices(harms, k=8)
        ]
        for _ in range(6):
            try:
                sync(*pages(max(0, run * 20 - 10), run * 20 + 20), run=f"run-{run}")
            except RetryableError as error:
                said.append(str(error))
                continue
            break
        else:
            pytest.fail(f"run {run} never came through: {said[-6:]}")
    assert ids(proxy, place) == list(range(240))


@pytest.mark.parametrize("headers", ["create", "replace"])
def test_a_store_that_ignores_conditions_is_found_out_at_the_check(
    proxy: FaultyS3, place: Place, headers: str
) -> None:
    check_destination(place.open())
    skip = 0 if headers == "create" else 3
    proxy.faults[:] = [Fault(Harm.UNCONDITIONAL, "PUT", ".*", times=99, skip=skip)]
    with pytest.raises(ConfigurationError) as caught:
        check_destination(place.open())
    assert caught.value.reason is Reason.CONDITIONAL_PUT_UNSUPPORTED
    assert ("If-None-Match" if headers == "create" else "If-Match") in str(caught.value)
    proxy.faults.clear()
    assert place.open().list("_staging") == []
