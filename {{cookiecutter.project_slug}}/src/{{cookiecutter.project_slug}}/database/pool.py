"""A pool of connections, first come, first served."""

import asyncio
import collections
from typing import Any

import peewee
from peewee_async.pool import PoolBackend

from . import driver
from .errors import PoolTimeout
from .hosts import Hosts
from .liveness import hung_up


class Pool(PoolBackend):
    """Opens `size` connections and keeps that many.

    A slot is an open connection, or None where one has to be opened again. Idle slots are a stack, tasks that wait
    for one are a queue, and a slot that is given back goes to the first of them. Giving back never awaits, so that no
    cancellation can lose a slot. (aiopg's own pool wakes its waiters in any order, and psycopg's is late to reconnect.)

    Args:
        size: how many connections.
        timeout: seconds that `acquire` waits for one, opening it included.
        keywords: libpq's connection keywords.
    """

    def __init__(self, *, database: str, size: int, timeout: float, **keywords: Any) -> None:
        super().__init__(database=database, **keywords)
        self.size = size
        self.timeout = timeout
        self._hosts = Hosts({"dbname": database, **keywords})
        self._open = False
        self._idle: list[driver.Connection | None] = []
        self._in_use: set[driver.Connection] = set()
        self._waiting: collections.deque[asyncio.Future[driver.Connection | None]] = collections.deque()

    @property
    def is_connected(self) -> bool:
        return self._open

    @property
    def in_use(self) -> int:
        """How many connections are handed out."""
        return len(self._in_use)

    @property
    def waiting(self) -> int:
        """How many tasks wait for one."""
        return sum(not turn.done() for turn in self._waiting)

    def has_acquired_connections(self) -> bool:
        return bool(self._in_use)

    async def create(self) -> None:
        """Open all connections. Raises peewee.OperationalError where the server can't be reached."""
        self._idle = [None] * self.size
        self._open = True
        opened = []
        try:
            for _ in range(self.size):
                opened.append(await self.acquire())
        except BaseException:
            await self.close()
            raise
        finally:
            for connection in opened:
                self.give_back(connection)

    async def connect_one(self, seconds: float) -> driver.Connection:
        """A connection that is no part of the pool. Raises OperationalError, after about so many seconds at most."""
        return await self._hosts.connect(seconds)

    async def acquire(self) -> Any:
        """A connection that was alive a moment ago.

        Raises PoolTimeout after `timeout` seconds, OperationalError where none can be opened, InterfaceError where the
        pool is closed.
        """
        if not self._open:
            raise peewee.InterfaceError("the pool is closed")
        deadline = asyncio.get_running_loop().time() + self.timeout
        slot = self._idle.pop() if self._idle else await self._wait(deadline)
        connection = slot if slot is not None and _is_alive(slot) else await self._reopen(slot, deadline)
        self._in_use.add(connection)
        return connection

    async def release(self, conn: Any) -> None:
        self.give_back(conn)

    def give_back(self, connection: Any) -> None:
        """Take back what `acquire` gave; it is closed unless it is ready for the next one."""
        if connection not in self._in_use:  # the pool was closed meanwhile
            driver.close(connection)
            return
        self._in_use.discard(connection)
        if driver.is_idle(connection):
            self._put(connection)
        else:
            driver.close(connection)
            self._put(None)

    async def close(self) -> None:
        """Close the idle connections, and the others as they are given back. Who waits for one gets InterfaceError."""
        self._open = False
        for connection in filter(None, self._idle):
            driver.close(connection)
        self._idle.clear()
        self._in_use.clear()
        for turn in self._waiting:
            if not turn.done():
                turn.set_exception(peewee.InterfaceError("the pool is closed"))
        self._waiting.clear()

    async def _wait(self, deadline: float) -> driver.Connection | None:
        loop = asyncio.get_running_loop()
        turn: asyncio.Future[driver.Connection | None] = loop.create_future()
        timer = loop.call_at(deadline, self._give_up, turn)
        self._waiting.append(turn)
        try:
            return await turn
        except asyncio.CancelledError:
            if not turn.cancelled() and turn.exception() is None:  # our turn had come when we were cancelled
                self._put(turn.result())
            raise
        finally:
            timer.cancel()

    def _give_up(self, turn: asyncio.Future[driver.Connection | None]) -> None:
        if not turn.done():
            turn.set_exception(self._too_late())

    async def _reopen(self, slot: driver.Connection | None, deadline: float) -> driver.Connection:
        if slot is not None:
            driver.close(slot)
        connection = None
        try:
            async with asyncio.timeout_at(deadline):
                connection = await self.connect_one(self.timeout)
        except TimeoutError:
            raise self._too_late() from None
        finally:
            if connection is None:
                self._put(None)
        return connection

    def _too_late(self) -> PoolTimeout:
        return PoolTimeout(f"no database connection in {self.timeout} seconds")

    def _put(self, slot: driver.Connection | None) -> None:
        if not self._open:
            if slot is not None:
                driver.close(slot)
            return
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(slot)
                return
        if slot is None:
            self._idle.insert(0, None)  # below the open ones, which are taken first
        else:
            self._idle.append(slot)


def _is_alive(connection: driver.Connection) -> bool:
    return not connection.closed and not hung_up(connection)  # a restart of the server would show
