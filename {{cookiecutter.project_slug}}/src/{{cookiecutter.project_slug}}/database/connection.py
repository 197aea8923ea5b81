"""Which task holds which connection."""

import asyncio
import contextvars
from types import TracebackType
from typing import Any

from peewee_async.connection import ConnectionContextManager

from .pool import Pool


class HeldConnection:
    """A connection out of the pool, and the task that took it."""

    def __init__(self, connection: Any) -> None:
        self.connection = connection
        self._task = asyncio.current_task()
        self._released = False

    def is_held_here(self) -> bool:
        return not self._released and self._task is asyncio.current_task()

    def release(self) -> Any:
        self._released = True
        return self.connection


class Held:
    """The connection that the current task holds, for each database object its own.

    peewee-async keeps it in a context variable, which a spawned task inherits: it would run inside its parent's
    transaction, or after the end of it on a connection that serves another request by then. And as the variable is the
    same for all databases, a query on a second one would go to the first.
    """

    def __init__(self) -> None:
        self._last: contextvars.ContextVar[HeldConnection | None] = contextvars.ContextVar("held", default=None)

    def get(self) -> HeldConnection | None:
        last = self._last.get()
        return last if last is not None and last.is_held_here() else None

    def set(self, held: HeldConnection) -> None:
        self._last.set(held)


class HoldConnection(ConnectionContextManager):
    """`async with` gives the connection that this task holds, or else one to hold until the end of the block."""

    def __init__(self, pool: Pool, held: Held) -> None:
        self._pool = pool
        self._held = held
        self._taken: HeldConnection | None = None

    async def __aenter__(self) -> Any:
        held = self._held.get()
        if held is None:
            held = self._taken = HeldConnection(await self._pool.acquire())
            self._held.set(held)
        return held.connection

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._taken is not None:
            self._pool.give_back(self._taken.release())
