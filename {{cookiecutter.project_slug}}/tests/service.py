"""The service as the tests meet it: over HTTP, or as a process."""

import asyncio
import contextlib
import os
import re
import socket
import sys
from asyncio.subprocess import PIPE, STDOUT, Process
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pydantic import SecretStr
from tornado.escape import json_decode
from tornado.httpclient import AsyncHTTPClient, HTTPResponse

from {{ cookiecutter.project_slug }}.application import Application, make_application
from {{ cookiecutter.project_slug }}.database import Database
from {{ cookiecutter.project_slug }}.models import {{ cookiecutter.model_name }}
from {{ cookiecutter.project_slug }}.server import listening
from {{ cookiecutter.project_slug }}.settings import Settings

FORM = "application/x-www-form-urlencoded"


@dataclass
class Service:
    """The service, and a client for it."""

    address: str
    application: Application
    client: AsyncHTTPClient

    async def get(self, path: str, **options: Any) -> HTTPResponse:
        return await self.client.fetch(f"{self.address}{path}", raise_error=False, **options)

    async def post(self, path: str, body: str | bytes, content_type: str | None = None) -> HTTPResponse:
        headers = {"Content-Type": content_type} if content_type else {}
        return await self.get(path, method="POST", body=body, headers=headers)


def defaults(database_url: str, **others: Any) -> Settings:
    """The default settings: neither the environment nor an `.env` changes what is tested."""
    return Settings.model_construct(database_url=SecretStr(database_url), **others)


@asynccontextmanager
async def serve_for_test(settings: Settings) -> AsyncIterator[Service]:
    application = make_application(settings)
    async with listening(application, settings) as address:
        client = AsyncHTTPClient(force_instance=True, defaults={"request_timeout": 60}, max_clients=100)
        yield Service(address, application, client)
        client.close()


class DeliberateError(Exception):
    """Ends a transaction without its rows."""


async def insert(id_: int) -> None:
    await {{ cookiecutter.model_name }}.aio_create(id=id_, name="a row")


async def exists(id_: int) -> bool:
    return await {{ cookiecutter.model_name }}.aio_get_or_none(id=id_) is not None


async def start(*arguments: str, **environment: str) -> Process:
    """The program, as typed in a folder without an `.env`."""
    return await start_in(Path(__file__).parent, *arguments, **environment)


async def start_in(folder: Path, /, *arguments: str, **environment: str) -> Process:
    """The program, as typed in that folder."""
    inherited = {name: value for name, value in os.environ.items() if name.lower() not in Settings.model_fields}
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "{{ cookiecutter.project_slug }}", *arguments),
        stdout=PIPE,
        stderr=STDOUT,
        cwd=folder,
        env=inherited | environment,
    )


@asynccontextmanager
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


async def run(*arguments: str, **environment: str) -> tuple[int | None, str]:
    """The program's exit code, and all that it printed."""
    process = await start(*arguments, **environment)
    printed, _ = await process.communicate()
    return process.returncode, printed.decode()


async def until_under_way(database: Database, statement: str, number: int = 1) -> None:
    """Wait until the server works at that number of statements LIKE this one."""
    async with asyncio.timeout(5):
        while True:
            # In a task: outside the transaction of the caller.
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


async def connect(address: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection to the service, for what no HTTP client would send."""
    url = urlsplit(address)
    return await asyncio.open_connection(url.hostname, url.port)


async def until(condition: Callable[[], bool]) -> None:
    """Wait until that is so."""
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110  # nothing tells when
            await asyncio.sleep(0)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def problem(response: HTTPResponse) -> dict[str, Any]:
    """The body of an error, after the checks that hold for each."""
    assert response.headers["Content-Type"] == "application/problem+json"
    body: dict[str, Any] = json_decode(response.body)
    assert body["status"] == response.code
    assert body["request_id"] == response.headers["X-Request-ID"]
    return body
