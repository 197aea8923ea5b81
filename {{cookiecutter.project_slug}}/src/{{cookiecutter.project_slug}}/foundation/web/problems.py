"""Errors as problems (RFC 9457), and the statuses of database errors."""

from http.client import responses

import peewee
from pydantic import BaseModel, Field

from ..database import sqlstate_of

PROBLEM_JSON = "application/problem+json"
RETRY_AFTER = 1  # seconds
CLIENT_CLOSED_REQUEST = 499  # nginx's status for a client that left; only the log and the metrics see it

# As RFC 9110 has them; Python has so only since 3.13.
PHRASES = responses | {
    413: "Content Too Large",
    414: "URI Too Long",
    416: "Range Not Satisfiable",
    422: "Unprocessable Content",
}
# By SQLSTATE or the beginning of it: https://www.postgresql.org/docs/current/errcodes-appendix.html
STATUSES = {
    "08": 503,  # connection exception
    "22": 400,  # data exception: too long, out of range, no such date
    "22012": 500,  # division by zero
    "2200H": 500,  # a sequence is used up
    "23503": 409,  # foreign key violation
    "23505": 409,  # unique violation
    "23514": 400,  # check violation
    "23P01": 409,  # exclusion violation
    "25006": 503,  # read-only transaction: the server is a standby by now
    "25P03": 503,  # idle-in-transaction timeout
    "25P04": 503,  # transaction timeout, since PostgreSQL 17
    "40": 503,  # serialization failure, deadlock
    "53": 503,  # insufficient resources: too many connections, disk full
    "54": 400,  # program limit exceeded: too long for an index
    "55P03": 503,  # lock timeout
    "57014": 503,  # statement timeout
    "57P": 503,  # shutdown, or starting up
}
DETAILS = {
    400: "The database doesn't accept a value",
    409: "The row conflicts with another one, or refers to one that isn't there",
}


class Problem(BaseModel):
    """Body of an error."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str | None = Field(default=None, exclude_if=lambda detail: detail is None)
    request_id: str


def status_of(error: Exception) -> int:
    """Return the status for a database error: by its SQLSTATE, or 503 when the connection was lost. Else 500."""
    sqlstate = sqlstate_of(error)
    if sqlstate is None:
        return 503 if isinstance(error, (peewee.OperationalError, peewee.InterfaceError)) else 500
    return next((STATUSES[sqlstate[:n]] for n in (5, 3, 2) if sqlstate[:n] in STATUSES), 500)
