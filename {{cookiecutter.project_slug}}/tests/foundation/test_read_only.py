"""A server that turned read-only, such as a standby, is left: its connections don't stay in the pool."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from peewee import InternalError
from pydantic import SecretStr

from {{ cookiecutter.project_slug }}.foundation.testing import Service

from .example import ExampleSettings
from .support import exists, insert, problem, running_with

ALTER = """
DO $$ BEGIN EXECUTE format('ALTER DATABASE %%I SET default_transaction_read_only = {}', current_database()); END $$
"""


async def test_next_request_finds_the_new_primary(settings: ExampleSettings) -> None:
    async with connected_to_a_standby(settings) as service:
        posted = await service.post("/items", json={"name": "lost"})
        assert (posted.code, "Retry-After" in posted.headers) == (503, False)
        problem(posted)
        for _ in range(service.database.pool_backend.size):
            assert (await service.post("/items", json={"name": "found"})).code == 201


async def test_next_probe_finds_the_new_primary(settings: ExampleSettings) -> None:
    async with connected_to_a_standby(settings) as service:
        assert (await service.get("/items?id=1")).code == 200
        response = await service.get("/readyz")
        assert (response.code, problem(response)["detail"]) == (503, "The database is read-only")
        assert (await service.get("/readyz")).code == 200
        assert (await service.post("/items", json={"name": "found"})).code == 201


async def test_probe_without_an_idle_connection(settings: ExampleSettings) -> None:
    async with connected_to_a_standby(settings, pool_max_size=1) as service:
        async with service.database.aio_connection():
            await turn(service, read_only=True)
            assert (await service.get("/readyz")).code == 503
            await turn(service, read_only=False)
        assert (await service.post("/items", json={"name": "found"})).code == 201


async def test_connections_in_use_leave_too(settings: ExampleSettings) -> None:
    async with connected_to_a_standby(settings, pool_max_size=2) as service:
        async with service.database.aio_connection():
            with pytest.raises(InternalError):
                await asyncio.create_task(insert(10))
        await insert(10)
        assert await exists(10)


async def test_server_that_stays_read_only_keeps_its_connections(settings: ExampleSettings) -> None:
    """Or else each write would make the service open all its connections again."""
    async with connected_to_a_standby(settings, pool_max_size=1) as service:
        pool = service.database.pool_backend
        pool.renew()
        connection = await pool.acquire()
        pool.give_back(connection)
        pool.renew()
        assert await pool.acquire() is connection
        pool.give_back(connection)


@pytest.mark.parametrize("attributes", ["any", "read-only", "prefer-standby"])
async def test_standby_that_is_wanted(settings: ExampleSettings, database_url: str, attributes: str) -> None:
    url = SecretStr(f"{database_url}?target_session_attrs={attributes}")
    async with connected_to_a_standby(settings, database_url=url, pool_max_size=1) as service:
        pool = service.database.pool_backend
        connection = await pool.acquire()
        pool.give_back(connection)
        assert (await service.get("/readyz")).code == 200
        assert (await service.post("/items", json={"name": "refused"})).code == 503
        assert await pool.acquire() is connection
        pool.give_back(connection)


@asynccontextmanager
async def connected_to_a_standby(settings: ExampleSettings, **changes: object) -> AsyncIterator[Service]:
    """Serve with a pool that is connected to a server that takes no writes, while its address leads to one that does.

    PostgreSQL sets a session's `default_transaction_read_only` when the session begins.
    """
    async with running_with(settings) as other:
        await turn(other, read_only=True)
        try:
            off = {"migrate_on_start": False, "seed_on_start": False}
            async with running_with(settings, **off | changes) as service:
                await turn(other, read_only=False)
                yield service
        finally:
            await turn(other, read_only=False)


async def turn(service: Service, *, read_only: bool) -> None:
    """Make the server look read-only, or not, to the sessions that begin from now on."""
    async with service.database.aio_transaction():
        await service.database.aio_execute_sql("SET TRANSACTION READ WRITE")
        await service.database.aio_execute_sql(ALTER.format("on" if read_only else "off"))
