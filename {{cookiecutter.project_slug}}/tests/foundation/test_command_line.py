"""Commands do what is typed, and report an error in one line."""

import asyncio
import contextlib
import gc
import inspect
import os
import re
import shutil
import signal
import socket
from pathlib import Path

import pytest
import tornado.autoreload
from tornado.httpclient import AsyncHTTPClient

from {{ cookiecutter.project_slug }}.foundation.database import database as database_module
from {{ cookiecutter.project_slug }}.foundation.database import hosts, make_database
from {{ cookiecutter.project_slug }}.foundation.migrations.history import LOCK
from {{ cookiecutter.project_slug }}.foundation.reloading import prepare_reload

from . import example
from .conftest import Command
from .example import ExampleSettings, Item
from .relay import Relay
from .support import free_port, run, running_with, start, start_program, until, until_it_serves, until_under_way

# `bind_sockets` doesn't close a socket that it can't bind: the garbage collector does, with a warning.
TORNADO_LEAVES_A_SOCKET = pytest.mark.filterwarnings(
    "ignore:Exception ignored .*<socket:pytest.PytestUnraisableExceptionWarning"
)
NO_START = {"MIGRATE_ON_START": "false", "SEED_ON_START": "false"}


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"PORT": "http"}, "PORT='http': "),
        ({"DATABASE_URL": "postgresql://127.0.0.1:1/test"}, "the database: "),
        ({"DATABASE_URL": "not a url"}, "DATABASE_URL is not of the form postgresql://"),
    ],
)
def test_start_that_fails_says_why_in_one_line(command: Command, environment: dict[str, str], expected: str) -> None:
    message, printed = command("serve", **environment)
    assert str(message).startswith(f"example: {expected}")
    assert "\n" not in str(message)
    assert printed == ""


@pytest.mark.parametrize("host", ["192.0.2.1", "a..b"])
@TORNADO_LEAVES_A_SOCKET
def test_address_that_can_not_be_listened_on(command: Command, database_url: str, host: str) -> None:
    message, _ = command("serve", DATABASE_URL=database_url, LISTEN_HOST=host, **NO_START)
    assert str(message).startswith(f"example: LISTEN_HOST={host} PORT=8888 can't be listened on: ")
    gc.collect()


@TORNADO_LEAVES_A_SOCKET
def test_port_that_is_taken(command: Command, database_url: str, settings: ExampleSettings) -> None:
    """It is noticed before the migrations are applied."""
    with socket.create_server(("127.0.0.1", 0), reuse_port=True) as taken:
        port = taken.getsockname()[1]
        message, _ = command("serve", DATABASE_URL=database_url, PORT=f"{port}")
    assert f"PORT={port} can't be listened on: " in str(message)
    assert "in use" in str(message)
    database = make_database(settings)
    with database.allow_sync():
        assert database.get_tables() == []
    gc.collect()


def test_server_that_is_too_old(command: Command, database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hosts, "OLDEST_SERVER", 99)
    message, _ = command("serve", DATABASE_URL=database_url, PORT=f"{free_port()}")
    assert re.fullmatch(r"example: the database: PostgreSQL \d+ is too old: it should be 99 or newer", str(message))


def test_tables_that_are_missing(command: Command, database_url: str) -> None:
    message, _ = command("seed", DATABASE_URL=database_url)
    assert str(message).startswith("example: the database: ")
    assert "does not exist" in str(message)


def test_no_command(command: Command) -> None:
    code, printed = command()
    assert code == 2
    assert "usage: example" in printed


def test_wait_ends(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database_module, "WAIT_BETWEEN_TRIES", 60)  # seconds, so that there is one try
    url = f"postgresql://user:password@127.0.0.1:{free_port()}/name"
    message, _ = command("serve", "--wait", "60", DATABASE_URL=url)
    assert "refused" in str(message)


def test_wait_needs_seconds(command: Command) -> None:
    code, printed = command("serve", "--wait", "-1")
    assert code == 2
    assert "argument --wait: '-1' is not a number of seconds" in printed


async def test_wait_for_the_database(settings: ExampleSettings, database_url: str) -> None:
    async with running_with(settings):
        pass  # creates the tables
    async with Relay(database_url) as relay:
        relay.cut()
        process = await start("seed", "--wait", "60", DATABASE_URL=relay.url)
        assert process.stdout is not None
        assert b"waiting for the database" in await process.stdout.readline()
        await relay.mend()
        printed, _ = await process.communicate()
    assert (process.returncode, printed) == (0, b"")


async def test_seeds_of_several_replicas_at_once(settings: ExampleSettings, database_url: str) -> None:
    async with running_with(settings, seed_on_start=False):
        assert await asyncio.gather(*(run("seed", DATABASE_URL=database_url) for _ in range(2))) == [(0, "")] * 2
        assert await Item.select().aio_count() == 3


