"""Open WebSockets, so that a shutdown can close them."""

import asyncio
from typing import Any

from tornado.websocket import WebSocketHandler

GOING_AWAY = 1001  # RFC 6455, 7.4.1


class WebSockets:
    """The open WebSockets, by the tasks of their handlers: Tornado's server forgets them after the handshake."""

    def __init__(self) -> None:
        self._handlers: dict[asyncio.Task[Any], WebSocketHandler] = {}

    def __len__(self) -> int:
        return len(self._handlers)

    def opened(self, handler: WebSocketHandler) -> None:
        """Keep the handler, whose task this is, until its task ends."""
        task = asyncio.current_task()
        assert task is not None
        self._handlers[task] = handler
        task.add_done_callback(self._handlers.pop)

    def close(self) -> None:
        """Ask the clients to close them. Tornado hangs up on a client that doesn't within 5 seconds."""
        for handler in self._handlers.values():
            handler.close(GOING_AWAY, "The server is shutting down")

    async def wait_for_end(self) -> None:
        """Wait until all are closed, and their handlers done."""
        while self._handlers:
            await asyncio.wait(self._handlers)

    def cancel(self) -> None:
        """Hang up."""
        for task in self._handlers:
            task.cancel()
