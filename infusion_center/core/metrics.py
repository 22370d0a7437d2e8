"""Counts and times of requests for a monitor, by route: no ids, no addresses, no people.

With PROMETHEUS_MULTIPROC_DIR the processes of a web server write into files of that folder, and any of them answers for
all; without it each counts for itself.
"""

import os

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

FOLDER = "PROMETHEUS_MULTIPROC_DIR"
SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
OF_THIS_PROCESS = CollectorRegistry()
REQUESTS = Counter("http_requests", "Requests answered", ["method", "route", "status"], registry=OF_THIS_PROCESS)
TIMES = Histogram("http_request_seconds", "How long answers took", ["route"], buckets=SECONDS, registry=OF_THIS_PROCESS)


def note_request(method: str, route: str, status: int, seconds: float) -> None:
    REQUESTS.labels(method, route, str(status)).inc()
    TIMES.labels(route).observe(seconds)


def page(gauges: dict[tuple[str, str], dict[str, float]]) -> bytes:
    """All figures as text. `gauges`: (name, what it is) -> value by what it is of; "" where it is of everything."""
    registry = CollectorRegistry()
    for (name, about), values in gauges.items():
        gauge = Gauge(name, about, [] if "" in values else ["of"], registry=registry)
        for of, value in values.items():
            (gauge.labels(of) if of else gauge).set(value)
    return generate_latest(_of_requests()) + generate_latest(registry)


def _of_requests() -> CollectorRegistry:
    if not os.environ.get(FOLDER):
        return OF_THIS_PROCESS
    registry = CollectorRegistry()
    MultiProcessCollector(registry)
    return registry
