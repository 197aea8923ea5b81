"""Spawned work outlives its request, and a shutdown waits for it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from structlog.testing import capture_logs
from tornado.web import HTTPError

from {{ cookiecutter.project_slug }}.foundation.logs import add_request_id
from {{ cookiecutter.project_slug }}.foundation.testing import Service, running
from {{ cookiecutter.project_slug }}.foundation.web import Application, Handler

from .example import ExampleSettings, Item, make_application
from .support import DeliberateError, connect, exists, insert, until

Work = Callable[[], Awaitable[object]]


class SpawnHandler(Handler):
    """Spawns the work that a test hands to it, and answers or waits."""

    def initialize(self, work: Work, waits: bool = False) -> None:
        self.work = work
        self.waits = waits

    async def post(self) -> None:
        async def work() -> object:
            return await self.work()

        self.spawn(work())
        if self.waits:
            await asyncio.Event().wait()
        self.set_status(202)


@asynccontextmanager
async def spawning(settings: ExampleSettings, work: Work, **arguments: bool) -> AsyncIterator[Service]:
    """Serve the example with a route that spawns the work."""
    application = make_application(settings)
    application.add_handlers(".*", [("/spawn", SpawnHandler, {"work": work, **arguments})])
    async with running(application, settings) as service:
        yield service


def ended(application: Application, outcome: str) -> float | None:
    return application.metrics.registry.get_sample_value("background_tasks_total", {"outcome": outcome})


async def test_shutdown_waits_for_it(settings: ExampleSettings) -> None:
    """It has the database until its end."""
    begun = asyncio.Event()

    async def work() -> None:
        begun.set()
        await asyncio.sleep(1)  # far longer than a shutdown takes that doesn't wait for it
        await insert(10)

    async with spawning(settings, work) as service:
        assert (await service.post("/spawn", body="")).code == 202
        await begun.wait()
    async with running(make_application(settings), settings):
        assert await exists(10)
    assert ended(service.application, "succeeded") == 1


async def test_it_goes_on_when_the_client_leaves(settings: ExampleSettings) -> None:
    done = asyncio.Event()

    async def work() -> None:
        await service.application.in_flight.wait_for_end()  # the handler is gone
        await insert(10)
        done.set()

    async with spawning(settings, work, waits=True) as service:
        _, writer = await connect(service.address)
        writer.write(b"POST /spawn HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n")
        await until(lambda: len(service.application.background) == 1)
        writer.close()
        async with asyncio.timeout(30):
            await done.wait()
        assert await exists(10)


async def test_it_is_cancelled_when_the_grace_is_over(settings: ExampleSettings) -> None:
    cancelled = asyncio.Event()

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            await Item.aio_create(name="cleaned up")  # it still has the database
            cancelled.set()
            raise

    short = settings.model_copy(update={"shutdown_grace": 0.1})
    with capture_logs() as lines:
        async with spawning(short, work) as service:
            await service.post("/spawn", body="")
    assert cancelled.is_set()
    assert "background task cancelled" in {line["event"] for line in lines}
    assert ended(service.application, "cancelled") == 1


@pytest.mark.parametrize("error", [DeliberateError("a reason"), HTTPError(404)])
async def test_failure_is_logged_with_the_request_id(settings: ExampleSettings, error: Exception) -> None:
    async def work() -> None:
        raise error

    with capture_logs(processors=[add_request_id]) as lines:
        async with spawning(settings, work) as service:
            assert ended(service.application, "failed") == 0
            await service.post("/spawn", body="", headers={"X-Request-ID": "the-id"})
    (line,) = [line for line in lines if line["event"] == "background task failed"]
    assert line["request_id"] == "the-id"
    assert "work" in line["task"]
    assert ended(service.application, "failed") == 1


async def test_metrics_count_it(settings: ExampleSettings) -> None:
    end = asyncio.Event()
    async with spawning(settings, end.wait) as service:
        await service.post("/spawn", body="")
        assert b"background_tasks_running 1.0" in (await service.get("/metrics")).body
        end.set()
        await service.application.background.wait_for_end()
        assert b'background_tasks_total{outcome="succeeded"} 1.0' in (await service.get("/metrics")).body
