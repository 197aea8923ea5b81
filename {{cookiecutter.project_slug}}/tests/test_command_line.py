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


async def test_delay_before_the_listener_closes(settings: Settings) -> None:
    async with serving(settings, SHUTDOWN_DELAY="2") as (process, address):
        process.send_signal(signal.SIGTERM)
        while (await AsyncHTTPClient().fetch(f"{address}/readyz", raise_error=False)).code == 200:
            pass
        assert (await AsyncHTTPClient().fetch(f"{address}/?id=1")).code == 200
        assert await process.wait() == 0


HALF_SENT = b"""\
POST / HTTP/1.1\r
Host: a\r
Content-Type: application/json\r
Content-Length: 13\r
Expect: 100-continue\r
\r
"""


async def send_half(address: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection on which the body of a request is awaited."""
    host, port = address.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(HALF_SENT)
    assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 (Continue)\r\n\r\n"
    return reader, writer


async def test_request_in_flight_is_finished(settings: Settings) -> None:
    async with serving(settings) as (process, address):
        reader, writer = await send_half(address)
        process.send_signal(signal.SIGTERM)
        with contextlib.suppress(ConnectionError):
            while True:  # until the listener is closed
                (await send_half(address))[1].close()
        writer.write(b'{"name": "a"}')
        assert (await reader.readline()).startswith(b"HTTP/1.1 201 ")
        writer.close()
        assert await process.wait() == 0


async def test_request_that_never_ends_is_ended(settings: Settings) -> None:
    async with serving(settings, SHUTDOWN_GRACE="0.1") as (process, address):
        reader, writer = await send_half(address)
        process.send_signal(signal.SIGTERM)
        assert await reader.read() == b""
        writer.close()
        assert await process.wait() == 0


async def test_client_that_leaves_midway_is_not_waited_for(settings: Settings) -> None:
    async with serving(settings, SHUTDOWN_GRACE="600") as (process, address):
        _, writer = await send_half(address)
        writer.close()
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
        ({"STATEMENT_TIMEOUT": "0.0001"}, r"STATEMENT_TIMEOUT='0.0001': .*greater than or equal to 0.001"),
        ({"POOL_TIMEOUT": "inf"}, r"POOL_TIMEOUT='inf': .*"),
        ({"DATABASE_URL": "postgresql://127.0.0.1:1/test"}, r"the database: .*refused.*"),
        ({"DATABASE_URL": "not a url"}, r"DATABASE_URL .*postgresql://"),
    ],
)
async def test_start_that_fails_says_why_in_one_line(environment: dict[str, str], expected: str) -> None:
    code, printed = await run("serve", **environment)
    assert code == 1
    assert re.fullmatch(rf"{{ cookiecutter.project_slug }}: {expected}.*\n", printed)


async def test_address_that_is_not_this_machines(settings: Settings, database_url: str) -> None:
    code, printed = await run("serve", DATABASE_URL=database_url, HOST="192.0.2.1")
    assert code == 1
    assert re.fullmatch(r"\w+: HOST=192.0.2.1 PORT=\d+ can't be listened on: .*\n", printed)


async def test_tables_that_are_not_there(settings: Settings, database_url: str) -> None:
    code, printed = await run("seed", DATABASE_URL=database_url)
    assert code == 1
    assert re.fullmatch(r"\w+: the database: .*does not exist.*\n", printed)


async def test_no_command() -> None:
    code, printed = await run()
    assert code == 2
    assert "usage: {{ cookiecutter.project_slug }}" in printed
