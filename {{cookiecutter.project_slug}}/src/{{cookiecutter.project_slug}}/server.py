"""The server: from the database's tables to the last request."""

import asyncio
import contextlib
import signal
import socket
from collections.abc import AsyncIterator

import structlog
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets

from . import seeding
from .application import Application, make_application
from .migrations import migrate
from .settings import Settings, SettingsError

logger = structlog.get_logger()

# Seconds. A client that is slower than that loses its connection.
IDLE_TIMEOUT = 75  # for a request's headers, and between requests: more than the 60 s of usual load balancers
BODY_TIMEOUT = 60

BANNER = """\
Serving on {address}
  {address}/?id=1
  {address}/create?id=100
  {address}/readyz
  {address}/docs
Press ^C to stop."""


async def serve(settings: Settings) -> None:
    """Serve until SIGTERM or ^C. Raises as `listening` does."""
    received: asyncio.Queue[signal.Signals] = asyncio.Queue()
    application = make_application(settings)
    async with listening(application, settings) as address:
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, received.put_nowait, number)
        print(BANNER.format(address=address), flush=True)
        first = await received.get()
        application.readiness.draining = True
        if first == signal.SIGTERM:
            await asyncio.sleep(settings.shutdown_delay)  # the listener stays open while balancers look at /readyz
    print(" server stopped", flush=True)


@contextlib.asynccontextmanager
async def listening(application: Application, settings: Settings) -> AsyncIterator[str]:
    """Prepare the database, and answer requests until the end of the block; gives the server's address.

    At the end the listener closes and requests in flight have `shutdown_grace` seconds to finish.
    Raises peewee.OperationalError where the database can't be reached, MigrationError where a migration fails, and
    SettingsError where the address can't be used.
    """
    database = application.database
    # In a thread: while psycopg2 waits, for another replica's migration for instance, it doesn't notice signals.
    if settings.migrate:
        await asyncio.to_thread(migrate, database)
    if settings.seed:
        await asyncio.to_thread(seeding.seed, database)
    await database.aio_connect()
    server = HTTPServer(
        application,
        max_body_size=settings.max_body_size,
        idle_connection_timeout=IDLE_TIMEOUT,
        body_timeout=BODY_TIMEOUT,
    )
    try:
        sockets = _bind(settings)
        server.add_sockets(sockets)
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        yield f"http://{host}:{sockets[0].getsockname()[1]}"
    finally:
        server.stop()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(settings.shutdown_grace):
                await application.in_flight.wait_for_end()
        await server.close_all_connections()
        await database.aio_close()


def _bind(settings: Settings) -> list[socket.socket]:
    try:
        is_shared = _is_in_use(settings)
        sockets = bind_sockets(settings.port, settings.host, reuse_port=True)
        if is_shared:
            logger.info("another process listens on this port too, and gets a share of the clients", port=settings.port)
        return sockets
    except (OSError, UnicodeError) as error:
        raise SettingsError(f"HOST={settings.host} PORT={settings.port} can't be listened on: {error}") from None


def _is_in_use(settings: Settings) -> bool:
    try:
        socket.create_connection((settings.host, settings.port), timeout=1).close()
    except OSError:
        return False
    return True
