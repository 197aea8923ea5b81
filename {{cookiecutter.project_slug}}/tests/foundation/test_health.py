"""`/healthz` tells that the process lives, `/readyz` that it can serve."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
from tornado.web import HTTPError

from {{ cookiecutter.project_slug }}.foundation.database import make_database
from {{ cookiecutter.project_slug }}.foundation.testing import Service, isolated_settings
from {{ cookiecutter.project_slug }}.foundation.web.health import Readiness

from .example import ExampleSettings
from .support import problem


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
async def test_healthy(service: Service, path: str) -> None:
    assert (await service.get(path)).code == 200


async def test_draining(service: Service) -> None:
    service.application.readiness.draining = True
    response = await service.get("/readyz")
    assert response.code == 503
    assert problem(response)["detail"] == "The server is shutting down"
    assert (await service.get("/healthz")).code == 200


async def test_ready_with_a_busy_pool(service: Service) -> None:
    database = service.database

    async def hold(connected: asyncio.Semaphore, done: asyncio.Event) -> None:
        async with database.aio_connection():
            connected.release()
            await done.wait()

    connected, done = asyncio.Semaphore(0), asyncio.Event()
    async with asyncio.TaskGroup() as group:
        for _ in range(database.pool_backend.size):
            group.create_task(hold(connected, done))
            await connected.acquire()
        response = await service.get("/readyz")
        done.set()
    assert response.code == 200


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
