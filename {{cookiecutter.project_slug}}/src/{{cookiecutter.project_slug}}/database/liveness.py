"""Whether the server is still there."""

import asyncio
import contextlib
import os
import select
import socket
from collections.abc import Iterator
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


@contextlib.contextmanager
def answer_within(timeout: float, connection: Any) -> Iterator[None]:
    """Around a statement: OperationalError after `timeout` seconds without an answer.

    The time-out hangs up, on which both drivers raise an error at once. Cancelling would take longer: psycopg asks the
    server to cancel the statement, which for one that is lost takes 5 seconds, and waits for 5 more.
    """
    loop = asyncio.get_running_loop()
    timer = loop.call_later(timeout, _hang_up, connection)
    try:
        yield
    except peewee.DatabaseError:
        if loop.time() >= timer.when():
            raise peewee.OperationalError("the server doesn't answer") from None
        raise
    finally:
        timer.cancel()


def _hang_up(connection: Any) -> None:
    with socket.socket(fileno=os.dup(driver.fileno(connection))) as line:
        line.shutdown(socket.SHUT_RDWR)
