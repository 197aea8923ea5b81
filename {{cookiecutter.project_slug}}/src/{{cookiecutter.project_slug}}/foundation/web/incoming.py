"""Requests on their way to a handler: what Tornado can't read is put right, what is too large is refused."""

import asyncio
import re
import sys
from collections.abc import Awaitable
from typing import TYPE_CHECKING

from tornado.http1connection import HTTP1Connection
from tornado.httputil import (
    HTTPHeaders,
    HTTPMessageDelegate,
    HTTPServerRequest,
    RequestStartLine,
    ResponseStartLine,
)
from tornado.web import HTTPError, RequestHandler

from .headers import SPECIAL, in_origin_form, normalize, size_of
from .proxies import believe_proxies
from .refusals import PreflightHandler, RefusingHandler, TooLargeHandler

if TYPE_CHECKING:
    from .application import Application

MAX_TARGET_SIZE = 16 * 1024  # bytes
MAX_HEADERS_SIZE = 64 * 1024  # bytes
READ_HEADERS_SIZE = 4 * MAX_HEADERS_SIZE  # past it, Tornado closes the connection without an answer
DISCARD_TIMEOUT = 5  # seconds for which a body over the limit is read before the connection is closed


class IncomingRequest(HTTPMessageDelegate):
    """Finds the handler of a request, and passes the request on. It is in flight once its headers are in."""

    def __init__(self, application: "Application", server_connection: object, connection: HTTP1Connection) -> None:
        self._application = application
        self._server_connection = server_connection
        self._connection = connection
        self._request: HTTPServerRequest
        self._delegate: HTTPMessageDelegate | None = None
        self._size: int | None = None  # of a chunked body so far
        self._timer: asyncio.TimerHandle | None = None

    def headers_received(
        self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders
    ) -> Awaitable[None] | None:
        assert isinstance(start_line, RequestStartLine)
        self._application.in_flight.begin(self._connection, self._handler)
        refusal = None
        if len(start_line.path) > MAX_TARGET_SIZE:
            refusal = HTTPError(414, f"The target may have {MAX_TARGET_SIZE} bytes at most")
            start_line = start_line._replace(path=start_line.path[:100])
        elif not start_line.path.startswith("/"):
            start_line = in_origin_form(start_line, headers)
        if size_of(headers) > MAX_HEADERS_SIZE:
            refusal = HTTPError(431, f"The headers may have {MAX_HEADERS_SIZE} bytes at most")
        special = SPECIAL.intersection(headers)
        if special:
            normalize(headers, special, start_line.version)
        self._request = HTTPServerRequest(
            start_line=start_line,
            headers=headers,
            connection=self._connection,
            server_connection=self._server_connection,
        )
        if self._application.trusted_proxies:
            believe_proxies(self._request, self._application.trusted_proxies)
        self._delegate = self._find_delegate(refusal)
        if special and self._is_too_large(headers):
            return self._refuse_body()
        return self._delegate.headers_received(start_line, headers)

    def data_received(self, chunk: bytes) -> Awaitable[None] | None:
        assert self._delegate is not None
        if self._size is not None:
            self._size += len(chunk)
            if self._size > self._application.max_body_size:
                self._size = None
                self._delegate.on_connection_close()  # forgets what it has received
                return self._refuse_body()
        return self._delegate.data_received(chunk)

    def finish(self) -> None:
        assert self._delegate is not None
        if self._timer is not None:
            self._timer.cancel()
        self._delegate.finish()

    def on_connection_close(self) -> None:
        """Called by Tornado when the client leaves before its request is complete: no handler sees that."""
        if self._timer is not None:
            self._timer.cancel()
        self._application.in_flight.end(self._connection)
        if self._delegate is not None:
            self._delegate.on_connection_close()

    def _handler(self) -> RequestHandler | None:
        return getattr(self._delegate, "handler", None)

    def _find_delegate(self, refusal: HTTPError | None) -> HTTPMessageDelegate:
        application, request = self._application, self._request
        if refusal is not None:
            return application.get_handler_delegate(request, RefusingHandler, {"error": refusal})
        if (
            request.method == "OPTIONS"
            and "Access-Control-Request-Method" in request.headers
            and request.headers.get("Origin") in application.trusted_origins
        ):
            return application.get_handler_delegate(request, PreflightHandler)
        return application.find_handler(request)

    def _is_too_large(self, headers: HTTPHeaders) -> bool:
        """Take over Tornado's limit: past it, Tornado answers with a bare 400 and closes the connection."""
        if getattr(self._delegate, "stream_request_body", False):  # such a handler sets its own limit
            return False
        if "Transfer-Encoding" in headers:
            self._size = 0
            self._connection.set_max_body_size(sys.maxsize)
            return False
        length = re.fullmatch("[0-9]{1,18}", headers.get("Content-Length", ""))
        if length is None or int(length[0]) <= self._application.max_body_size:
            return False
        self._connection.set_max_body_size(sys.maxsize)
        headers["Expect"] = ""  # or Tornado would ask for the body
        return True

    def _refuse_body(self) -> Awaitable[None] | None:
        request = self._request
        self._timer = asyncio.get_running_loop().call_later(DISCARD_TIMEOUT, self._connection.close)
        self._delegate = self._application.get_handler_delegate(
            request, TooLargeHandler, {"limit": self._application.max_body_size}
        )
        assert request.method is not None
        assert request.uri is not None
        start_line = RequestStartLine(request.method, request.uri, request.version)
        return self._delegate.headers_received(start_line, request.headers)
