"""A shutdown finishes the requests in flight, and exits with 0."""

import asyncio
import contextlib
import signal

import pytest
from structlog.testing import capture_logs
from tornado.escape import json_decode
from tornado.httpclient import AsyncHTTPClient

from {{ cookiecutter.project_slug }}.foundation.web import Handler

from .example import ExampleSettings, Item
from .support import connect, exists, read_to_end, running_with, serving, until, until_under_way

MEBIBYTE = 1024 * 1024


@pytest.mark.parametrize(("sent", "delay"), [(signal.SIGINT, "600"), (signal.SIGTERM, "0"), (signal.SIGHUP, "600")])
async def test_signal_stops_it(settings: ExampleSettings, sent: signal.Signals, delay: str) -> None:
    """^C doesn't wait for SHUTDOWN_DELAY."""
    async with serving(settings, SHUTDOWN_DELAY=delay) as (process, address):
        assert (await AsyncHTTPClient().fetch(f"{address}/items?id=1")).code == 200
        process.send_signal(sent)
        async with asyncio.timeout(30):
            printed, _ = await process.communicate()
    assert process.returncode == 0
    assert printed.decode().endswith(" server stopped\n")


async def test_nohup(settings: ExampleSettings) -> None:
    async with serving(settings, shell='trap "" HUP; exec "$@"') as (process, address):
        process.send_signal(signal.SIGHUP)
        assert (await AsyncHTTPClient().fetch(f"{address}/items?id=1")).code == 200
        process.send_signal(signal.SIGTERM)
        await process.communicate()
    assert process.returncode == 0


async def test_delay_before_the_listener_closes(settings: ExampleSettings) -> None:
    async with serving(settings, SHUTDOWN_DELAY="1") as (process, address):
        process.send_signal(signal.SIGTERM)
        while (await AsyncHTTPClient().fetch(f"{address}/readyz", raise_error=False)).code == 200:
            pass
        assert (await AsyncHTTPClient().fetch(f"{address}/items?id=1")).code == 200
        assert await process.wait() == 0


HALF_SENT = b"""\
POST /items HTTP/1.1\r
Host: a\r
Content-Type: application/json\r
Content-Length: 13\r
Expect: 100-continue\r
\r
"""


async def send_half(address: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Open a connection, and send a request without its body."""
    reader, writer = await connect(address)
    writer.write(HALF_SENT)
    assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 (Continue)\r\n\r\n"
    return reader, writer


async def test_request_in_flight_is_finished(settings: ExampleSettings) -> None:
    async with serving(settings) as (process, address):
        reader, writer = await send_half(address)
        process.send_signal(signal.SIGTERM)
        with contextlib.suppress(ConnectionError):
            while True:  # until the listener is closed
                (await send_half(address))[1].close()
        writer.write(b'{"name": "a"}')
        assert (await reader.readline()).startswith(b"HTTP/1.1 201 ")
        writer.close()
        assert await process.wait() == 0


async def test_second_signal_ends_it_at_once(settings: ExampleSettings) -> None:
    async with serving(settings, SHUTDOWN_DELAY="600") as (process, address):
        process.send_signal(signal.SIGTERM)
        while (await AsyncHTTPClient().fetch(f"{address}/readyz", raise_error=False)).code == 200:
            pass
        process.send_signal(signal.SIGINT)
        async with asyncio.timeout(30):
            assert await process.wait() == 128 + signal.SIGINT


async def test_request_that_never_ends_is_ended(settings: ExampleSettings) -> None:
    async with running_with(settings, shutdown_grace=0.1) as service:
        reader, writer = await send_half(service.address)
    assert await read_to_end(reader) == b""
    writer.close()


async def test_work_that_is_broken_off_is_counted(settings: ExampleSettings) -> None:
    """The line of the request alone, a 499, would read as if the client had left."""
    with capture_logs() as lines:
        async with running_with(settings, shutdown_grace=0.1) as service:
            _, writer = await send_half(service.address)
            service.application.background.spawn(asyncio.Event().wait())
    writer.close()
    [line] = [line for line in lines if "SHUTDOWN_GRACE" in line["event"]]
    assert (line["log_level"], line["requests"], line["websockets"], line["tasks"]) == ("warning", 1, 0, 1)


async def test_work_that_ends_in_time_is_no_warning(settings: ExampleSettings) -> None:
    with capture_logs() as lines:
        async with running_with(settings) as service:
            await AsyncHTTPClient().fetch(f"{service.address}/items?id=1")
    assert not [line for line in lines if line["log_level"] == "warning"]


async def test_handler_that_is_cancelled_still_has_the_database(
    settings: ExampleSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[str] = []

    class CleaningHandler(Handler):
        async def get(self) -> None:
            try:
                await asyncio.Event().wait()
            finally:
                await asyncio.sleep(0.1)
                await Item.aio_create(id=10, name="cleaned up")
                order.append("cleaned up")

    async with running_with(settings, shutdown_grace=0.1) as service:
        close = service.database.aio_close

        async def aio_close() -> None:
            order.append("closed")
            await close()

        monkeypatch.setattr(service.database, "aio_close", aio_close)
        service.application.add_handlers(".*", [("/clean", CleaningHandler)])
        _, writer = await connect(service.address)
        writer.write(b"GET /clean HTTP/1.1\r\nHost: a\r\n\r\n")
        await until(lambda: len(service.application.in_flight) == 1)
    writer.close()
    assert order == ["cleaned up", "closed"]
    async with running_with(settings):
        assert await exists(10)


async def test_client_that_leaves_midway_is_not_waited_for(settings: ExampleSettings) -> None:
    async with asyncio.timeout(30), running_with(settings, shutdown_grace=600) as service:
        _, writer = await send_half(service.address)
        writer.close()


async def test_answer_is_sent_to_its_end(settings: ExampleSettings) -> None:
    class LargeHandler(Handler):
        def get(self) -> None:
            self.finish(b"x" * 50 * MEBIBYTE)

    async with running_with(settings) as service:
        service.application.add_handlers(".*", [("/large", LargeHandler)])
        reader, writer = await connect(service.address)
        writer.write(b"GET /large HTTP/1.1\r\nHost: a\r\n\r\n")
        await reader.readuntil(b"\r\n\r\n")
        rest = asyncio.create_task(reader.read(-1))
    assert len(await rest) == 50 * MEBIBYTE
    writer.close()


async def test_client_is_told_that_its_connection_will_close(settings: ExampleSettings) -> None:
    async with running_with(settings) as service:
        database = service.database
        async with database.aio_atomic():
            await Item.aio_create(id=9, name="a row to wait for")
            reader, writer = await connect(service.address)
            writer.write(b"GET /get-or-create?id=9 HTTP/1.1\r\nHost: a\r\n\r\n")
            await until_under_way(database, "INSERT%")
            service.application.readiness.draining = True
        head, body = await reader.readuntil(b"\r\n\r\n"), await reader.readuntil(b"}")
    assert head.startswith(b"HTTP/1.1 200 ")
    assert b"\r\nConnection: close" in head
    assert json_decode(body)["name"] == "a row to wait for"
    writer.close()
