"""Tornado's other ways to answer a request: none of them keeps a shutdown waiting."""

import asyncio
from collections.abc import Callable, Iterable
from typing import Any

import pytest
import tornado.web
from tornado.httputil import HTTPHeaders, HTTPServerRequest, ResponseStartLine
from tornado.routing import PathMatches, Rule
from tornado.wsgi import WSGIContainer

from {{ cookiecutter.project_slug }}.foundation.web import Handler

from .example import ExampleSettings
from .support import connect, running_with, until


def answer_by_wsgi(environment: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    start_response("200 OK", [])
    return [b"hello"]


def answer_by_function(request: HTTPServerRequest) -> None:
    assert request.connection is not None
    request.connection.write_headers(ResponseStartLine("HTTP/1.1", 200, "OK"), HTTPHeaders(), b"hello")
    request.connection.finish()


class HelloHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.finish(b"hello")


class DetachingHandler(Handler):
    async def get(self) -> None:
        stream = self.detach()
        await stream.write(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")
        stream.close()


TARGETS: dict[str, Any] = {
    "wsgi": ("/target", tornado.web.FallbackHandler, {"fallback": WSGIContainer(answer_by_wsgi)}),
    "function": Rule(PathMatches("/target"), answer_by_function),
    "application": Rule(PathMatches("/target"), tornado.web.Application([("/target", HelloHandler)])),
    "detached": ("/target", DetachingHandler),
}


@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)
async def test_request_ends_with_its_answer(settings: ExampleSettings, target: Any) -> None:
    async with asyncio.timeout(30), running_with(settings, shutdown_grace=600) as service:
        service.application.add_handlers(".*", [target])
        reader, writer = await connect(service.address)
        writer.write(b"GET /target HTTP/1.1\r\nHost: a\r\n\r\n")
        assert b"hello" in await reader.readuntil(b"hello")
        await service.application.in_flight.wait_for_end()  # though the client keeps its connection
    writer.close()


@tornado.web.stream_request_body
class PlainUploadHandler(tornado.web.RequestHandler):
    async def prepare(self) -> None:
        super().prepare()
        await asyncio.Event().wait()

    def data_received(self, chunk: bytes) -> None:
        """Never called."""


class UploadHandler(PlainUploadHandler, Handler):
    """The same, which is cancelled when its client leaves."""


@pytest.mark.parametrize("handler", [UploadHandler, PlainUploadHandler])
async def test_upload_that_waits_is_broken_off(
    settings: ExampleSettings, handler: type[tornado.web.RequestHandler]
) -> None:
    """Tornado's server waits for it as long as its handler likes."""
    async with asyncio.timeout(30), running_with(settings, shutdown_grace=0.1) as service:
        service.application.add_handlers(".*", [("/upload", handler)])
        writers = [(await connect(service.address))[1] for _ in range(2)]
        for writer in writers:
            writer.write(b"PUT /upload HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n")
        await until(lambda: len(service.application.in_flight) == len(writers))
    if handler is UploadHandler:
        assert not service.application.in_flight
    for writer in writers:
        writer.close()
