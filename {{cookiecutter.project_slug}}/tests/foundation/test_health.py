"""`/healthz` tells that the process lives, `/readyz` that it can serve."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
from pydantic import SecretStr
from structlog.testing import capture_logs
from tornado.web import HTTPError

from {{ cookiecutter.project_slug }}.foundation.database import Database, make_database
from {{ cookiecutter.project_slug }}.foundation.testing import Service, isolated_settings
from {{ cookiecutter.project_slug }}.foundation.web.health import Readiness

from .example import ExampleSettings
from .relay import Relay
from .support import problem, role_with_one_connection, running_with
from .test_lost_database import through


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
async def test_healthy(service: Service, path: str) -> None:
    assert (await service.get(path)).code == 200


async def test_draining(service: Service) -> None:
    service.application.readiness.draining = True
    response = await service.get("/readyz")
    assert response.code == 503
    assert problem(response)["detail"] == "The server is shutting down"
    assert (await service.get("/healthz")).code == 200


async def test_probe_opens_no_connection_where_one_is_idle(settings: ExampleSettings, database_url: str) -> None:
    async with Relay(database_url) as relay, running_with(await through(relay, settings)) as service:
        opened = relay.connections
        assert (await service.get("/readyz")).code == 200
        assert relay.connections == opened


async def test_ready_with_a_busy_pool(service: Service) -> None:
    async with busy(service.database):
        assert (await service.get("/readyz")).code == 200


async def test_ready_with_a_busy_pool_and_no_other_connection(settings: ExampleSettings, database_url: str) -> None:
    """The server refuses a connection for the probe, but those of the pool work."""
    async with role_with_one_connection(settings, database_url) as url:
        off = {"migrate_on_start": False, "seed_on_start": False}
        small = running_with(settings, database_url=SecretStr(url), pool_max_size=1, **off)
        async with small as service, busy(service.database):
            assert (await service.get("/readyz")).code == 200
            assert "database_up 1.0" in (await service.get("/metrics")).body.decode()


async def test_not_ready_where_too_many_connections_leave_none(settings: ExampleSettings, database_url: str) -> None:
    async with role_with_one_connection(settings, database_url) as url:
        database = make_database(isolated_settings(ExampleSettings, url))
        connection = await database.pool_backend.connect_one(5)
        with pytest.raises(HTTPError, match="doesn't answer"):
            await Readiness(database).check()
        await connection.close()


async def test_reason_is_logged_once(settings: ExampleSettings, database_url: str) -> None:
    async with Relay(database_url) as relay, running_with(await through(relay, settings)) as service:
        with capture_logs() as logs:
            relay.cut()
            for _ in range(3):
                response = await service.get("/readyz")
                assert (response.code, problem(response)["detail"]) == (503, "The database doesn't answer")
            await relay.mend()
            for _ in range(3):
                assert (await service.get("/readyz")).code == 200
    about = [line for line in logs if "ready" in line["event"]]
    assert [line["event"] for line in about] == ["not ready", "ready again"]
    assert str(relay.port) in about[0]["reason"]
    assert "request" not in {line["event"] for line in logs}  # those of probes are at the level debug


async def test_callers_share_one_question_to_a_database_that_does_not_answer() -> None:
    async with silent_server() as (port, connections):
        database = make_database(isolated_settings(ExampleSettings, f"postgresql://u:p@127.0.0.1:{port}/d"))
        readiness = Readiness(database)
        async with asyncio.timeout(20):
            answers = await asyncio.gather(*(readiness.check() for _ in range(5)), return_exceptions=True)
    assert [answer.status_code for answer in answers if isinstance(answer, HTTPError)] == [503] * 5
    assert len(connections) == 1


@asynccontextmanager
async def silent_server() -> AsyncIterator[tuple[int, list[asyncio.StreamWriter]]]:
    """Listen on a port and never answer; give the port and the accepted connections."""
    connections: list[asyncio.StreamWriter] = []
    server = await asyncio.start_server(lambda reader, writer: connections.append(writer), "127.0.0.1", 0)
    async with AsyncExitStack() as stack:
        stack.callback(server.close)
        yield server.sockets[0].getsockname()[1], connections
        for writer in connections:
            writer.close()


@asynccontextmanager
async def busy(database: Database) -> AsyncIterator[None]:
    """Hold all connections of the pool."""
    pool = database.pool_backend
    held = [await pool.acquire() for _ in range(pool.size)]
    try:
        yield
    finally:
        for connection in held:
            pool.give_back(connection)
