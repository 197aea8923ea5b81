"""The application: its routes, and what they work with."""

import contextlib
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import peewee
import structlog
import tornado.web
from tornado.http1connection import HTTP1Connection
from tornado.httputil import HTTPConnection, HTTPMessageDelegate
from tornado.routing import PathMatches
from tornado.websocket import WebSocketHandler

from ..database import Database
from ..settings import ServiceSettings
from .background import BackgroundTasks
from .handler import Handler
from .health import HealthHandler, Readiness, ReadyHandler
from .incoming import IncomingRequest
from .metrics import Metrics, MetricsHandler
from .openapi import AssetHandler, DocsHandler, DocumentHandler
from .refusals import NotFoundHandler
from .requests_in_flight import RequestsInFlight
from .websockets import WebSockets

logger = structlog.get_logger()

PROBES = (HealthHandler, ReadyHandler, MetricsHandler)

Lifespan: TypeAlias = Callable[["Application"], contextlib.AbstractAsyncContextManager[None]]


class Application(tornado.web.Application):
    """Tornado's application, with the database and everything else that the service consists of.

    Args:
        settings: the service's settings.
        database: binds the models, for the whole process: peewee's models have one database at a time.
        distribution: name of the distribution in `pyproject.toml`; its metadata heads `/openapi.json`.
        routes: as Tornado takes them. They come before the foundation's own, and so can replace one.
        models: the models that `migrate --new` compares with the migrations.
        migrations: folder of the migrations.
        seed: creates the first rows. It runs in a thread, may run twice, and may run in several replicas at once.
        lifespan: async context manager around the time in which the service takes requests. It is entered with the
            database connected, before the first request, and left after the last request and spawned task.
        tornado_settings: Tornado's own, such as `cookie_secret`, and what handlers look up in `self.settings`.
            `trusted_origins` is always that of `settings`.
    """

    def __init__(
        self,
        settings: ServiceSettings,
        database: Database,
        *,
        distribution: str,
        routes: Sequence[Any],
        models: Sequence[type[peewee.Model]],
        migrations: Path,
        seed: Callable[[Database], None] | None = None,
        lifespan: Lifespan | None = None,
        **tornado_settings: Any,
    ) -> None:
        self.database = database
        self.distribution = distribution
        self.models = models
        self.migrations = migrations
        self.seed = seed
        self.lifespan: Lifespan = lifespan or (lambda application: contextlib.nullcontext())
        self.readiness = Readiness(database)
        self.in_flight = RequestsInFlight()
        self.websockets = WebSockets()
        self.background = BackgroundTasks()
        self.metrics = Metrics(database.pool_backend, self.in_flight, self.background)
        self.max_body_size = settings.max_body_size
        self.trusted_origins = settings.trusted_origins
        self.trusted_proxies = settings.trusted_proxies
        database.bind(models)
        all_routes = [
            *routes,
            ("/healthz", HealthHandler),
            ("/readyz", ReadyHandler),
            ("/metrics", MetricsHandler),
            ("/openapi.json", DocumentHandler),
            ("/docs", DocsHandler),
            ("/docs/([\\w./-]+)", AssetHandler),
        ]
        super().__init__(
            all_routes,
            **{
                "default_handler_class": NotFoundHandler,
                "cross_origin_protection": True,
                **tornado_settings,
                "trusted_origins": self.trusted_origins,
            },
        )
        self._patterns: dict[Any, list[str]] = {}  # by handler
        for rule in self.wildcard_router.rules:
            if isinstance(rule.matcher, PathMatches):
                self._patterns.setdefault(rule.target, []).append(rule.matcher.regex.pattern.removesuffix("$"))

    def start_request(self, server_conn: object, request_conn: HTTPConnection) -> HTTPMessageDelegate:
        """Called by Tornado for each request of a connection."""
        assert isinstance(request_conn, HTTP1Connection)
        return IncomingRequest(self, server_conn, request_conn)

    def log_request(self, handler: tornado.web.RequestHandler) -> None:
        """Called by Tornado once the whole answer is with the connection.

        Takes the request out of those in flight, measures and logs it, and registers a WebSocket that was opened.
        """
        request = handler.request
        self.in_flight.answered(request.connection)
        seconds, status = request.request_time(), handler.get_status()
        route = self._route(handler)
        self.metrics.observe(request.method, route, status, seconds)
        line = {
            "method": request.method,
            "route": route,
            "status": status,
            "ms": round(1000 * seconds, 2),
            "client": request.remote_ip,
        }
        if route != request.path:
            line["path"] = request.path
        if isinstance(handler, Handler):
            line["request_id"] = handler.request_id
            if handler.failure is not None:
                line["failure"] = handler.failure
        if isinstance(handler, PROBES):
            logger.debug("request", **line)
        elif status >= 500:
            logger.warning("request", **line)
        else:
            logger.info("request", **line)
        if status == 101 and isinstance(handler, WebSocketHandler):
            self.websockets.opened(handler)

    def _route(self, handler: tornado.web.RequestHandler) -> str:
        """Return the pattern of the route that the request took."""
        patterns = self._patterns.get(type(handler), ["none"])
        if len(patterns) == 1:
            return patterns[0]
        return next((pattern for pattern in patterns if re.fullmatch(pattern, handler.request.path)), "none")
