"""A transaction belongs to the task that opened it."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable

import pytest
from peewee import ProgrammingError
from tornado.ioloop import IOLoop

from {{ cookiecutter.project_slug }}.foundation.database import Database, PoolTimeout, make_database
from {{ cookiecutter.project_slug }}.foundation.testing import Service

from .example import ExampleSettings, Item
from .support import DeliberateError, exists, insert, running_with


async def run_as_task(spawned: Awaitable[None]) -> None:
    async def wait() -> None:
        await spawned

    await asyncio.create_task(wait())


async def run_gathered(spawned: Awaitable[None]) -> None:
    await asyncio.gather(spawned, asyncio.sleep(0))


async def run_in_a_group(spawned: Awaitable[None]) -> None:
    async def wait() -> None:
        await spawned

    async with asyncio.TaskGroup() as group:
        group.create_task(wait())


async def run_later(spawned: Awaitable[None]) -> None:
    loop = asyncio.get_running_loop()
    started: asyncio.Future[Awaitable[None]] = loop.create_future()
    loop.call_later(0, lambda: started.set_result(asyncio.ensure_future(spawned)))
    await (await started)


async def run_as_callback(spawned: Awaitable[None]) -> None:
    ended = asyncio.Event()

    async def wait() -> None:
        try:
            await spawned
        finally:
            ended.set()

    IOLoop.current().spawn_callback(wait)
    await ended.wait()


SPAWNERS = [run_as_task, run_gathered, run_in_a_group, run_later, run_as_callback]


@pytest.mark.parametrize("spawn", SPAWNERS)
async def test_spawned_task_is_outside_the_transaction(
    service: Service, spawn: Callable[[Awaitable[None]], Awaitable[None]]
) -> None:
    async def spawned() -> None:
        assert not await exists(10)
        await insert(11)

    with contextlib.suppress(DeliberateError):
        async with service.database.aio_atomic():
            await insert(10)
            await spawn(spawned())
            raise DeliberateError
    assert not await exists(10)
    assert await exists(11)


async def test_children_roll_back_their_own_rows_only(service: Service) -> None:
    database = service.database

    async def spawned() -> None:
        with contextlib.suppress(DeliberateError):
            async with database.aio_atomic():
                await insert(11)
                raise DeliberateError

    async with database.aio_atomic():
        await insert(10)
        await asyncio.gather(spawned(), spawned())
    assert await exists(10)
    assert not await exists(11)


async def test_task_that_outlives_the_transaction_has_its_own_connection(service: Service) -> None:
    ended = asyncio.Event()

    async def spawned() -> None:
        await ended.wait()
        await insert(11)

    async with service.database.aio_atomic():
        task = asyncio.create_task(spawned())
        await insert(10)
    with contextlib.suppress(DeliberateError):
        async with service.database.aio_atomic():
            ended.set()
            await task
            raise DeliberateError
    assert await exists(11)


async def test_connection_that_another_task_released_is_not_used(settings: ExampleSettings) -> None:
    async with running_with(settings, pool_max_size=1) as service:
        service.database.pool_backend.timeout = 0.1
        database = service.database
        held = hold(database)
        await anext(held)
        await asyncio.create_task(close(held))
        connection = await database.pool_backend.acquire()
        with pytest.raises(PoolTimeout):
            await database.aio_execute_sql("SELECT 1")
        database.pool_backend.give_back(connection)


async def test_releasing_the_connection_of_another_task_keeps_ones_own(service: Service) -> None:
    database = service.database
    held = hold(database)
    await anext(held)

    async def spawned() -> None:
        async with database.aio_atomic():
            await held.aclose()
            await insert(10)
            raise DeliberateError

    with contextlib.suppress(DeliberateError):
        await asyncio.create_task(spawned())
    assert not await exists(10)


async def test_transaction_ends_with_its_connection(settings: ExampleSettings) -> None:
    async with running_with(settings, pool_max_size=1) as service:
        database = service.database
        async with database.aio_connection():
            transaction = await database.aio_begin()
            await transaction.commit()

        async def roll_back() -> None:
            await transaction.rollback()

        async with database.aio_atomic():
            await insert(10)
            with pytest.raises(ProgrammingError):
                await asyncio.create_task(roll_back())
        assert await exists(10)


async def test_another_database_is_not_in_the_transaction(service: Service, settings: ExampleSettings) -> None:
    other = make_database(settings)
    await other.aio_connect()
    async with service.database.aio_atomic():
        await insert(10)
        query = Item.select()
        assert len(await other.aio_execute(query)) == 3
    await other.aio_close()


async def test_timeout_keeps_the_transaction(service: Service) -> None:
    with contextlib.suppress(DeliberateError):
        async with service.database.aio_atomic():
            async with asyncio.timeout(60):
                await insert(10)
            raise DeliberateError
    assert not await exists(10)


async def hold(database: Database) -> AsyncGenerator[None]:
    async with database.aio_connection():
        yield


async def close(generator: AsyncGenerator[None]) -> None:
    await generator.aclose()
