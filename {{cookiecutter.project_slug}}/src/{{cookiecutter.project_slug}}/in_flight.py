"""The requests that are being worked at, so that a shutdown can wait for them."""

import asyncio
from collections.abc import Awaitable, Callable

from tornado.http1connection import HTTP1Connection
from tornado.httputil import HTTPHeaders, HTTPMessageDelegate, HTTPServerRequest, RequestStartLine, ResponseStartLine


class RequestsInFlight:
    """From a request's headers to the last byte of its answer, or until its client is gone."""

    def __init__(self) -> None:
        self._requests: set[HTTPServerRequest] = set()
        self._none = asyncio.Event()

    def __len__(self) -> int:
        return len(self._requests)

    def begin(self, request: HTTPServerRequest, delegate: HTTPMessageDelegate) -> HTTPMessageDelegate:
        """The request's delegate, to be used in place of the one that is given."""
        self._requests.add(request)
        return RequestInFlight(delegate, ended=lambda: self._end(request))

    def answered(self, request: HTTPServerRequest) -> None:
        """The whole answer was handed to the connection, which may be still to send a part of it."""
        stream = request.connection.stream if isinstance(request.connection, HTTP1Connection) else None
        if stream is not None and stream.writing():
            # Nothing, written after the answer: it is done when all of the answer is sent, or the client gone.
            stream.write(b"").add_done_callback(lambda _: self._end(request))
        else:
            self._end(request)

    async def wait_for_end(self) -> None:
        """Wait until there is none, those included of which a part is still to come."""
        while self._requests:
            self._none.clear()
            await self._none.wait()

    def _end(self, request: HTTPServerRequest) -> None:
        self._requests.discard(request)
        if not self._requests:
            self._none.set()


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
