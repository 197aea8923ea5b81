"""Errors as `application/problem+json` (RFC 9457), with the id of the request in them."""

import asyncio
import re
import secrets
from collections.abc import Awaitable
from http.client import responses
from types import TracebackType
from typing import Any

import peewee
from pydantic import BaseModel, Field
from tornado.httputil import HTTPServerRequest
from tornado.web import Application, HTTPError, RequestHandler, stream_request_body

from . import logs

DATABASE_IS_AWAY = (peewee.OperationalError, peewee.InterfaceError)
RETRY_AFTER = 1  # seconds
CLIENT_CLOSED_REQUEST = 499  # as nginx has it: an answer that only the log sees


class Problem(BaseModel):
    """What the body of an error says."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str | None = Field(default=None, exclude_if=lambda detail: detail is None)
    request_id: str


class Handler(RequestHandler):
    """The base of the handlers: answers HEAD as GET, and errors as problems. It gives each request an id.

    That the database is away or overloaded is a 503 wherever it shows, so that a handler need not think of it.
    """

    failure: str | None = None  # why there is no good answer, for the log
    _task: asyncio.Task[None] | None = None

    def __init__(self, application: Application, request: HTTPServerRequest, **kwargs: Any) -> None:
        given = request.headers.get("X-Request-ID", "")
        self.request_id = given if re.fullmatch(r"[A-Za-z0-9._-]{1,64}", given) else secrets.token_hex(16)
        super().__init__(application, request, **kwargs)

    def set_default_headers(self) -> None:
        self.clear_header("Server")
        self.set_header("X-Request-ID", self.request_id)
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("Referrer-Policy", "no-referrer")

    def prepare(self) -> Awaitable[None] | None:
        """Called by Tornado before the method: who overrides it has to call `super().prepare()`."""
        logs.request_id.set(self.request_id)
        self._task = asyncio.current_task()
        return None

    def on_connection_close(self) -> None:
        """Called by Tornado when the client goes away: nobody needs the answer, so the database needn't work on it."""
        super().on_connection_close()  # it fails the body that a streaming handler waits for
        if self._task is not None:
            self._task.cancel()

    async def head(self, *args: str, **kwargs: str) -> None:
        """What GET answers; Tornado leaves the body out."""
        if "GET" not in self.allowed_methods():
            raise HTTPError(405)
        answered = self.get(*args, **kwargs)
        if answered is not None:
            await answered

    def allowed_methods(self) -> list[str]:
        """The methods that this handler implements."""
        implemented = [
            method
            for method in ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
            if getattr(type(self), method.lower()) is not getattr(RequestHandler, method.lower())
        ]
        return ["HEAD", *implemented] if "GET" in implemented else implemented

    def finish(self, chunk: str | bytes | dict[str, Any] | None = None) -> "asyncio.Future[None]":
        """As Tornado's. While the server shuts down, the client is asked to go elsewhere with its next request."""
        if self.settings["readiness"].draining:
            self.set_header("Connection", "close")
        return super().finish(chunk)

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Called by Tornado for what a handler raised, and for what it refuses itself."""
        error = kwargs["exc_info"][1] if "exc_info" in kwargs else None
        if isinstance(error, DATABASE_IS_AWAY):
            status_code = 503
        if self._task is not None and self._task.cancelling():
            status_code = CLIENT_CLOSED_REQUEST
        if status_code == 405:
            self.set_header("Allow", ", ".join(self.allowed_methods()))
        if status_code == 503:
            self.set_header("Retry-After", str(RETRY_AFTER))
        detail = error.get_message() if isinstance(error, HTTPError) and error.log_message else None
        self.finish(self.problem(status_code, detail))

    def problem(self, status: int, detail: str | None) -> bytes:
        """The body of an answer that has this status and says what was wrong; sets the answer's status and type."""
        self.set_status(status)
        self.set_header("Content-Type", "application/problem+json")
        title = responses.get(status, "Unknown")
        problem = Problem(title=title, status=status, detail=detail, request_id=self.request_id)
        return problem.model_dump_json().encode()

    def log_exception(
        self, typ: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None
    ) -> None:
        """Called by Tornado. A bug gets a traceback; any other failure is a part of the request's line."""
        if isinstance(value, DATABASE_IS_AWAY):
            self.failure = " ".join(str(value).split())
        elif isinstance(value, HTTPError):
            self.failure = value.get_message() if value.log_message else None
        else:
            super().log_exception(typ, value, tb)


class NotFoundHandler(Handler):
    """For the paths that no other handler serves."""

    def prepare(self) -> None:
        super().prepare()
        raise HTTPError(404, f"There is nothing at {self.request.path}")


@stream_request_body
class TooLargeHandler(Handler):
    """Answers before the body has come, and lets it come nevertheless.

    Were the connection closed with a part of the body unread, it would be reset, and the answer lost with it.
    """

    def initialize(self, limit: int) -> None:
        self.limit = limit

    async def prepare(self) -> None:
        super().prepare()
        body = self.problem(413, f"The body may have {self.limit} bytes at most")
        self.set_header("Content-Length", len(body))
        self.write(body)
        await self.flush()
        self._task = None  # it has its answer, wherever the client goes

    def data_received(self, chunk: bytes) -> None:
        """Leave it."""

    def end(self) -> None:
        self.finish()

    get = head = post = put = patch = delete = options = end  # type: ignore[assignment]  # Tornado: a variable each
