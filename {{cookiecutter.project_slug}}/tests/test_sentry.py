"""Bugs are reported to Sentry, where one is configured."""

import asyncio
import re
import zlib

import pytest
from tornado.httpclient import AsyncHTTPClient
from tornado.httpserver import HTTPServer
from tornado.httputil import HTTPHeaders, HTTPServerRequest, ResponseStartLine
from tornado.testing import bind_unused_port

from {{ cookiecutter.project_slug }} import models
from {{ cookiecutter.project_slug }}.database import make_database
from {{ cookiecutter.project_slug }}.settings import Settings

from .service import run, serving


async def test_bug_is_reported(settings: Settings) -> None:
    reported: asyncio.Queue[str] = asyncio.Queue()

    def receive(request: HTTPServerRequest) -> None:
        reported.put_nowait(zlib.decompress(request.body, wbits=47).decode())  # gzip or zlib
        assert request.connection is not None
        request.connection.write_headers(ResponseStartLine("", 200, "OK"), HTTPHeaders({"Content-Length": "0"}))
        request.connection.finish()

    socket, port = bind_unused_port()
    server = HTTPServer(receive)
    server.add_socket(socket)
    async with serving(settings, SENTRY_DSN=f"http://key@127.0.0.1:{port}/1") as (_, address):
        database = make_database(settings)
        with database.bind_ctx(models.MODELS), database.allow_sync():
            database.drop_tables(models.MODELS)
        response = await AsyncHTTPClient().fetch(f"{address}/?id=1", raise_error=False)
        async with asyncio.timeout(30):
            while "UndefinedTable" not in await reported.get():
                pass
    assert response.code == 500
    server.stop()


@pytest.mark.parametrize("dsn", ["nonsense", "https://127.0.0.1/1"])
async def test_bad_address_is_one_line(database_url: str, dsn: str) -> None:
    code, printed = await run("serve", DATABASE_URL=database_url, SENTRY_DSN=dsn)
    assert code == 1
    assert re.fullmatch(r"\w+: SENTRY_DSN is no address of Sentry's: .*\n", printed)
