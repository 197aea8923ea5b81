"""The server, from the migrations at the start to the last request."""

import asyncio
import contextlib
import os
import signal
import threading
from collections.abc import AsyncIterator, Callable
from types import FrameType

import structlog
from tornado.httputil import ParseBodyConfig, ParseMultipartConfig, set_parse_body_config

from .http_server import Server
from .listener import bind, raise_descriptor_limit
from .migrations import migrate
from .reloading import watch
from .settings import ServiceSettings
from .web import Application, Handler
from .web.incoming import READ_HEADERS_SIZE

logger = structlog.get_logger()

PART_HEADERS_SIZE = 2048  # bytes of a part of a multipart body; Tornado takes a second for a hundred of 10 kB

# Seconds after which a slow client loses its connection.
IDLE_TIMEOUT = 75  # for a request's headers, and between requests: more than the usual 60 s of load balancers
BODY_TIMEOUT = 60  # for a body; for one that may be large, as long as it takes at
SLOWEST_BODY = 100_000  # bytes a second
# Seconds that cancelled work gets to clean up, and that threads get to end before the process does without them.
CANCEL_TIMEOUT = 1
EXIT_TIMEOUT = 5
CLOSE_INTERVAL = 1  # seconds between two looks for streams and WebSockets that began during the shutdown

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)

BANNER = """\
Serving on {address}
  {address}/docs
  {address}/readyz
Press ^C to stop."""


async def serve(application: Application, settings: ServiceSettings, *, reload: bool = False) -> None:
    """Serve until SIGTERM, SIGHUP or ^C; a second signal ends the process at once. Raises as `listening` does.

    Args:
        reload: start the process again when a module changes.
    """
    raise_descriptor_limit()
    loop = asyncio.get_running_loop()
    received: asyncio.Queue[int] = asyncio.Queue()

    def stop(number: int, frame: object) -> None:
        handle_stop_signals(exit_at_once)  # not in the event loop, which a handler may block
        signal.signal(signal.SIGHUP, signal.SIG_IGN)  # a terminal that closes sends it twice
        loop.call_soon_threadsafe(received.put_nowait, number)

    async with listening(application, settings) as address:
        handle_stop_signals(stop)
        if reload:
            await watch(settings.database_url.get_secret_value() if settings.database_url else None)
        print(BANNER.format(address=address), flush=True)
        first = await received.get()
        application.readiness.draining = True
        if first == signal.SIGTERM:
            await asyncio.sleep(settings.shutdown_delay)  # the listener stays open while balancers look at /readyz
    print(" server stopped", flush=True)
    # Threads of `asyncio.to_thread` can't be cancelled, and Python waits for them at its exit.
    watchdog = threading.Timer(EXIT_TIMEOUT, os._exit, (0,))
    watchdog.daemon = True
    watchdog.start()


def handle_stop_signals(handler: Callable[[int, FrameType | None], None]) -> None:
    """Handle SIGTERM, ^C and a terminal that closes, unless that is to be ignored, as by nohup."""
    for number in STOP_SIGNALS:
        if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, handler)


def exit_at_once(number: int, frame: object) -> None:
    """Handle a signal: a container's first process isn't ended by a signal that it doesn't handle."""
    os._exit(128 + number)


@contextlib.asynccontextmanager
async def listening(application: Application, settings: ServiceSettings) -> AsyncIterator[str]:
    """Prepare the database and take requests inside the block; gives the server's address.

    At the end of the block the listener closes, and requests and spawned tasks have `shutdown_grace` seconds to finish.
    Raises peewee.OperationalError where the database can't be reached, MigrationError where a migration fails, and
    SettingsError where the address can't be listened on.
    """
    database = application.database
    if not settings.reuse_port:
        for listener in bind(settings):  # a taken port is an error before the tables are touched
            listener.close()
    # In a thread: psycopg2 notices no signal while it waits, for another replica's migration for instance.
    if settings.migrate_on_start:
        await asyncio.to_thread(migrate, database, application.migrations)
    if settings.seed_on_start and application.seed is not None:
        await asyncio.to_thread(application.seed, database)
    set_parse_body_config(ParseBodyConfig(ParseMultipartConfig(max_part_header_size=PART_HEADERS_SIZE)))
    await database.aio_connect()
    try:
        async with application.lifespan(application):
            server = Server(
                application,
                max_header_size=READ_HEADERS_SIZE,
                max_body_size=settings.max_body_size,
                idle_timeout=IDLE_TIMEOUT,
                body_timeout=max(BODY_TIMEOUT, settings.max_body_size / SLOWEST_BODY),
            )
            try:
                sockets = bind(settings)
                server.add_sockets(sockets)
                yield _address(settings.listen_host, sockets[0].getsockname()[1])
            finally:
                server.stop()
                await _finish_work(application, settings.shutdown_grace)
                application.in_flight.break_off()
                # Not with asyncio.timeout: Tornado takes the cancellation for the end of one request, and waits on.
                closing = asyncio.create_task(server.close_all_connections())
                await asyncio.wait({closing}, timeout=CANCEL_TIMEOUT)
                application.websockets.cancel()
                application.background.cancel()
                await _wait_for_cancelled()
    finally:
        await database.aio_close()


async def _finish_work(application: Application, seconds: float) -> None:
    """Close WebSockets, end event streams, and wait for requests and spawned tasks, for `seconds` at most."""
    try:
        async with asyncio.timeout(seconds):
            while application.in_flight or application.websockets or application.background:
                application.websockets.close()
                for handler in application.in_flight:
                    if isinstance(handler, Handler):
                        handler.end_event_stream()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(CLOSE_INTERVAL):
                        await application.in_flight.wait_for_end()
                        await application.websockets.wait_for_end()
                        await application.background.wait_for_end()
    except TimeoutError:
        logger.warning(
            "SHUTDOWN_GRACE is over: the rest is broken off",
            requests=len(application.in_flight),
            websockets=len(application.websockets),
            tasks=len(application.background),
        )


async def _wait_for_cancelled() -> None:
    """Let cancelled handlers and tasks clean up, while the database is still there."""
    await asyncio.sleep(0)  # closed connections cancel their handlers in the next turn of the loop
    cancelled = {task for task in asyncio.all_tasks() - {asyncio.current_task()} if task.cancelling()}
    if cancelled:
        await asyncio.wait(cancelled, timeout=CANCEL_TIMEOUT)


def _address(host: str, port: int) -> str:
    reachable = "127.0.0.1" if host == "*" else f"[{host}]" if ":" in host else host
    return f"http://{reachable}:{port}"
