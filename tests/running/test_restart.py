"""Servers are stopped and replaced under load, and no request is lost."""

import asyncio
import contextlib
import errno
import os
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import aiohttp
import pytest
from aiohttp import web

from harness.figures import Figures
from harness.load import load
from harness.postgres import Server, free_port
from harness.serving import Service


@pytest.mark.alone
def test_rolling_restart_on_one_port(service: Service, server: Server, figures: Figures) -> None:
    """Two instances listen on the same port, and each is replaced, one after the other.

    During SHUTDOWN_DELAY one that leaves sends its clients elsewhere; without it, a request on a connection that was
    idle when the server closed it would be lost.
    """
    environment = {"PORT": str(free_port()), "REUSE_PORT": "true", "SHUTDOWN_DELAY": "1"}
    with contextlib.ExitStack() as instances:
        first, second = contextlib.ExitStack(), contextlib.ExitStack()
        address = first.enter_context(service.serving(server.url, **environment))
        second.enter_context(service.serving(server.url, **environment))

        def replace_both() -> None:
            for leaving in (first, second):
                instances.enter_context(service.serving(server.url, **environment))
                leaving.close()

        seen = asyncio.run(load(address, replace_both, after=1))
    assert set(seen.statuses()) == {200, 201}
    figures.append(f"{service.driver}, rolling restart on one port: {dict(seen.statuses())}")


def test_port_in_use_is_one_clear_line(service: Service, server: Server) -> None:
    """The instances would share the requests, and one of them may be old code that was forgotten."""
    with service.serving(server.url) as address:
        port = urlsplit(address).port
        code, printed = service.run("serve", DATABASE_URL=server.url, PORT=str(port))
    reason = OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))
    assert code == 1
    assert printed == f"name_service: LISTEN_HOST=127.0.0.1 PORT={port} can't be listened on: {reason}\n"


@pytest.mark.alone
def test_balancer_that_heeds_readyz(service: Service, server: Server, figures: Figures) -> None:
    delay = 2

    async def through_a_balancer() -> set[int]:
        with contextlib.ExitStack() as instances:
            leaving = instances.enter_context(contextlib.ExitStack())
            addresses = [
                leaving.enter_context(service.serving(server.url, SHUTDOWN_DELAY=f"{delay}")),
                instances.enter_context(service.serving(server.url)),
            ]
            async with balancer(addresses) as address:
                seen = await load(address, leaving.close, after=1)
        figures.append(f"{service.driver}, a server leaves its balancer: {dict(seen.statuses())}")
        return set(seen.statuses())

    assert asyncio.run(through_a_balancer()) == {200, 201}


@contextlib.asynccontextmanager
async def balancer(addresses: list[str]) -> AsyncIterator[str]:
    """The address of a balancer that asks for /readyz four times a second, and sends a request once only."""
    ready = list(addresses)
    turn = 0

    async def forward(request: web.Request) -> web.Response:
        nonlocal turn
        turn += 1
        body = await request.read()
        kind = {"Content-Type": request.headers["Content-Type"]} if body else {}
        url = ready[turn % len(ready)] + str(request.rel_url)
        async with session.request(request.method, url, data=body or None, headers=kind) as response:
            return web.Response(status=response.status, body=await response.read())

    async def look() -> None:
        while True:
            for address in addresses:
                try:
                    async with session.get(f"{address}/readyz") as response:
                        is_ready = response.status == 200
                except aiohttp.ClientError:
                    is_ready = False
                if is_ready != (address in ready):
                    (ready.append if is_ready else ready.remove)(address)
            await asyncio.sleep(0.25)

    application = web.Application()
    application.router.add_route("*", "/", forward)
    runner = web.AppRunner(application)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        looking = asyncio.create_task(look())
        await runner.setup()
        port = free_port()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        yield f"http://127.0.0.1:{port}"
        looking.cancel()
        await runner.cleanup()
