"""The database object: statements, and the transactions they belong to."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from typing import Any

import peewee
import structlog
from peewee_async.databases import AioPostgresDatabase, FetchResults
from peewee_async.transactions import Transaction

from . import driver
from .connection import Held, HoldConnection
from .errors import peewee_errors
from .liveness import answer_within
from .pool import Pool

logger = structlog.get_logger()

# Seconds beyond `statement_timeout` for the server to say that it was reached, before we take the server for lost.
TIME_TO_SAY_SO = 1


class Database(AioPostgresDatabase, driver.SyncDatabase):  # type: ignore[misc]  # their init() differ
    """peewee-async's database, in which a task owns its connection and its transaction.

    A task spawned inside `async with database.aio_atomic()` runs outside that transaction, on a connection of its own.

    Args:
        name: of the database.
        statement_timeout: seconds that the server gives a statement. Where the server can't be asked to keep it, or is
            lost, the statement ends a second later with OperationalError, and so does its connection.
        keywords: `pool_params`, and libpq's connection keywords.
    """

    pool_backend: Pool
    pool_backend_cls = Pool

    def __init__(self, name: str, *, statement_timeout: float, **keywords: Any) -> None:
        self._held = Held()
        self._answer_timeout = statement_timeout + TIME_TO_SAY_SO
        super().__init__(name, **keywords)

    def aio_connection(self) -> HoldConnection:
        """`async with` gives the connection that this task holds, or else one to hold until the end of the block."""
        return HoldConnection(self.pool_backend, self._held)

    async def aio_execute_sql(
        self, sql: str, params: Sequence[Any] | None = None, fetch_results: FetchResults | None = None
    ) -> Any:
        """Execute one statement. Raises peewee's exceptions, PoolTimeout among them."""
        async with self.aio_connection() as connection:
            return await self.execute_on(connection, sql, params, fetch_results)

    async def execute_on(
        self,
        connection: Any,
        sql: str,
        params: Sequence[Any] | None = None,
        fetch_results: FetchResults | None = None,
    ) -> Any:
        """Execute one statement on this connection. Raises peewee's exceptions."""
        logger.debug("statement", sql=sql, params=params)
        with answer_within(self._answer_timeout, connection), peewee_errors():
            async with connection.cursor() as cursor:
                await cursor.execute(sql, params or ())
                return await fetch_results(self, cursor) if fetch_results else None

    async def ping(self, seconds: float) -> None:
        """Ask the server for a sign of life, on a connection of its own and not through the pool's queue.

        Raises OperationalError, also where there is none in time.
        """
        deadline = asyncio.get_running_loop().time() + seconds
        try:
            async with asyncio.timeout_at(deadline):
                connection = await self.pool_backend.connect_one()
        except TimeoutError:
            raise peewee.OperationalError(f"no connection in {seconds:g} seconds") from None
        try:
            with answer_within(deadline - asyncio.get_running_loop().time(), connection), peewee_errors():
                async with connection.cursor() as cursor:
                    await cursor.execute("SELECT 1")
        finally:
            driver.close(connection)

    async def _aio_begin(self, use_savepoint: bool = False) -> Transaction:
        held = self._held.get()
        if held is None:
            raise peewee.ProgrammingError("aio_begin() and aio_savepoint() want `async with database.aio_connection()`")
        return await self._begin(held.connection, use_savepoint)

    @contextlib.asynccontextmanager
    async def _aio_atomic(self, use_savepoint: bool = False) -> AsyncIterator[None]:
        async with self.aio_connection() as connection:
            nested = not driver.is_idle(connection)
            transaction = await self._begin(connection, nested and use_savepoint)
            try:
                yield
                if driver.in_failed_transaction(connection):
                    # PostgreSQL would answer COMMIT with a rollback, and not call that an error.
                    raise peewee.InternalError("a statement of this transaction failed, so it is rolled back")
                await transaction.commit()
            except BaseException:
                await self._roll_back(transaction, connection)
                raise

    async def _begin(self, connection: Any, is_savepoint: bool) -> Transaction:
        if not is_savepoint and not driver.is_idle(connection):
            # For PostgreSQL a second BEGIN is a mere warning, and the COMMIT after it ends the first transaction.
            raise peewee.ProgrammingError("there is a transaction already: use aio_atomic() or aio_savepoint()")
        transaction = TransactionOnConnection(self, connection, is_savepoint)
        await transaction.begin()
        return transaction

    async def _roll_back(self, transaction: Transaction, connection: Any) -> None:
        try:
            await transaction.rollback()
        except Exception:  # the connection is lost, and the server rolls back by itself
            driver.close(connection)


class TransactionOnConnection(Transaction):
    """peewee-async's transaction, whose BEGIN, COMMIT and ROLLBACK are statements like any other.

    Its own ones raise the driver's exceptions.
    """

    def __init__(self, database: Database, connection: Any, is_savepoint: bool) -> None:
        super().__init__(connection, is_savepoint)
        self._database = database

    async def execute(self, sql: str) -> None:
        await self._database.execute_on(self.connection, sql)
