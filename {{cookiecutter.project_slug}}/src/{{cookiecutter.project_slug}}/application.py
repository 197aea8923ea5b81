"""The application: its routes, and what they are wired to."""

import re
from typing import Any

import structlog
import tornado.web
from tornado.http1connection import HTTP1Connection
from tornado.httputil import HTTPServerRequest

from . import models
from .database import Database, make_database
from .handlers import CreateHandler, RootHandler
from .health import HealthHandler, Readiness, ReadyHandler
from .in_flight import RequestsInFlight
from .metrics import Metrics, MetricsHandler
from .openapi import FOLDER, AssetHandler, DocsHandler, DocumentHandler
from .problems import Handler, NotFoundHandler, TooLargeHandler
from .settings import Settings

logger = structlog.get_logger()


class Application(tornado.web.Application):
    """Tornado's application, with the database it works on and the requests it works at."""

    def __init__(self, settings: Settings, database: Database) -> None:
        self.database = database
        self.readiness = Readiness(database)
        self.in_flight = RequestsInFlight()
        self.metrics = Metrics(database.pool_backend, self.in_flight)
        self.max_body_size = settings.max_body_size
        routes: list[tuple[Any, ...]] = [
            ("/", RootHandler),
            ("/create", CreateHandler, {"database": database}),
            ("/healthz", HealthHandler),
            ("/readyz", ReadyHandler, {"readiness": self.readiness}),
            ("/metrics", MetricsHandler, {"metrics": self.metrics, "readiness": self.readiness}),
            ("/openapi.json", DocumentHandler),
            ("/docs", DocsHandler),
            ("/docs/([\\w./-]+)", AssetHandler, {"path": FOLDER}),
        ]
        self._routes: dict[type, list[str]] = {}
        for pattern, handler, *_ in routes:
            self._routes.setdefault(handler, []).append(pattern)
        super().__init__(
            routes,
            default_handler_class=NotFoundHandler,
            readiness=self.readiness,
            cross_origin_protection=True,
            trusted_origins=settings.trusted_origins,
        )

    def find_handler(self, request: HTTPServerRequest, **kwargs: Any) -> Any:
        """As Tornado's, but a body that is too large by its own declaration gets an answer.

        Tornado would close the connection after a bare 400, without asking the application.
        """
        length = re.fullmatch("[0-9]{1,18}", request.headers.get("Content-Length", ""))
        connection = request.connection
        if length and int(length[0]) > self.max_body_size and isinstance(connection, HTTP1Connection):
            connection.set_max_body_size(int(length[0]))
            delegate = self.get_handler_delegate(request, TooLargeHandler, {"limit": self.max_body_size})
        else:
            delegate = super().find_handler(request, **kwargs)
        return self.in_flight.begin(request, delegate)

    def log_request(self, handler: tornado.web.RequestHandler) -> None:
        """Called by Tornado when the whole answer was handed to the connection."""
        request = handler.request
        self.in_flight.answered(request)
        seconds, status = request.request_time(), handler.get_status()
        route = self._route(handler)
        self.metrics.observe(request.method, route, status, seconds)
        line = {"method": request.method, "route": route, "status": status, "ms": round(1000 * seconds, 2)}
        if route != request.path:
            line["path"] = request.path
        if isinstance(handler, Handler):
            line["request_id"] = handler.request_id
            if handler.failure is not None:
                line["failure"] = handler.failure
        log = logger.info if status < 500 else logger.warning
        log("request", **line)

    def _route(self, handler: tornado.web.RequestHandler) -> str:
        """The pattern of the route that the request took."""
        patterns = self._routes.get(type(handler), ["none"])
        if len(patterns) == 1:
            return patterns[0]
        return next((pattern for pattern in patterns if re.fullmatch(pattern, handler.request.path)), "none")


def make_application(settings: Settings) -> Application:
    """An application whose database is still to be connected. Raises SettingsError.

    The models work on the database of the application that was made last: peewee binds them as a whole.
    """
    database = make_database(settings)
    database.bind(models.MODELS)
    return Application(settings, database)
