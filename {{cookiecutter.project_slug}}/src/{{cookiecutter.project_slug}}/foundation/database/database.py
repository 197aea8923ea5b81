"""The database object: statements and transactions."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Any

import peewee
import structlog
from peewee_async.databases import AioPostgresDatabase, FetchResults
from peewee_async.transactions import Transaction
from peewee_async.utils import __log__
from playhouse.postgres_ext import HStoreField

from . import driver
from .errors import ReadOnlyServer, TooManyConnections, one_line, peewee_errors, sqlstate_of
from .liveness import StatementDeadline
from .ownership import ConnectionContext, CurrentConnection, OwnedConnection
from .pool import Pool
from .session_state import leaves_state

logger = structlog.get_logger()

WAIT_BETWEEN_TRIES = 0.5  # seconds
READ_ONLY = "25006"  # SQLSTATE
FOR_READING = ("any", "read-only", "standby", "prefer-standby")  # values of target_session_attrs


class Database(AioPostgresDatabase, driver.SyncDatabase):  # type: ignore[misc]  # their init() differ
    """peewee-async's database, in which a task owns its connection and its transaction.

    A task spawned inside `async with database.aio_atomic()` runs outside that transaction, on a connection of its own.
    Other differences to peewee-async's PostgresqlDatabase, each on purpose:

    - `aio_connect()` fills the pool, and raises where the server can't be reached: a wrong address fails the start.
    - `aio_close()` lets tasks finish with the connections they have.
    - `pool_params` are the pool's `size` and `timeout`, whatever the driver. hstore is not supported.
    - Errors are always peewee's, of BEGIN and COMMIT too. A misuse of transactions is a ProgrammingError:
      OperationalError stands for a database that is unavailable.
    - A second `aio_begin()` is refused, and `aio_atomic()` after it is a savepoint: PostgreSQL would commit the first
      transaction at the end of the second. `commit()` after a failed statement raises: PostgreSQL would roll back.
    - `peewee_async.connection_context` stays empty.

    Args:
        name: the database's name; None where `init` gives it later.
        answer_timeout: seconds after which a statement without an answer ends with OperationalError, and its
            connection is closed.
        keywords: `pool_params`, and libpq's connection keywords.
    """

    pool_backend: Pool
    pool_backend_cls = Pool

    def __init__(self, name: str | None, *, answer_timeout: float = 10, **keywords: Any) -> None:
        self._current = CurrentConnection()
        self._answer_timeout = answer_timeout
        super().__init__(name, **keywords)

    def bind(self, models: Iterable[type[peewee.Model]], bind_refs: bool = True, bind_backrefs: bool = True) -> None:
        """As peewee's. Raises TypeError for a field whose values the driver can't adapt."""
        models = list(models)
        for model in models:
            for field in model._meta.sorted_fields:
                if isinstance(field, HStoreField):
                    raise TypeError(f"{model.__name__}.{field.name}: hstore is not supported: use BinaryJSONField")
        super().bind(models, bind_refs, bind_backrefs)

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
        __log__.debug((sql, params))
        if leaves_state(sql):
            self.pool_backend.discard(connection)
        try:
            with StatementDeadline(self._answer_timeout, connection), peewee_errors:
                async with connection.cursor() as cursor:
                    await cursor.execute(sql, params or ())
                    return await fetch_results(self, cursor) if fetch_results else None
        except peewee.InternalError as error:
            if sqlstate_of(error) == READ_ONLY and self._is_for_writing:
                self._leave_server(connection)
            raise

    @property
    def _is_for_writing(self) -> bool:
        return self.connect_params.get("target_session_attrs") not in FOR_READING

    def _leave_server(self, connection: Any) -> None:
        """Move to another server: this one is read-only, though its address may lead to one that isn't by now."""
        self.pool_backend.discard(connection)
        self.pool_backend.renew()

    async def probe(self, seconds: float) -> None:
        """Find out whether statements can be executed: on an idle connection of the pool, else on one outside.

        Raises OperationalError, also after `seconds` without an answer, and ReadOnlyServer where writing is wanted.
        """
        pool = self.pool_backend
        connection = pool.take_idle()
        if connection is None:
            try:
                is_read_only = await self.is_read_only(seconds)
            except TooManyConnections:
                if pool.in_use:
                    return  # the server lives, and so do the pool's connections
                raise
        else:
            try:
                is_read_only = await self._is_read_only_on(connection, seconds)
            finally:
                pool.give_back(connection)
        if is_read_only and self._is_for_writing:
            pool.renew()
            raise ReadOnlyServer("the server is read-only")

    async def is_read_only(self, seconds: float) -> bool:
        """Return whether the server is read-only, asked on a new connection outside the pool.

        Raises OperationalError, also after `seconds` without an answer.
        """
        deadline = asyncio.get_running_loop().time() + seconds
        try:
            async with asyncio.timeout_at(deadline):
                connection = await self.pool_backend.connect_one(seconds)
        except TimeoutError:
            raise peewee.OperationalError("the server doesn't answer") from None
        try:
            return await self._is_read_only_on(connection, deadline - asyncio.get_running_loop().time())
        finally:
            driver.close(connection)

    async def _is_read_only_on(self, connection: Any, seconds: float) -> bool:
        with StatementDeadline(seconds, connection), peewee_errors:
            async with connection.cursor() as cursor:
                await cursor.execute("SHOW transaction_read_only")
                return bool((await cursor.fetchone())[0] == "on")

    async def wait(self, seconds: float) -> None:
        """Wait until the server answers. Raises the OperationalError of its last refusal after `seconds`."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + seconds
        reported = ""
        while True:
            try:
                await self.is_read_only(min(self.pool_backend.timeout, deadline - loop.time()))
                return
            except peewee.OperationalError as error:
                if loop.time() + WAIT_BETWEEN_TRIES > deadline:
                    raise
                if str(error) != reported:
                    reported = str(error)
                    logger.info("waiting for the database", refused=one_line(reported))
            await asyncio.sleep(WAIT_BETWEEN_TRIES)

    async def aio_last_insert_id(self, cursor: Any, query: Any) -> Any:
        """As peewee-async's, and None for a table without a primary key: the statement returns no rows then."""
        return None if cursor.description is None else await super().aio_last_insert_id(cursor, query)

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
        if owned.connection.closed:
            raise peewee.InterfaceError("the connection is lost")
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
