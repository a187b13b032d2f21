"""What the operator counts, for Prometheus."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

_REGISTRY = CollectorRegistry()
_LOOKS = Counter(
    "external_data_reconcile_total", "Looks at objects.", ["kind", "result"], registry=_REGISTRY
)
_SECONDS = Histogram(
    "external_data_reconcile_duration_seconds",
    "How long a look takes.",
    ["kind"],
    registry=_REGISTRY,
)
_DEPTH = Gauge("external_data_queue_depth", "Objects that wait for a worker.", registry=_REGISTRY)
_OBJECTS = Gauge("external_data_objects", "Watched objects.", ["kind"], registry=_REGISTRY)
_MISSED = Counter(
    "external_data_watch_missed_total", "Changes that only a listing found.", registry=_REGISTRY
)


_REQUESTS = Counter(
    "external_data_api_requests_total",
    "Answers of the API server; code 0 is none.",
    ["verb", "code"],
    registry=_REGISTRY,
)


def answered(verb: str, code: int) -> None:
    """The API server answered."""
    _REQUESTS.labels(verb, code).inc()


def looked(kind: str, result: str, seconds: float) -> None:
    """A look at an object came to its end."""
    _LOOKS.labels(kind, result).inc()
    _SECONDS.labels(kind).observe(seconds)


def missed(count: int) -> None:
    """A listing found changes that no watch had told of."""
    _MISSED.inc(count)


def page(depth: int, objects: dict[str, int]) -> bytes:
    """All of it as Prometheus reads it."""
    _DEPTH.set(depth)
    for kind, count in objects.items():
        _OBJECTS.labels(kind).set(count)
    return generate_latest(_REGISTRY)
