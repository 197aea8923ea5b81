"""What goes wrong between the service and PostgreSQL, as peewee's exceptions."""

import asyncio
import contextlib
from collections.abc import Iterator

import peewee


class PoolTimeout(peewee.OperationalError):
    """No connection could be had in time."""


@contextlib.contextmanager
def peewee_errors() -> Iterator[None]:
    """Raises peewee's exceptions for the driver's."""
    try:
        with peewee.__exception_wrapper__:  # type: ignore[attr-defined]  # peewee doesn't declare it
            yield
    except asyncio.CancelledError:
        # aiopg raises this for a statement that the server cancelled, at STATEMENT_TIMEOUT for instance.
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise
        raise peewee.OperationalError("the server cancelled the statement") from None
