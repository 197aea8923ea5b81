"""Whether the server is still there."""

import asyncio
import select
from types import TracebackType
from typing import Any

import peewee

from . import driver


def hung_up(connection: Any) -> bool:
    """Whether an idle connection has something to read: an end of file, or the server's last message.

    A setting that was changed in the server looks the same, and then connecting again does no harm. This takes
    microseconds, where `SELECT 1` takes a round trip.
    """
    poll = select.poll()
    poll.register(driver.fileno(connection), select.POLLIN)
    return bool(poll.poll(0))


class AnswerWithin:
    """A block around a statement: OperationalError after so many seconds without an answer.

    The time-out hangs up. Cancelling would take longer: psycopg asks the server to cancel the statement, which for one
    that is lost takes 5 seconds, and waits for 5 more.
    """

    def __init__(self, seconds: float, connection: Any) -> None:
        self._connection = connection
        self._is_late = False
        self._timer = asyncio.get_running_loop().call_later(seconds, self._hang_up)

    def __enter__(self) -> None:
        """The time has begun."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._timer.cancel()
        if isinstance(error, peewee.DatabaseError) and self._is_late:
            raise peewee.OperationalError("the server doesn't answer") from None

    def _hang_up(self) -> None:
        self._is_late = True
        driver.hang_up(self._connection)