@pytest.mark.parametrize(("name", "sent"), [("serve", signal.SIGTERM), ("migrate", signal.SIGINT)])
async def test_signal_while_another_replica_migrates(
    settings: ExampleSettings, name: str, sent: signal.Signals
) -> None:
    database = make_database(settings)
    await database.aio_connect()
    assert settings.database_url is not None
    url = settings.database_url.get_secret_value()
    async with database.aio_atomic():
        await database.aio_execute_sql("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        process = await start(name, DATABASE_URL=url, PORT="0")
        await until_under_way(database, "SELECT pg_advisory_xact_lock%")
        process.send_signal(sent)
        async with asyncio.timeout(30):
            await process.communicate()
    assert process.returncode == 128 + sent
    await database.aio_close()


@pytest.mark.parametrize("option", ["--status", "--new=name"])
async def test_signal_while_the_server_is_silent(database_url: str, option: str) -> None:
    async with Relay(database_url) as relay:
        relay.fall_silent()
        process = await start("migrate", option, DATABASE_URL=relay.url, POOL_TIMEOUT="60")
        await until(lambda: relay.connections > 0)
        process.send_signal(signal.SIGINT)
        async with asyncio.timeout(30):
            await process.communicate()
    assert process.returncode == 128 + signal.SIGINT


def test_reload_applies_no_migration_that_is_being_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tornado.autoreload, "add_reload_hook", lambda hook: None)
    for name in ("MIGRATE_ON_START", "DATABASE_URL"):
        monkeypatch.setenv(name, "")
    prepare_reload("postgresql://an-embedded-one")
    assert (os.environ["MIGRATE_ON_START"], os.environ["DATABASE_URL"]) == ("false", "postgresql://an-embedded-one")


async def test_reload_survives_a_mistake(tmp_path: Path, settings: ExampleSettings, database_url: str) -> None:
    async with running_with(settings):
        pass  # creates the tables
    source, port = inspect.getsource(example), free_port()
    module = tmp_path / "example.py"
    shutil.copytree(Path(example.__file__).with_name("migrations"), tmp_path / "migrations")
    module.write_text(source)
    process = await start_program(module, "serve", "--reload", DATABASE_URL=database_url, PORT=f"{port}")
    assert process.stdout is not None
    try:
        assert await hint(process.stdout, port) == "Please provide an id"
        module.write_text("def")
        await process.stdout.readuntil(b"SyntaxError")
        with pytest.raises(OSError, match="refused"):
            await AsyncHTTPClient().fetch(f"http://127.0.0.1:{port}/items")
        module.write_text(source.replace("Please provide", "Provide"))
        await until_it_serves(port)
        module.write_text(source.replace("Please provide", "Kindly provide"))  # before autoreload's first check
        while await hint(process.stdout, port) != "Kindly provide an id":
            pass
        process.send_signal(signal.SIGINT)
        await process.stdout.read()
        assert await process.wait() == 0
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.communicate()


async def test_reload_waits_for_the_database_again(tmp_path: Path, database_url: str) -> None:
    source, port = inspect.getsource(example), free_port()
    module = tmp_path / "example.py"
    shutil.copytree(Path(example.__file__).with_name("migrations"), tmp_path / "migrations")
    module.write_text(source)
    async with Relay(database_url) as relay:
        typed = ("serve", "--reload", "--wait", "60")
        process = await start_program(module, *typed, DATABASE_URL=relay.url, PORT=f"{port}")
        assert process.stdout is not None
        try:
            assert await hint(process.stdout, port) == "Please provide an id"
            relay.cut()
            module.write_text(source.replace("Please provide", "Provide"))
            async with asyncio.timeout(60):
                await process.stdout.readuntil(b"waiting for the database")
            await relay.mend()
            assert await hint(process.stdout, port) == "Provide an id"
        finally:
            process.kill()
            await process.communicate()


@pytest.mark.parametrize("error", ["RuntimeError", "__import__('peewee').OperationalError"])
async def test_reload_waits_after_a_failed_start(tmp_path: Path, database_url: str, error: str) -> None:
    source, port = inspect.getsource(example), free_port()
    module, folder = tmp_path / "example.py", tmp_path / "migrations"
    shutil.copytree(Path(example.__file__).with_name("migrations"), folder)
    database = "    database = make_database(settings)\n"
    assert database in source
    module.write_text(source.replace(database, f"    raise {error}('not yet')\n"))
    process = await start_program(module, "serve", "--reload", DATABASE_URL=database_url, PORT=f"{port}")
    assert process.stdout is not None
    try:
        async with asyncio.timeout(60):
            assert b"not yet" in await process.stdout.readuntil(b"Waiting for a change.")
        module.write_text(source)
        assert await hint(process.stdout, port) == "Please provide an id"
        assert (await AsyncHTTPClient().fetch(f"http://127.0.0.1:{port}/items?id=1")).code == 200  # it was migrated
    finally:
        process.kill()
        await process.communicate()


async def hint(output: asyncio.StreamReader, port: int) -> str:
    """Wait until the service says that it serves; return its answer to a request without an id."""
    async with asyncio.timeout(60):
        await output.readuntil(b"Press ^C to stop.\n")
        return (await AsyncHTTPClient().fetch(f"http://127.0.0.1:{port}/items")).body.decode()
