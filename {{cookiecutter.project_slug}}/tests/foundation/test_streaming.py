"""Answers that come in parts, and WebSockets: a failure shows, and a shutdown ends them."""

import asyncio
from typing import Any, ClassVar

import pytest
from structlog.testing import capture_logs
from tornado.iostream import StreamClosedError
from tornado.web import HTTPError
from tornado.websocket import WebSocketHandler, websocket_connect

from {{ cookiecutter.project_slug }}.foundation.testing import Service
from {{ cookiecutter.project_slug }}.foundation.web import Handler

from .example import ExampleSettings
from .support import connect, exists, handshake, running_with, until

PART = b"x" * 100


class StreamHandler(Handler):
    """Sends a part, and then does what the test wants."""

    then: ClassVar[Any]

    async def get(self) -> None:
        if self.request.query_arguments.get("length"):
            self.set_header("Content-Length", 2 * len(PART))
        self.write(PART)
        await self.flush()
        await self.then()


class EventsHandler(StreamHandler):
    def prepare(self) -> None:
        super().prepare()
        self.set_header("Content-Type", "text/event-stream")


class EchoHandler(WebSocketHandler):
    async def on_message(self, message: str | bytes) -> None:
        await self.write_message(message)


class FoundationEchoHandler(Handler, EchoHandler):
    """The same, with a request id and errors as problems."""


async def wait_for_ever(handler: Handler) -> None:
    await asyncio.Event().wait()


ROUTES: list[Any] = [
    ("/stream", StreamHandler),
    ("/events", EventsHandler),
    ("/echo", EchoHandler),
    ("/foundation-echo", FoundationEchoHandler),
]


