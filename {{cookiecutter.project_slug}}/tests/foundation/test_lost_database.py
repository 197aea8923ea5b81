"""A database that is away or overloaded is a 503, and no request waits for ever."""

import asyncio
import contextlib
import os
import resource
import time

import peewee
import pytest
from pydantic import SecretStr

from {{ cookiecutter.project_slug }}.foundation.database import Database, driver
from {{ cookiecutter.project_slug }}.foundation.testing import Service

from .example import ExampleSettings
from .relay import Relay
from .support import problem, running_with, until, until_under_way


async def test_connections_that_died_while_idle_are_not_handed_out(service: Service) -> None:
    database = service.database
    end_connections(database)
    async with asyncio.TaskGroup() as group:
        for _ in range(database.pool_backend.size):
            group.create_task(database.aio_execute_sql("SELECT 1"))


async def test_requests_are_503_while_the_database_is_away(settings: ExampleSettings, database_url: str) -> None:
    async with Relay(database_url) as relay, running_with(await through(relay, settings)) as service:
        assert (await service.get("/items?id=1")).code == 200
        relay.cut()
        for path in ("/items?id=1", "/get-or-create?id=9", "/readyz"):
            response = await service.get(path)
            assert response.code == 503
            assert response.headers["Retry-After"] == "1"
            assert "detail" not in problem(response) or path == "/readyz"
        await relay.mend()
        assert (await service.get("/items?id=1")).code == 200
        assert (await service.get("/readyz")).code == 200


async def test_silent_server_is_a_503_in_time(settings: ExampleSettings, database_url: str) -> None:
    """Only the service's own timeout ends the statement: nothing reports the loss."""
    short = settings.model_copy(update={"statement_timeout": 0.5})
    async with Relay(database_url) as relay, running_with(await through(relay, short)) as service:
        relay.fall_silent()
        started = time.monotonic()
        for path in ("/items?id=1", "/get-or-create?id=9", "/readyz"):
            assert (await service.get(path)).code == 503
        assert time.monotonic() - started < 6
        relay.speak()
        assert (await service.get("/items?id=1")).code == 200
        assert (await service.get("/get-or-create?id=9")).code == 200


async def test_connection_lost_with_a_statement_under_way(settings: ExampleSettings, database_url: str) -> None:
    async with Relay(database_url) as relay, running_with(await through(relay, settings)) as service:
        database = service.database
        statement = asyncio.create_task(database.aio_execute_sql("SELECT pg_sleep(60)"))
        await until_under_way(database, "SELECT pg_sleep(60)")
        relay.cut()
        with pytest.raises(peewee.OperationalError):
            await statement


@pytest.mark.parametrize("is_late", [False, True])
async def test_connection_that_the_server_resets(service: Service, is_late: bool) -> None:
    """The server's last message and the reset are one event, which uvloop reports once."""
    database = service.database
    async with database.aio_connection() as connection:
        statement = asyncio.create_task(database.execute_on(connection, "SELECT pg_sleep(60)"))
        await until_under_way(database, "SELECT pg_sleep(60)")
        os.write(driver.fileno(connection), b"left unread")  # so that the server's close becomes a reset
        end_connections(database)
        if is_late:
            driver.hang_up(connection)
        with pytest.raises(peewee.OperationalError):
            async with asyncio.timeout(5):
                await statement


async def test_connection_lost_while_a_large_statement_is_sent(settings: ExampleSettings, database_url: str) -> None:
    """Leaves nothing in the event loop that would block the next socket with the same descriptor."""
    async with Relay(database_url) as relay, running_with(await through(relay, settings)) as service:
        database = service.database
        relay.fall_silent()
        large = "x" * 20_000_000  # more than the buffers on the way
        statement = asyncio.create_task(database.aio_execute_sql("SELECT length(%s)", [large]))
        await until(lambda: database.pool_backend.in_use == 1)
        relay.cut()
        with pytest.raises(peewee.OperationalError):
            await statement
        await relay.mend()
        relay.speak()
        responses = await asyncio.gather(*(service.get("/items?id=1") for _ in range(50)))
        assert {response.code for response in responses} == {200}


async def test_error_on_a_descriptor_beyond_those_of_select(service: Service) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 2048), hard))
    database = service.database
    with contextlib.ExitStack() as taken:
        for _ in range(1024):
            taken.callback(os.close, os.dup(0))
        connection = await database.pool_backend.connect_one(5)
        taken.callback(driver.close, connection)
        with pytest.raises(peewee.ProgrammingError):
            async with asyncio.timeout(5):
                await database.execute_on(connection, "SELECT nonsense")


async def test_hanging_up_takes_no_descriptor(service: Service) -> None:
    """Or else a statement without an answer would last as long as descriptors are short."""
    database = service.database
    async with database.aio_connection() as connection:
        statement = asyncio.create_task(database.execute_on(connection, "SELECT pg_sleep(60)"))
        await until_under_way(database, "SELECT pg_sleep(60)")
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (0, hard))
        try:
            driver.hang_up(connection)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        with pytest.raises(peewee.OperationalError):
            await statement


async def test_statement_is_bounded(settings: ExampleSettings) -> None:
    async with running_with(settings, statement_timeout=0.5) as service:
        with pytest.raises(peewee.OperationalError, match="statement"):
            await service.database.aio_execute_sql("SELECT pg_sleep(60)")
        assert (await service.get("/items?id=1")).code == 200


async def through(relay: Relay, settings: ExampleSettings) -> ExampleSettings:
    """Create the tables and first rows; return settings for a service behind the relay."""
    async with running_with(settings):
        pass  # a synchronous connection would block the relay, which runs in the same thread
    changed = {
        "database_url": SecretStr(relay.url),
        "pool_max_size": 2,
        "migrate_on_start": False,
        "seed_on_start": False,
    }
    return settings.model_copy(update=changed)


def end_connections(database: Database) -> None:
    """End all sessions in the server, before the event loop can tell the driver."""
    with database.allow_sync():
        database.execute_sql(
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
