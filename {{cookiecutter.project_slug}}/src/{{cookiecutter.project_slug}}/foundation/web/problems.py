"""Errors as `application/problem+json` (RFC 9457)."""

import peewee
from pydantic import BaseModel, Field

UNAVAILABLE_ERRORS = (peewee.OperationalError, peewee.InterfaceError)
RETRY_AFTER = 1  # seconds
CLIENT_CLOSED_REQUEST = 499  # nginx's status for a client that left; only the log and the metrics see it


class Problem(BaseModel):
    """Body of an error."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str | None = Field(default=None, exclude_if=lambda detail: detail is None)
    request_id: str
