"""A transaction is applied whole or not at all, and no failure is silent."""

import contextlib
import inspect

import pytest
from peewee import IntegrityError, InterfaceError, InternalError, OperationalError, ProgrammingError

from {{ cookiecutter.project_slug }}.foundation.testing import Service
from {{ cookiecutter.project_slug }}.foundation.web.problems import status_of

from .example import ExampleSettings
from .support import DeliberateError, exists, insert, running_with

LOST = (OperationalError, InterfaceError)


async def test_rows_of_a_transaction_that_fails_are_gone(service: Service) -> None:
    with contextlib.suppress(DeliberateError):
        async with service.database.aio_atomic():
            await insert(10)
            raise DeliberateError
    assert not await exists(10)


async def test_inner_block_is_a_savepoint(service: Service) -> None:
    database = service.database
    async with database.aio_atomic():
        await insert(10)
        with contextlib.suppress(DeliberateError):
            async with database.aio_atomic():
                await insert(11)
                raise DeliberateError
        assert await exists(10)
    assert await exists(10)
    assert not await exists(11)


async def test_statement_that_failed_fails_the_transaction(service: Service) -> None:
    """PostgreSQL would roll back at COMMIT without an error."""

    async def swallow_an_error() -> None:
        async with service.database.aio_atomic():
            await insert(10)
            with contextlib.suppress(IntegrityError):
                await insert(1)

    with pytest.raises(InternalError):
        await swallow_an_error()
    assert not await exists(10)


async def test_statement_that_failed_fails_the_commit_by_hand_too(service: Service) -> None:
    database = service.database
    async with database.aio_connection():
        transaction = await database.aio_begin()
        await insert(10)
        with contextlib.suppress(IntegrityError):
            await insert(10)
        with pytest.raises(InternalError):
            await transaction.commit()
    assert not await exists(10)


async def test_statement_that_failed_fails_its_savepoint_only(service: Service) -> None:
    database = service.database

    async def swallow_an_error() -> None:
        async with database.aio_atomic():
            await insert(11)
            with contextlib.suppress(IntegrityError):
                await insert(1)

    async with database.aio_atomic():
        await insert(10)
        with pytest.raises(InternalError):
            await swallow_an_error()
    assert await exists(10)
    assert not await exists(11)


async def test_one_connection_has_one_transaction_after_the_other(service: Service) -> None:
    database = service.database
    async with database.aio_connection():
        with contextlib.suppress(DeliberateError):
            async with database.aio_atomic():
                await insert(10)
                raise DeliberateError
        async with database.aio_transaction():
            await insert(11)
            with pytest.raises(ProgrammingError):
                await database.aio_transaction().__aenter__()
        transaction = await database.aio_begin()
        await insert(12)
        await transaction.rollback()
    assert [await exists(id_) for id_ in (10, 11, 12)] == [False, True, False]


async def test_block_inside_a_transaction_that_was_begun_is_a_savepoint(service: Service) -> None:
    database = service.database
    async with database.aio_connection():
        transaction = await database.aio_begin()
        async with database.aio_atomic():
            await insert(10)
        with pytest.raises(ProgrammingError):
            await database.aio_begin()
        await transaction.rollback()
    assert not await exists(10)


async def test_transaction_that_is_left_open_is_rolled_back(settings: ExampleSettings) -> None:
    async with running_with(settings, pool_max_size=1) as service:
        database = service.database
        async with database.aio_connection():
            await database.aio_begin()
            await insert(10)
        assert not await exists(10)


async def test_errors_of_commit_are_peewees(service: Service) -> None:
    database = service.database

    async def violate_at_the_end() -> None:
        async with database.aio_atomic():
            await database.aio_execute_sql("CREATE TEMPORARY TABLE numbers (n int UNIQUE INITIALLY DEFERRED)")
            await database.aio_execute_sql("INSERT INTO numbers VALUES (1), (1)")

    with pytest.raises(IntegrityError):
        await violate_at_the_end()
    assert await exists(1)


async def test_errors_of_begin_and_rollback_are_peewees(service: Service) -> None:
    database = service.database
    async with database.aio_connection():
        transaction = await database.aio_begin()
        with pytest.raises(OperationalError):
            await database.aio_execute_sql("SELECT pg_terminate_backend(pg_backend_pid())")
        with pytest.raises(LOST):
            await transaction.rollback()
        with pytest.raises(LOST):
            await transaction.begin()
    assert await exists(1)


@pytest.mark.parametrize("begin", ["aio_begin", "aio_savepoint", "aio_atomic", "aio_transaction"])
@pytest.mark.parametrize("is_begun", [False, True])
async def test_connection_lost_before_it_begins(service: Service, begin: str, is_begun: bool) -> None:
    database = service.database

    async def start() -> None:
        begun = getattr(database, begin)()
        await (begun if inspect.isawaitable(begun) else begun.__aenter__())

    async with database.aio_connection():
        if is_begun:
            await database.aio_begin()
        with pytest.raises(OperationalError):
            await database.aio_execute_sql("SELECT pg_terminate_backend(pg_backend_pid())")
        with pytest.raises(LOST) as lost:
            await start()
    assert status_of(lost.value) == 503


async def test_connection_lost_before_commit(service: Service) -> None:
    database = service.database

    async def lose_the_connection() -> None:
        async with database.aio_atomic():
            await insert(10)
            with contextlib.suppress(OperationalError):
                await database.aio_execute_sql("SELECT pg_terminate_backend(pg_backend_pid())")

    with pytest.raises(LOST):
        await lose_the_connection()
    assert not await exists(10)
