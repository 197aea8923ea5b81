"""The application: its routes, and what they are wired to."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from typing import Any

import tornado.web
from tornado.http1connection import HTTP1Connection
from tornado.httputil import HTTPHeaders, HTTPMessageDelegate, HTTPServerRequest, RequestStartLine, ResponseStartLine

from . import models
from .database import Database, make_database
from .handlers import CreateHandler, RootHandler
from .health import HealthHandler, Readiness, ReadyHandler
from .problems import NotFoundHandler, TooLargeHandler
from .settings import Settings


class Application(tornado.web.Application):
    """Tornado's application, with the database it works on and the requests it works at."""

    def __init__(self, routes: list[Any], database: Database, readiness: Readiness, max_body_size: int) -> None:
        super().__init__(routes, default_handler_class=NotFoundHandler)
        self.database = database
        self.readiness = readiness
        self.max_body_size = max_body_size
        self._in_flight: set[HTTPServerRequest] = set()
        self._nothing_in_flight = asyncio.Event()

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
        self._in_flight.add(request)
        return RequestInFlight(delegate, ended=lambda: self._end(request))

    def log_request(self, handler: tornado.web.RequestHandler) -> None:
        """Called by Tornado when the whole answer was handed to the connection."""
        self._end(handler.request)
        super().log_request(handler)

    async def wait_for_requests(self) -> None:
        """Wait until no request is in flight, those included of which a part is still to come."""
        if self._in_flight:
            self._nothing_in_flight.clear()
            await self._nothing_in_flight.wait()

    def _end(self, request: HTTPServerRequest) -> None:
        self._in_flight.discard(request)
        if not self._in_flight:
            self._nothing_in_flight.set()


class RequestInFlight(HTTPMessageDelegate):
    """A delegate that also tells when the client went away before its request was whole: no handler sees that."""

    def __init__(self, delegate: HTTPMessageDelegate, ended: Callable[[], None]) -> None:
        self._delegate = delegate
        self._ended = ended

    def headers_received(
        self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders
    ) -> Awaitable[None] | None:
        return self._delegate.headers_received(start_line, headers)

    def data_received(self, chunk: bytes) -> Awaitable[None] | None:
        return self._delegate.data_received(chunk)

    def finish(self) -> None:
        self._delegate.finish()

    def on_connection_close(self) -> None:
        self._ended()
        self._delegate.on_connection_close()


def make_application(settings: Settings) -> Application:
    """An application whose database is still to be connected.

    The models work on the database of the application that was made last: peewee binds them as a whole.
    """
    database = make_database(settings)
    database.bind(models.MODELS)
    readiness = Readiness(database)
    routes = [
        ("/", RootHandler),
        ("/create", CreateHandler, {"database": database}),
        ("/healthz", HealthHandler),
        ("/readyz", ReadyHandler, {"readiness": readiness}),
    ]
    return Application(routes, database, readiness, settings.max_body_size)
