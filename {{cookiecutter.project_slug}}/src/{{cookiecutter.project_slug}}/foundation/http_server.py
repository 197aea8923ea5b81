"""The HTTP server, and how long it waits for its clients."""

import asyncio
from typing import Any

from tornado.httpserver import HTTPServer
from tornado.httputil import HTTPConnection, HTTPMessageDelegate
from tornado.ioloop import PeriodicCallback

from .web import Application

SWEEPS = 10  # in the time of a timeout


class Server(HTTPServer):
    """Tornado's server, with one timer for all clients that wait before or in the headers of a request.

    Tornado sets a timer for each request, which takes a twentieth of the time of a short one.

    Args:
        application: handles the requests.
        idle_timeout: seconds in which a client has to begin its next request and to send its headers. It may have a
            tenth more.
        options: as Tornado's.
    """

    def initialize(self, application: Application, *, idle_timeout: float, **options: Any) -> None:  # type: ignore[override]
        super().initialize(application, **options)
        self.conn_params.header_timeout = None
        self._application = application
        self._idle_timeout = idle_timeout
        self._requests: dict[object, tuple[Any, float]] = {}  # by connection: its last one, and since when
        self._sweeping = PeriodicCallback(self._sweep, 1000 * idle_timeout / SWEEPS)
        self._sweeping.start()

    def start_request(self, server_conn: object, request_conn: HTTPConnection) -> HTTPMessageDelegate:
        """Called by Tornado when a connection is ready for a request."""
        self._leave_request(server_conn)
        self._requests[server_conn] = request_conn, asyncio.get_running_loop().time()
        return super().start_request(server_conn, request_conn)

    def on_close(self, server_conn: object) -> None:
        """Called by Tornado when a connection was closed, or became a WebSocket."""
        self._leave_request(server_conn)
        super().on_close(server_conn)

    def stop(self) -> None:
        self._sweeping.stop()
        super().stop()

    def _leave_request(self, server_conn: object) -> None:
        """Note that the connection's last request is over, if it had one."""
        if server_conn in self._requests:
            request_conn, _ = self._requests.pop(server_conn)
            self._application.in_flight.leave(request_conn)

    def _sweep(self) -> None:
        limit = asyncio.get_running_loop().time() - self._idle_timeout
        for request_conn, since in [*self._requests.values()]:
            if since < limit and request_conn not in self._application.in_flight and request_conn.stream is not None:
                request_conn.stream.close()  # None: the stream has just become a WebSocket's
