"""Requests in flight, so that a shutdown can wait for them."""

import asyncio
import socket
import struct
from collections.abc import Callable, Iterator

from tornado.http1connection import HTTP1Connection
from tornado.httputil import HTTPConnection
from tornado.web import RequestHandler


class RequestsInFlight:
    """Counts each request from its headers to the last byte of its answer, or until its client leaves."""

    def __init__(self) -> None:
        # By connection, of which Tornado makes one for each request.
        self._handlers: dict[HTTPConnection | None, Callable[[], RequestHandler | None]] = {}
        self._none = asyncio.Event()

    def __len__(self) -> int:
        return len(self._handlers)

    def __contains__(self, connection: object) -> bool:
        return connection in self._handlers

    def __iter__(self) -> Iterator[RequestHandler]:
        """Yield the handlers that are at work or have to send the rest of an answer."""
        found = (handler() for handler in self._handlers.values())
        return iter([handler for handler in found if handler is not None])

    def begin(self, connection: HTTPConnection, handler: Callable[[], RequestHandler | None]) -> None:
        """Count a request; `handler` returns its handler once there is one."""
        self._handlers[connection] = handler

    def answered(self, connection: HTTPConnection | None) -> None:
        """Note that the connection has the whole answer, though it may still have to send a part."""
        stream = connection.stream if isinstance(connection, HTTP1Connection) else None
        if stream is not None and stream.writing():
            # An empty write completes once everything before it was sent, or the client has left.
            stream.write(b"").add_done_callback(lambda _: self.end(connection))
        else:
            self.end(connection)

    def end(self, connection: HTTPConnection | None) -> None:
        """Note that the request's answer was sent, or that its client has left."""
        self._handlers.pop(connection, None)
        if not self._handlers:
            self._none.set()

    def leave(self, connection: HTTPConnection) -> None:
        """Note that the connection was closed, or goes on to its next request.

        Without this, a request that another application answers (one of WSGI, for example), or nobody, would never end.
        """
        if connection in self._handlers:
            handler = self._handlers[connection]()
            if handler is None or handler._finished:
                self.end(connection)

    def break_off(self) -> None:
        """Reset the connections of all requests that are left."""
        for connection, handler_of in [*self._handlers.items()]:
            reset(connection)
            handler = handler_of()
            if handler is not None:
                handler.on_connection_close()  # Tornado doesn't call it while a streaming handler gets its body

    async def wait_for_end(self) -> None:
        """Wait until no request is in flight, including ones still arriving."""
        while self._handlers:
            self._none.clear()
            await self._none.wait()


def reset(connection: HTTPConnection | None) -> None:
    """Close the connection so that its client can't take what it got for the whole answer.

    An answer in HTTP/1.0, which many proxies speak, ends with its connection: an ordinary close would make it look
    whole.
    """
    assert isinstance(connection, HTTP1Connection)
    stream = connection.stream
    if stream is not None and not stream.closed():
        stream.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        stream.close()
