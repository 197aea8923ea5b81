"""A database that is away or overloaded is a 503, and no request waits for ever."""

import asyncio
import contextlib
import os
import resource
import time

import peewee
import pytest
from pydantic import SecretStr

from {{ cookiecutter.project_slug }}.database import Database, driver
from {{ cookiecutter.project_slug }}.settings import Settings

from .relay import Relay
from .service import Service, problem, serve_for_test, until, until_under_way


async def test_connections_that_died_while_idle_are_not_handed_out(service: Service) -> None:
    database = service.application.database
    end_connections(database)
    async with asyncio.TaskGroup() as group:
        for _ in range(database.pool_backend.size):
            group.create_task(database.aio_execute_sql("SELECT 1"))


async def test_requests_are_503_while_the_database_is_away(settings: Settings, database_url: str) -> None:
    async with Relay(database_url) as relay, serve_for_test(await through(relay, settings)) as service:
        assert (await service.get("/?id=1")).code == 200
        relay.cut()
        for path in ("/?id=1", "/create?id=9", "/readyz"):
            response = await service.get(path)
            assert response.code == 503
            assert response.headers["Retry-After"] == "1"
            assert "detail" not in problem(response) or path == "/readyz"
        await relay.mend()
        assert (await service.get("/?id=1")).code == 200
        assert (await service.get("/readyz")).code == 200


async def test_silent_server_is_a_503_in_time(settings: Settings, database_url: str) -> None:
    """Nothing reports the loss: only the time-out on this side ends the statement."""
    short = settings.model_copy(update={"statement_timeout": 0.5})
    async with Relay(database_url) as relay, serve_for_test(await through(relay, short)) as service:
        relay.fall_silent()
        started = time.monotonic()
        for path in ("/?id=1", "/create?id=9", "/readyz"):
            assert (await service.get(path)).code == 503
        assert time.monotonic() - started < 6
        relay.speak()
        assert (await service.get("/?id=1")).code == 200
        assert (await service.get("/create?id=9")).code == 200


async def test_connection_lost_with_a_statement_under_way(settings: Settings, database_url: str) -> None:
    async with Relay(database_url) as relay, serve_for_test(await through(relay, settings)) as service:
        database = service.application.database
        statement = asyncio.create_task(database.aio_execute_sql("SELECT pg_sleep(60)"))
        await until_under_way(database, "SELECT pg_sleep(60)")
        relay.cut()
        with pytest.raises(peewee.OperationalError):
            await statement


@pytest.mark.parametrize("is_late", [False, True])
async def test_connection_that_the_server_resets(service: Service, is_late: bool) -> None:
    """Its last message and the reset are one event, which uvloop reports once."""
    database = service.application.database
    async with database.aio_connection() as connection:
        statement = asyncio.create_task(database.execute_on(connection, "SELECT pg_sleep(60)"))
        await until_under_way(database, "SELECT pg_sleep(60)")
        os.write(driver.fileno(connection), b"left unread")  # which makes a reset of the server's close
        end_connections(database)
        if is_late:
            driver.hang_up(connection)
        with pytest.raises(peewee.OperationalError):
            async with asyncio.timeout(5):
                await statement


async def test_connection_lost_while_a_large_statement_is_sent(settings: Settings, database_url: str) -> None:
    """Nothing is left in the event loop that the next socket with its descriptor would stumble over."""
    async with Relay(database_url) as relay, serve_for_test(await through(relay, settings)) as service:
        database = service.application.database
        relay.fall_silent()
        large = "x" * 20_000_000  # more than the buffers on the way
        statement = asyncio.create_task(database.aio_execute_sql("SELECT length(%s)", [large]))
        await until(lambda: database.pool_backend.in_use == 1)
        relay.cut()
        with pytest.raises(peewee.OperationalError):
            await statement
        await relay.mend()
        relay.speak()
        responses = await asyncio.gather(*(service.get("/?id=1") for _ in range(50)))
        assert {response.code for response in responses} == {200}


async def test_error_on_a_descriptor_beyond_those_of_select(service: Service) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 2048), hard))
    database = service.application.database
    with contextlib.ExitStack() as taken:
        for _ in range(1024):
            taken.callback(os.close, os.dup(0))
        connection = await database.pool_backend.connect_one(5)
        taken.callback(driver.close, connection)
        with pytest.raises(peewee.ProgrammingError):
            async with asyncio.timeout(5):
                await database.execute_on(connection, "SELECT nonsense")


async def test_statement_is_bounded(settings: Settings) -> None:
    async with serve_for_test(settings.model_copy(update={"statement_timeout": 0.5})) as service:
        with pytest.raises(peewee.OperationalError, match="statement"):
            await service.application.database.aio_execute_sql("SELECT pg_sleep(60)")
        assert (await service.get("/?id=1")).code == 200


async def through(relay: Relay, settings: Settings) -> Settings:
    """The settings for a service on this relay; its first rows are there."""
    async with serve_for_test(settings):
        pass  # nothing synchronous can go through a relay that runs in the same thread
    changed = {"database_url": SecretStr(relay.url), "pool_max_size": 2, "migrate": False, "seed": False}
    return settings.model_copy(update=changed)


def end_connections(database: Database) -> None:
    """End all that there are in the server, before the event loop could tell the driver what there is to read."""
    with database.allow_sync():
        database.execute_sql(
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
