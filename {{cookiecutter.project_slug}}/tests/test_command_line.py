"""The program does what is typed, and says in a line what is wrong."""

import asyncio
import contextlib
import re
import shutil
import signal
from pathlib import Path

import pytest
from structlog.testing import capture_logs
from tornado.httpclient import AsyncHTTPClient
from tornado.simple_httpclient import HTTPStreamClosedError

from {{ cookiecutter.project_slug }} import settings as settings_module
from {{ cookiecutter.project_slug }}.database import make_database
from {{ cookiecutter.project_slug }}.migrations.history import LOCK
from {{ cookiecutter.project_slug }}.settings import Settings

from .relay import Relay
from .service import free_port, run, serve_for_test, start, start_in, until_under_way


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
    code, printed = await run("serve", DATABASE_URL=database_url, MIGRATE="false", SEED="false", HOST="192.0.2.1")
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


async def test_wait_for_the_database(settings: Settings, database_url: str) -> None:
    async with serve_for_test(settings):
        pass
    async with Relay(database_url) as relay:
        relay.cut()
        process = await start("seed", "--wait", "60", DATABASE_URL=relay.url)
        assert process.stdout is not None
        assert b"waiting for the database" in await process.stdout.readline()
        await relay.mend()
        printed, _ = await process.communicate()
    assert (process.returncode, printed) == (0, b"")


async def test_wait_ends() -> None:
    url = f"postgresql://user:password@127.0.0.1:{free_port()}/name"
    code, printed = await run("serve", "--wait", "0.1", DATABASE_URL=url, LOG_LEVEL="error")
    assert code == 1
    assert printed.count("\n") == 1
    assert "refused" in printed


async def test_wait_wants_seconds() -> None:
    code, printed = await run("serve", "--wait", "-1")
    assert code == 2
    assert "argument --wait: '-1' is not a number of seconds" in printed


@pytest.mark.parametrize("command", ["serve", "migrate"])
@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT])
async def test_signal_while_another_replica_migrates(
    settings: Settings, database_url: str, command: str, sent: signal.Signals
) -> None:
    database = make_database(settings)
    await database.aio_connect()
    async with database.aio_atomic():
        await database.aio_execute_sql("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        process = await start(command, DATABASE_URL=database_url, PORT="0")
        await until_under_way(database, "SELECT pg_advisory_xact_lock%")
        process.send_signal(sent)
        async with asyncio.timeout(5):
            await process.communicate()
    assert process.returncode == 128 + sent
    await database.aio_close()


async def test_port_that_is_shared_is_told_of(settings: Settings) -> None:
    shared = settings.model_copy(update={"port": free_port()})
    with capture_logs() as lines:
        async with serve_for_test(shared):
            assert "another process" not in str(lines)
            async with serve_for_test(shared):
                assert lines[-1]["event"].startswith("another process listens on this port")


async def test_reload_survives_a_mistake(tmp_path: Path, settings: Settings, database_url: str) -> None:
    source = Path(settings_module.__file__).parent
    handlers = shutil.copytree(source, tmp_path / source.name) / "handlers.py"
    original, port = handlers.read_text(), free_port()
    environment = {"DATABASE_URL": database_url, "PORT": f"{port}", "PYTHONPATH": str(tmp_path)}
    process = await start_in(tmp_path, "serve", "--reload", **environment)
    try:
        await until_answered(port, "Please provide")
        # Of another length: Python takes a file of the same second and size for one that it has compiled.
        handlers.write_text(original.replace("Please provide", "Provide"))
        await until_answered(port, "Provide")
        handlers.write_text("def")
        await until_answered(port, None)
        handlers.write_text(original)
        await until_answered(port, "Please provide")
        process.send_signal(signal.SIGINT)
        assert await process.wait() == 0
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()  # it ends what it started, which has its output
        await process.communicate()


async def until_answered(port: int, beginning: str | None) -> None:
    """Wait until the answer begins like that, or until there is none."""
    async with asyncio.timeout(30):
        while True:
            try:
                answer = (await AsyncHTTPClient().fetch(f"http://127.0.0.1:{port}/")).body.decode()
            except (OSError, HTTPStreamClosedError):  # closed before it answered, where it is just stopping
                answer = None
            if (answer is None) == (beginning is None) and (answer or "").startswith(beginning or ""):
                return
            await asyncio.sleep(0.1)
