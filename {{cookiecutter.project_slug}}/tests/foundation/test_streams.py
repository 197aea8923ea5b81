"""Standard streams that are closed, broken or full end no service, and a command whose result is lost says so."""

import asyncio
import io
import os
import sys
from pathlib import Path

import pytest
from tornado.httpclient import AsyncHTTPClient

from {{ cookiecutter.project_slug }}.foundation.streams import prepare_streams

from .example import ExampleSettings
from .support import free_port, run, running_with, start, until_it_serves

FULL = Path("/dev/full")  # macOS has none


async def serves_and_stops(settings: ExampleSettings, shell: str, reader: int | None = None) -> None:
    """Check a service that the shell's command starts. The reader of its output leaves once it serves."""
    async with running_with(settings):
        pass  # creates the tables
    assert settings.database_url is not None
    url, port = settings.database_url.get_secret_value(), free_port()
    process = await start("serve", shell=shell, DATABASE_URL=url, PORT=f"{port}")
    try:
        await until_it_serves(port)
        if reader is not None:
            os.close(reader)
        assert (await AsyncHTTPClient().fetch(f"http://127.0.0.1:{port}/items?id=1")).code == 200
        process.terminate()
        async with asyncio.timeout(30):
            await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
    assert process.returncode == 0


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
async def test_closed(settings: ExampleSettings, closed: str) -> None:
    await serves_and_stops(settings, f'exec "$@" {closed}')


async def test_reader_that_leaves(settings: ExampleSettings, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    await serves_and_stops(settings, f'exec "$@" >"{pipe}" 2>&1', os.open(pipe, os.O_RDONLY | os.O_NONBLOCK))


@pytest.mark.skipif(not FULL.exists(), reason="there is no /dev/full")
async def test_full_disk(settings: ExampleSettings) -> None:
    await serves_and_stops(settings, f'exec "$@" >{FULL} 2>&1')


@pytest.mark.skipif(not FULL.exists(), reason="there is no /dev/full")
async def test_result_that_is_lost() -> None:
    printed = "example: the standard output: No space left on device\n"
    assert await run("openapi", shell=f'exec "$@" 2>&1 >{FULL}') == (1, printed)


@pytest.mark.parametrize(("arguments", "expected"), [("openapi", "1\n"), ("--help", "0\n")])
async def test_result_that_nobody_reads(arguments: str, expected: str) -> None:
    assert await run(arguments, shell='{ "$@"; echo $? >&2; } | true') == (0, expected)


def test_any_text_can_be_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    """JSON is in UTF-8 whatever the locale; the name of a file may have any bytes."""
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding="ascii"))
    prepare_streams()
    print("é\udcff", flush=True)
    assert written.getvalue() == b"\xc3\xa9\\udcff\n"
