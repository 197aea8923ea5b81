"""Errors between the service and PostgreSQL, as peewee's exceptions."""

import re

import peewee

peewee_errors = peewee.__exception_wrapper__  # type: ignore[attr-defined]  # undeclared
"""A context manager that raises peewee's exceptions in place of the driver's."""

DATABASE_ERRORS = (peewee.DatabaseError, peewee.InterfaceError)


class PoolTimeout(peewee.OperationalError):
    """No connection was free in time."""


class TooManyConnections(peewee.OperationalError):
    """The server has no connection left, for the role or at all."""


class ReadOnlyServer(peewee.OperationalError):
    """The server takes no writes, such as a standby."""


def sqlstate_of(error: Exception) -> str | None:
    """Return the SQLSTATE that the server gave to one of peewee's exceptions; None where it gave none."""
    original = getattr(error, "orig", None)  # the driver's error
    return getattr(original, "sqlstate", None) or getattr(original, "pgcode", None)


def one_line(error: object) -> str:
    """Return the message in one line: libpq and PostgreSQL use several."""
    return " ".join(str(error).split())


def refused_connection(refusals: str) -> peewee.OperationalError:
    """Return the error for a connection that was refused, by the reasons for it.

    libpq doesn't tell the SQLSTATE of an error while it connects, 53300 where there are too many.
    """
    is_too_many = re.search("too many (clients|connections)|connection slots|no more connections", refusals)
    return TooManyConnections(refusals) if is_too_many else peewee.OperationalError(refusals)
