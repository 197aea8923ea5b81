"""The lifespan surrounds the requests: it is entered before the first, and left after the last."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from {{ cookiecutter.project_slug }}.foundation.testing import running
from {{ cookiecutter.project_slug }}.foundation.web import Application, Handler

from .example import ExampleSettings, make_application
from .support import DeliberateError, connect, exists, free_port, until


@pytest.fixture
def application(settings: ExampleSettings) -> Application:
    return make_application(settings)


async def test_it_surrounds_the_requests(application: Application, settings: ExampleSettings) -> None:
    events: list[str] = []

    @asynccontextmanager
    async def lifespan(application: Application) -> AsyncIterator[None]:
        assert await exists(1)  # the tables and the first rows are there
        application.settings["greeting"] = "hello"
        events.append("entered")
        yield
        assert await exists(1)
        events.append("left")

    class SlowHandler(Handler):
        async def get(self) -> None:
            await asyncio.sleep(0.2)
            events.append("answered")
            self.finish(self.settings["greeting"])

    application.lifespan = lifespan
    application.add_handlers(".*", [("/slow", SlowHandler)])
    async with running(application, settings) as service:
        reader, writer = await connect(service.address)
        writer.write(b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n")
        await until(lambda: len(service.application.in_flight) == 1)
    assert (await reader.read()).endswith(b"hello")
    writer.close()
    assert events == ["entered", "answered", "left"]


async def test_failure_stops_the_start(application: Application, settings: ExampleSettings) -> None:
    @asynccontextmanager
    async def lifespan(application: Application) -> AsyncIterator[None]:
        raise DeliberateError
        yield

    application.lifespan = lifespan
    with pytest.raises(DeliberateError):
        async with running(application, settings):
            pass
    assert not application.database.is_connected


async def test_it_is_entered_before_the_listener_opens(settings: ExampleSettings) -> None:
    port = free_port()

    @asynccontextmanager
    async def lifespan(application: Application) -> AsyncIterator[None]:
        with pytest.raises(ConnectionRefusedError):
            await connect(f"http://127.0.0.1:{port}")
        yield

    application = make_application(settings)
    application.lifespan = lifespan
    async with running(application, settings.model_copy(update={"port": port})):
        pass
