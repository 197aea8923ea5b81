"""Each event is a line, for people or for machines, with the id of the request it belongs to."""

import asyncio
import json
import signal
from typing import Any, NoReturn

import pytest
from tornado.httpclient import AsyncHTTPClient

from {{ cookiecutter.project_slug }}.handlers import RootHandler
from {{ cookiecutter.project_slug }}.settings import Settings

from .service import Service, connect, serving


async def lines_of(settings: Settings, *paths: str, raw: bytes | None = None, **environment: str) -> list[str]:
    """What the program logs while it is asked for the paths at once; the n-th request's id is "n"."""
    async with serving(settings, **environment) as (process, address):
        client = AsyncHTTPClient(force_instance=True, max_clients=100)
        await asyncio.gather(
            *(
                client.fetch(address + path, headers={"X-Request-ID": f"{number}"}, raise_error=False)
                for number, path in enumerate(paths)
            )
        )
        client.close()
        if raw is not None:
            reader, writer = await connect(address)
            writer.write(raw)
            await reader.read()
            writer.close()
        process.send_signal(signal.SIGTERM)
        printed, _ = await process.communicate()
    return [line for line in printed.decode().splitlines() if line != " server stopped"]


async def json_lines_of(settings: Settings, *paths: str, **options: Any) -> list[dict[str, Any]]:
    return [json.loads(line) for line in await lines_of(settings, *paths, **options)]


async def test_request_is_a_line_for_machines(settings: Settings) -> None:
    (line,) = await json_lines_of(settings, "/?id=1")
    assert isinstance(line.pop("ms"), float)
    assert line.pop("timestamp")
    request = {"method": "GET", "route": "/", "status": 200, "request_id": "0"}
    assert line == {"event": "request", "level": "info", **request}


async def test_request_is_a_line_for_people(settings: Settings) -> None:
    (line,) = await lines_of(settings, "/?id=1", LOG_FORMAT="console")
    assert "request" in line
    assert "status=200" in line


async def test_client_error_is_one_line_that_says_why(settings: Settings) -> None:
    (line,) = await json_lines_of(settings, "/?id=abc")
    assert line["status"] == 400
    assert "'abc'" in line["failure"]


async def test_path_without_a_route(settings: Settings) -> None:
    (line,) = await json_lines_of(settings, "/nowhere?secret")
    assert (line["route"], line["path"]) == ("none", "/nowhere")


async def test_every_statement_has_the_id_of_its_request(settings: Settings) -> None:
    """Those of a task that the handler spawned too, and however many there are at once."""
    lines = await json_lines_of(settings, *(f"/create?id={1000 + number}" for number in range(30)), LOG_LEVEL="Debug")
    statements = [line for line in lines if line["event"] == "statement"]
    of_one = [line["sql"].split()[0] for line in statements if line.get("request_id") == "7"]
    assert of_one == ["BEGIN", "SELECT", "SAVEPOINT", "INSERT", "RELEASE", "COMMIT"]
    for line in statements:
        for parameter in line["params"] or ():
            if isinstance(parameter, int) and parameter >= 1000:
                assert line["request_id"] == f"{parameter - 1000}"


async def test_tornados_own_lines_are_like_ours(settings: Settings) -> None:
    (line,) = await json_lines_of(settings, raw=b"garbage\r\n\r\n")
    assert line["logger"] == "tornado.general"
    assert "Malformed HTTP" in line["event"]


async def test_bug_has_a_traceback(
    service: Service, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def get(handler: RootHandler) -> NoReturn:
        raise RuntimeError("a secret")

    monkeypatch.setattr(RootHandler, "get", get)
    await service.get("/?id=1")
    (bug,) = caplog.records
    assert bug.exc_info is not None
    assert isinstance(bug.exc_info[1], RuntimeError)
