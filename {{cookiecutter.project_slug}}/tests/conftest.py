"""A database made for the run, and the service on it."""

import asyncio
import os
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import structlog
import uvloop

from {{ cookiecutter.project_slug }}.database import make_database
from {{ cookiecutter.project_slug }}.embedded import embedded_database
from {{ cookiecutter.project_slug }}.settings import Settings

from .service import Service, defaults, serve_for_test

PROJECT = Path(__file__).parent.parent


def pytest_asyncio_loop_factories() -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """The event loop that also serves."""
    return {"uvloop": uvloop.new_event_loop}


@pytest.fixture(scope="session", autouse=True)
def _logs() -> None:
    """What a test that fails shows. Nothing is cached, so that structlog can capture it."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger("info"))


@pytest.fixture(scope="session")
def database_url() -> Iterator[str]:
    """Of a database that exists for this run alone, so that runs at the same time don't meet."""
    with _server() as server_url:
        name = f"test_{uuid.uuid4().hex}"
        _execute(server_url, f'CREATE DATABASE "{name}"')
        try:
            yield urlsplit(server_url)._replace(path=f"/{name}").geturl()
        finally:
            _execute(server_url, f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
def settings(database_url: str) -> Settings:
    """Those of the service in the test: a free port, and a database without tables."""
    _execute(database_url, "DROP SCHEMA public CASCADE")
    _execute(database_url, "CREATE SCHEMA public")
    return defaults(database_url, port=0, pool_max_size=5)


@pytest.fixture
async def service(settings: Settings) -> AsyncIterator[Service]:
    async with serve_for_test(settings) as service:
        yield service


@contextmanager
def _server() -> Iterator[str]:
    if "TEST_DATABASE_URL" in os.environ:
        yield os.environ["TEST_DATABASE_URL"]
    else:
        with embedded_database(PROJECT / ".postgres", "postgres") as url:
            yield url


def _execute(url: str, sql: str) -> None:
    database = make_database(defaults(url))
    with database.allow_sync():
        database.execute_sql(sql)
