"""Counts and times of requests for a monitor, by route: no ids, no addresses, no people.

With PROMETHEUS_MULTIPROC_DIR the processes of a web server write into files of that folder, and any of them answers for
all; without it each counts for itself.
"""

import os
from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
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
    registry.register(_AsAsked(gauges))
    return generate_latest(_of_requests()) + generate_latest(registry)


class _AsAsked:
    """Figures of this moment, kept nowhere: all processes would answer the same."""

    def __init__(self, gauges: dict[tuple[str, str], dict[str, float]]):
        self.gauges = gauges

    def collect(self) -> Iterator[GaugeMetricFamily]:
        for (name, about), values in self.gauges.items():
            family = GaugeMetricFamily(name, about, labels=[] if "" in values else ["of"])
            for of, value in values.items():
                family.add_metric([of] if of else [], value)
            yield family


def _of_requests() -> CollectorRegistry:
    if not os.environ.get(FOLDER):
        return OF_THIS_PROCESS
    registry = CollectorRegistry()
    MultiProcessCollector(registry)
    return registry
