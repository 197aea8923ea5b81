"""A pool of connections, first come, first served."""

import asyncio
import heapq
import itertools
import math
from typing import Any

import peewee
import structlog
from peewee_async.pool import PoolBackend

from . import driver
from .errors import PoolTimeout, TooManyConnections, one_line
from .hosts import Hosts
from .liveness import hung_up

logger = structlog.get_logger()

RENEW_INTERVAL = 1  # seconds
RETRY_INTERVAL = 0.1  # seconds


class Pool(PoolBackend):
    """Opens `size` connections and keeps that many.

    A slot is an open connection, or None for one that has to be opened again. Idle slots are a stack, and waiting tasks
    a queue: a slot that is given back goes to the first of them. Giving back never awaits, so no cancellation can lose
    a slot. (aiopg's own pool wakes its waiters in any order, and psycopg's reconnects late.)

    A slot that the server has no connection for rests for RETRY_INTERVAL. Its task keeps its place in the queue, and so
    gets a connection that another one gives back.

    Args:
        size: number of connections.
        timeout: seconds that `acquire` waits, including the time to open a connection.
        keywords: libpq's connection keywords.
    """

    def __init__(self, *, database: str | None, size: int = 10, timeout: float = 5, **keywords: Any) -> None:
        super().__init__(database=database, **keywords)  # type: ignore[arg-type]  # None, as peewee-async gives it too
        self.size = size
        self.timeout = timeout
        self._hosts = Hosts({"dbname": database, **keywords})
        self._open = False
        self._is_closed = False
        self._idle: list[driver.Connection | None] = []
        self._in_use: dict[driver.Connection, bool] = {}  # whether it may be used again
        self._renewed_at = -math.inf
        self._resting: set[asyncio.TimerHandle] = set()
        self._tickets = itertools.count()
        self._waiters: list[tuple[int, asyncio.Future[driver.Connection | None]]] = []  # a heap: by ticket

    @property
    def is_connected(self) -> bool:
        return self._open

    @property
    def in_use(self) -> int:
        """Number of connections that are handed out."""
        return len(self._in_use)

    @property
    def waiting(self) -> int:
        """Number of tasks that wait for a connection."""
        return sum(not waiter.done() for _, waiter in self._waiters)

    def has_acquired_connections(self) -> bool:
        return bool(self._in_use)

    async def create(self) -> None:
        """Open all connections, or as many as the server has left, but one at least.

        Raises peewee.OperationalError where the server can't be reached, or has none left.
        """
        self._is_closed = False
        self._start()
        opened: list[driver.Connection] = []
        try:
            while len(opened) < self.size:
                try:
                    opened.append(await self.acquire())
                except TooManyConnections as error:
                    if not opened:
                        raise
                    logger.warning("fewer connections than POOL_MAX_SIZE", number=len(opened), error=one_line(error))
                    break
        except BaseException:
            await self.close()
            self._is_closed = False
            raise
        finally:
            for connection in opened:
                self.give_back(connection)

    def _start(self) -> None:
        if self._is_closed:
            raise peewee.InterfaceError("the pool is closed")
        if self.database is None:
            raise peewee.ImproperlyConfigured("the database has no name yet: call its init()")
        self._idle = [None] * self.size
        self._open = True

    async def connect_one(self, seconds: float) -> driver.Connection:
        """Open a connection that is not part of the pool. Raises OperationalError after about `seconds`."""
        return await self._hosts.connect(seconds)

    async def acquire(self) -> Any:
        """Return a connection that was alive a moment ago. A pool that `create` hasn't filled opens it now.

        Raises PoolTimeout after `timeout` seconds, OperationalError where none can be opened, InterfaceError when the
        pool is closed.
        """
        if not self._open:
            self._start()
        connection = self.take_idle()
        if connection is None:
            connection = await self._wait_or_open()
            self._in_use[connection] = True
        return connection

    def take_idle(self) -> driver.Connection | None:
        """Return a connection that no task waits for and that was alive a moment ago, or None where there is none."""
        while self._idle and (connection := self._idle[-1]) is not None:
            self._idle.pop()
            if _is_alive(connection):
                self._in_use[connection] = True
                return connection
            driver.close(connection)
            self._put(None)
        return None

    async def release(self, conn: Any) -> None:
        self.give_back(conn)

    def give_back(self, connection: Any) -> None:
        """Take back a connection from `acquire`, and close it unless it is ready for the next task."""
        is_reusable = self._in_use.pop(connection, None)
        if is_reusable is None:  # the pool was closed meanwhile
            driver.close(connection)
        elif is_reusable and driver.is_idle(connection):
            self._put(connection)
        else:
            driver.close(connection)
            self._put(None)

    def discard(self, connection: Any) -> None:
        """Close a connection from `acquire` when it is given back."""
        if connection in self._in_use:
            self._in_use[connection] = False

    def renew(self) -> None:
        """Close all connections: the idle ones now, the others when they are given back.

        Does so once in RENEW_INTERVAL at most: new connections may lead to the same server for a while.
        """
        now = asyncio.get_running_loop().time()
        if now - self._renewed_at < RENEW_INTERVAL:
            return
        self._renewed_at = now
        for connection in filter(None, self._idle):
            driver.close(connection)
        self._idle = [None] * len(self._idle)
        self._in_use = dict.fromkeys(self._in_use, False)

    async def close(self) -> None:
        """Close idle connections now, the others when they are given back. Waiting tasks get InterfaceError."""
        self._open = False
        self._is_closed = True
        for connection in filter(None, self._idle):
            driver.close(connection)
        self._idle.clear()
        self._in_use.clear()
        for timer in self._resting:
            timer.cancel()
        self._resting.clear()
        for _, waiter in self._waiters:
            if not waiter.done():
                waiter.set_exception(peewee.InterfaceError("the pool is closed"))
        self._waiters.clear()

    async def _wait_or_open(self) -> driver.Connection:
        deadline = asyncio.get_running_loop().time() + self.timeout
        ticket = next(self._tickets)
        refusal = None
        while True:
            try:
                slot = self._idle.pop() if self._idle else await self._wait(deadline, ticket)
                return slot if slot is not None and _is_alive(slot) else await self._reopen(slot, deadline)
            except PoolTimeout as error:
                raise refusal or error from None
            except TooManyConnections as error:
                refusal = error

    async def _wait(self, deadline: float, ticket: int) -> driver.Connection | None:
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[driver.Connection | None] = loop.create_future()
        timer = loop.call_at(deadline, self._expire, waiter)
        heapq.heappush(self._waiters, (ticket, waiter))
        try:
            return await waiter
        except asyncio.CancelledError:
            if not waiter.cancelled() and waiter.exception() is None:  # cancelled just after it got a slot
                self._put(waiter.result())
            raise
        finally:
            timer.cancel()

    def _expire(self, waiter: asyncio.Future[driver.Connection | None]) -> None:
        if not waiter.done():
            waiter.set_exception(self._timeout_error())

    async def _reopen(self, slot: driver.Connection | None, deadline: float) -> driver.Connection:
        if slot is not None:
            driver.close(slot)
        try:
            async with asyncio.timeout_at(deadline):
                return await self.connect_one(self.timeout)
        except TooManyConnections:
            self._rest()  # the server also counts a closed connection until its statement ends
            raise
        except BaseException as error:
            self._put(None)
            if isinstance(error, TimeoutError):
                raise self._timeout_error() from None
            raise

    def _timeout_error(self) -> PoolTimeout:
        return PoolTimeout(f"no database connection in {self.timeout} seconds")

    def _put(self, slot: driver.Connection | None) -> None:
        if not self._open:
            if slot is not None:
                driver.close(slot)
            return
        while self._waiters:
            _, waiter = heapq.heappop(self._waiters)
            if not waiter.done():
                waiter.set_result(slot)
                return
        if slot is None:
            self._idle.insert(0, None)  # below the open ones, which are taken first
        else:
            self._idle.append(slot)

    def _rest(self) -> None:
        """Put an empty slot back after RETRY_INTERVAL."""

        def put() -> None:
            self._resting.discard(timer)
            self._put(None)

        timer = asyncio.get_running_loop().call_later(RETRY_INTERVAL, put)
        self._resting.add(timer)


def _is_alive(connection: driver.Connection) -> bool:
    return not connection.closed and not hung_up(connection)  # a restarted server has hung up
