"""Errors between the service and PostgreSQL, as peewee's exceptions."""

import asyncio
from types import TracebackType

import peewee


class PoolTimeout(peewee.OperationalError):
    """No connection was free in time."""


class PeeweeErrors:
    """Raises peewee's exceptions from the block in place of the driver's."""

    def __enter__(self) -> None:
        """Keeps no state: all blocks share one instance."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if isinstance(error, asyncio.CancelledError):
            # aiopg raises this when the server cancels a statement, at STATEMENT_TIMEOUT for instance.
            task = asyncio.current_task()
            if task is None or not task.cancelling():
                raise peewee.OperationalError("the server cancelled the statement") from None
        elif error is not None:
            peewee.__exception_wrapper__.__exit__(kind, error, traceback)  # type: ignore[attr-defined]  # undeclared


peewee_errors = PeeweeErrors()
