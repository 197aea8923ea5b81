"""The program serves, ends when it is told to, and says in a line what is wrong."""

import asyncio
import contextlib
import re
import signal
from asyncio.subprocess import Process
from collections.abc import AsyncIterator

import pytest
from tornado.httpclient import AsyncHTTPClient

from {{ cookiecutter.project_slug }}.settings import Settings

from .service import run, start


@contextlib.asynccontextmanager
async def serving(settings: Settings, **environment: str) -> AsyncIterator[tuple[Process, str]]:
    """A process that serves, and its address; killed at the end where it still runs."""
    assert settings.database_url is not None
    url = settings.database_url.get_secret_value()
    process = await start("serve", DATABASE_URL=url, PORT="0", **environment)
    assert process.stdout is not None
    try:
        banner = (await process.stdout.readuntil(b"Press ^C to stop.\n")).decode()
        yield process, re.findall(r"http://127\.0\.0\.1:\d+", banner)[0]
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.communicate()


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
async def test_signal_stops_it(settings: Settings, sent: signal.Signals) -> None:
    async with serving(settings) as (process, address):
        assert (await AsyncHTTPClient().fetch(f"{address}/?id=1")).code == 200
        process.send_signal(sent)
        printed, _ = await process.communicate()
    assert process.returncode == 0
    assert printed.decode().endswith(" server stopped\n")


async def test_request_in_flight_is_finished(settings: Settings) -> None:
    async with serving(settings) as (process, address):
        host, port = address.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 13\r\n\r\n")
        while (await AsyncHTTPClient().fetch(f"{address}/readyz")).code != 200:
            pass
        process.send_signal(signal.SIGTERM)
        with contextlib.suppress(ConnectionError):
            while True:  # until the listener is closed
                (await asyncio.open_connection(host, int(port)))[1].close()
        writer.write(b'{"name": "a"}')
        assert (await reader.readline()).startswith(b"HTTP/1.1 201 ")
        writer.close()
        assert await process.wait() == 0


async def test_client_that_leaves_midway_is_not_waited_for(settings: Settings) -> None:
    async with serving(settings, SHUTDOWN_GRACE="600") as (process, address):
        host, port = address.removeprefix("http://").split(":")
        _, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 13\r\n\r\n")
        await AsyncHTTPClient().fetch(f"{address}/readyz")
        writer.close()
        await AsyncHTTPClient().fetch(f"{address}/readyz")
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(30):
            assert await process.wait() == 0


async def test_debug_shows_each_statement(settings: Settings) -> None:
    async with serving(settings, LOG_LEVEL="Debug") as (process, address):
        await AsyncHTTPClient().fetch(f"{address}/create?id=9")
        process.send_signal(signal.SIGTERM)
        printed, _ = await process.communicate()
    statements = re.findall(r"DEBUG [a-z_.0-9]+: ([A-Z]+)", printed.decode())
    assert statements == ["BEGIN", "SELECT", "SAVEPOINT", "INSERT", "RELEASE", "COMMIT"]


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"PORT": "http"}, r"PORT='http': .*integer"),
        ({"POOL_MAX_SIZE": "0"}, r"POOL_MAX_SIZE='0': .*greater than 0"),
        ({"LOG_LEVEL": "loud"}, r"LOG_LEVEL='loud': .*'debug', 'info', 'warning' or 'error'"),
        ({"DATABASE_URL": "postgresql://127.0.0.1:1/test"}, r"the database can't be reached: .*refused.*"),
        ({"DATABASE_URL": "not a url"}, r"DATABASE_URL .*postgresql://"),
    ],
)
async def test_start_that_fails_says_why_in_one_line(environment: dict[str, str], expected: str) -> None:
    code, printed = await run("serve", **environment)
    assert code == 1
    assert re.fullmatch(rf"{{ cookiecutter.project_slug }}: {expected}.*\n", printed)


async def test_no_command() -> None:
    code, printed = await run()
    assert code == 2
    assert "usage: {{ cookiecutter.project_slug }}" in printed
