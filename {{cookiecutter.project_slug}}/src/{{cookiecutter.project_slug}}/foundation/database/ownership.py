"""Connections, and the tasks that own them."""

import asyncio
import contextvars
from types import TracebackType
from typing import Any

from peewee_async.connection import ConnectionContextManager

from .pool import Pool


class OwnedConnection:
    """A connection from the pool, and the task that took it."""

    def __init__(self, connection: Any) -> None:
        self.connection = connection
        self._owner = asyncio.current_task()
        self.is_released = False

    def is_owned_by_this_task(self) -> bool:
        return not self.is_released and self._owner is asyncio.current_task()

    def release(self) -> Any:
        self.is_released = True
        return self.connection


class CurrentConnection:
    """The connection that the current task owns, one per database object.

    peewee-async keeps the connection in one context variable for all databases. A spawned task inherits it: the task
    would run inside its parent's transaction, or later on a connection that already serves another request. And a query
    on a second database would go to the first.
    """

    def __init__(self) -> None:
        self._last: contextvars.ContextVar[OwnedConnection | None] = contextvars.ContextVar("last", default=None)

    def get(self) -> OwnedConnection | None:
        last = self._last.get()
        return last if last is not None and last.is_owned_by_this_task() else None

    def set(self, owned: OwnedConnection) -> None:
        self._last.set(owned)


class ConnectionContext(ConnectionContextManager):
    """Takes a connection for the current task unless it owns one already, and gives back what it took.

    Subclassed for typing only; the base's `__init__` is not called.
    """

    def __init__(self, pool: Pool, current: CurrentConnection) -> None:
        self._pool = pool
        self._current = current
        self._taken: OwnedConnection | None = None

    async def __aenter__(self) -> Any:
        owned = self._current.get()
        if owned is None:
            owned = self._taken = OwnedConnection(await self._pool.acquire())
            self._current.set(owned)
        return owned.connection

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._taken is not None:
            self._pool.give_back(self._taken.release())
