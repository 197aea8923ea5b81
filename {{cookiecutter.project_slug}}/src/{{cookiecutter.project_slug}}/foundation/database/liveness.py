"""Checks whether the server still answers."""

import asyncio
import select
from types import TracebackType
from typing import Any

import peewee

from . import driver


def hung_up(connection: Any) -> bool:
    """Return whether an idle connection has something to read: an end of file, or the server's last message.

    A changed server setting also sends a message; reconnecting then does no harm. The check takes microseconds,
    `SELECT 1` a round trip.
    """
    poll = select.poll()
    poll.register(driver.fileno(connection), select.POLLIN)
    return bool(poll.poll(0))


class StatementDeadline:
    """Raises OperationalError from the block around a statement that has no answer after `seconds`.

    The deadline hangs up the connection. Cancelling would take longer: psycopg asks the server to cancel the statement,
    which takes 5 seconds when the server is lost, and then waits 5 more.
    """

    def __init__(self, seconds: float, connection: Any) -> None:
        self._connection = connection
        self._is_late = False
        self._timer = asyncio.get_running_loop().call_later(seconds, self._hang_up)

    def __enter__(self) -> None:
        """The timer starts in `__init__`."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._timer.cancel()
        if isinstance(error, peewee.DatabaseError) and self._is_late:
            raise peewee.OperationalError("the server doesn't answer") from None

    def _hang_up(self) -> None:
        self._is_late = True
        driver.hang_up(self._connection)
