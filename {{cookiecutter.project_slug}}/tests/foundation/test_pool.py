"""Waiting for a connection is first come, first served, and bounded."""

import asyncio

import pytest
from peewee import OperationalError
from structlog.testing import capture_logs

from {{ cookiecutter.project_slug }}.foundation.database import Database, PoolTimeout, driver, make_database
from {{ cookiecutter.project_slug }}.foundation.database import pool as pool_module
from {{ cookiecutter.project_slug }}.foundation.testing import isolated_settings

from .example import ExampleSettings
from .support import problem, role_with_one_connection, running_with, until_under_way


async def test_past_the_timeout_it_is_a_503(settings: ExampleSettings) -> None:
    async with running_with(settings, pool_max_size=1) as service:
        service.database.pool_backend.timeout = 0.1
        async with service.database.aio_connection():
            response = await service.get("/items?id=1")
        assert response.code == 503
        assert response.headers["Retry-After"] == "1"
        problem(response)
        assert (await service.get("/items?id=1")).code == 200


async def test_first_come_first_served(settings: ExampleSettings) -> None:
    served: list[int] = []

    async def ask(database: Database, number: int) -> None:
        async with database.aio_connection():
            served.append(number)

    async with running_with(settings, pool_max_size=1) as service:
        database = service.database
        async with asyncio.TaskGroup() as group, database.aio_connection():
            for number in range(20):
                group.create_task(ask(database, number))
            await asyncio.sleep(0)
    assert served == list(range(20))


async def test_connection_given_to_a_task_that_is_cancelled_is_not_lost(settings: ExampleSettings) -> None:
    async with running_with(settings, pool_max_size=1) as service:
        service.database.pool_backend.timeout = 0.5
        pool = service.database.pool_backend
        connection = await pool.acquire()
        waiting = asyncio.create_task(pool.acquire())
        await asyncio.sleep(0)
        pool.give_back(connection)  # the waiting task gets it
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert await pool.acquire() is connection
        pool.give_back(connection)


async def test_connection_that_is_handed_over_as_the_pool_closes(settings: ExampleSettings) -> None:
    async with running_with(settings, pool_max_size=1) as service:
        pool = service.database.pool_backend
        connection = await pool.acquire()
        waiting = asyncio.create_task(pool.acquire())
        await asyncio.sleep(0)
        pool.give_back(connection)  # the waiting task gets it
        await pool.close()
        pool.give_back(await waiting)
        assert connection.closed


async def test_server_that_still_counts_a_closed_connection(settings: ExampleSettings, database_url: str) -> None:
    """aiopg cancels a statement by closing its connection; the server notices that within a second."""
    async with role_with_one_connection(settings, database_url) as url, running_with(settings) as other:
        database = make_database(isolated_settings(ExampleSettings, url, pool_max_size=1))
        cancelled = asyncio.create_task(database.aio_execute_sql("SELECT pg_sleep(60)"))
        await until_under_way(other.database, "SELECT pg_sleep(60)")
        cancelled.cancel()
        await asyncio.wait([cancelled])
        await database.aio_execute_sql("SELECT 1")
        await database.aio_close()


async def test_server_with_too_many_connections_says_so(settings: ExampleSettings, database_url: str) -> None:
    async with role_with_one_connection(settings, database_url) as url:
        database = make_database(isolated_settings(ExampleSettings, url, pool_timeout=0.5))
        other = await database.pool_backend.connect_one(5)
        with pytest.raises(OperationalError, match="too many connections"):
            await database.aio_execute_sql("SELECT 1")
        await other.close()


@pytest.mark.parametrize("is_connected", [True, False])
async def test_server_with_fewer_connections_than_the_pool(
    settings: ExampleSettings, database_url: str, is_connected: bool
) -> None:
    """Tasks share what there is, instead of waiting for the server."""
    served: list[int] = []
    async with role_with_one_connection(settings, database_url) as url:
        database = make_database(isolated_settings(ExampleSettings, url, pool_max_size=3, pool_timeout=0.5))

        async def ask(number: int) -> None:
            await database.aio_execute_sql("SELECT pg_sleep(0.05)")
            served.append(number)

        if is_connected:
            with capture_logs() as logs:
                await database.aio_connect()
            [warning] = logs
            assert (warning["log_level"], warning["number"]) == ("warning", 1)
        database.pool_backend.timeout = 10
        await asyncio.gather(*map(ask, range(12)))
        assert sorted(served) == list(range(12))
        assert database.pool_backend.waiting == 0
        await database.aio_close()


async def test_size_after_closing_while_the_server_has_no_connection(
    settings: ExampleSettings, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A slot still rests when the pool is closed. Its time ends when the pool is open again."""
    monkeypatch.setattr(pool_module, "RETRY_INTERVAL", 1)
    async with role_with_one_connection(settings, database_url) as url:
        database = make_database(isolated_settings(ExampleSettings, url, pool_max_size=1, pool_timeout=0.5))
        pool = database.pool_backend
        other = await pool.connect_one(5)
        with pytest.raises(OperationalError, match="too many connections"):
            await pool.connect()
        driver.close(other)
        pool.timeout = 10
        await pool.connect()
        await asyncio.sleep(1.1)
        connection = await pool.acquire()
        pool.timeout = 0.1
        with pytest.raises(PoolTimeout):
            await pool.acquire()
        pool.give_back(connection)
        await database.aio_close()


async def test_child_that_waits_for_its_parents_connection_times_out(settings: ExampleSettings) -> None:
    async with running_with(settings, pool_max_size=1) as service:
        service.database.pool_backend.timeout = 0.1
        database = service.database
        with pytest.raises(PoolTimeout):
            async with database.aio_atomic():
                await asyncio.create_task(database.aio_execute_sql("SELECT 1"))


async def test_child_that_waits_for_its_parents_row_times_out(settings: ExampleSettings) -> None:
    async with running_with(settings, statement_timeout=0.5) as service:
        database = service.database
        update = "UPDATE item SET name = 'a child' WHERE id = 1"
        async with database.aio_atomic():
            await database.aio_execute_sql(update)
            with pytest.raises(OperationalError):
                await asyncio.create_task(database.aio_execute_sql(update))


async def test_gauges(settings: ExampleSettings) -> None:
    async with running_with(settings, pool_max_size=1) as service:
        database = service.database
        pool = database.pool_backend
        async with asyncio.TaskGroup() as group, database.aio_connection():
            given_up = group.create_task(database.aio_execute_sql("SELECT 1"))
            group.create_task(database.aio_execute_sql("SELECT 1"))
            await asyncio.sleep(0)
            assert (pool.size, pool.in_use, pool.waiting) == (1, 1, 2)
            given_up.cancel()
            await asyncio.sleep(0)
            assert (pool.size, pool.in_use, pool.waiting) == (1, 1, 1)
        assert (pool.size, pool.in_use, pool.waiting) == (1, 0, 0)


async def test_size_after_closing_and_connecting_while_in_use(settings: ExampleSettings) -> None:
    async with running_with(settings, pool_max_size=1) as service:
        pool = service.database.pool_backend
        of_before = await pool.acquire()
        await pool.close()
        await pool.connect()
        pool.give_back(of_before)
        connection = await pool.acquire()
        pool.timeout = 0.1
        with pytest.raises(PoolTimeout):
            await pool.acquire()
        pool.give_back(connection)
