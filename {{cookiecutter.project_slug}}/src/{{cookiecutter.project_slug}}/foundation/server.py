"""The server, from the migrations at the start to the last request."""

import asyncio
import contextlib
import os
import signal
import socket
from collections.abc import AsyncIterator

import structlog
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets

from .migrations import migrate
from .reloading import watch
from .settings import ServiceSettings, SettingsError
from .web import Application

logger = structlog.get_logger()

# Seconds after which a slow client loses its connection.
IDLE_TIMEOUT = 75  # for a request's headers, and between requests: more than the usual 60 s of load balancers
BODY_TIMEOUT = 60

BANNER = """\
Serving on {address}
  {address}/docs
  {address}/readyz
Press ^C to stop."""


async def serve(application: Application, settings: ServiceSettings, *, reload: bool = False) -> None:
    """Serve until SIGTERM or ^C; a second signal ends the process at once. Raises as `listening` does.

    Args:
        reload: start the process again when a module changes.
    """
    received: asyncio.Queue[signal.Signals] = asyncio.Queue()
    async with listening(application, settings) as address:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, received.put_nowait, number)
        if reload:
            await watch()
        print(BANNER.format(address=address), flush=True)
        first = await received.get()
        application.readiness.draining = True
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, os._exit, 128 + number)
        if first == signal.SIGTERM:
            await asyncio.sleep(settings.shutdown_delay)  # the listener stays open while balancers look at /readyz
    print(" server stopped", flush=True)


@contextlib.asynccontextmanager
async def listening(application: Application, settings: ServiceSettings) -> AsyncIterator[str]:
    """Prepare the database and take requests inside the block; gives the server's address.

    At the end of the block the listener closes, and requests and spawned tasks have `shutdown_grace` seconds to finish.
    Raises peewee.OperationalError where the database can't be reached, MigrationError where a migration fails, and
    SettingsError where the address can't be listened on.
    """
    database = application.database
    if not settings.reuse_port:
        for listener in _bind(settings):  # a taken port is an error before the tables are touched
            listener.close()
    # In a thread: psycopg2 notices no signal while it waits, for another replica's migration for instance.
    if settings.migrate_on_start:
        await asyncio.to_thread(migrate, database, application.migrations)
    if settings.seed_on_start and application.seed is not None:
        await asyncio.to_thread(application.seed, database)
    await database.aio_connect()
    try:
        async with application.lifespan(application):
            server = HTTPServer(
                application,
                max_body_size=settings.max_body_size,
                idle_connection_timeout=IDLE_TIMEOUT,
                body_timeout=BODY_TIMEOUT,
            )
            try:
                sockets = _bind(settings)
                server.add_sockets(sockets)
                yield _address(settings.listen_host, sockets[0].getsockname()[1])
            finally:
                server.stop()
                await _finish_work(application, settings.shutdown_grace)
                await server.close_all_connections()
    finally:
        await database.aio_close()


async def _finish_work(application: Application, seconds: float) -> None:
    """Wait for requests and spawned tasks, and cancel the tasks that take longer."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while application.in_flight or application.background:
                await application.in_flight.wait_for_end()
                await application.background.wait_for_end()
    await application.background.cancel()


def _bind(settings: ServiceSettings) -> list[socket.socket]:
    host = None if settings.listen_host == "*" else settings.listen_host
    try:
        return bind_sockets(settings.port, host, reuse_port=settings.reuse_port)
    except (OSError, UnicodeError) as error:
        where = f"LISTEN_HOST={settings.listen_host} PORT={settings.port}"
        raise SettingsError(f"{where} can't be listened on: {error}") from None


def _address(host: str, port: int) -> str:
    reachable = "127.0.0.1" if host == "*" else f"[{host}]" if ":" in host else host
    return f"http://{reachable}:{port}"
