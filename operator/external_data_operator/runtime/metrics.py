"""Metrics of the operator, for Prometheus."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

_REGISTRY = CollectorRegistry()
_LOOKS = Counter(
    "external_data_reconcile_total",
    "Reconciles of objects.",
    ["kind", "result"],
    registry=_REGISTRY,
)
_SECONDS = Histogram(
    "external_data_reconcile_duration_seconds",
    "Duration of a reconcile.",
    ["kind"],
    registry=_REGISTRY,
)
_DEPTH = Gauge("external_data_queue_depth", "Objects that wait for a worker.", registry=_REGISTRY)
_OBJECTS = Gauge("external_data_objects", "Watched objects.", ["kind"], registry=_REGISTRY)
_MISSED = Counter(
    "external_data_watch_missed_total",
    "Changes that a listing found and a watch missed.",
    registry=_REGISTRY,
)


_REQUESTS = Counter(
    "external_data_api_requests_total",
    "Responses of the API server; code 0 means no response.",
    ["verb", "code"],
    registry=_REGISTRY,
)


def answered(verb: str, code: int) -> None:
    """The API server responded, or did not (code 0)."""
    _REQUESTS.labels(verb, code).inc()


def looked(kind: str, result: str, seconds: float) -> None:
    """A reconcile of an object ended."""
    _LOOKS.labels(kind, result).inc()
    _SECONDS.labels(kind).observe(seconds)


def missed(count: int) -> None:
    """A listing found changes that the watches missed."""
    _MISSED.inc(count)


def page(depth: int, objects: dict[str, int]) -> bytes:
    """All metrics in the text format of Prometheus."""
    _DEPTH.set(depth)
    for kind, count in objects.items():
        _OBJECTS.labels(kind).set(count)
    return generate_latest(_REGISTRY)
