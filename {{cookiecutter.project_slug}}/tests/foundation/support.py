"""Support for the foundation's tests: rows, processes, raw connections, waiting."""

import asyncio
import contextlib
import os
import random
import re
import socket
import sys
from asyncio.subprocess import PIPE, STDOUT, Process
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tornado.escape import json_decode
from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPResponse

from {{ cookiecutter.project_slug }}.foundation.database import Database, make_database
from {{ cookiecutter.project_slug }}.foundation.testing import Service, running

from .example import ExampleSettings, Item, make_application

PROGRAM = Path(__file__).with_name("example.py")


class DeliberateError(Exception):
    """Ends a transaction without its rows."""


async def insert(id_: int) -> None:
    await Item.aio_create(id=id_, name="a row")


async def exists(id_: int) -> bool:
    return await Item.aio_get_or_none(id=id_) is not None


@asynccontextmanager
async def running_with(settings: ExampleSettings, **changes: Any) -> AsyncIterator[Service]:
    """Serve the example with changed settings."""
    changed = settings.model_copy(update=changes)
    async with running(make_application(changed), changed) as service:
        yield service


@asynccontextmanager
async def role_with_one_connection(settings: ExampleSettings, database_url: str) -> AsyncIterator[str]:
    """Create a role that may have one connection; give the database's URL with it."""
    url = urlsplit(database_url)
    role = url.path.removeprefix("/")  # unique to this run, like its database
    owner = make_database(settings)
    with owner.allow_sync():
        owner.execute_sql(f"CREATE ROLE {role} LOGIN PASSWORD 'secret' CONNECTION LIMIT 1")
    try:
        yield url._replace(netloc=f"{role}:secret@{url.hostname}:{url.port or 5432}").geturl()
    finally:
        with owner.allow_sync():
            owner.execute_sql(f"DROP ROLE {role}")


async def start(*arguments: str, shell: str = "", **environment: str) -> Process:
    """Start the example's program, in a folder without an `.env`."""
    return await start_program(PROGRAM, *arguments, shell=shell, **environment)


async def start_program(program: Path, /, *arguments: str, shell: str = "", **environment: str) -> Process:
    """Start a program, in a folder without an `.env`. `shell` is a command of the shell that becomes the program."""
    inherited = {name: value for name, value in os.environ.items() if name.lower() not in ExampleSettings.model_fields}
    return await asyncio.create_subprocess_exec(
        *(("sh", "-c", shell, "sh") if shell else ()),
        sys.executable,
        "-P",  # else a module beside the program would hide a package of the same name
        program,
        *arguments,
        stdout=PIPE,
        stderr=STDOUT,
        cwd=Path(__file__).parent,
        env=inherited | environment,
    )


@asynccontextmanager
async def serving(
    settings: ExampleSettings, *, shell: str = "", **environment: str
) -> AsyncIterator[tuple[Process, str]]:
    """Run a process that serves; give it and its address, and kill it after the block."""
    assert settings.database_url is not None
    url = settings.database_url.get_secret_value()
    process = await start("serve", shell=shell, DATABASE_URL=url, PORT="0", **environment)
    assert process.stdout is not None
    try:
        banner = (await process.stdout.readuntil(b"Press ^C to stop.\n")).decode()
        yield process, re.findall(r"http://127\.0\.0\.1:\d+", banner)[0]
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.communicate()


async def run(*arguments: str, shell: str = "", **environment: str) -> tuple[int | None, str]:
    """Run the program; return its exit code and its output."""
    process = await start(*arguments, shell=shell, **environment)
    printed, _ = await process.communicate()
    return process.returncode, printed.decode()


async def until_under_way(database: Database, statement: str, number: int = 1) -> None:
    """Wait until the server executes that number of statements LIKE this one."""
    async with asyncio.timeout(30):
        while True:
            # In a task, so outside the caller's transaction.
            found = await asyncio.create_task(
                database.aio_execute_sql(
                    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                    " AND state = 'active' AND query LIKE %s AND pid <> pg_backend_pid()",
                    [statement],
                    fetch_results=lambda _, cursor: cursor.fetchone(),
                )
            )
            if found[0] == number:
                return
            await asyncio.sleep(0.01)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110  # nothing signals the change
            await asyncio.sleep(0.001)


async def until_it_serves(port: int) -> None:
    """Wait for an answer: before it serves, a program listens for a moment to see whether the port is free."""
    async with asyncio.timeout(60):
        while True:
            with contextlib.suppress(OSError, HTTPClientError):
                await AsyncHTTPClient().fetch(f"http://127.0.0.1:{port}/healthz")
                return
            await asyncio.sleep(0.02)


async def connect(address: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Open a raw connection to the service, for requests that no HTTP client sends."""
    url = urlsplit(address)
    return await asyncio.open_connection(url.hostname, url.port)


def handshake(target: str, *more: str) -> bytes:
    """Return a request that opens a WebSocket, with more headers."""
    upgrade = ["Host: a", "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13"]
    key = "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA=="
    return "\r\n".join([f"GET {target} HTTP/1.1", *upgrade, key, *more, "", ""]).encode()


async def read_to_end(reader: asyncio.StreamReader) -> bytes:
    """Read until the server closes the connection. A close with unread data arrives as a reset."""
    try:
        return await reader.read()
    except ConnectionResetError:
        return b""


def free_port() -> int:
    """Return a port that is free, and below those from which a client's end of a connection gets its own."""
    while True:
        port = random.SystemRandom().randrange(10_000, 32_768)
        with contextlib.suppress(OSError), socket.socket() as listener:
            listener.bind(("127.0.0.1", port))
            return port


def problem(response: HTTPResponse) -> dict[str, Any]:
    """Check what holds for each error, and return its body."""
    assert response.headers["Content-Type"] == "application/problem+json"
    body: dict[str, Any] = json_decode(response.body)
    assert body["status"] == response.code
    assert body["request_id"] == response.headers["X-Request-ID"]
    return body