async def begin(
    service: Service, target: str, version: str = "1.1"
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Ask for a stream, and read its first part."""
    service.application.add_handlers(".*", ROUTES)
    reader, writer = await connect(service.address)
    writer.write(f"GET {target} HTTP/{version}\r\nHost: a\r\n\r\n".encode())
    await reader.readuntil(PART)
    return reader, writer


@pytest.mark.parametrize("error", [RuntimeError, HTTPError(404), StreamClosedError])
@pytest.mark.parametrize(("target", "version"), [("/stream", "1.1"), ("/stream?length=1", "1.1"), ("/stream", "1.0")])
async def test_failure_after_the_first_part(
    service: Service, monkeypatch: pytest.MonkeyPatch, target: str, version: str, error: Exception | type[Exception]
) -> None:
    """The connection is reset: a regular end, in HTTP/1.0 a close, would say that the answer is whole."""

    async def fail(handler: Handler) -> None:
        await go_on.wait()
        raise error

    go_on = asyncio.Event()
    monkeypatch.setattr(StreamHandler, "then", fail, raising=False)
    with capture_logs() as lines:
        reader, writer = await begin(service, target, version)
        go_on.set()
        with pytest.raises(ConnectionResetError):
            await reader.read()
        writer.close()
        await service.application.in_flight.wait_for_end()
    (line,) = (line for line in lines if line["event"] == "request")
    assert (line["status"], line["log_level"]) == (500, "warning")
    assert line["failure"].startswith("the answer broke off: ")
    counted = {"method": "GET", "route": "none", "status": "500"}
    assert service.application.metrics.registry.get_sample_value("http_request_duration_seconds_count", counted) == 1


@pytest.mark.parametrize("is_unreported", [False, True])
async def test_client_that_leaves_is_no_failure(
    service: Service, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, is_unreported: bool
) -> None:
    async def write_for_ever(handler: Handler) -> None:
        while True:
            handler.write(PART * 1000)
            await handler.flush()

    async def write_before_the_close_is_reported(handler: Handler) -> None:
        handler.request.connection.stream.close()  # type: ignore[union-attr]
        await write_for_ever(handler)

    then = write_before_the_close_is_reported if is_unreported else write_for_ever
    monkeypatch.setattr(StreamHandler, "then", then, raising=False)
    with capture_logs() as lines:
        _, writer = await begin(service, "/stream")
        writer.close()
        await service.application.in_flight.wait_for_end()
    assert [line["status"] for line in lines if line["event"] == "request"] == [499]
    assert not caplog.records


async def test_shutdown_ends_server_sent_events(settings: ExampleSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(StreamHandler, "then", wait_for_ever, raising=False)
    with capture_logs() as lines:
        async with asyncio.timeout(30), running_with(settings, shutdown_grace=600) as service:
            reader, writer = await begin(service, "/events")
        assert await reader.read() == b"\r\n0\r\n\r\n"  # the regular end
    writer.close()
    assert [line["status"] for line in lines if line["event"] == "request"] == [200]


async def test_shutdown_ends_server_sent_events_that_have_not_begun(settings: ExampleSettings) -> None:
    class QuietHandler(Handler):
        async def get(self) -> None:
            self.set_header("Content-Type", "text/event-stream")
            await asyncio.Event().wait()

    async with asyncio.timeout(30), running_with(settings, shutdown_grace=600) as service:
        service.application.add_handlers(".*", [("/quiet", QuietHandler)])
        reader, writer = await connect(service.address)
        writer.write(b"GET /quiet HTTP/1.1\r\nHost: a\r\n\r\n")
        await until(lambda: bool(service.application.in_flight))
    assert (await reader.read()).startswith(b"HTTP/1.1 200 OK\r\n")
    writer.close()


async def test_shutdown_ends_server_sent_events_that_begin_meanwhile(
    settings: ExampleSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A browser asks for the events that follow on the same connection, while another request is still under way."""
    monkeypatch.setattr(StreamHandler, "then", wait_for_ever, raising=False)
    again = b""
    async with asyncio.timeout(30), running_with(settings, shutdown_grace=600) as service:
        reader, writer = await begin(service, "/events")

        async def come_back() -> None:
            nonlocal again
            await reader.readuntil(b"\r\n0\r\n\r\n")
            writer.write(b"GET /events HTTP/1.1\r\nHost: a\r\n\r\n")
            again = await reader.readuntil(b"\r\n0\r\n\r\n")

        service.application.background.spawn(come_back())
        await asyncio.sleep(0)
    assert again.startswith(b"HTTP/1.1 200 OK\r\n")
    writer.close()


@pytest.mark.parametrize("version", ["1.1", "1.0"])
async def test_shutdown_breaks_off_an_answer_that_takes_longer(
    settings: ExampleSettings, monkeypatch: pytest.MonkeyPatch, version: str
) -> None:
    monkeypatch.setattr(StreamHandler, "then", wait_for_ever, raising=False)
    async with running_with(settings, shutdown_grace=0.1) as service:
        reader, writer = await begin(service, "/stream", version)
    with pytest.raises(ConnectionResetError):
        await reader.read()
    writer.close()


@pytest.mark.parametrize("path", ["/echo", "/foundation-echo"])
async def test_shutdown_closes_websockets(settings: ExampleSettings, path: str) -> None:
    async with asyncio.timeout(30), running_with(settings, shutdown_grace=600) as service:
        service.application.add_handlers(".*", ROUTES)
        client = await websocket_connect(service.address.replace("http", "ws") + path)
        await client.write_message("hello")
        assert await client.read_message() == "hello"
        closed = client.read_message()
    assert await closed is None
    client.close()
    assert (client.close_code, client.close_reason) == (1001, "The server is shutting down")


async def test_shutdown_waits_for_the_work_of_a_message(settings: ExampleSettings) -> None:
    class InsertingHandler(WebSocketHandler):
        async def on_message(self, message: str | bytes) -> None:
            arrived.set()
            await until(lambda: self.ws_connection is None)  # the shutdown closes it
            await service.database.aio_execute_sql("SELECT pg_sleep(0.5)")
            await service.database.aio_execute_sql("INSERT INTO item VALUES (9, 'a row')")

    arrived = asyncio.Event()
    async with running_with(settings) as service:
        service.application.add_handlers(".*", [("/insert", InsertingHandler)])
        client = await websocket_connect(service.address.replace("http", "ws") + "/insert")
        await client.write_message("")
        await arrived.wait()
    client.close()
    async with running_with(settings):
        assert await exists(9)


async def test_websocket_of_a_client_that_does_not_close_it(settings: ExampleSettings) -> None:
    class KeepingHandler(WebSocketHandler):
        def on_close(self) -> None:
            closed.set()

    closed = asyncio.Event()
    async with running_with(settings, shutdown_grace=0.1) as service:
        service.application.add_handlers(".*", [("/keep", KeepingHandler)])
        reader, writer = await connect(service.address)
        writer.write(handshake("/keep"))
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101 ")
    assert closed.is_set()
    writer.close()
