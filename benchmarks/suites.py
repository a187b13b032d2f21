"""The comparisons, each with the aim that it checks.

A suite is a function from a session (servers that run, and how large to measure) to results.
`--quick` takes a hundredth of the rows and one turn: it shows that everything works, and its
figures mean nothing.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks import data
from benchmarks.api import Api, running_api
from benchmarks.harness import Suite, run_suite
from benchmarks.ours import Runner, Sync
from benchmarks.peers import Peers
from benchmarks.store import Bucket, making_bucket
from benchmarks.tables import BaseTable, find_base, run_once
from dev.localcluster.s3 import S3Access

OURS, LIMIT, DLT = "external-data-operator", "limit", "dlt tuned"


@dataclass(frozen=True)
class Session:
    """What all suites share."""

    access: S3Access
    home: Path
    quick: bool = False
    patience_s: float = 0.0

    def run(self, suite: Suite) -> dict[str, Any]:
        """Measures a suite."""
        return run_suite(replace(suite, patience_s=self.patience_s))

    def rows(self, rows: int) -> int:
        """That many, or few enough for a quick look."""
        return max(1000, rows // 100) if self.quick else rows

    def turns(self, turns: int) -> int:
        """That many, or one."""
        return 1 if self.quick else turns


@dataclass(frozen=True)
class Bench:
    """The servers of one suite, and who is to be measured there."""

    api: Api
    bucket: Bucket
    ours: Runner
    peers: Peers


@contextmanager
def serving(session: Session, name: str, sets: Mapping[str, Path]) -> Iterator[Bench]:
    """A server of these data sets and a bucket, for one suite."""
    with running_api(sets) as api, making_bucket(session.access, name) as bucket:
        home = session.home / name
        yield Bench(api, bucket, Runner(api, bucket, home), Peers(api, bucket))


def rest_1m(session: Session) -> dict[str, Any]:
    """Aims: at most 1.5 times the wall of the limit, 5.5 CPU seconds."""
    rows = session.rows(1_000_000)
    capped = {"rows": str(rows)}
    with serving(session, "rest-1m", {"orders": data.find_orders(rows)}) as bench:
        contenders = [
            bench.ours.contender(OURS, Sync(rows, params=capped)),
            bench.peers.limit(LIMIT, rows),
            bench.ours.contender(f"{OURS}, primary key", Sync(rows, params=capped, key=True)),
        ]
        title = f"{rows:,} rows, page 1,000, to Parquet on S3"
        return session.run(Suite("rest-1m", title, contenders, LIMIT, session.turns(7)))


def rest_1m_dlt(session: Session) -> dict[str, Any]:
    """Aim: at least 15 times as fast as dlt. It takes minutes, so that few turns must do."""
    rows = session.rows(1_000_000)
    with serving(session, "rest-1m-dlt", {"orders": data.find_orders(rows)}) as bench:
        as_json = f"{DLT}, nested values as JSON"
        contenders = [
            bench.peers.dlt(DLT, rows),
            bench.peers.dlt(as_json, rows, options="--nesting-0"),
            bench.ours.contender(OURS, Sync(rows, params={"rows": str(rows)})),
        ]
        title = f"{rows:,} rows, page 1,000, to Parquet on S3, beside dlt"
        turns = session.turns(2)
        return session.run(Suite("rest-1m-dlt", title, contenders, OURS, turns, 0, tries=1))


def rest_200k_page100(session: Session) -> dict[str, Any]:
    """Aim: at most 1.8 times the wall of the limit."""
    rows = session.rows(200_000)
    sync = Sync(rows, page=100, params={"rows": str(rows)})
    with serving(session, "rest-200k-page100", _orders(session)) as bench:
        contenders = [bench.ours.contender(OURS, sync), bench.peers.limit(LIMIT, rows, page=100)]
        title = f"{rows:,} rows, page 100, to Parquet on S3"
        return session.run(Suite("rest-200k-page100", title, contenders, LIMIT, session.turns(7)))


def rest_latency(session: Session) -> dict[str, Any]:
    """Aim: at most 1.5 times the wall of the limit with 8 connections."""
    rows = session.rows(100_000)
    late = {"rows": str(rows), "latency": "5"}

    def sync(concurrency: int) -> Sync:
        return Sync(rows, page=100, params=late, offset=True, concurrency=concurrency)

    eight = f"{LIMIT}, 8 connections"
    with serving(session, "rest-latency", _orders(session)) as bench:
        contenders = [
            bench.ours.contender(f"{OURS}, concurrency 8", sync(8)),
            bench.peers.limit(eight, rows, page=100, latency_ms=5, connections=8),
            bench.ours.contender(f"{OURS}, concurrency 4 (the default)", sync(4)),
            bench.ours.contender(f"{OURS}, concurrency 1", sync(1)),
        ]
        title = f"{rows:,} rows, page 100, each answer 5 ms late, offset paging"
        return session.run(Suite("rest-latency", title, contenders, eight, session.turns(7)))


def rest_memory(session: Session) -> dict[str, Any]:
    """Aim: at most 320 MiB, flat. With a primary key, so that first loads drop repeated rows."""
    sizes = [session.rows(n) for n in (1_000_000, 5_000_000, 10_000_000)]
    names = {rows: f"{OURS}, {rows / 1_000_000:g}M rows" for rows in sizes}
    with serving(session, "rest-memory", _orders(session)) as bench:
        contenders = [
            bench.ours.contender(names[rows], Sync(rows, params={"rows": str(rows)}, key=True))
            for rows in sizes
        ]
        title = "peak memory, by rows"
        suite = Suite(
            *("rest-memory", title, contenders, names[sizes[0]], session.turns(3)),
            warmups=0,
            tries=1,
        )
        return session.run(suite)


def rest_awkward(session: Session) -> dict[str, Any]:
    """Aim: awkward rows take at most 2.5 times as long as plain ones."""
    rows = session.rows(200_000)
    sets = {
        "flat": data.find_flat(rows),
        "orders": data.find_orders(rows),
        "awkward": data.find_awkward(rows),
    }
    with serving(session, "rest-awkward", sets) as bench:
        contenders = [bench.ours.contender(n, Sync(rows, params={"set": n})) for n in sets]
        contenders += [
            bench.ours.contender(f"{n}, as structs", Sync(rows, params={"set": n}, structs=True))
            for n in ("orders", "awkward")
        ]
        title = f"{rows:,} rows, page 1,000: flat rows, orders, awkward rows"
        return session.run(Suite("rest-awkward", title, contenders, "flat", session.turns(7)))


def merge_10k_1m(session: Session) -> dict[str, Any]:
    """Aim: at most 0.3 s."""
    return _merge(session, "merge-10k-1m", rows=10_000, table_rows=1_000_000, newest=100_000)


def merge_100k_1m(session: Session) -> dict[str, Any]:
    """Aims: at most 1.0 s and 400 MiB."""
    return _merge(session, "merge-100k-1m", rows=100_000, table_rows=1_000_000, newest=1_000_000)


def merge_10k_50m(session: Session) -> dict[str, Any]:
    """Aims: at most 1.0 s and 400 MiB."""
    return _merge(session, "merge-10k-50m", rows=10_000, table_rows=50_000_000, newest=100_000)


def _merge(
    session: Session, name: str, *, rows: int, table_rows: int, newest: int
) -> dict[str, Any]:
    rows, table_rows, newest = (session.rows(n) for n in (rows, table_rows, newest))
    updates = data.find_updates(rows, table_rows=table_rows, newest=newest)
    sets = _orders(session) | {"updates": updates}
    with serving(session, name, sets) as bench:
        base = _load_base(bench, table_rows)
        sync = Sync(rows, params={"set": "updates"}, key=True, incremental=True, table="base")
        after_base = "delta-rs merge"
        contenders = [
            bench.ours.contender(OURS, sync, before=base.restore),
            bench.peers.delta_merge(
                after_base, table=base.path, updates=updates, work=rows, before=base.restore
            ),
        ]
        title = f"{rows:,} of the newest {newest:,} keys merged into {table_rows:,} rows"
        return session.run(Suite(name, title, contenders, OURS, session.turns(9)))


def _load_base(bench: Bench, rows: int) -> BaseTable:
    print(f"  loading {rows:,} rows ...", flush=True)
    sync = Sync(rows, params={"rows": str(rows)}, key=True, incremental=True, table="base")
    run_once(bench.ours.launch(sync, label="base"))
    return find_base(bench.bucket, "bench/base")


def nothing_new(session: Session) -> dict[str, Any]:
    """Aims: at most 1 s in all, no new version of the table."""
    rows = session.rows(1_000_000)
    capped = {"rows": str(rows)}
    with serving(session, "nothing-new", _orders(session)) as bench:
        _load_base(bench, rows)

        def sync(since_param: str, *, found: int) -> Sync:
            return Sync(
                found,
                params=capped,
                key=True,
                incremental=True,
                table="base",
                since_param=since_param,
            )

        contenders = [
            bench.ours.contender(OURS, sync("after", found=0)),
            bench.ours.contender(f"{OURS}, the last row repeated", sync("since", found=1)),
        ]
        title = f"an incremental run that finds nothing new, table of {rows:,} rows"
        return session.run(Suite("nothing-new", title, contenders, OURS, session.turns(7)))


def startup(session: Session) -> dict[str, Any]:
    """Aim: at most 0.6 s from the start of the process to its first request."""
    with serving(session, "startup", {"orders": data.find_orders(10_000)}) as bench:
        contenders = [
            bench.ours.contender(OURS, Sync(100, page=100, params={"rows": "100"})),
            bench.peers.limit(LIMIT, 100, page=100),
        ]
        title = "one page of 100 rows: from the start of the process to its first request"
        return session.run(Suite("startup", title, contenders, LIMIT, session.turns(15), 2))


def _orders(session: Session) -> dict[str, Path]:
    """A million orders; ten thousand for a quick look."""
    return {"orders": data.find_orders(session.rows(1_000_000))}


SUITES: dict[str, Callable[[Session], dict[str, Any]]] = {
    "startup": startup,
    "nothing-new": nothing_new,
    "rest-1m": rest_1m,
    "rest-1m-dlt": rest_1m_dlt,
    "rest-200k-page100": rest_200k_page100,
    "rest-latency": rest_latency,
    "rest-memory": rest_memory,
    "rest-awkward": rest_awkward,
    "merge-10k-1m": merge_10k_1m,
    "merge-100k-1m": merge_100k_1m,
    "merge-10k-50m": merge_10k_50m,
}
