"""The database object: which task holds which connection, and whose transaction a query belongs to."""

import asyncio
import contextlib
import contextvars
import logging
import math
from collections.abc import AsyncIterator, Sequence
from types import TracebackType
from typing import Any

import peewee
from peewee_async.connection import ConnectionContext, ConnectionContextManager
from peewee_async.databases import AioPostgresDatabase, FetchResults
from peewee_async.transactions import Transaction

from ..settings import Settings, SettingsError
from . import driver
from .errors import peewee_errors
from .pool import Pool

logger = logging.getLogger(__name__)


class Database(AioPostgresDatabase, driver.SyncDatabase):  # type: ignore[misc]  # their init() differ
    """peewee-async's database, in which a task owns its connection and its transaction.

    A task spawned inside `async with database.aio_atomic()` runs outside that transaction, on a connection of its own.
    (peewee-async keeps the connection in a context variable, which a spawned task inherits: it would run inside the
    transaction, or after its end on a connection that serves another request by then.)
    """

    pool_backend: Pool
    pool_backend_cls = Pool

    def __init__(self, name: str, **keywords: Any) -> None:
        self.held: contextvars.ContextVar[HeldConnection | None] = contextvars.ContextVar("held", default=None)
        super().__init__(name, **keywords)

    def aio_connection(self) -> ConnectionContextManager:
        """`async with` gives the connection that this task holds, or else one to hold until the end of the block."""
        return HoldConnection(self)

    async def aio_execute_sql(
        self, sql: str, params: Sequence[Any] | None = None, fetch_results: FetchResults | None = None
    ) -> Any:
        """Execute one statement. Raises peewee's exceptions, PoolTimeout among them."""
        logger.debug("%s %s", sql, params)
        async with self.aio_connection() as connection:
            with peewee_errors():
                async with connection.cursor() as cursor:
                    await cursor.execute(sql, params or ())
                    return await fetch_results(self, cursor) if fetch_results else None

    async def ping(self) -> None:
        """Ask the server for a sign of life, on a connection of its own and not through the pool's queue."""
        with peewee_errors():
            connection = await driver.connect(dbname=self.database, **self.pool_backend.connect_params)
            try:
                async with connection.cursor() as cursor:
                    await cursor.execute("SELECT 1")
            finally:
                driver.close(connection)

    async def _aio_begin(self, use_savepoint: bool = False) -> Transaction:
        held = self.held_by_this_task()
        if held is None:
            raise peewee.ProgrammingError("aio_begin() and aio_savepoint() want `async with database.aio_connection()`")
        transaction = LoggedTransaction(held.connection, is_savepoint=use_savepoint)
        await transaction.begin()
        return transaction

    @contextlib.asynccontextmanager
    async def _aio_atomic(self, use_savepoint: bool = False) -> AsyncIterator[None]:
        async with self.aio_connection():
            held = self.held_by_this_task()
            assert held is not None  # aio_connection has just seen to it
            connection = held.connection
            nested = held.transaction_is_opened
            if nested and not use_savepoint:
                raise peewee.ProgrammingError("aio_transaction() can't be nested: use aio_atomic()")
            transaction = LoggedTransaction(connection, is_savepoint=nested)
            await transaction.begin()
            held.transaction_is_opened = True
            try:
                yield
                if driver.in_failed_transaction(connection):
                    # PostgreSQL would answer COMMIT with a rollback, and not call that an error.
                    raise peewee.InternalError("a statement of this transaction failed, so it is rolled back")
                await transaction.commit()
            except BaseException:
                await self._roll_back(transaction, connection)
                raise
            finally:
                held.transaction_is_opened = nested

    async def _roll_back(self, transaction: Transaction, connection: Any) -> None:
        try:
            await transaction.rollback()
        except Exception:  # the connection is lost, and the server rolls back by itself
            driver.close(connection)

    def held_by_this_task(self) -> "HeldConnection | None":
        held = self.held.get()
        return held if held is not None and held.task is asyncio.current_task() else None


class LoggedTransaction(Transaction):
    """peewee-async's transaction, with its statements in the log and peewee's exceptions."""

    async def execute(self, sql: str) -> None:
        logger.debug("%s", sql)
        with peewee_errors():
            await super().execute(sql)


class HeldConnection(ConnectionContext):
    """A connection taken from the pool, and the task that took it."""

    connection: Any

    def __init__(self, connection: Any) -> None:
        super().__init__(connection)
        self.task = asyncio.current_task()


class HoldConnection(ConnectionContextManager):
    """peewee-async's manager of a connection, but one that asks whose the connection is."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.taken: HeldConnection | None = None

    async def __aenter__(self) -> Any:
        held = self.database.held_by_this_task()
        if held is None:
            held = self.taken = HeldConnection(await self.database.pool_backend.acquire())
            self.database.held.set(held)
        return held.connection

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self.taken is not None:
            self.database.held.set(None)
            self.database.pool_backend.give_back(self.taken.connection)


def make_database(settings: Settings) -> Database:
    """The database that the settings name. Nothing connects yet. Raises SettingsError."""
    if settings.database_url is not None:
        try:
            with peewee_errors():
                keywords: dict[str, Any] = driver.parse_dsn(settings.database_url.get_secret_value())
        except peewee.ProgrammingError:  # its text may have a part of the password
            raise SettingsError("DATABASE_URL is not of the form postgresql://user:password@host:port/name") from None
    else:
        password = settings.database_password
        keywords = {
            "host": settings.database_host,
            "port": settings.database_port,
            "user": settings.database_user,
            "password": password and password.get_secret_value(),
        }
    keywords.setdefault("connect_timeout", math.ceil(settings.pool_timeout))
    statement_timeout = f"-c statement_timeout={settings.statement_timeout * 1000:.0f}"
    keywords["options"] = f"{statement_timeout} {keywords.get('options', '')}".strip()
    return Database(
        keywords.pop("dbname", settings.database_name),
        pool_params={"size": settings.pool_max_size, "timeout": settings.pool_timeout},
        **{name: value for name, value in keywords.items() if value is not None},
    )
