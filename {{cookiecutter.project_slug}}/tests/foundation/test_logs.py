"""Each event is one line, for people or machines, with the id of its request."""

import ast
import asyncio
import json
import os
import signal
from typing import NoReturn

import pytest
from tornado.httpclient import AsyncHTTPClient

from {{ cookiecutter.project_slug }}.foundation.testing import Service

from .example import ExampleSettings, ItemHandler
from .support import connect, free_port, run, serving

# Their requests are logged for debugging alone.
PROBES = ["/healthz", "/readyz", "/metrics"]


async def lines_of(settings: ExampleSettings, *paths: str, raw: bytes = b"", **environment: str) -> list[str]:
    """Return what the program logs while it is asked for the paths at once; the n-th request's id is "n"."""
    async with serving(settings, **environment) as (process, address):
        client = AsyncHTTPClient(force_instance=True, max_clients=100)
        await asyncio.gather(
            *(
                client.fetch(address + path, headers={"X-Request-ID": f"{number}"}, raise_error=False)
                for number, path in enumerate(paths)
            )
        )
        client.close()
        if raw:
            reader, writer = await connect(address)
            writer.write(raw)
            await reader.read()
            writer.close()
        process.send_signal(signal.SIGTERM)
        printed, _ = await process.communicate()
    return [line for line in printed.decode().splitlines() if line != " server stopped"]


async def test_lines_for_machines(settings: ExampleSettings) -> None:
    paths = ["/items?id=1", "/items?id=abc", "/nowhere?secret", *PROBES]
    lines = [json.loads(line) for line in await lines_of(settings, *paths, raw=b"garbage\r\n\r\n")]
    good, bad, nowhere, of_tornado = sorted(lines, key=lambda line: line.get("request_id", "3"))
    assert isinstance(good.pop("ms"), float)
    assert good.pop("timestamp")
    request = {"method": "GET", "route": "/items", "status": 200, "client": "127.0.0.1", "request_id": "0"}
    assert good == {"event": "request", "level": "info", **request}
    assert bad["status"] == 400
    assert "'abc'" in bad["failure"]
    assert (nowhere["route"], nowhere["path"]) == ("none", "/nowhere")
    assert of_tornado["logger"] == "tornado.general"
    assert "Malformed HTTP" in of_tornado["event"]


async def test_line_for_people(settings: ExampleSettings) -> None:
    (line,) = await lines_of(settings, "/items?id=1", LOG_FORMAT="console")
    assert "request" in line
    assert "status=200" in line


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, True),
        ({"TERM": "dumb"}, False),
        ({"TERM": "dumb", "FORCE_COLOR": "1"}, True),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
    ],
)
async def test_colors_on_a_terminal(environment: dict[str, str], expected: bool) -> None:
    unset = {"TERM": "xterm", "FORCE_COLOR": "", "NO_COLOR": ""}
    url = f"postgresql://user:password@127.0.0.1:{free_port()}/name"
    screen, terminal = os.openpty()
    shell = f'exec "$@" 2>{os.ttyname(terminal)}'
    await run("seed", "--wait", "1", shell=shell, DATABASE_URL=url, **unset | environment)
    shown = os.read(screen, 65536)
    for descriptor in (screen, terminal):
        os.close(descriptor)
    assert b"waiting for the database" in shown
    assert (b"\x1b[" in shown) == expected


async def test_lines_for_debugging(settings: ExampleSettings) -> None:
    """Probes, and every statement with its request's id: also in a task of a handler's, with many requests at once."""
    paths = [f"/get-or-create?id={1000 + number}" for number in range(30)]
    lines = [json.loads(line) for line in await lines_of(settings, *paths, *PROBES, LOG_LEVEL="Debug")]
    routes = [line["route"] for line in lines if line["event"] == "request"]
    assert sorted(routes) == sorted(["/get-or-create"] * len(paths) + PROBES)
    of_peewee_async = [line for line in lines if line.get("logger") == "peewee.async"]
    statements = [(line.get("request_id"), *ast.literal_eval(line["event"])) for line in of_peewee_async]
    of_one = [sql.split()[0] for request_id, sql, _ in statements if request_id == "7"]
    assert of_one == ["BEGIN", "SELECT", "SAVEPOINT", "INSERT", "RELEASE", "COMMIT"]
    for request_id, _, params in statements:
        for parameter in params or ():
            if isinstance(parameter, int) and parameter >= 1000:
                assert request_id == f"{parameter - 1000}"


async def test_bug_has_a_traceback(
    service: Service, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def get(handler: ItemHandler) -> NoReturn:
        raise RuntimeError("a secret")

    monkeypatch.setattr(ItemHandler, "get", get)
    await service.get("/items?id=1")
    (bug,) = caplog.records
    assert bug.exc_info is not None
    assert isinstance(bug.exc_info[1], RuntimeError)
