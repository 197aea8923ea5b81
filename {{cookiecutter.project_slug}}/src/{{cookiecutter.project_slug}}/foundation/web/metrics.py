"""Metrics for Prometheus: `/metrics`."""

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

from ..database import Pool
from .background import BackgroundTasks
from .handler import Handler
from .openapi import operation


class Metrics:
    """The metrics of one application. `registry` takes collectors of one's own."""

    def __init__(self, pool: Pool, requests_in_flight: Sized, background: BackgroundTasks) -> None:
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
        self._database_up = Gauge("database_up", "Whether the database can serve.", registry=self.registry)
        self.registry.register(background.ended)
        for name, help_, measure in (
            ("http_requests_in_flight", "Requests that have no whole answer yet.", lambda: len(requests_in_flight)),
            ("background_tasks_running", "Spawned tasks that have not ended.", lambda: len(background)),
            ("database_pool_size", "Connections that the pool may have.", lambda: pool.size),
            ("database_pool_in_use", "Connections that are handed out.", lambda: pool.in_use),
            ("database_pool_waiting", "Tasks that wait for a connection.", lambda: pool.waiting),
        ):
            Gauge(name, help_, registry=self.registry).set_function(measure)

    def observe(self, method: str | None, route: str, status: int, seconds: float) -> None:
        """Count a request. Unknown methods share one label, or clients could create any number of series."""
        known = method if method in RequestHandler.SUPPORTED_METHODS else "unknown"
        self._request_seconds_of(known, route, status).observe(seconds)

    def text(self, *, database_is_up: bool) -> bytes:
        """Return all metrics in Prometheus' text format."""
        self._database_up.set(database_is_up)
        return generate_latest(self.registry)


class MetricsHandler(Handler):
    """Answers in Prometheus' text format."""

    @operation(responses={200: ["text/plain"]})
    async def get(self) -> None:
        """Metrics, for Prometheus."""
        database_is_up = await self.application.readiness.database_obstacle() is None
        self.set_header("Content-Type", CONTENT_TYPE_LATEST)
        self.finish(self.application.metrics.text(database_is_up=database_is_up))
