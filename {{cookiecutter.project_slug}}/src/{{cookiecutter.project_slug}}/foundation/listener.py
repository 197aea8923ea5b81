"""The sockets that the server listens on, and the file descriptors for its connections."""

import asyncio
import contextlib
import errno
import math
import os
import resource
import socket
from typing import Any

import structlog
from tornado.ioloop import IOLoop
from tornado.netutil import bind_sockets

from .settings import ServiceSettings, SettingsError

logger = structlog.get_logger()

LIMITS = (65536, 10240)  # macOS refuses more than the second, whatever its hard limit
RESERVE = 10  # descriptors beside the pool's, for files and for probes of the database
OUT_OF_DESCRIPTORS = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
PAUSE = 0.1  # seconds
LOG_INTERVAL = 60  # seconds
UNREAD_TIMEOUT = 75  # seconds in which a client has to read something, where the system has a way to say so


class Listener(socket.socket):
    """A listening socket that pauses while the process has no file descriptor to spare.

    Tornado would log a traceback, and try again at once. Clients don't get the last descriptors: the pool needs them to
    reconnect.
    """

    end = math.inf  # clients get the descriptors below
    _is_paused = False
    _logged = -math.inf

    def accept(self) -> tuple[socket.socket, Any]:
        """Called by Tornado until it raises BlockingIOError."""
        if self._is_paused:
            raise BlockingIOError
        try:
            connection, address = super().accept()
        except OSError as error:
            if error.errno not in OUT_OF_DESCRIPTORS:
                raise
            self._pause()
            raise BlockingIOError from None
        if connection.fileno() >= self.end:  # the lowest free one
            self._pause()
        return connection, address

    def _pause(self) -> None:
        self._is_paused = True
        IOLoop.current().update_handler(self, 0)
        loop = asyncio.get_running_loop()
        loop.call_later(PAUSE, self._resume)
        if loop.time() > self._logged + LOG_INTERVAL:
            self._logged = loop.time()
            limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
            logger.warning("no file descriptor to spare: new connections wait until others close", limit=limit)

    def _resume(self) -> None:
        if self.fileno() == -1:  # closed meanwhile
            return
        if self._has_descriptors():
            self._is_paused = False
            IOLoop.current().update_handler(self, IOLoop.READ)
        else:
            asyncio.get_running_loop().call_later(PAUSE, self._resume)

    def _has_descriptors(self) -> bool:
        try:
            lowest = os.dup(self.fileno())
        except OSError:
            return False
        os.close(lowest)
        return lowest < self.end


def bind(settings: ServiceSettings) -> list[Listener]:
    """Open the sockets that the settings name. Raises SettingsError where the address can't be listened on."""
    host = None if settings.listen_host == "*" else settings.listen_host
    try:
        sockets = bind_sockets(settings.port, host, reuse_port=settings.reuse_port)
    except (OSError, UnicodeError) as error:
        where = f"LISTEN_HOST={settings.listen_host} PORT={settings.port}"
        raise SettingsError(f"{where} can't be listened on: {error}") from None
    listeners = [Listener(fileno=each.detach()) for each in sockets]
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    for listener in listeners:
        listener.setblocking(False)
        if hasattr(socket, "TCP_USER_TIMEOUT"):  # Linux; accepted connections inherit it
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(1000 * UNREAD_TIMEOUT))
        if limit != resource.RLIM_INFINITY:
            left = limit - listener.fileno()
            listener.end = limit - min(settings.pool_max_size + RESERVE, left // 2)
    return listeners


def raise_descriptor_limit() -> None:
    """Raise the soft limit, often 256 or 1024, as far as the hard limit and the system allow."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    for limit in LIMITS:
        wanted = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
        if soft == resource.RLIM_INFINITY or soft >= wanted:
            return
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
            return
