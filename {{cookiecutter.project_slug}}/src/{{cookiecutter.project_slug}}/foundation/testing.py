"""Fixtures for tests, as a pytest plugin.

Two fixtures of your `tests/conftest.py` say what is tested: `make_application`, the function of that name, and
`settings_class`, the class of its settings. Tests then take

- `service`: the running service, and a client for it: `await service.get("/?id=1")`
- `settings`: its settings; override the fixture to change them, with `settings.model_copy(update=…)`
- `database_url`: an empty database; the service creates its tables and first rows at its start

The database is made for the run, on the server of TEST_DATABASE_URL or else on the embedded one, and emptied before
each test, without sessions of the test before. Several processes (`pytest --numprocesses`) have one each.
"""

import asyncio
import contextlib
import functools
import os
import types
import uuid
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias
from urllib.parse import urlencode, urlsplit

import pytest
import structlog
import uvloop
from pydantic import SecretStr
from pydantic_settings import PydanticBaseSettingsSource
from tornado.escape import json_encode
from tornado.httpclient import AsyncHTTPClient, HTTPResponse

from .database import Database, make_database
from .embedded import embedded_database
from .server import listening
from .settings import ListenPort, ServiceSettings
from .web import Application

__all__ = ["MakeApplication", "Service", "isolated_settings", "running"]

MakeApplication: TypeAlias = Callable[[Any], Application]

# Seconds.
REQUEST_TIMEOUT = 60
DROP_TIMEOUT = 300  # DROP DATABASE waits for a checkpoint, which other databases of the server make longer
POOL_SIZE = 3
# Faster than a new database for each test: that is 300 files. A session may outlast its test, since the server notices
# late that a client has left.
EMPTY = """
DO $$
DECLARE name text;
BEGIN
    PERFORM pg_terminate_backend(pid, 60000) FROM pg_stat_activity
        WHERE datname = current_database() AND usename = current_user AND pid <> pg_backend_pid();
    FOR name IN SELECT nspname FROM pg_namespace WHERE nspname NOT LIKE 'pg\\_%%' AND nspname <> 'information_schema'
    LOOP
        EXECUTE format('DROP SCHEMA %%I CASCADE', name);
    END LOOP;
    CREATE SCHEMA public;
END $$
"""


class AnyServiceSettings(ServiceSettings):
    """Settings of no service in particular."""

    database_name: str = "postgres"
    port: ListenPort = 0


@dataclass
class Service:
    """The running service, and a client for it. Responses are Tornado's, errors included."""

    address: str
    application: Application
    client: AsyncHTTPClient

    @property
    def database(self) -> Database:
        return self.application.database

    async def request(
        self,
        method: str,
        path: str,
        *,
        json: Any = None,
        form: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        **options: Any,
    ) -> HTTPResponse:
        """Send a request, with JSON or a form as its body. `options` are those of Tornado's client."""
        sent = dict(headers or {})
        if json is not None:
            sent.setdefault("Content-Type", "application/json")
            options["body"] = json_encode(json)
        elif form is not None:
            sent.setdefault("Content-Type", "application/x-www-form-urlencoded")
            options["body"] = urlencode(form)
        options = {"allow_nonstandard_methods": True, "raise_error": False} | options
        return await self.client.fetch(f"{self.address}{path}", method=method, headers=sent, **options)

    async def get(self, path: str, **options: Any) -> HTTPResponse:
        return await self.request("GET", path, **options)

    async def post(self, path: str, **options: Any) -> HTTPResponse:
        return await self.request("POST", path, **options)

    async def put(self, path: str, **options: Any) -> HTTPResponse:
        return await self.request("PUT", path, **options)

    async def patch(self, path: str, **options: Any) -> HTTPResponse:
        return await self.request("PATCH", path, **options)

    async def delete(self, path: str, **options: Any) -> HTTPResponse:
        return await self.request("DELETE", path, **options)


@contextlib.asynccontextmanager
async def running(application: Application, settings: ServiceSettings) -> AsyncIterator[Service]:
    """Serve the application inside the block."""
    async with listening(application, settings) as address:
        client = AsyncHTTPClient(force_instance=True, defaults={"request_timeout": REQUEST_TIMEOUT}, max_clients=100)
        try:
            yield Service(address, application, client)
        finally:
            client.close()


def isolated_settings(settings_class: type[ServiceSettings], database_url: str, **others: Any) -> Any:
    """Return the defaults, whatever the environment and `.env` say, with a free port and a small pool."""
    ours: dict[str, Any] = {"database_url": SecretStr(database_url), "port": 0, "pool_max_size": POOL_SIZE}
    return _isolated(settings_class)(**ours | others)


@functools.cache
def _isolated(settings_class: type[ServiceSettings]) -> Any:
    """Return a class of the same settings, which are read from nowhere."""

    def sources(*_: Any, init_settings: PydanticBaseSettingsSource, **others: Any) -> Any:
        return (init_settings,)

    methods = {"settings_customise_sources": sources, "__module__": settings_class.__module__}
    return types.new_class(settings_class.__name__, (settings_class,), exec_body=lambda body: body.update(methods))


def pytest_asyncio_loop_factories() -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Run the tests on the event loop that also serves."""
    return {"uvloop": uvloop.new_event_loop}


@pytest.fixture(scope="session", autouse=True)
def _logs() -> None:
    """Cache no loggers, so that `structlog.testing.capture_logs` works."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger("info"))


@pytest.fixture(scope="session")
def _server_url(pytestconfig: pytest.Config) -> Iterator[str]:
    url = os.environ.get("TEST_DATABASE_URL", "").strip()
    if url:
        yield url
    else:
        with embedded_database(pytestconfig.rootpath / ".postgres", "postgres") as url:
            yield url


@pytest.fixture(scope="session")
def _database_url(_server_url: str) -> Iterator[str]:
    """The URL of a database for this process."""
    name = f"test_{uuid.uuid4().hex}"
    _execute(_server_url, f'CREATE DATABASE "{name}"')
    try:
        server = urlsplit(_server_url)
        query = f"?{server.query}" if server.query else ""
        yield f"{server.scheme}://{server.netloc}/{name}{query}"  # geturl() drops the slashes of an empty host
    finally:
        _execute(_server_url, f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
def database_url(_database_url: str) -> str:
    _execute(_database_url, EMPTY)
    return _database_url


def _execute(url: str, sql: str) -> None:
    database = make_database(isolated_settings(AnyServiceSettings, url, statement_timeout=DROP_TIMEOUT))
    with database.allow_sync():
        database.execute_sql(sql)


@pytest.fixture
def settings(settings_class: type[ServiceSettings], database_url: str) -> Any:
    return isolated_settings(settings_class, database_url)


@pytest.fixture
async def service(make_application: MakeApplication, settings: ServiceSettings) -> AsyncIterator[Service]:
    async with running(make_application(settings), settings) as service:
        yield service
