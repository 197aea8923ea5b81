"""What Prometheus reads at /metrics."""

import functools
from collections.abc import Sized

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Gauge,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)
from tornado.web import RequestHandler

from .database import Pool
from .health import Readiness
from .openapi import described
from .problems import Handler


class Metrics:
    """The measurements of one application."""

    def __init__(self, pool: Pool, requests_in_flight: Sized) -> None:
        self.registry = CollectorRegistry()
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=self.registry)
        request_seconds = Histogram(
            "http_request_duration_seconds",
            "From the first byte of a request to the end of its answer.",
            ["method", "route", "status"],
            registry=self.registry,
        )
        self._request_seconds_of = functools.cache(request_seconds.labels)
        self._database_up = Gauge("database_up", "Whether the database answers.", registry=self.registry)
        for name, help_, measure in (
            ("http_requests_in_flight", "Requests that have no whole answer yet.", lambda: len(requests_in_flight)),
            ("database_pool_size", "Connections that the pool may have.", lambda: pool.size),
            ("database_pool_in_use", "Connections that are handed out.", lambda: pool.in_use),
            ("database_pool_waiting", "Tasks that wait for a connection.", lambda: pool.waiting),
        ):
            Gauge(name, help_, registry=self.registry).set_function(measure)

    def observe(self, method: str | None, route: str, status: int, seconds: float) -> None:
        """Count a request. Methods that there aren't are one, or clients could make up any number of series."""
        known = method if method in RequestHandler.SUPPORTED_METHODS else "unknown"
        self._request_seconds_of(known, route, status).observe(seconds)

    def text(self, *, database_is_up: bool) -> bytes:
        """All of it in Prometheus' text format."""
        self._database_up.set(database_is_up)
        return generate_latest(self.registry)


class MetricsHandler(Handler):
    """Answers in Prometheus' text format, the database's sign of life included."""

    def initialize(self, metrics: Metrics, readiness: Readiness) -> None:
        self.metrics = metrics
        self.readiness = readiness

    @described(answers={200: ["text/plain"]})
    async def get(self) -> None:
        """Measurements, for Prometheus."""
        database_is_up = await self.readiness.database_answers()
        self.set_header("Content-Type", CONTENT_TYPE_LATEST)
        self.finish(self.metrics.text(database_is_up=database_is_up))
