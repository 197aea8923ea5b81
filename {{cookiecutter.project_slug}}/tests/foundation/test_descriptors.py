"""Without file descriptors to spare, the service serves the clients that it has, and takes new ones when it can."""

import asyncio
import resource
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TypeAlias
from urllib.parse import urlsplit

import pytest
from pydantic import SecretStr
from structlog.testing import capture_logs

from {{ cookiecutter.project_slug }}.foundation.listener import PAUSE, raise_descriptor_limit
from {{ cookiecutter.project_slug }}.foundation.testing import Service

from .example import ExampleSettings
from .relay import Relay
from .support import connect, serving, until

LIMIT = 64
POOL_SIZE = 10
GET = b"GET /items?id=1 HTTP/1.1\r\nHost: a\r\n\r\n"

Streams: TypeAlias = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def ask(client: Streams) -> int:
    """Return the status of a request for a row."""
    reader, writer = client
    writer.write(GET)
    status = await reader.readline()
    await reader.readuntil(b"}")
    return int(status.split()[1])


@asynccontextmanager
async def more_clients_than_descriptors(address: str) -> AsyncIterator[list[Streams]]:
    clients = [await connect(address) for _ in range(LIMIT + POOL_SIZE)]
    try:
        yield clients
    finally:
        for _, writer in clients:
            writer.close()


async def until_it_pauses(output: asyncio.StreamReader) -> None:
    while b"no file descriptor" not in await output.readline():
        pass


async def test_more_clients_than_descriptors(settings: ExampleSettings) -> None:
    async with (
        asyncio.timeout(60),
        serving(settings, shell=f'ulimit -n {LIMIT}; exec "$@"') as (process, address),
        more_clients_than_descriptors(address) as clients,
    ):
        assert process.stdout is not None
        await until_it_pauses(process.stdout)
        assert await ask(clients[0]) == 200
        for _, writer in clients[1:-1]:
            writer.close()
        assert await ask(clients[-1]) == 200
        process.terminate()
        lines = (await process.stdout.read()).splitlines()
    assert len(lines) == 3  # a line per request, and " server stopped"


async def test_database_that_returns_finds_descriptors(settings: ExampleSettings, database_url: str) -> None:
    """The clients that wait don't get those of connections that the pool lost."""
    async with asyncio.timeout(60), Relay(database_url) as relay:
        through_relay = settings.model_copy(update={"database_url": SecretStr(relay.url)})
        async with (
            serving(through_relay, shell=f'ulimit -n {LIMIT}; exec "$@"') as (process, address),
            more_clients_than_descriptors(address) as clients,
        ):
            assert process.stdout is not None
            await until_it_pauses(process.stdout)
            log = asyncio.create_task(process.stdout.read())  # else the pipe fills, and the service waits
            relay.cut()
            cut = time.monotonic()
            while time.monotonic() < cut + 5 * PAUSE:
                assert await ask(clients[0]) == 503
            await relay.mend()
            assert await ask(clients[0]) == 200
            process.kill()
            await log


async def test_descriptors_that_others_took(service: Service) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    url = urlsplit(service.address)
    client = socket.create_connection((url.hostname, url.port))
    with socket.socket() as probe:
        lowest = probe.fileno()
    with capture_logs() as logged:
        resource.setrlimit(resource.RLIMIT_NOFILE, (lowest, hard))
        try:
            async with asyncio.timeout(5):
                await until(lambda: bool(logged))
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    streams = await asyncio.open_connection(sock=client)
    assert await ask(streams) == 200
    streams[1].close()


def test_soft_limit_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    """Up to what the system allows: macOS refuses more than 10240."""

    def refuse(which: int, limits: tuple[int, int]) -> None:
        if limits[0] > 10240:
            raise ValueError("not allowed")
        asked.append(limits)

    asked: list[tuple[int, int]] = []
    monkeypatch.setattr(resource, "setrlimit", refuse)
    for soft, hard in [(256, resource.RLIM_INFINITY), (1024, 4096), (20000, 20000), (1024, 20000)]:
        monkeypatch.setattr(resource, "getrlimit", lambda which, limits=(soft, hard): limits)
        raise_descriptor_limit()
    assert asked == [(10240, resource.RLIM_INFINITY), (4096, 4096), (10240, 20000)]
