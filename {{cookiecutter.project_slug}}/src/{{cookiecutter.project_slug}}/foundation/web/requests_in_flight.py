"""Requests in flight, so that a shutdown can wait for them."""

import asyncio
from collections.abc import Awaitable, Callable

from tornado.http1connection import HTTP1Connection
from tornado.httputil import HTTPHeaders, HTTPMessageDelegate, HTTPServerRequest, RequestStartLine, ResponseStartLine


class RequestsInFlight:
    """Counts each request from its headers to the last byte of its answer, or until its client leaves."""

    def __init__(self) -> None:
        self._requests: set[HTTPServerRequest] = set()
        self._none = asyncio.Event()

    def __len__(self) -> int:
        return len(self._requests)

    def begin(self, request: HTTPServerRequest, delegate: HTTPMessageDelegate) -> HTTPMessageDelegate:
        """Count the request; return the delegate to use instead of the given one."""
        self._requests.add(request)
        return RequestInFlight(delegate, ended=lambda: self._end(request))

    def answered(self, request: HTTPServerRequest) -> None:
        """Note that the connection has the whole answer, though it may still have to send a part."""
        stream = request.connection.stream if isinstance(request.connection, HTTP1Connection) else None
        if stream is not None and stream.writing():
            # An empty write completes once everything before it was sent, or the client has left.
            stream.write(b"").add_done_callback(lambda _: self._end(request))
        else:
            self._end(request)

    async def wait_for_end(self) -> None:
        """Wait until no request is in flight, including ones still arriving."""
        while self._requests:
            self._none.clear()
            await self._none.wait()

    def _end(self, request: HTTPServerRequest) -> None:
        self._requests.discard(request)
        if not self._requests:
            self._none.set()


class RequestInFlight(HTTPMessageDelegate):
    """A delegate that also reports a client that left before its request was complete: no handler sees that."""

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
