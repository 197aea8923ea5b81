"""A cancelled statement also ends in the server, and its connection is not lost."""

import asyncio
import contextlib
import random

import peewee
import pytest
from tornado.escape import json_decode

from {{ cookiecutter.project_slug }}.foundation.database import Database, sqlstate_of
from {{ cookiecutter.project_slug }}.foundation.testing import Service

from .example import ExampleSettings, Item
from .support import connect, exists, insert, running_with, until, until_under_way

SLEEP = "SELECT pg_sleep(60)"
CANCELLATIONS = 500
LOST = (peewee.OperationalError, peewee.InterfaceError)


async def test_cancelled_statement_ends_in_the_server(settings: ExampleSettings) -> None:
    async with running_with(settings, statement_timeout=600) as service:
        database = service.database
        statement = asyncio.create_task(database.aio_execute_sql(SLEEP))
        await until_under_way(database, SLEEP, 1)
        statement.cancel()
        with pytest.raises(asyncio.CancelledError):
            await statement
        await until_under_way(database, SLEEP, 0)


async def test_client_that_goes_away_ends_its_statement(service: Service) -> None:
    database = service.database
    async with database.aio_atomic():
        await Item.aio_create(id=9, name="a row to wait for")
        _, writer = await connect(service.address)
        writer.write(b"GET /get-or-create?id=9 HTTP/1.1\r\nHost: localhost\r\n\r\n")
        await until_under_way(database, "INSERT%", 1)
        writer.close()
        await until_under_way(database, "INSERT%", 0)
    await service.application.in_flight.wait_for_end()
    counted = {"method": "GET", "route": "/get-or-create", "status": "499"}
    assert service.application.metrics.registry.get_sample_value("http_request_duration_seconds_count", counted) == 1


async def test_a_statement_time_out_is_no_cancellation(settings: ExampleSettings) -> None:
    async with running_with(settings, statement_timeout=0.5) as service:
        database = service.database

        async def sleep_in_a_transaction() -> None:
            async with database.aio_atomic():
                await Item.aio_create(id=9, name="a row")
                await database.aio_execute_sql(SLEEP)

        with pytest.raises(peewee.OperationalError):
            await sleep_in_a_transaction()
        assert await Item.aio_get_or_none(id=9) is None


async def test_a_statement_time_out_is_an_error_like_any_other(settings: ExampleSettings) -> None:
    """aiopg reports it to the event loop, which logs a traceback."""
    reported: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: reported.append(context))
    async with running_with(settings, statement_timeout=0.5) as service:
        with pytest.raises(peewee.OperationalError, match="timeout") as raised:
            await service.database.aio_execute_sql(SLEEP)
    assert sqlstate_of(raised.value) == "57014"
    assert not reported


async def test_cancelled_inside_a_transaction(service: Service) -> None:
    database = service.database

    async def sleep_in_a_transaction() -> None:
        async with database.aio_atomic():
            await insert(10)
            await database.aio_execute_sql(SLEEP)

    task = asyncio.create_task(sleep_in_a_transaction())
    await until_under_way(database, SLEEP)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not await exists(10)


async def test_cancelled_begin_begins_nothing(service: Service) -> None:
    """psycopg finishes the BEGIN before it raises CancelledError."""
    database = service.database

    async def begin_and_insert(id_: int) -> None:
        async with database.aio_connection():
            with contextlib.suppress(TimeoutError, peewee.InterfaceError):
                async with asyncio.timeout(0):
                    async with database.aio_atomic():
                        pass
            async with database.aio_atomic():
                await insert(id_)

    for id_ in range(100, 150):
        try:
            await begin_and_insert(id_)
        except LOST:  # aiopg closes the connection
            assert not await exists(id_)
        else:
            assert await exists(id_)


async def test_client_that_leaves_in_a_body_over_the_limit_leaves_no_task(service: Service) -> None:
    before = asyncio.all_tasks()
    _, writer = await connect(service.address)
    length = ExampleSettings().max_body_size + 1
    writer.write(b"POST /items HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\nx" % length)
    await until(lambda: len(service.application.in_flight) == 1)
    writer.close()
    await until(lambda: not asyncio.all_tasks() - before)


async def test_cancelled_at_any_moment(service: Service) -> None:
    """Cancels in the queue, around a statement, and in BEGIN, COMMIT and ROLLBACK."""
    database = service.database
    chance = random.Random(1)

    async def work(number: int) -> None:
        async with database.aio_atomic():
            await Item.aio_create(name=f"{number}")
            async with database.aio_atomic():
                await database.aio_execute_sql("SELECT pg_sleep(0.001)")

    async def work_until_cancelled(number: int) -> None:
        task = asyncio.create_task(work(number))
        await asyncio.sleep(chance.random() * 0.03)
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled() or task.exception() is None

    for first in range(0, CANCELLATIONS, 20):
        await asyncio.gather(*(work_until_cancelled(number) for number in range(first, first + 20)))
    pool = database.pool_backend
    assert (pool.in_use, pool.waiting) == (0, 0)
    await until_sessions_are_at_most(database, pool.size)
    async with asyncio.TaskGroup() as group:
        for _ in range(3 * pool.size):
            group.create_task(Item.aio_create(name="afterwards"))
    body = (await service.post("/items", body="name=afterwards")).body
    assert json_decode(body)["name"] == "afterwards"


async def until_sessions_are_at_most(database: Database, number: int) -> None:
    """Wait until the server has noticed the closed connections, within about a second."""
    sql = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
    async with asyncio.timeout(20):
        while True:
            with contextlib.suppress(peewee.OperationalError):  # too many clients, for the moment
                found = await database.aio_execute_sql(sql, fetch_results=lambda _, cursor: cursor.fetchone())
                if found[0] <= number:
                    return
