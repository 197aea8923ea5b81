"""The database object: statements and transactions."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from typing import Any

import peewee
import structlog
from peewee_async.databases import AioPostgresDatabase, FetchResults
from peewee_async.transactions import Transaction

from . import driver
from .errors import peewee_errors
from .liveness import StatementDeadline
from .ownership import ConnectionContext, CurrentConnection, OwnedConnection
from .pool import Pool

logger = structlog.get_logger()

WAIT_BETWEEN_PINGS = 0.5  # seconds


class Database(AioPostgresDatabase, driver.SyncDatabase):  # type: ignore[misc]  # their init() differ
    """peewee-async's database, in which a task owns its connection and its transaction.

    A task spawned inside `async with database.aio_atomic()` runs outside that transaction, on a connection of its own.

    Args:
        name: the database's name.
        statement_timeout: seconds after which a statement without an answer ends with OperationalError, and its
            connection is closed.
        keywords: `pool_params`, and libpq's connection keywords.
    """

    pool_backend: Pool
    pool_backend_cls = Pool

    def __init__(self, name: str, *, statement_timeout: float, **keywords: Any) -> None:
        self._current = CurrentConnection()
        self._statement_timeout = statement_timeout
        super().__init__(name, **keywords)

    def aio_connection(self) -> ConnectionContext:
        """Return a context manager that gives the task's own connection, and takes one from the pool if it has none."""
        return ConnectionContext(self.pool_backend, self._current)

    async def aio_execute_sql(
        self, sql: str, params: Sequence[Any] | None = None, fetch_results: FetchResults | None = None
    ) -> Any:
        """Execute one statement. Raises peewee's exceptions, PoolTimeout among them."""
        owned = self._current.get()
        if owned is not None:
            return await self.execute_on(owned.connection, sql, params, fetch_results)
        connection = await self.pool_backend.acquire()  # a single statement needs no ownership
        try:
            return await self.execute_on(connection, sql, params, fetch_results)
        finally:
            self.pool_backend.give_back(connection)

    async def execute_on(
        self,
        connection: Any,
        sql: str,
        params: Sequence[Any] | None = None,
        fetch_results: FetchResults | None = None,
    ) -> Any:
        """Execute one statement on this connection. Raises peewee's exceptions."""
        logger.debug("statement", sql=sql, params=params)
        with StatementDeadline(self._statement_timeout, connection), peewee_errors:
            async with connection.cursor() as cursor:
                await cursor.execute(sql, params or ())
                return await fetch_results(self, cursor) if fetch_results else None

    async def ping(self, seconds: float) -> None:
        """Send `SELECT 1` on a connection outside the pool, so that it doesn't wait in the pool's queue.

        Raises OperationalError, also after `seconds` without an answer.
        """
        deadline = asyncio.get_running_loop().time() + seconds
        try:
            async with asyncio.timeout_at(deadline):
                connection = await self.pool_backend.connect_one(seconds)
        except TimeoutError:
            raise peewee.OperationalError("the server doesn't answer") from None
        try:
            with StatementDeadline(deadline - asyncio.get_running_loop().time(), connection), peewee_errors:
                async with connection.cursor() as cursor:
                    await cursor.execute("SELECT 1")
        finally:
            driver.close(connection)

    async def wait(self, seconds: float) -> None:
        """Wait until the server answers. Raises the OperationalError of its last refusal after `seconds`."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + seconds
        reported = ""
        while True:
            try:
                return await self.ping(min(self.pool_backend.timeout, deadline - loop.time()))
            except peewee.OperationalError as error:
                if loop.time() + WAIT_BETWEEN_PINGS > deadline:
                    raise
                if str(error) != reported:
                    reported = str(error)
                    logger.info("waiting for the database", refused=" ".join(reported.split()))
            await asyncio.sleep(WAIT_BETWEEN_PINGS)

    async def _aio_begin(self, use_savepoint: bool = False) -> Transaction:
        owned = self._current.get()
        if owned is None:
            raise peewee.ProgrammingError(
                "use aio_begin() and aio_savepoint() inside `async with database.aio_connection()`"
            )
        return await self._begin(owned, use_savepoint)

    @contextlib.asynccontextmanager
    async def _aio_atomic(self, use_savepoint: bool = False) -> AsyncIterator[None]:
        async with self.aio_connection() as connection:
            owned = self._current.get()
            assert owned is not None  # set by aio_connection
            nested = not driver.is_idle(connection)
            transaction = await self._begin(owned, nested and use_savepoint)
            try:
                yield
                await transaction.commit()
            except BaseException:
                await self._roll_back(transaction, connection)
                raise

    async def _begin(self, owned: OwnedConnection, is_savepoint: bool) -> Transaction:
        if not is_savepoint and not driver.is_idle(owned.connection):
            # PostgreSQL only warns about a second BEGIN, and the COMMIT after it ends the first transaction.
            raise peewee.ProgrammingError("there is a transaction already: use aio_atomic() or aio_savepoint()")
        transaction = OwnedTransaction(self, owned, is_savepoint)
        try:
            await transaction.begin()
        except BaseException:  # a cancelled BEGIN may have been executed
            await self._roll_back(transaction, owned.connection)
            raise
        return transaction

    async def _roll_back(self, transaction: Transaction, connection: Any) -> None:
        try:
            await transaction.rollback()
        except Exception:  # the connection is lost: the server rolls back by itself
            driver.close(connection)


class OwnedTransaction(Transaction):
    """peewee-async's transaction, which executes BEGIN, COMMIT and ROLLBACK as the database's other statements.

    peewee-async executes them outside `peewee.__exception_wrapper__`: their errors would be the driver's.
    """

    def __init__(self, database: Database, owned: OwnedConnection, is_savepoint: bool) -> None:
        super().__init__(owned.connection, is_savepoint)
        self._database = database
        self._owned = owned

    async def commit(self) -> None:
        """Raises InternalError after a failed statement: PostgreSQL would roll back without an error."""
        if driver.in_failed_transaction(self._owned.connection):
            raise peewee.InternalError("a statement of this transaction failed, so it can only be rolled back")
        await super().commit()

    async def execute(self, sql: str) -> None:
        if self._owned.is_released:
            raise peewee.ProgrammingError("the transaction has ended: its connection was given back")
        await self._database.execute_on(self.connection, sql)
